import { equalCostShares, shortestDistances, type PathGraph, type PathShares } from './shortest-paths.js';

/** Routes between switches of the core, computed when first asked for. */
export interface CoreRoutes {
  /** Cost from one core node to another; Infinity where there is no way. */
  distance(from: number, to: number): number;
  /** Arcs of the core graph with shares; undefined where there is no way. */
  shares(from: number, to: number): PathShares | undefined;
}

/** Distances and shares kept at most, as numbers of 8 bytes; beyond, the caches start afresh. */
const CACHE_NUMBERS = 2 ** 24;

/**
 * Core routes with twins: two switches with the same neighbours over the same links (the leaves of a pod) have the same distances to all
 * others, so one search serves all of them, and a path differs only in its first and last arc.
 *
 * @complexity one Dijkstra per twin class asked for; O(arcs on the shortest paths) per pair
 */
export function createCoreRoutes(core: PathGraph): CoreRoutes {
  const twin = twinClasses(core);
  const representative = new Map<number, number>();
  twin.forEach((id, node) => {
    if (!representative.has(id)) representative.set(id, node);
  });
  const second = new Map<number, number>();
  twin.forEach((id, node) => {
    if (representative.get(id) !== node && !second.has(id)) second.set(id, node);
  });
  const distances = new Map<number, Float64Array>();
  const pairs = new Map<number, PathShares | undefined>();
  let kept = 0;

  const makeRoom = (): void => {
    if (kept <= CACHE_NUMBERS) return;
    distances.clear();
    pairs.clear();
    kept = 0;
  };
  const distancesFrom = (node: number): Float64Array => {
    let found = distances.get(node);
    if (found === undefined) {
      makeRoom();
      distances.set(node, (found = shortestDistances(core, node)));
      kept += found.length;
    }
    return found;
  };
  /** The pair whose route is stored for (from, to): representatives, the second member when both are of one class. */
  const canonical = (from: number, to: number): [number, number] => {
    const a = representative.get(twin[from])!;
    const b = twin[from] === twin[to] ? (second.get(twin[to]) ?? to) : representative.get(twin[to])!;
    return [a, b];
  };
  return {
    distance(from, to) {
      if (from === to) return 0;
      const [a, b] = canonical(from, to);
      return distancesFrom(a)[b];
    },
    shares(from, to) {
      if (from === to) return { arcs: new Int32Array(0), shares: new Float64Array(0), latency: 0 };
      makeRoom();
      const [a, b] = canonical(from, to);
      const key = a * core.nodeCount + b;
      let found = pairs.get(key);
      if (found === undefined && !pairs.has(key)) {
        found = equalCostShares(core, distancesFrom(a), a, b);
        pairs.set(key, found);
        kept += (found?.arcs.length ?? 0) * 2;
      }
      if (found === undefined || (a === from && b === to)) return found;
      const exactKey = from * core.nodeCount + to;
      let exact = pairs.get(exactKey);
      if (exact === undefined) {
        exact = { ...found, arcs: found.arcs.map((arc) => moveArc(core, arc, a, from, b, to)) };
        pairs.set(exactKey, exact);
        kept += exact.arcs.length;
      }
      return exact;
    },
  };
}

/** The arc of `from` (or into `to`) in the same place as the given arc of its twin `a` (or into `b`). */
function moveArc(core: PathGraph, arc: number, a: number, from: number, b: number, to: number): number {
  if (core.source[arc] === a) {
    const moved = core.outStart[from] + (arc - core.outStart[a]);
    return core.target[arc] === b ? arcInto(core, moved, b, to) : moved;
  }
  return core.target[arc] === b ? arcInto(core, arc, b, to) : arc;
}

function arcInto(core: PathGraph, arc: number, b: number, to: number): number {
  const start = core.inStart[b];
  const end = core.inStart[b + 1];
  for (let at = start; at < end; at++) if (core.inArcs[at] === arc) return core.inArcs[core.inStart[to] + (at - start)];
  return arc;
}

/** Same class: same out-neighbours and in-neighbours with the same cost, latency and bandwidth, in the same order. Twins are never neighbours. */
function twinClasses(core: PathGraph): Int32Array {
  const classes = new Map<string, number>();
  return Int32Array.from({ length: core.nodeCount }, (_, node) => {
    const parts: (number | string)[] = [];
    for (let arc = core.outStart[node]; arc < core.outStart[node + 1]; arc++)
      parts.push(core.target[arc], core.cost[arc], core.latency[arc], core.bandwidth[arc]);
    parts.push('|');
    for (let at = core.inStart[node]; at < core.inStart[node + 1]; at++) {
      const arc = core.inArcs[at];
      parts.push(core.source[arc], core.cost[arc], core.latency[arc], core.bandwidth[arc]);
    }
    const key = parts.join();
    let id = classes.get(key);
    if (id === undefined) classes.set(key, (id = classes.size));
    return id;
  });
}
