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

/** What was prepared for one list of ranks; the copy tells when the caller changed the list. */
interface RememberedList {
  readonly copy: readonly string[];
  readonly prepared: Map<string, PreparedCollective>;
}

/**
 * The prepared collective of an earlier question on the same ranks, else a new one. Only for questions without options. Looks for the list
 * itself first, then for its content.
 */
function remembered(routes: Routes, subject: CollectiveSubject, options: CollectiveOptions): PreparedCollective {
  const { operation, ranks, root } = subject;
  for (const name in options) if (Object.hasOwn(options, name)) return prepareCollective(routes, subject, options);
  if (!(ranks instanceof Array) || ranks.length > MOST_REMEMBERED_RANKS || root !== undefined)
    return prepareCollective(routes, subject, options);
  const lists = (routes.scratch.rememberedLists ??= new WeakMap());
  let list = lists.get(ranks) as RememberedList | undefined;
  if (list !== undefined && isSame(list.copy, ranks)) {
    const prepared = list.prepared.get(operation);
    if (prepared !== undefined) return prepared;
  } else lists.set(ranks, (list = { copy: [...ranks], prepared: new Map() }));
  const known = (routes.scratch.remembered ??= new Map());
  const key = `${operation}\n${ranks.join('\n')}`;
  let prepared = known.get(key) as PreparedCollective | undefined;
  if (prepared === undefined) {
    prepared = prepareCollective(routes, subject, options);
    if (known.size >= MOST_REMEMBERED) known.delete(known.keys().next().value ?? '');
    known.set(key, prepared);
  }
  list.prepared.set(operation, prepared);
  return prepared;
}

function isSame(a: readonly string[], b: readonly string[]): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
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
