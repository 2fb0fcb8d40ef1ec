import { FabricPlanError, invalidArgument } from '../../errors.js';
import { gpuIndices } from '../../fabric/edit-fabric.js';
import type { Fabric } from '../../fabric/types.js';
import type { BytesPerSecond } from '../../quantities.js';
import { collectiveOptimum, type OptimumOperation } from '../bounds/collective-optimum.js';
import type { CollectiveAlgorithm, Move, Trace } from '../types.js';
import { packTrees, type TreeBundle } from './pack-trees.js';
import { addCapacity, removeSwitches, takeWays, type CapacityGraph } from './remove-switches.js';

/** One hop of a tree: from a rank to a rank, over the devices between. */
export interface TreeEdge {
  readonly source: number;
  readonly target: number;
  /** Device ids that the data passes, both ends included; several ways share the edge. */
  readonly ways: readonly { readonly devices: readonly string[]; readonly share: number }[];
}

/** Spanning trees that carry one rank's share, or part of it, to all others. */
export interface ScheduleTree {
  /** Position of the root in `ranks`. */
  readonly root: number;
  /** Equal slices of the root's share that travel along this tree. */
  readonly slices: number;
  /** Parents before children. */
  readonly edges: readonly TreeEdge[];
}

/** A schedule that reaches the optimum of the fabric. */
export interface CollectiveSchedule {
  readonly operation: OptimumOperation;
  readonly ranks: readonly string[];
  /** Slices that each rank's share is cut into. */
  readonly slicesPerRank: number;
  readonly trees: readonly ScheduleTree[];
  /** Algorithm bandwidth when the trees are pipelined. */
  readonly bandwidth: BytesPerSecond;
}

const MOST_RANKS = 128;
/** Rates are taken in whole steps of this many bytes per second. */
const RATE_STEP = 1e6;
const MOST_SLICES = 1e7;

/**
 * A schedule of spanning trees that reaches the optimum of {@link collectiveOptimum}: all-gather directly, reduce-scatter on the reversed
 * fabric, all-reduce as the two after each other.
 *
 * Removes the switches, packs the same number of trees from every rank, and maps them back onto the links. Rates are rounded down to
 * 1 MB/s, so the result is within that of the optimum.
 *
 * @throws FabricPlanError `too-large` beyond 128 ranks, `unsupported` where a switch carries less out than in, and as collectiveOptimum
 * @complexity O(links of switches · ranks + ranks²) max-flows: milliseconds for 2 × 8 GPUs, a minute or so for 128
 * @reference Zhao et al., ForestColl, arXiv 2402.06787
 */
export function optimalSchedule(
  on: Fabric | { readonly fabric: Fabric },
  subject: { readonly operation: OptimumOperation; readonly ranks: readonly string[] },
): CollectiveSchedule {
  const where = 'optimalSchedule';
  const fabric = 'fabric' in on ? on.fabric : on;
  const { operation, ranks } = subject;
  if (ranks.length > MOST_RANKS) throw new FabricPlanError('too-large', `${where}: ${ranks.length} ranks; expected at most ${MOST_RANKS}`);
  if (ranks.length < 2) throw invalidArgument(where, 'ranks', ranks, 'at least two ranks');
  const isReversed = operation === 'reduce-scatter';
  const nodes = Array.from(gpuIndices(fabric, ranks, where), (gpu) => fabric.compiled.gpus[gpu]);
  const optimum = collectiveOptimum(fabric, { operation: isReversed ? 'reduce-scatter' : 'all-gather', ranks });
  const { graph, step, switches } = wholeGraph(fabric, nodes, isReversed, where);
  const { trees, scale } = wholeTrees(optimum.bandwidth / ranks.length / step);
  for (const row of graph.capacity.values()) for (const [t, amount] of row) row.set(t, amount * scale);
  const ways = removeSwitches(graph, fabric.compiled.deviceCount, nodes, switches, trees);
  const bundles = packTrees(graph, nodes, trees);
  const position = new Map(nodes.map((node, i) => [node, i]));
  const toTree = ({ root, count, edges }: TreeBundle): ScheduleTree => ({
    root: position.get(root) ?? 0,
    slices: count,
    edges: edges.map(([x, y]) => ({
      source: position.get(x) ?? 0,
      target: position.get(y) ?? 0,
      ways: takeWays(ways, x, y, count).map(({ via, amount }) => ({
        devices: [x, ...via, y].map((device) => fabric.devices[device].id),
        share: amount / count,
      })),
    })),
  });
  const rate = (trees / scale) * step * ranks.length;
  return {
    operation,
    ranks: [...ranks],
    slicesPerRank: trees,
    trees: bundles.map(toTree),
    bandwidth: operation === 'all-reduce' ? rate / 2 : rate,
  };
}

