import type { Routes } from '../routes/compute-routes.js';
import { AXES, type Axis } from '../training/types.js';
import type { Candidate } from './price-candidate.js';
import type { Selection } from './types.js';

/** Ranks whose price is asked for at most, over all tries: pricing a mapping costs time in proportion to its ranks. */
const RANK_BUDGET = 50_000;
const MOST_TRIES = 64;
/** Ranks up to which single GPUs are exchanged, with each other and with idle ones. */
const FEW = 8;

/**
 * Local search over the order of ranks, degrees as they are: other orders of the axes, then blocks that lie together (sites, racks, nodes)
 * exchanged pairwise, or single GPUs, idle ones too, where there are few. Takes the first move that helps and starts over; stops at a local optimum
 * or when its share of the budget is spent.
 *
 * @param starts placements that share the budget
 *
 * @returns the best found, or undefined where nothing is better
 * @complexity at most 64 prices, fewer for many ranks
 */
export function improveMapping(
  routes: Routes,
  start: Candidate,
  free: Int32Array,
  starts: number,
  price: (selection: Selection) => Candidate | undefined,
): Candidate | undefined {
  let tries = Math.min(MOST_TRIES, Math.floor(RANK_BUDGET / start.selection.gpus.length / starts));
  let best = start;
  let moved = true;
  while (moved && tries > 0) {
    moved = false;
    for (const selection of neighbours(routes, best, free)) {
      if (tries-- <= 0) break;
      const candidate = price(selection);
      if (candidate === undefined || candidate.score.time >= best.score.time * (1 - 1e-9)) continue;
      best = candidate;
      moved = true;
      break;
    }
  }
  return best === start ? undefined : best;
}

function* neighbours(routes: Routes, { selection, parallelism }: Candidate, free: Int32Array): Generator<Selection> {
  if (selection.unit === 'none') {
    const open = AXES.filter((axis) => parallelism[axis] > 1);
    for (const order of permutations(open)) {
      // Tensor groups want the nearest neighbours: they stay innermost.
      if (open.includes('tensor') && order[0] !== 'tensor') continue;
      const full = [...order, ...AXES.filter((axis) => !open.includes(axis))];
      if (full.join() !== selection.order.join()) yield { ...selection, order: full };
    }
  }
  for (const [a, b] of blockPairs(routes, selection))
    yield { ...selection, gpus: exchanged(selection.gpus, a, b), sites: sitesAfter(routes, selection, a, b) };
  // Exchanges first: they keep the GPUs that packing chose.
  if (selection.unit === 'none' && selection.gpus.length <= FEW) {
    const idle = free.filter((gpu) => !selection.gpus.includes(gpu)).subarray(0, FEW);
    for (let i = 0; i < selection.gpus.length; i++)
      for (const gpu of idle) yield { ...selection, gpus: selection.gpus.map((own, at) => (at === i ? gpu : own)) };
  }
}

/** Runs of consecutive ranks in one location, at every level, in pairs of equal length; the broadest level first. */
function* blockPairs(routes: Routes, { gpus, unit }: Selection): Generator<[Run, Run]> {
  const { gpuLevel } = routes.fabric.compiled;
  // Exchanging sites keeps whole units together; anything smaller might not.
  const levels = unit === 'none' ? gpuLevel : gpuLevel.slice(0, 1);
  for (const ids of levels) {
    const runs = runsOf(gpus, (gpu) => ids[gpu]);
    if (runs.length < 2 || runs.length > 24) continue;
    for (let i = 0; i < runs.length; i++)
      for (let j = i + 1; j < runs.length; j++) if (runs[i].length === runs[j].length) yield [runs[i], runs[j]];
  }
  if (unit === 'none' && gpus.length <= FEW)
    for (let i = 0; i < gpus.length; i++)
      for (let j = i + 1; j < gpus.length; j++)
        yield [
          { start: i, length: 1 },
          { start: j, length: 1 },
        ];
}

interface Run {
  readonly start: number;
  readonly length: number;
}

function runsOf(gpus: Int32Array, idOf: (gpu: number) => number): Run[] {
  const runs: Run[] = [];
  let start = 0;
  for (let i = 1; i <= gpus.length; i++) {
    if (i < gpus.length && idOf(gpus[i]) === idOf(gpus[start])) continue;
    runs.push({ start, length: i - start });
    start = i;
  }
  return runs;
}

function exchanged(gpus: Int32Array, a: Run, b: Run): Int32Array {
  const next = gpus.slice();
  next.set(gpus.subarray(b.start, b.start + b.length), a.start);
  next.set(gpus.subarray(a.start, a.start + a.length), b.start);
  return next;
}

function sitesAfter(routes: Routes, selection: Selection, a: Run, b: Run): readonly number[] {
  if (selection.unit === 'none') return selection.sites;
  const ids = routes.fabric.compiled.gpuLevel[0] as Int32Array | undefined;
  return ids === undefined ? selection.sites : runsOf(exchanged(selection.gpus, a, b), (gpu) => ids[gpu]).map(({ length }) => length);
}

function permutations(axes: readonly Axis[]): Axis[][] {
  if (axes.length <= 1) return [[...axes]];
  return axes.flatMap((axis, i) => permutations([...axes.slice(0, i), ...axes.slice(i + 1)]).map((rest) => [axis, ...rest]));
}
