import { FabricPlanError, invalidArgument } from '../../errors.js';
import { gpuIndices } from '../../fabric/edit-fabric.js';
import type { Fabric } from '../../fabric/types.js';
import type { BytesPerSecond } from '../../quantities.js';
import { createFlowNetwork, type FlowNetwork } from '../../routes/max-flow.js';

/** A cut that limits a collective. */
export interface BottleneckCut {
  /** Ranks on the sending side. */
  readonly gpusInside: readonly string[];
  /** Links that leave that side. */
  readonly links: readonly string[];
  /** Usable rate of all of them. */
  readonly capacity: BytesPerSecond;
}

/** The best any schedule can do. */
export interface CollectiveOptimum {
  /** Algorithm bandwidth: bytes of the collective per second. */
  readonly bandwidth: BytesPerSecond;
  readonly bottleneckCut: BottleneckCut;
}

/** Relative width at which the search for the optimum stops. */
const PRECISION = 1e-10;
const MOST_RANKS = 256;

/**
 * The largest throughput of an all-gather or reduce-scatter over any schedule and any routes, or a bound on that of an all-reduce, with
 * the cut that limits it.
 *
 * All-gather: T = (bytes / N) · max over cuts S of |S ∩ ranks| / B⁺(S), where S leaves out at least one rank. Found by bisection on the
 * rate: a source feeds every rank with x, and the rate is feasible when every rank can receive N·x. Reduce-scatter is the same on the
 * reversed fabric. All-reduce: bytes / B⁺(S) over cuts with ranks on both sides, which also holds for in-network reduction.
 *
 * GPUs and hosts may forward here, so the optimum is at least that of any schedule over the routes of this library.
 *
 * @throws FabricPlanError `invalid-argument` for other operations, `unreachable` where ranks are not connected, `too-large` beyond 256 ranks
 * @complexity O(N · log(1/precision)) max-flows
 * @reference Zhao et al., ForestColl, arXiv 2402.06787 (the optimum); the cut bound of the all-reduce is elementary
 * @example
 * collectiveOptimum(fabric, { operation: 'all-gather', ranks: ['a', 'b'] }).bandwidth // 100000000000
 */
export function collectiveOptimum(
  fabric: Fabric,
  subject: { readonly operation: 'all-gather' | 'reduce-scatter' | 'all-reduce'; readonly ranks: readonly string[] },
): CollectiveOptimum {
  const where = 'collectiveOptimum';
  const { operation, ranks } = subject;
  if (!['all-gather', 'reduce-scatter', 'all-reduce'].includes(operation))
    throw invalidArgument(where, 'operation', operation, 'all-gather, reduce-scatter or all-reduce');
  if (ranks.length > MOST_RANKS) throw new FabricPlanError('too-large', `${where}: ${ranks.length} ranks; expected at most ${MOST_RANKS}`);
  const gpus = gpuIndices(fabric, ranks, where);
  const nodes = Array.from(gpus, (gpu) => fabric.compiled.gpus[gpu]);
  if (nodes.length < 2) return { bandwidth: Infinity, bottleneckCut: { gpusInside: ranks, links: [], capacity: Infinity } };
  return operation === 'all-reduce' ? allReduceBound(fabric, nodes) : gatherOptimum(fabric, nodes, operation === 'reduce-scatter');
}

function network(fabric: Fabric, extra: number, isReversed: boolean): FlowNetwork {
  const { deviceCount, arcCount, arcSource, arcTarget, arcBandwidth } = fabric.compiled;
  const flow = createFlowNetwork(deviceCount + extra);
  for (let arc = 0; arc < arcCount; arc++)
    flow.addArc(isReversed ? arcTarget[arc] : arcSource[arc], isReversed ? arcSource[arc] : arcTarget[arc], arcBandwidth[arc]);
  return flow;
}

