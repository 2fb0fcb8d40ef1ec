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
  /** Of several cuts that are equally tight, one with the fewest GPUs inside. */
  readonly bottleneckCut: BottleneckCut;
}

/** What relieving the bottleneck cut would buy. */
export interface CutRelief {
  /** Optimum once the links of the cut no longer limit. */
  readonly bandwidth: BytesPerSecond;
  /** Links to widen together: those of the bottleneck cut, and of cuts in a row with it that are equally tight. */
  readonly links: readonly string[];
  /** Rate to add to each of these cuts, one direction, until the next one limits. */
  readonly extraCapacity: BytesPerSecond;
  readonly nextCut: BottleneckCut;
}

export type OptimumOperation = 'all-gather' | 'reduce-scatter' | 'all-reduce';

/** Relative width below which two rates count as equal. */
const PRECISION = 1e-10;
/** Room of an arc, relative to the largest flow, below which it counts as full when tight cuts are told apart. */
const TIGHTNESS = 1e-8;
const MOST_RANKS = 4096;
/** Equally tight cuts that are widened together, at most, and the gain that ends it. */
const MOST_IN_A_ROW = 8;
const LEAST_GAIN = 1e-3;

/**
 * The largest throughput of an all-gather or reduce-scatter over any schedule and any routes, or a bound on that of an all-reduce, with
 * the cut that limits it.
 *
 * All-gather: T = (bytes / N) · max over cuts S of |S ∩ ranks| / B⁺(S), where S leaves out at least one rank. Found by Newton's method on
 * cuts: a source feeds every rank with x, the rate is feasible when every rank can receive N·x, and a flow that fails names a tighter cut.
 * Reduce-scatter is the same on the reversed fabric. All-reduce: bytes / B⁺(S) over cuts with ranks on both sides, which also holds for
 * in-network reduction.
 *
 * GPUs and hosts may forward here, so the optimum is at least that of any schedule over the routes of this library.
 *
 * @param on routes, or the fabric alone
 * @throws FabricPlanError `invalid-argument` for other operations, `unreachable` where ranks are not connected, `too-large` beyond 4,096 ranks
 * @complexity a few N max-flows
 * @reference Zhao et al., ForestColl, arXiv 2402.06787 (the optimum); the cut bound of the all-reduce is elementary
 * @example
 * collectiveOptimum(routes, { operation: 'all-gather', ranks: ['a', 'b'] }).bandwidth // 100000000000
 */
export function collectiveOptimum(
  on: Fabric | { readonly fabric: Fabric },
  subject: { readonly operation: OptimumOperation; readonly ranks: readonly string[] },
): CollectiveOptimum {
  const fabric = 'fabric' in on ? on.fabric : on;
  return optimumOf(fabric, fabric.compiled.arcBandwidth, subject);
}

/**
 * How much a collective gains when its bottleneck cut is widened, and which cut limits next.
 *
 * @throws FabricPlanError as collectiveOptimum
 * @example
 * relieveCut(routes, { operation: 'all-gather', ranks: ['a', 'b'] }).bandwidth // Infinity
 */
export function relieveCut(
  on: Fabric | { readonly fabric: Fabric },
  subject: { readonly operation: OptimumOperation; readonly ranks: readonly string[] },
): CutRelief {
  const fabric = 'fabric' in on ? on.fabric : on;
  const { arcBandwidth, arcLink } = fabric.compiled;
  const now = collectiveOptimum(fabric, subject);
  const wide = arcBandwidth.reduce((sum, rate) => sum + rate, 0) * subject.ranks.length;
  const widened = new Set<string>();
  let { bottleneckCut: cut } = now;
  let next = now;
  // Cuts in a row (an access link, the trunk behind it) are equally tight: they are widened together.
  for (let round = 0; round < MOST_IN_A_ROW && next.bandwidth < now.bandwidth * (1 + LEAST_GAIN); round++) {
    for (const link of cut.links) widened.add(link);
    const rates = arcBandwidth.map((rate, arc) => (widened.has(fabric.links[arcLink[arc]].id) ? wide : rate));
    next = optimumOf(fabric, rates, subject);
    cut = next.bottleneckCut;
  }
  const links = [...widened];
  if (next.bandwidth >= wide / subject.ranks.length)
    return { bandwidth: Infinity, links, extraCapacity: Infinity, nextCut: { gpusInside: [], links: [], capacity: Infinity } };
  const { gpusInside, capacity } = now.bottleneckCut;
  const needed = subject.operation === 'all-reduce' ? next.bandwidth : (next.bandwidth * gpusInside.length) / subject.ranks.length;
  return { bandwidth: next.bandwidth, links, extraCapacity: Math.max(0, needed - capacity), nextCut: next.bottleneckCut };
}

