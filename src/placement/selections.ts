import type { Routes } from '../routes/compute-routes.js';
import type { CompleteParallelism } from '../training/validate-job.js';
import { packGpus } from './pack-gpus.js';
import type { Selection, SelectionContext } from './types.js';

/** What strategies see of the free GPUs, in locality order. */
export function selectionContext(routes: Routes, free: Int32Array, count: number, outerEvery: number): SelectionContext {
  const siteOf = routes.fabric.compiled.gpuLevel[0] as Int32Array | undefined;
  const bySite = new Map<number, number[]>();
  for (const gpu of free) {
    const site = siteOf?.[gpu] ?? 0;
    const list = bySite.get(site);
    if (list === undefined) bySite.set(site, [gpu]);
    else list.push(gpu);
  }
  const { devices, compiled, name } = routes.fabric;
  const sites = [...bySite.values()].map((gpus) => {
    const { location } = devices[compiled.gpus[gpus[0]]];
    return { name: location.length > 0 ? location[0] : name, gpus: Int32Array.from(gpus) };
  });
  return {
    free,
    sites,
    count,
    outerEvery,
    grains: grainsOf(routes, free, count),
    pack: (gpus, wanted, grain) => packGpus(routes, gpus, wanted, grain),
  };
}

/** Sizes of tensor groups that whole domains hold: powers of two up to the largest domain, and 1. */
function grainsOf(routes: Routes, free: Int32Array, count: number): number[] {
  const largest = Math.max(1, ...domainSizes(routes, free).values());
  const grains: number[] = [];
  for (let grain = 1; grain <= largest; grain *= 2) if (count % grain === 0) grains.unshift(grain);
  return grains;
}

function domainSizes(routes: Routes, gpus: Int32Array): Map<number, number> {
  const { zones, fabric } = routes;
  const sizes = new Map<number, number>();
  for (const gpu of gpus) {
    const zone = zones.zoneOf[fabric.compiled.gpus[gpu]];
    sizes.set(zone, (sizes.get(zone) ?? 0) + 1);
  }
  return sizes;
}

/** Ranks of the largest scale-up domain in use: a wider tensor group would leave it. */
export const widestTensor = (routes: Routes, gpus: Int32Array): number => Math.max(1, ...domainSizes(routes, gpus).values());

/** Largest rate at which one of some GPUs can send. */
export function largestEgress(routes: Routes, gpus: Int32Array): number {
  const { compiled } = routes.fabric;
  let most = 0;
  for (const gpu of gpus) {
    const device = compiled.gpus[gpu];
    let sum = 0;
    for (let arc = compiled.outStart[device]; arc < compiled.outStart[device + 1]; arc++) sum += compiled.arcBandwidth[arc];
    most = Math.max(most, sum);
  }
  return most > 0 ? most : Infinity;
}

/** Why degrees would tear apart what a selection keeps together; undefined when they do not. */
export function refuseBlocks(selection: Selection, candidate: CompleteParallelism): string | undefined {
  if (selection.unit === 'none' || selection.sites.length < 2) return undefined;
  const { tensor, pipeline, data, context } = candidate;
  const size = selection.unit === 'replica' ? tensor * context * pipeline : tensor * context * data;
  if (selection.unit === 'stage' && pipeline === 1) return 'a pipeline of one stage cannot cross sites';
  if (selection.sites.some((count) => count % size !== 0)) return `a ${selection.unit} of ${size} GPUs would straddle two sites`;
  return undefined;
}

/** Selections without those that repeat an earlier one. */
export function distinctSelections(selections: readonly Selection[]): Selection[] {
  const seen = new Set<string>();
  return selections.filter(({ gpus, order, sites }) => {
    const key = `${order.join()}|${sites.join()}|${gpus.length <= 64 ? gpus.join() : fingerprint(gpus)}`;
    if (seen.has(key)) return false;
    seen.add(key);
    return true;
  });
}

/** Two independent 32-bit sums of a long list: equal ones are taken to be the same list. */
function fingerprint(gpus: Int32Array): string {
  let a = 0x811c9dc5;
  let b = 0x01000193;
  for (const gpu of gpus) {
    a = Math.imul(a ^ gpu, 0x01000193);
    b = (Math.imul(b, 31) + gpu) | 0;
  }
  return `${gpus.length},${a},${b}`;
}