function gatherOptimum(fabric: Fabric, ranks: readonly number[], isReversed: boolean): CollectiveOptimum {
  const source = fabric.compiled.deviceCount;
  const flow = network(fabric, 1, isReversed);
  const feeds = ranks.map((rank) => flow.addArc(source, rank, 0));
  const n = ranks.length;
  const failing = (rate: number): number | undefined => {
    for (const feed of feeds) flow.setCapacity(feed, rate);
    return ranks.find((rank) => flow.maximise(source, rank, n * rate) < n * rate * (1 - 1e-11));
  };
  // No rank can send or receive more than its links carry: x ≤ the smallest of their sums.
  let low = 0;
  let high = Math.min(...ranks.map((rank) => adjacentBandwidth(fabric, rank)));
  if (high === 0) throw disconnected(fabric, ranks);
  let cut = cutAt(fabric, flow, source, ranks, high * 2, failing, isReversed);
  // Each failing flow names a cut whose ratio is an upper bound: jump to it, until no rate below it fails (Newton on cuts).
  for (let i = 0; i < 200; i++) {
    high = Math.min(high, cut.capacity / cut.gpusInside.length);
    if (high <= 0) throw disconnected(fabric, ranks);
    if (failing(high * (1 - PRECISION)) === undefined) break;
    const next = cutAt(fabric, flow, source, ranks, high * (1 - PRECISION), failing, isReversed);
    if (next.capacity / next.gpusInside.length >= high) break;
    cut = next;
    low = Math.max(low, 0);
  }
  return { bandwidth: high * n, bottleneckCut: cut };
}

function cutAt(
  fabric: Fabric,
  flow: FlowNetwork,
  source: number,
  ranks: readonly number[],
  rate: number,
  failing: (rate: number) => number | undefined,
  isReversed: boolean,
): BottleneckCut {
  const sink = failing(rate);
  if (sink === undefined) {
    // Every rank receives at this rate: the ranks' own links are the limit.
    const rank = ranks.reduce((a, b) => (adjacentBandwidth(fabric, b) < adjacentBandwidth(fabric, a) ? b : a));
    flow.maximise(source, rank);
  } else flow.maximise(source, sink);
  return describeCut(fabric, flow.sourceSide(source), ranks, isReversed);
}

function describeCut(fabric: Fabric, side: Uint8Array, ranks: readonly number[], isReversed: boolean): BottleneckCut {
  const { arcCount, arcSource, arcTarget, arcBandwidth, arcLink } = fabric.compiled;
  const links = new Set<string>();
  let capacity = 0;
  for (let arc = 0; arc < arcCount; arc++) {
    const from = isReversed ? arcTarget[arc] : arcSource[arc];
    const to = isReversed ? arcSource[arc] : arcTarget[arc];
    if (side[from] === 0 || side[to] === 1) continue;
    links.add(fabric.links[arcLink[arc]].id);
    capacity += arcBandwidth[arc];
  }
  return { gpusInside: ranks.filter((rank) => side[rank] === 1).map((rank) => fabric.devices[rank].id), links: [...links], capacity };
}

function allReduceBound(fabric: Fabric, ranks: readonly number[]): CollectiveOptimum {
  const flow = network(fabric, 0, false);
  let best: CollectiveOptimum | undefined;
  // The smallest cut that separates any two ranks separates the first from some other, in one direction or the other.
  for (const other of ranks.slice(1)) {
    for (const [from, to] of [
      [ranks[0], other],
      [other, ranks[0]],
    ]) {
      const bandwidth = flow.maximise(from, to);
      if (best !== undefined && bandwidth >= best.bandwidth) continue;
      best = { bandwidth, bottleneckCut: describeCut(fabric, flow.sourceSide(from), ranks, false) };
    }
  }
  if (best!.bandwidth <= 0) throw disconnected(fabric, ranks);
  return best!;
}

function adjacentBandwidth(fabric: Fabric, device: number): number {
  const { outStart, inStart, inArcs, arcBandwidth } = fabric.compiled;
  let out = 0;
  let into = 0;
  for (let arc = outStart[device]; arc < outStart[device + 1]; arc++) out += arcBandwidth[arc];
  for (let at = inStart[device]; at < inStart[device + 1]; at++) into += arcBandwidth[inArcs[at]];
  return Math.min(out, into);
}

const disconnected = (fabric: Fabric, ranks: readonly number[]): FabricPlanError =>
  new FabricPlanError(
    'unreachable',
    `collectiveOptimum: the ranks ${ranks
      .slice(0, 3)
      .map((rank) => `"${fabric.devices[rank].id}"`)
      .join(', ')}… are not connected; expected links that join all of them`,
  );