function optimumOf(
  fabric: Fabric,
  rates: Float64Array,
  { operation, ranks }: { readonly operation: OptimumOperation; readonly ranks: readonly string[] },
): CollectiveOptimum {
  const where = 'collectiveOptimum';
  if (!['all-gather', 'reduce-scatter', 'all-reduce'].includes(operation))
    throw invalidArgument(where, 'operation', operation, 'all-gather, reduce-scatter or all-reduce');
  if (ranks.length > MOST_RANKS) throw new FabricPlanError('too-large', `${where}: ${ranks.length} ranks; expected at most ${MOST_RANKS}`);
  const nodes = Array.from(gpuIndices(fabric, ranks, where), (gpu) => fabric.compiled.gpus[gpu]);
  if (nodes.length < 2) return { bandwidth: Infinity, bottleneckCut: { gpusInside: ranks, links: [], capacity: Infinity } };
  const graph = { fabric, rates, ranks: nodes, isReversed: operation === 'reduce-scatter' };
  return operation === 'all-reduce' ? allReduceBound(graph) : gatherOptimum(graph);
}

/** A fabric with the rates to use, its ranks as devices, and the direction in which arcs are taken. */
interface Graph {
  readonly fabric: Fabric;
  readonly rates: Float64Array;
  readonly ranks: readonly number[];
  readonly isReversed: boolean;
}

function network({ fabric, rates, isReversed }: Graph, extra: number): FlowNetwork {
  const { deviceCount, arcCount, arcSource, arcTarget } = fabric.compiled;
  const flow = createFlowNetwork(deviceCount + extra);
  for (let arc = 0; arc < arcCount; arc++)
    flow.addArc(isReversed ? arcTarget[arc] : arcSource[arc], isReversed ? arcSource[arc] : arcTarget[arc], rates[arc]);
  return flow;
}

function gatherOptimum(graph: Graph): CollectiveOptimum {
  const { fabric, ranks } = graph;
  const source = fabric.compiled.deviceCount;
  const flow = network(graph, 1);
  const feeds = ranks.map((rank) => flow.addArc(source, rank, 0));
  const n = ranks.length;
  // No rank can send more than its links carry, nor receive the shares of all others faster.
  let rate = Infinity;
  for (const rank of ranks) {
    const { out, into } = adjacentBandwidth(graph, rank);
    rate = Math.min(rate, out, into / (n - 1));
  }
  if (rate <= 0) throw disconnected(graph);
  // Ranks that failed before come first: their cuts are the likely ones.
  const order = [...ranks];
  for (let at = 0, passed = 0; passed < n; at = (at + 1) % n) {
    const sink = order[at];
    for (const feed of feeds) flow.setCapacity(feed, rate);
    const wanted = n * rate;
    if (flow.maximise(source, sink, wanted) >= wanted * (1 - PRECISION)) {
      passed++;
      continue;
    }
    const cut = describeCut(graph, flow.sourceSide(source));
    const tighter = cut.capacity / cut.gpusInside.length;
    if (tighter >= rate * (1 - PRECISION)) {
      passed++;
      continue;
    }
    if (tighter <= 0) throw disconnected(graph);
    // The same rank again at the new rate, then all others.
    rate = tighter;
    passed = 0;
    at = (at - 1 + n) % n;
  }
  return { bandwidth: rate * n, bottleneckCut: smallestTightCut(graph, flow, feeds, source, rate) };
}

/**
 * Of all cuts that are tight at the optimum, one with the fewest ranks inside. At the optimum all feeds are full, so a set of nodes is tight
 * exactly when no arc with room leaves it: look for the lowest components with ranks in what each full flow leaves over.
 */
