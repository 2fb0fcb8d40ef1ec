import type { Bytes } from '../quantities.js';
import type { Routes } from '../routes/compute-routes.js';
import { prepareCollective, type CollectiveOptions, type CollectiveSubject, type PreparedCollective } from './prepare-collective.js';
import type { CollectiveEstimate } from './types.js';

/**
 * What a collective costs: the fastest algorithm, its time with a range, bandwidths as nccl-tests reports them, phases, bottleneck link
 * and runner-up. One rank costs nothing.
 *
 * Bytes are the total buffer (for all-gather the gathered result, for reduce-scatter and all-to-all the full input of a rank).
 * The last few sets of ranks are remembered with the routes, so repeated questions cost microseconds; for control over that use
 * {@link prepareCollective}.
 *
 * @throws FabricPlanError as prepareCollective
 * @example
 * estimateCollective(routes, { operation: 'all-reduce', ranks: ['a', 'b'], bytes: 1e9 }).algorithm // 'recursive-doubling'
 */
export function estimateCollective(
  routes: Routes,
  subject: CollectiveSubject & { readonly bytes: Bytes },
  options: CollectiveOptions = {},
): CollectiveEstimate {
  return remembered(routes, subject, options).estimate(subject.bytes);
}

/** Prepared collectives kept with the routes, oldest out first, and the largest rank count that is kept. */
const MOST_REMEMBERED = 64;
const MOST_REMEMBERED_RANKS = 4096;

/** The prepared collective of an earlier question on the same ranks, else a new one. Only for questions without options. */
function remembered(routes: Routes, subject: CollectiveSubject, options: CollectiveOptions): PreparedCollective {
  const { operation, ranks, root } = subject;
  const isPlain = Object.keys(options).length === 0 && Array.isArray(ranks) && ranks.length <= MOST_REMEMBERED_RANKS;
  if (!isPlain) return prepareCollective(routes, subject, options);
  const key = `${operation}\n${root ?? ''}\n${ranks.join('\n')}`;
  const known = (routes.scratch.remembered ??= new Map());
  const found = known.get(key) as PreparedCollective | undefined;
  if (found !== undefined) return found;
  const prepared = prepareCollective(routes, subject, options);
  if (known.size >= MOST_REMEMBERED) known.delete(known.keys().next().value ?? '');
  known.set(key, prepared);
  return prepared;
}

/**
 * All-reduce over some GPUs: the common word for {@link estimateCollective} with that operation.
 *
 * @example
 * estimateAllReduce(routes, { ranks: ['a', 'b'], bytes: 1e9 }).rankCount // 2
 */
export function estimateAllReduce(
  routes: Routes,
  subject: { readonly ranks: readonly string[]; readonly bytes: Bytes },
  options: CollectiveOptions = {},
): CollectiveEstimate {
  return estimateCollective(routes, { operation: 'all-reduce', ...subject }, options);
}
