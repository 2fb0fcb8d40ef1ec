import type { Bytes } from '../quantities.js';
import type { Routes } from '../routes/compute-routes.js';
import { prepareCollective, type CollectiveOptions, type CollectiveSubject } from './prepare-collective.js';
import type { CollectiveEstimate } from './types.js';

/**
 * What a collective costs: the fastest algorithm, its time with a range, bandwidths as nccl-tests reports them, phases, bottleneck link
 * and runner-up. One rank costs nothing.
 *
 * Bytes are the total buffer (for all-gather the gathered result, for reduce-scatter and all-to-all the full input of a rank).
 * For many sizes on the same ranks use {@link prepareCollective}.
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
  return prepareCollective(routes, subject, options).estimate(subject.bytes);
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