function smallestTightCut(graph: Graph, flow: FlowNetwork, feeds: readonly number[], source: number, rate: number): BottleneckCut {
  const { fabric, ranks } = graph;
  const n = ranks.length;
  for (const feed of feeds) flow.setCapacity(feed, rate);
  const least = rate * TIGHTNESS;
  let best: Uint8Array | undefined;
  let fewest = Infinity;
  for (const sink of ranks) {
    flow.maximise(source, sink, n * rate * (1 - PRECISION));
    const component = flow.components(least);
    const count = new Int32Array(fabric.compiled.deviceCount + 1);
    for (const rank of ranks) count[component[rank]]++;
    // Numbers grow upwards, so one pass from below tells which components have ranks beneath them.
    const beneath = new Uint8Array(count.length);
    const pairs: [number, number][] = [];
    flow.forEachOpenArc(least, (from, to) => {
      if (component[from] !== component[to]) pairs.push([component[from], component[to]]);
    });
    pairs.sort((a, b) => a[0] - b[0]);
    for (const [from, to] of pairs) if (count[to] > 0 || beneath[to] === 1) beneath[from] = 1;
    for (const rank of ranks) {
      const own = component[rank];
      if (beneath[own] === 1 || own === component[sink] || count[own] >= fewest) continue;
      fewest = count[own];
      best = flow.sourceSide(rank, least);
    }
    if (fewest === 1) break;
  }
  if (best !== undefined) return describeCut(graph, best);
  // Rounding hid every tight cut; the rank whose own links limit is one.
  const rank = ranks.reduce((a, b) => (adjacentBandwidth(graph, b).out < adjacentBandwidth(graph, a).out ? b : a));
  const side = new Uint8Array(fabric.compiled.deviceCount + 1);
  side[rank] = 1;
  return describeCut(graph, side);
}

function describeCut({ fabric, rates, ranks, isReversed }: Graph, side: Uint8Array): BottleneckCut {
  const { arcCount, arcSource, arcTarget, arcLink } = fabric.compiled;
  const links = new Set<string>();
  let capacity = 0;
  for (let arc = 0; arc < arcCount; arc++) {
    const from = isReversed ? arcTarget[arc] : arcSource[arc];
    const to = isReversed ? arcSource[arc] : arcTarget[arc];
    if (side[from] === 0 || side[to] === 1) continue;
    links.add(fabric.links[arcLink[arc]].id);
    capacity += rates[arc];
  }
  return { gpusInside: ranks.filter((rank) => side[rank] === 1).map((rank) => fabric.devices[rank].id), links: [...links], capacity };
}

function allReduceBound(graph: Graph): CollectiveOptimum {
  const { ranks } = graph;
  const flow = network(graph, 0);
  let bandwidth = Infinity;
  let side: Uint8Array = new Uint8Array(0);
  let inside = Infinity;
  // The smallest cut that separates any two ranks separates the first from some other, in one direction or the other.
  for (const other of ranks.slice(1)) {
    for (const [from, to] of [
      [ranks[0], other],
      [other, ranks[0]],
    ]) {
      const found = flow.maximise(from, to, bandwidth * (1 + 2 * PRECISION));
      if (found > bandwidth * (1 + PRECISION)) continue;
      const reached = flow.sourceSide(from);
      const count = ranks.reduce((sum, rank) => sum + reached[rank], 0);
      if (found >= bandwidth * (1 - PRECISION) && count >= inside) continue;
      bandwidth = Math.min(bandwidth, found);
      side = reached;
      inside = count;
    }
  }
  if (bandwidth <= 0) throw disconnected(graph);
  const bottleneckCut = describeCut(graph, side);
  return { bandwidth: bottleneckCut.capacity, bottleneckCut };
}

function adjacentBandwidth({ fabric, rates, isReversed }: Graph, device: number): { out: number; into: number } {
  const { outStart, inStart, inArcs } = fabric.compiled;
  let out = 0;
  let into = 0;
  for (let arc = outStart[device]; arc < outStart[device + 1]; arc++) out += rates[arc];
  for (let at = inStart[device]; at < inStart[device + 1]; at++) into += rates[inArcs[at]];
  return isReversed ? { out: into, into: out } : { out, into };
}

const disconnected = ({ fabric, ranks }: Graph): FabricPlanError =>
  new FabricPlanError(
    'unreachable',
    `collectiveOptimum: the ranks ${ranks
      .slice(0, 3)
      .map((rank) => `"${fabric.devices[rank].id}"`)
      .join(', ')}… are not connected; expected links that join all of them`,
  );
