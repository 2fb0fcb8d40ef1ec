import { createFlowNetwork } from '../../routes/max-flow.js';

/** A directed graph with whole-number capacities; parallel edges are added up. */
export interface CapacityGraph {
  /** Capacity of every edge that has any: capacity.get(u).get(t). */
  readonly capacity: Map<number, Map<number, number>>;
}

/** Ways through removed switches: `via` of an edge u→t lists the switches passed and how much of the edge passes them. */
export type Ways = Map<string, { readonly via: readonly number[]; amount: number }[]>;

export const edgeKey = (u: number, t: number): string => `${u} ${t}`;

export function addCapacity(graph: CapacityGraph, u: number, t: number, amount: number): void {
  let row = graph.capacity.get(u);
  if (row === undefined) graph.capacity.set(u, (row = new Map<number, number>()));
  const sum = (row.get(t) ?? 0) + amount;
  if (sum === 0) row.delete(t);
  else row.set(t, sum);
}

/**
 * Removes every switch by joining pairs of its edges into direct ones, so that `trees` spanning trees from each of the compute nodes still
 * fit: edge splitting that keeps all the max-flows. Switches must carry as much out as in.
 *
 * @param computes nodes that stay
 * @param trees capacity that each compute node must be able to send to all others at once
 * @returns ways of the direct edges through what was removed
 * @complexity O(edges of switches · computes) max-flows
 * @reference Bang-Jensen, Frank & Jackson 1995; Zhao et al., ForestColl, arXiv 2402.06787
 */
export function removeSwitches(
  graph: CapacityGraph,
  nodeCount: number,
  computes: readonly number[],
  switches: readonly number[],
  trees: number,
): Ways {
  const ways: Ways = new Map();
  for (const [u, row] of graph.capacity) for (const [t, amount] of row) ways.set(edgeKey(u, t), [{ via: [], amount }]);
  for (const w of switches) {
    for (const u of [...graph.capacity.keys()]) {
      if (u === w) continue;
      // Start after u, so that the direct edges form rings where everything is alike.
      const outs = [...(graph.capacity.get(w)?.keys() ?? [])].sort((a, b) => after(a, u) - after(b, u));
      for (const t of outs) {
        const into = graph.capacity.get(u)?.get(w) ?? 0;
        const out = graph.capacity.get(w)?.get(t) ?? 0;
        if (into === 0) break;
        if (out === 0) continue;
        const amount = movable(graph, nodeCount, computes, trees, u, w, t, Math.min(into, out));
        if (amount <= 0) continue;
        join(ways, u, w, t, amount);
        addCapacity(graph, u, w, -amount);
        addCapacity(graph, w, t, -amount);
        // A way back to where it came from carries nothing.
        if (u !== t) addCapacity(graph, u, t, amount);
      }
    }
    graph.capacity.delete(w);
    for (const row of graph.capacity.values()) row.delete(w);
  }
  return ways;
}

const after = (t: number, u: number): number => (t > u ? t - u : t - u + 1e9);

/** Largest amount of u→w→t that may become u→t. */
function movable(
  graph: CapacityGraph,
  nodeCount: number,
  computes: readonly number[],
  trees: number,
  u: number,
  w: number,
  t: number,
  most: number,
): number {
  const source = nodeCount;
  const flow = createFlowNetwork(nodeCount + 1);
  for (const [a, row] of graph.capacity) for (const [b, amount] of row) flow.addArc(a, b, amount);
  for (const v of computes) flow.addArc(source, v, trees);
  const needed = computes.length * trees;
  const uToSource = flow.addArc(u, source, Infinity);
  const wToSource = flow.addArc(w, source, 0);
  flow.addArc(u, t, Infinity);
  const toW = computes.map((v) => flow.addArc(v, w, 0));
  const toT = computes.map((v) => flow.addArc(v, t, 0));
  let amount = most;
  computes.forEach((_, i) => {
    if (amount <= 0) return;
    flow.setCapacity(toW[i], Infinity);
    amount = Math.min(amount, flow.maximise(u, w, needed + amount) - needed);
    flow.setCapacity(toW[i], 0);
  });
  flow.setCapacity(uToSource, 0);
  flow.setCapacity(wToSource, Infinity);
  computes.forEach((v, i) => {
    if (amount <= 0) return;
    if (v !== t) flow.setCapacity(toT[i], Infinity);
    amount = Math.min(amount, flow.maximise(w, t, needed + amount) - needed);
    if (v !== t) flow.setCapacity(toT[i], 0);
  });
  return Math.max(0, Math.round(amount));
}

function join(ways: Ways, u: number, w: number, t: number, amount: number): void {
  const first = takeWays(ways, u, w, amount);
  const second = takeWays(ways, w, t, amount);
  if (u === t) return;
  const list = ways.get(edgeKey(u, t)) ?? [];
  ways.set(edgeKey(u, t), list);
  let [i, j] = [0, 0];
  while (i < first.length && j < second.length) {
    const part = Math.min(first[i].amount, second[j].amount);
    list.push({ via: [...first[i].via, w, ...second[j].via], amount: part });
    first[i].amount -= part;
    second[j].amount -= part;
    if (first[i].amount === 0) i++;
    if (second[j].amount === 0) j++;
  }
}

/** Takes an amount out of the ways of an edge. */
export function takeWays(ways: Ways, u: number, t: number, amount: number): { via: readonly number[]; amount: number }[] {
  const taken: { via: readonly number[]; amount: number }[] = [];
  const list = ways.get(edgeKey(u, t)) ?? [];
  let left = amount;
  while (left > 0 && list.length > 0) {
    const last = list[list.length - 1];
    const part = Math.min(left, last.amount);
    taken.push({ via: last.via, amount: part });
    left -= part;
    if (part === last.amount) list.pop();
    else last.amount -= part;
  }
  return taken;
}
