/** A directed graph in compressed rows, for the loops of this folder. */
export interface PathGraph {
  readonly nodeCount: number;
  /** First outgoing arc of each node; parallel to nodes, one longer. */
  readonly outStart: Int32Array;
  /** Parallel to arcs. */
  readonly source: Int32Array;
  readonly target: Int32Array;
  /** Routing cost of an arc in seconds, above 0. */
  readonly cost: Float64Array;
  readonly latency: Float64Array;
  readonly bandwidth: Float64Array;
  /** First incoming arc of each node in `inArcs`; parallel to nodes, one longer. */
  readonly inStart: Int32Array;
  readonly inArcs: Int32Array;
}

/** Arcs of all equal-cost shortest paths between two nodes with the share of the traffic on each. */
export interface PathShares {
  readonly arcs: Int32Array;
  /** Parallel to arcs, 0–1. */
  readonly shares: Float64Array;
  /** Largest latency of any of the paths, seconds. */
  readonly latency: number;
}

/** Costs closer than this, relatively, are equal. */
export const EQUAL_COST = 1e-9;

/** Builds the compressed rows from arc lists that are sorted by source. */
export function createPathGraph(nodeCount: number, arcs: Omit<PathGraph, 'nodeCount' | 'outStart' | 'inStart' | 'inArcs'>): PathGraph {
  const outStart = new Int32Array(nodeCount + 1);
  const inStart = new Int32Array(nodeCount + 1);
  for (let arc = 0; arc < arcs.source.length; arc++) {
    outStart[arcs.source[arc] + 1]++;
    inStart[arcs.target[arc] + 1]++;
  }
  for (let i = 0; i < nodeCount; i++) {
    outStart[i + 1] += outStart[i];
    inStart[i + 1] += inStart[i];
  }
  const next = inStart.slice(0, nodeCount);
  const inArcs = new Int32Array(arcs.source.length);
  for (let arc = 0; arc < arcs.source.length; arc++) inArcs[next[arcs.target[arc]]++] = arc;
  return { nodeCount, outStart, inStart, inArcs, ...arcs };
}

/**
 * Cost of the shortest path from one node to every other; Infinity where there is none. Dijkstra with a binary heap.
 *
 * @complexity O(arcs · log nodes)
 */
export function shortestDistances(graph: PathGraph, source: number): Float64Array {
  const distance = new Float64Array(graph.nodeCount).fill(Infinity);
  const heapNode: number[] = [source];
  const heapKey: number[] = [0];
  distance[source] = 0;
  while (heapNode.length > 0) {
    const node = heapNode[0];
    const key = heapKey[0];
    popHeap(heapNode, heapKey);
    if (key > distance[node]) continue;
    for (let arc = graph.outStart[node]; arc < graph.outStart[node + 1]; arc++) {
      const next = graph.target[arc];
      const reached = key + graph.cost[arc];
      if (reached < distance[next]) {
        distance[next] = reached;
        pushHeap(heapNode, heapKey, next, reached);
      }
    }
  }
  return distance;
}

/** Adds a node with its key to a binary heap of parallel lists. */
export function pushHeap(nodes: number[], keys: number[], node: number, key: number): void {
  let i = nodes.length;
  nodes.push(node);
  keys.push(key);
  while (i > 0) {
    const parent = (i - 1) >> 1;
    if (keys[parent] <= key) break;
    nodes[i] = nodes[parent];
    keys[i] = keys[parent];
    i = parent;
  }
  nodes[i] = node;
  keys[i] = key;
}

/** Removes the first entry, which has the least key. */
export function popHeap(nodes: number[], keys: number[]): void {
  const node = nodes.pop()!;
  const key = keys.pop()!;
  const size = nodes.length;
  if (size === 0) return;
  let i = 0;
  for (;;) {
    let child = 2 * i + 1;
    if (child >= size) break;
    if (child + 1 < size && keys[child + 1] < keys[child]) child++;
    if (keys[child] >= key) break;
    nodes[i] = nodes[child];
    keys[i] = keys[child];
    i = child;
  }
  nodes[i] = node;
  keys[i] = key;
}

/**
 * Splits one unit of traffic over all shortest paths: at every node over the next hops that lie on one, in proportion to their
 * bandwidth, as routers with weighted equal-cost multipath do.
 *
 * @param distance from {@link shortestDistances} of the same source
 * @returns undefined when the target cannot be reached
 * @complexity O(arcs into nodes that lie on a shortest path)
 */
export function equalCostShares(graph: PathGraph, distance: Float64Array, source: number, target: number): PathShares | undefined {
  const total = distance[target];
  if (total === Infinity) return undefined;
  if (source === target) return { arcs: new Int32Array(0), shares: new Float64Array(0), latency: 0 };
  // Backwards from the target: the nodes and arcs on a shortest path.
  const place = new Map<number, number>([[target, 0]]);
  const nodes = [target];
  const onPath: number[] = [];
  const tolerance = total * EQUAL_COST;
  for (let i = 0; i < nodes.length; i++) {
    const node = nodes[i];
    for (let at = graph.inStart[node]; at < graph.inStart[node + 1]; at++) {
      const arc = graph.inArcs[at];
      const previous = graph.source[arc];
      if (distance[previous] + graph.cost[arc] - distance[node] > tolerance) continue;
      onPath.push(arc);
      if (!place.has(previous)) {
        place.set(previous, nodes.length);
        nodes.push(previous);
      }
    }
  }
  // Forwards from the source, nearest first: every node has all of its traffic before it passes it on.
  const order = nodes.map((_, i) => i).sort((a, b) => distance[nodes[a]] - distance[nodes[b]] || b - a);
  const outgoing: number[][] = nodes.map(() => []);
  for (const arc of onPath) outgoing[place.get(graph.source[arc])!].push(arc);
  const held = new Float64Array(nodes.length);
  const latest = new Float64Array(nodes.length);
  held[place.get(source)!] = 1;
  const arcs: number[] = [];
  const shares: number[] = [];
  for (const i of order) {
    if (nodes[i] === target || held[i] === 0) continue;
    let width = 0;
    for (const arc of outgoing[i]) width += graph.bandwidth[arc];
    for (const arc of outgoing[i].sort((a, b) => a - b)) {
      const share = (held[i] * graph.bandwidth[arc]) / width;
      const next = place.get(graph.target[arc])!;
      arcs.push(arc);
      shares.push(share);
      held[next] += share;
      latest[next] = Math.max(latest[next], latest[i] + graph.latency[arc]);
    }
  }
  return { arcs: Int32Array.from(arcs), shares: Float64Array.from(shares), latency: latest[0] };
}
