import { FabricPlanError, invalidArgument } from '../../errors.js';
import { gpuIndices } from '../../fabric/edit-fabric.js';
import type { Fabric } from '../../fabric/types.js';
import type { BytesPerSecond } from '../../quantities.js';
import { popHeap, pushHeap } from '../../routes/shortest-paths.js';

export interface AllReduceTreePacking {
  /** Algorithm bandwidth that the packing reaches: bytes of the all-reduce per second. */
  readonly bandwidth: BytesPerSecond;
  /** Number of distinct trees in it. */
  readonly trees: number;
}

const MOST_RANKS = 1024;

/**
 * An all-reduce along trees that reduce up and spread down at the same time: every tree edge carries its part once in each direction, so
 * the slowest leaf sends and receives the buffer once where reduce-scatter + all-gather moves it twice.
 *
 * Packs spanning trees over the ranks greedily, each the lightest under lengths that grow with the load of links (multiplicative weights).
 * The result is feasible; it nears the best packing as rounds grow, and never exceeds the cut bound.
 *
 * @throws FabricPlanError `invalid-argument` for fewer than two ranks or no rounds, `unreachable` where no tree spans the ranks, `too-large`
 * @complexity O(rounds · links · log devices)
 * @reference Garg & Könemann 2007 for the method; Mehlhorn 1988 for spanning trees over terminals
 * @example
 * packAllReduceTrees(routes, { ranks: ['a', 'b'] }).bandwidth // 50000000000
 */
export function packAllReduceTrees(
  on: Fabric | { readonly fabric: Fabric },
  { ranks }: { readonly ranks: readonly string[] },
  { rounds = 400 }: { readonly rounds?: number } = {},
): AllReduceTreePacking {
  const where = 'packAllReduceTrees';
  const fabric = 'fabric' in on ? on.fabric : on;
  if (ranks.length < 2) throw invalidArgument(where, 'ranks', ranks, 'at least two ranks');
  if (ranks.length > MOST_RANKS) throw new FabricPlanError('too-large', `${where}: ${ranks.length} ranks; expected at most ${MOST_RANKS}`);
  if (!(Number.isInteger(rounds) && rounds >= 1 && rounds <= 100_000))
    throw invalidArgument(where, 'rounds', rounds, 'a whole number from 1 to 100,000');
  const terminals = Array.from(gpuIndices(fabric, ranks, where), (gpu) => fabric.compiled.gpus[gpu]);
  const graph = undirected(fabric);
  const load = new Float64Array(graph.capacity.length);
  let congestion = 0;
  const seen = new Set<string>();
  for (let round = 0; round < rounds; round++) {
    // Links near the fullest one look long; the steepness grows with the rounds as in fictitious play.
    const steep = congestion === 0 ? 0 : (4 + Math.sqrt(round)) / congestion;
    const length = load.map((sum, edge) => Math.exp(steep * (sum / graph.capacity[edge] - congestion)) / graph.capacity[edge]);
    const edges = lightestTree(graph, terminals, length);
    if (edges === undefined)
      throw new FabricPlanError('unreachable', `${where}: the ranks are not connected; expected links that join all of them`);
    for (const edge of edges) {
      load[edge]++;
      congestion = Math.max(congestion, load[edge] / graph.capacity[edge]);
    }
    if (seen.size < 10_000) seen.add(edges.join(' '));
  }
  return { bandwidth: rounds / congestion, trees: seen.size };
}

interface Undirected {
  /** Rate of the slower direction, parallel to edges. */
  readonly capacity: Float64Array;
  readonly ends: readonly (readonly [number, number])[];
  /** Edges at each device. */
  readonly at: readonly (readonly number[])[];
}

function undirected(fabric: Fabric): Undirected {
  const { deviceCount, arcCount, arcSource, arcTarget, arcBandwidth } = fabric.compiled;
  const rates = new Map<string, [number, number]>();
  for (let arc = 0; arc < arcCount; arc++) {
    const [a, b] = [arcSource[arc], arcTarget[arc]];
    const key = a < b ? `${a} ${b}` : `${b} ${a}`;
    const pair = rates.get(key) ?? [0, 0];
    pair[a < b ? 0 : 1] += arcBandwidth[arc];
    rates.set(key, pair);
  }
  const usable = [...rates].filter(([, [up, down]]) => Math.min(up, down) > 0);
  const ends = usable.map(([key]) => key.split(' ').map(Number) as [number, number]);
  const at: number[][] = Array.from({ length: deviceCount }, () => []);
  ends.forEach(([a, b], edge) => {
    at[a].push(edge);
    at[b].push(edge);
  });
  return { capacity: Float64Array.from(usable, ([, [up, down]]) => Math.min(up, down)), ends, at };
}

/** Edges of a lightest tree over the terminals' distances: a search from all terminals at once, then joining what meets. */
function lightestTree({ ends, at }: Undirected, terminals: readonly number[], length: Float64Array): number[] | undefined {
  const distance = new Float64Array(at.length).fill(Infinity);
  const owner = new Int32Array(at.length).fill(-1);
  const into = new Int32Array(at.length).fill(-1);
  const heapNode: number[] = [];
  const heapKey: number[] = [];
  terminals.forEach((device, i) => {
    distance[device] = 0;
    owner[device] = i;
    pushHeap(heapNode, heapKey, device, 0);
  });
  while (heapNode.length > 0) {
    const device = heapNode[0];
    const reached = heapKey[0];
    popHeap(heapNode, heapKey);
    if (reached > distance[device]) continue;
    for (const edge of at[device]) {
      const other = ends[edge][0] === device ? ends[edge][1] : ends[edge][0];
      if (reached + length[edge] >= distance[other]) continue;
      distance[other] = reached + length[edge];
      owner[other] = owner[device];
      into[other] = edge;
      pushHeap(heapNode, heapKey, other, distance[other]);
    }
  }
  const bridges = ends
    .map(([a, b], edge) => ({ edge, a, b, cost: distance[a] + length[edge] + distance[b] }))
    .filter(({ a, b }) => owner[a] !== -1 && owner[b] !== -1 && owner[a] !== owner[b])
    .sort((x, y) => x.cost - y.cost || x.edge - y.edge);
  const parent = Int32Array.from(terminals, (_, i) => i);
  const find = (i: number): number => {
    while (parent[i] !== i) i = parent[i] = parent[parent[i]];
    return i;
  };
  const tree: number[] = [];
  let joined = 1;
  for (const { edge, a, b } of bridges) {
    const [x, y] = [find(owner[a]), find(owner[b])];
    if (x === y) continue;
    parent[x] = y;
    joined++;
    tree.push(edge);
    // Each logical edge pays for its whole way, even where others pass too: switches do not copy.
    for (const end of [a, b])
      for (let device = end; into[device] !== -1; device = other(ends[into[device]], device)) tree.push(into[device]);
  }
  return joined === terminals.length ? tree : undefined;
}

const other = ([a, b]: readonly [number, number], device: number): number => (a === device ? b : a);
