import type { Routes } from '../routes/compute-routes.js';

/**
 * Picks GPUs that lie close together: the narrowest location that holds them all, the one with least to spare first; inside it nodes
 * with most free GPUs first, in locality order.
 *
 * @param gpus free GPU indices in locality order
 * @returns `count` of them, in locality order
 * @complexity O(GPUs × levels)
 */
export function packGpus(routes: Routes, gpus: Int32Array, count: number): Int32Array {
  const { gpuLevel } = routes.fabric.compiled;
  if (count >= gpus.length) return gpus.slice(0, count);
  for (let level = gpuLevel.length - 1; level >= 0; level--) {
    const groups = groupBy(gpus, gpuLevel[level]);
    const able = groups.filter((group) => group.length >= count);
    if (able.length === 0) continue;
    const best = able.reduce((a, b) => (b.length < a.length ? b : a));
    return fillNodes(best, count, level + 1 < gpuLevel.length ? gpuLevel[gpuLevel.length - 2] : gpuLevel[level]);
  }
  return fillNodes(
    gpus,
    count,
    gpuLevel.length > 0 ? gpuLevel[Math.max(0, gpuLevel.length - 2)] : new Int32Array(routes.fabric.gpuIds.length),
  );
}

/** Whole nodes first: those with most free GPUs, in order of place. */
function fillNodes(gpus: Int32Array, count: number, nodeOf: Int32Array): Int32Array {
  const nodes = groupBy(gpus, nodeOf);
  const order = nodes.map((_, i) => i).sort((a, b) => nodes[b].length - nodes[a].length || a - b);
  const taken = new Set<number>();
  let left = count;
  for (const i of order) {
    if (left === 0) break;
    // A node that holds more than is left only when none fits better.
    for (const gpu of nodes[i].slice(0, left)) taken.add(gpu);
    left -= Math.min(left, nodes[i].length);
  }
  return gpus.filter((gpu) => taken.has(gpu));
}

function groupBy(gpus: Int32Array, ids: Int32Array): Int32Array[] {
  const groups = new Map<number, number[]>();
  for (const gpu of gpus) {
    const list = groups.get(ids[gpu]);
    if (list === undefined) groups.set(ids[gpu], [gpu]);
    else list.push(gpu);
  }
  return [...groups.values()].map((group) => Int32Array.from(group));
}
