import { MiB } from '../quantities.js';
import { expandRoute, type Routes } from '../routes/compute-routes.js';

/** Groups larger than this keep the order of their ids. */
const MOST_TOURED = 12;
/** Tours kept at most. */
const MOST_TOURS = 10_000;
/** Groups up to this size are ordered by trying every tour. */
const MOST_EXHAUSTIVE = 8;

/**
 * An order of GPUs that follows locality: GPUs of a node together, nodes of a rack together, sites in a short closed tour. Inside
 * nodes without a switch (cube mesh, Infinity Fabric) the order follows the fast links.
 *
 * @param gpus GPU indices, each once, in any order
 * @returns the same GPU indices; the same for any order of the input
 * @complexity O(n log n), plus a tour search in groups of at most 12
 */
export function orderRanks(routes: Routes, gpus: ArrayLike<number>): Int32Array {
  const { gpuLevel } = routes.fabric.compiled;
  // Locations were numbered in device order, so sorting by GPU index inside each level keeps the order of ids.
  const compare = (a: number, b: number): number => {
    for (const level of gpuLevel) if (level[a] !== level[b]) return level[a] - level[b];
    return a - b;
  };
  const sorted = Int32Array.from(gpus);
  if (sorted.some((gpu, i) => i > 0 && compare(sorted[i - 1], gpu) > 0)) sorted.sort(compare);
  // Tours of equal nodes, and of the same sites, are found once per fabric.
  return arrange(routes, sorted, 0, (routes.scratch.tours ??= new Map<string, readonly number[]>()));
}

/** Orders the groups of one level by a tour, and inside each group the level below. */
function arrange(routes: Routes, gpus: Int32Array, level: number, memo: Map<string, readonly number[]>): Int32Array {
  const { gpuLevel } = routes.fabric.compiled;
  if (gpus.length <= 2) return gpus;
  if (level === gpuLevel.length)
    return tourOf(routes, gpus, memo).reduce((into, i, at) => ((into[at] = gpus[i]), into), new Int32Array(gpus.length));
  const groups: Int32Array[] = [];
  let start = 0;
  for (let i = 1; i <= gpus.length; i++) {
    if (i < gpus.length && gpuLevel[level][gpus[i]] === gpuLevel[level][gpus[start]]) continue;
    groups.push(gpus.subarray(start, i));
    start = i;
  }
  if (groups.length === 1) return arrange(routes, gpus, level + 1, memo);
  const heads = Int32Array.from(groups, (group) => group[0]);
  const order = tourOf(routes, heads, memo);
  const result = new Int32Array(gpus.length);
  let at = 0;
  for (const i of order) {
    const inner = arrange(routes, groups[i], level + 1, memo);
    result.set(inner, at);
    at += inner.length;
  }
  return result;
}

/** A short closed tour of a few GPUs as indices into the list; the given order for long lists. Equal nodes share the answer. */
function tourOf(routes: Routes, gpus: Int32Array, memo: Map<string, readonly number[]>): readonly number[] {
  const identity = Array.from(gpus, (_, i) => i);
  if (gpus.length <= 2 || gpus.length > MOST_TOURED) return identity;
  const { zones, fabric } = routes;
  const zoneOf = (gpu: number): number => zones.zoneOf[fabric.compiled.gpus[gpu]];
  const isOneZone = gpus.every((gpu) => zoneOf(gpu) === zoneOf(gpus[0]));
  const key = isOneZone
    ? `${zones.zones[zoneOf(gpus[0])].classIndex}:${gpus.map((gpu) => zones.localOf[fabric.compiled.gpus[gpu]]).join()}`
    : gpus.join();
  const known = memo.get(key);
  if (known !== undefined) return known;
  const weights = identity.map((a) => identity.map((b) => (a === b ? 0 : pairWeight(routes, gpus[a], gpus[b]))));
  const order = shortestTour(weights);
  if (memo.size > MOST_TOURS) memo.clear();
  memo.set(key, order);
  return order;
}

/**
 * Latency, and the time of a mebibyte on all links of the best route added up: hops of a tour run at once, so a way through many links
 * takes from the others even where it is split over parallel routes. Very long where there is no way.
 */
function pairWeight(routes: Routes, a: number, b: number): number {
  try {
    const route = expandRoute(routes, a, b);
    let taken = 0;
    route.arcs.forEach((arc, i) => (taken += route.shares[i] / routes.fabric.compiled.arcBandwidth[arc]));
    return route.latency + MiB * taken;
  } catch {
    return 1e9;
  }
}

/** Closed tour of least total weight from index 0: exhaustive up to 8, else nearest neighbour improved by 2-opt. */
export function shortestTour(weights: readonly (readonly number[])[]): number[] {
  const n = weights.length;
  const identity = weights.map((_, i) => i);
  const length = (tour: readonly number[]): number => tour.reduce((sum, a, i) => sum + weights[a][tour[(i + 1) % n]], 0);
  let best = identity;
  let bestLength = length(identity) * (1 - 1e-9);
  const keep = (tour: readonly number[]): void => {
    const total = length(tour);
    if (total < bestLength) {
      bestLength = total * (1 - 1e-9);
      best = [...tour];
    }
  };
  const off = weights.flatMap((row, i) => row.filter((_, j) => j !== i));
  if (Math.max(...off) <= Math.min(...off) * (1 + 1e-9)) return identity;
  if (n <= MOST_EXHAUSTIVE) {
    const tour = [0];
    const rest = new Set(identity.slice(1));
    const extend = (sum: number): void => {
      if (sum >= bestLength) return;
      if (rest.size === 0) {
        keep(tour);
        return;
      }
      for (const next of [...rest].sort((a, b) => a - b)) {
        rest.delete(next);
        tour.push(next);
        extend(sum + weights[tour[tour.length - 2]][next]);
        tour.pop();
        rest.add(next);
      }
    };
    extend(0);
    return best;
  }
  const greedy = [0];
  while (greedy.length < n) {
    const last = greedy[greedy.length - 1];
    greedy.push(identity.filter((i) => !greedy.includes(i)).reduce((a, b) => (weights[last][b] < weights[last][a] ? b : a)));
  }
  keep(greedy);
  for (let improved = true; improved;) {
    improved = false;
    for (let i = 1; i < n - 1; i++) {
      for (let j = i + 1; j < n; j++) {
        const before = bestLength;
        keep([...best.slice(0, i), ...best.slice(i, j + 1).reverse(), ...best.slice(j + 1)]);
        improved ||= bestLength < before;
      }
    }
  }
  return best;
}