/** The fabric with whole capacities in units of `step`, GPUs that take no part as switches. */
function wholeGraph(
  fabric: Fabric,
  ranks: readonly number[],
  isReversed: boolean,
  where: string,
): { readonly graph: CapacityGraph; readonly step: number; readonly switches: number[] } {
  const { deviceCount, arcCount, arcSource, arcTarget, arcBandwidth } = fabric.compiled;
  const whole = Array.from(arcBandwidth, (rate) => Math.floor(rate / RATE_STEP + 1e-6));
  const unit = whole.reduce(gcd, 0) || 1;
  const graph: CapacityGraph = { capacity: new Map() };
  for (let arc = 0; arc < arcCount; arc++) {
    if (whole[arc] === 0) continue;
    const [u, t] = isReversed ? [arcTarget[arc], arcSource[arc]] : [arcSource[arc], arcTarget[arc]];
    addCapacity(graph, u, t, whole[arc] / unit);
  }
  const isRank = new Set(ranks);
  const switches = Array.from({ length: deviceCount }, (_, i) => i).filter((device) => !isRank.has(device));
  for (const w of switches) {
    const out = [...(graph.capacity.get(w)?.values() ?? [])].reduce((a, b) => a + b, 0);
    let into = 0;
    for (const row of graph.capacity.values()) into += row.get(w) ?? 0;
    if (out !== into)
      throw new FabricPlanError(
        'unsupported',
        `${where}: device "${fabric.devices[w].id}" can send ${out * unit} MB/s and receive ${into * unit} MB/s; expected the same`,
      );
  }
  // Leaves first: they vanish with little work and shrink what the others cost.
  const degree = (w: number): number => graph.capacity.get(w)?.size ?? 0;
  return { graph, step: unit * RATE_STEP, switches: switches.filter((w) => degree(w) > 0).sort((a, b) => degree(a) - degree(b) || a - b) };
}

/** Smallest whole numbers with trees / scale just at or below the rate: continued fractions. */
function wholeTrees(rate: number): { readonly trees: number; readonly scale: number } {
  let [p0, q0, p1, q1] = [0, 1, 1, 0];
  let rest = rate;
  for (let i = 0; i < 40; i++) {
    const whole = Math.floor(rest + 1e-9);
    [p0, q0, p1, q1] = [p1, q1, whole * p1 + p0, whole * q1 + q0];
    if (q1 > MOST_SLICES || p1 > MOST_SLICES) {
      [p1, q1] = [p0, q0];
      break;
    }
    if (Math.abs(p1 / q1 / rate - 1) < 1e-9 || Math.abs(rest - whole) < 1e-9) break;
    rest = 1 / (rest - whole);
  }
  if (p1 / q1 > rate * (1 + 1e-8)) return { trees: p1 - 1, scale: q1 };
  return { trees: Math.max(1, p1), scale: q1 };
}

function gcd(a: number, b: number): number {
  while (b !== 0) [a, b] = [b, a % b];
  return a;
}

/**
 * A schedule as an algorithm: the evaluator prices it, the simulator runs it, the symbolic executor checks it.
 *
 * Only for as many ranks as the schedule has, in its order.
 */
export function scheduleAlgorithm(schedule: CollectiveSchedule): CollectiveAlgorithm {
  const { operation, slicesPerRank, trees } = schedule;
  const n = schedule.ranks.length;
  const chunks = n * slicesPerRank;
  const depth = Math.max(...trees.map((tree) => Math.max(...depths(tree, n))));
  const totals = (isReversed: boolean): { source: Int32Array; target: Int32Array; share: Float64Array } => {
    const shares = new Map<number, number>();
    for (const { edges, slices } of trees)
      for (const { source, target } of edges) {
        const key = isReversed ? target * n + source : source * n + target;
        shares.set(key, (shares.get(key) ?? 0) + slices / chunks);
      }
    const keys = [...shares.keys()].sort((a, b) => a - b);
    return {
      source: Int32Array.from(keys, (key) => Math.floor(key / n)),
      target: Int32Array.from(keys, (key) => key % n),
      share: Float64Array.from(keys, (key) => shares.get(key) ?? 0),
    };
  };
  return {
    name: 'optimal-trees',
    operations: [operation],
    refusal: (shape) => (shape.rankCount === n ? undefined : `the schedule is for ${n} ranks`),
    phases: () => [
      ...(operation === 'all-gather' ? [] : [{ label: 'reduce along trees', depth, transfers: totals(operation === 'all-reduce') }]),
      ...(operation === 'reduce-scatter' ? [] : [{ label: 'spread along trees', depth, transfers: totals(false) }]),
    ],
    trace: () => traceOf(schedule),
  };
}

/** Depth of every rank in a tree; −1 where it is not reached yet. */
function depths({ root, edges }: ScheduleTree, n: number): Int32Array {
  const depth = new Int32Array(n).fill(-1);
  depth[root] = 0;
  for (const { source, target } of edges) depth[target] = depth[source] + 1;
  return depth;
}

function traceOf({ operation, ranks, slicesPerRank, trees }: CollectiveSchedule): Trace {
  const n = ranks.length;
  const spread: Move[][] = [];
  const reduce: Move[][] = [];
  const next = new Int32Array(n);
  for (const tree of trees) {
    const start = tree.root * slicesPerRank + next[tree.root];
    next[tree.root] += tree.slices;
    const end = start + tree.slices;
    const depth = depths(tree, n);
    const deepest = Math.max(...depth);
    for (const { source, target } of tree.edges) {
      (spread[depth[source]] ??= []).push({ source, target, start, end, reduces: false });
      // A reduction runs the tree backwards: the deepest send first.
      const step = deepest - depth[target];
      (reduce[step] ??= []).push({ source: target, target: source, start, end, reduces: true });
    }
  }
  const steps = operation === 'all-gather' ? spread : operation === 'reduce-scatter' ? reduce : [...reduce, ...spread];
  return { chunks: n * slicesPerRank, steps: steps.map((moves) => moves ?? []) };
}
