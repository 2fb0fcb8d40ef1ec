import type { Routes } from '../routes/compute-routes.js';

/**
 * Picks GPUs that lie close together: the narrowest location that holds them all, the one with least to spare first; inside it nodes
 * with most free GPUs first, in locality order.
 *
 * @param gpus free GPU indices in locality order
 * @param grain from every scale-up domain a multiple of so many is taken
 * @returns `count` of them, in locality order; undefined where there are not so many in multiples of the grain
 * @complexity O(GPUs × levels)
 */
export function packGpus(routes: Routes, gpus: Int32Array, count: number, grain = 1): Int32Array | undefined {
  if (count === 0) return new Int32Array(0);
  const { gpuLevel } = routes.fabric.compiled;
  const usable = grain === 1 ? gpus : wholeGrains(routes, gpus, grain);
  if (count > usable.length || count % grain !== 0) return undefined;
  if (count === usable.length) return usable.slice();
  for (let level = gpuLevel.length - 1; level >= 0; level--) {
    const groups = groupBy(usable, (gpu) => gpuLevel[level][gpu]);
    const able = groups.filter((group) => group.length >= count);
    if (able.length === 0) continue;
    const best = able.reduce((a, b) => (b.length < a.length ? b : a));
    return fillDomains(routes, best, count);
  }
  return fillDomains(routes, usable, count);
}

/** GPUs of every domain in a multiple of the grain, the first of it in locality order. */
function wholeGrains(routes: Routes, gpus: Int32Array, grain: number): Int32Array {
  const domains = groupBy(gpus, domainOf(routes));
  return Int32Array.from(domains.flatMap((domain) => Array.from(domain.subarray(0, Math.floor(domain.length / grain) * grain))));
}

/** Whole domains first: those with most free GPUs, in order of place; the last one only as far as is needed. */
function fillDomains(routes: Routes, gpus: Int32Array, count: number): Int32Array {
  const domains = groupBy(gpus, domainOf(routes));
  const order = domains.map((_, i) => i).sort((a, b) => domains[b].length - domains[a].length || a - b);
  const taken = new Set<number>();
  let left = count;
  for (const i of order) {
    if (left === 0) break;
    // Domains and what is left are whole grains, so what is taken is.
    const part = Math.min(left, domains[i].length);
    for (let g = 0; g < part; g++) taken.add(domains[i][g]);
    left -= part;
  }
  return gpus.filter((gpu) => taken.has(gpu));
}

/** Scale-up domain of a GPU. */
const domainOf =
  ({ zones, fabric }: Routes) =>
  (gpu: number): number =>
    zones.zoneOf[fabric.compiled.gpus[gpu]];

function groupBy(gpus: Int32Array, idOf: (gpu: number) => number): Int32Array[] {
  const groups = new Map<number, number[]>();
  for (const gpu of gpus) {
    const id = idOf(gpu);
    const list = groups.get(id);
    if (list === undefined) groups.set(id, [gpu]);
    else list.push(gpu);
  }
  return [...groups.values()].map((group) => Int32Array.from(group));
}
