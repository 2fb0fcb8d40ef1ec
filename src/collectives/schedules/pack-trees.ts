import { createFlowNetwork } from '../../routes/max-flow.js';
import { addCapacity, type CapacityGraph } from './remove-switches.js';

/** Equal spanning trees: `count` of them, rooted at `root`, edges in the order in which they were grown (parents first). */
export interface TreeBundle {
  readonly root: number;
  readonly count: number;
  readonly edges: readonly (readonly [number, number])[];
}

interface Growing {
  root: number;
  count: number;
  inside: Set<number>;
  edges: (readonly [number, number])[];
}

/**
 * Packs `trees` spanning trees from every node into the capacities, which must allow it (every node can receive from all roots at once).
 * Grows bundles of equal trees edge by edge; an edge takes as much of a bundle as leaves room for all others, the rest splits off.
 *
 * @complexity O(nodes · bundles) max-flows
 * @reference Edmonds 1973; Bérczi & Frank 2010; Zhao et al., ForestColl, arXiv 2402.06787
 */
export function packTrees(graph: CapacityGraph, nodes: readonly number[], trees: number): TreeBundle[] {
  const done: TreeBundle[] = [];
  const open: Growing[] = nodes.map((root) => ({ root, count: trees, inside: new Set([root]), edges: [] }));
  const indexOf = new Map(nodes.map((node, i) => [node, i]));
  for (let bundle = open.shift(); bundle !== undefined; bundle = open.shift()) {
    while (bundle.inside.size < nodes.length) {
      const step = nextEdge(graph, nodes, indexOf, bundle, open);
      // The caller promised that the trees fit; running dry would mean that its optimum is wrong.
      if (step === undefined) throw new Error('packTrees: no edge can be added although the capacities allow all trees');
      const [x, y, amount] = step;
      if (amount < bundle.count) {
        open.unshift({ root: bundle.root, count: bundle.count - amount, inside: new Set(bundle.inside), edges: [...bundle.edges] });
        bundle.count = amount;
      }
      bundle.inside.add(y);
      bundle.edges.push([x, y]);
      addCapacity(graph, x, y, -amount);
    }
    done.push({ root: bundle.root, count: bundle.count, edges: bundle.edges });
  }
  return done;
}

/** The first edge out of a bundle, near its root, that some of it may take. */
function nextEdge(
  graph: CapacityGraph,
  nodes: readonly number[],
  indexOf: ReadonlyMap<number, number>,
  bundle: Growing,
  others: readonly Growing[],
): readonly [number, number, number] | undefined {
  for (const x of bundle.inside) {
    for (const [y, capacity] of graph.capacity.get(x) ?? []) {
      if (bundle.inside.has(y)) continue;
      const amount = Math.min(bundle.count, capacity, room(graph, nodes, indexOf, x, y, others, Math.min(bundle.count, capacity)));
      if (amount > 0) return [x, y, amount];
    }
  }
  return undefined;
}

/** How much of edge x→y may go without starving the other bundles. */
function room(
  graph: CapacityGraph,
  nodes: readonly number[],
  indexOf: ReadonlyMap<number, number>,
  x: number,
  y: number,
  others: readonly Growing[],
  wanted: number,
): number {
  const at = (node: number): number => indexOf.get(node) ?? 0;
  const unfinished = others.filter(({ inside }) => inside.size < nodes.length && !inside.has(y));
  const flow = createFlowNetwork(nodes.length + unfinished.length);
  for (const [a, row] of graph.capacity) for (const [b, amount] of row) flow.addArc(at(a), at(b), amount);
  let needed = 0;
  unfinished.forEach(({ count, inside }, i) => {
    flow.addArc(at(x), nodes.length + i, count);
    for (const node of inside) flow.addArc(nodes.length + i, at(node), Infinity);
    needed += count;
  });
  return Math.round(flow.maximise(at(x), at(y), needed + wanted)) - needed;
}
