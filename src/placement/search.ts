import { FabricPlanError } from '../errors.js';
import type { Routes } from '../routes/compute-routes.js';
import { COMPUTE_MODEL } from '../training/compute-model.js';
import { peakMemory } from '../training/estimate-memory.js';
import { gpuSet, type GpuSet } from '../training/gpu-floor.js';
import type { AxisCache, PreparedAxis } from '../training/prepare-mapping.js';
import type { GpuTimes, StepContext } from '../training/price-step.js';
import { candidateSpace, type CandidateSpace, type SpaceEntry } from './candidate-space.js';
import { improveMapping } from './improve-mapping.js';
import { addToFront, byObjective, isSame, keep } from './keep-best.js';
import { compareScores, dominates, type Objective, type Score } from './objective.js';
import type { SpaceOptions } from './parallelism-space.js';
import { mapDegrees, priceMapped, type Candidate, type MappedDegrees, type PricingFrame } from './price-candidate.js';
import { distinctSelections, largestEgress, refuseBlocks, selectionContext, widestTensor } from './selections.js';
import type { PlacementProof, PlacementStrategy, Selection } from './types.js';

/** What to search for. */
export interface SearchQuestion extends PricingFrame {
  readonly strategies: readonly PlacementStrategy[];
  readonly outerEvery: number;
  readonly pareto: readonly Objective[];
  readonly limit: number;
  readonly space: Omit<SpaceOptions, 'outerEvery' | 'sites'>;
  readonly signal: AbortSignal | undefined;
  readonly onProgress: ((share: number) => void) | undefined;
}

export interface SearchAnswer {
  /** The best of every strategy and the best of all, best first. */
  readonly best: readonly Candidate[];
  readonly front: readonly Candidate[];
  readonly rejections: ReadonlyMap<string, number>;
  readonly examined: number;
  readonly feasible: number;
  readonly priced: number;
  readonly proof: Omit<PlacementProof, 'statement'>;
}

/**
 * Selections of a strategy that are searched to the end, and candidates priced on each of the others; fewer of both where a price takes
 * tens of milliseconds.
 */
const searchedFully = (gpus: number): number => (gpus <= 2048 ? 8 : 1);
/** Placements of a strategy from which local search starts. */
const IMPROVED = 3;
const triedElsewhere = (gpus: number): number => (gpus <= 2048 ? 6 : 2);

/**
 * Searches all proposals of all strategies for every number of GPUs.
 *
 * @param free GPU indices in locality order
 * @param isFirst whether the first number of GPUs that works is the answer
 */
export function searchPlacements(
  routes: Routes,
  free: Int32Array,
  counts: readonly number[],
  isFirst: boolean,
  question: SearchQuestion,
): SearchAnswer {
  const { objective, limit, strategies } = question;
  const state: SearchState = {
    question,
    routes,
    spaces: new Map(),
    kept: new Map(),
    front: [],
    rejections: new Map(),
    examined: 0,
    feasible: 0,
    priced: 0,
    isExact: true,
    arrangedAll: false,
    egress: largestEgress(routes, free),
    axes: new Map(),
    bound: Infinity,
  };
  counts.forEach((count, c) => {
    if (isFirst && state.kept.size > 0) return;
    const context = selectionContext(routes, free, count, question.outerEvery);
    strategies.forEach((strategy, s) => {
      const { selections, reason } = strategy.propose(context);
      if (selections.length === 0) {
        state.examined++;
        tally(state, `${strategy.name}: ${reason ?? 'nothing to propose'}`);
      } else searchStrategy(state, strategy, distinctSelections(selections));
      question.onProgress?.((c + (s + 1) / strategies.length) / counts.length);
    });
  });
  improveBest(state, free);
  const found = [...state.kept.values()].flat().sort(byObjective(objective));
  const unique = found.filter((one, i) => found.findIndex((other) => isSame(one, other)) === i);
  // The best of every strategy is always shown; the rest by rank.
  const leaders = [...state.kept.values()].map((list) => list[0]).filter((one) => unique.includes(one));
  const rest = unique.filter((candidate) => !leaders.includes(candidate));
  const best = [...leaders, ...rest.slice(0, Math.max(0, limit - leaders.length))].sort(byObjective(objective));
  const { examined, feasible, priced, rejections, front } = state;
  return { best, front, rejections, examined, feasible, priced, proof: proofOf(state, best) };
}

interface SearchState {
  readonly question: SearchQuestion;
  readonly routes: Routes;
  readonly spaces: Map<string, CandidateSpace>;
  /** The best of each strategy, best first. */
  readonly kept: Map<string, Candidate[]>;
  front: Candidate[];
  readonly rejections: Map<string, number>;
  examined: number;
  feasible: number;
  priced: number;
  /** Whether nothing that could have been among the best was left out. */
  isExact: boolean;
  arrangedAll: boolean;
  readonly egress: number;
  /** Prepared axes by list of GPUs. */
  readonly axes: Map<Int32Array, AxisCache>;
  /** Least objective of all that was bounded. */
  bound: number;
}

/** One selection with the degrees that suit it. */
interface Pool {
  readonly selection: Selection;
  readonly set: GpuSet;
  readonly entries: readonly SpaceEntry[];
  readonly mappings: Map<string, MappedDegrees>;
  readonly context: StepContext;
  next: number;
}

function tally(state: SearchState, reason: string, count = 1): void {
  state.rejections.set(reason, (state.rejections.get(reason) ?? 0) + count);
}

function searchStrategy(state: SearchState, strategy: PlacementStrategy, selections: readonly Selection[]): void {
  const { objective, pareto, limit } = state.question;
  const pools = selections.map((selection) => openPool(state, selection));
  if (strategy.name === 'exhaustive') state.arrangedAll = true;
  const kept = state.kept.get(strategy.name) ?? [];
  const worst = (): number => (kept.length < limit ? Infinity : kept[kept.length - 1].score[objective]);
  const priceNext = (pool: Pool): Score | undefined => {
    const entry = pool.entries[pool.next++];
    const candidate = priceEntry(state, pool, entry);
    if (candidate === undefined) return undefined;
    keep(kept, candidate, objective, limit);
    if (pareto.length > 0) state.front = addToFront(state.front, candidate, pareto);
    return candidate.score;
  };
  // One price each tells which selections are worth searching first; those with the best bounds begin.
  const ranked = pools
    .filter(({ entries }) => entries.length > 0)
    .sort((a, b) => compareScores(objective, a.entries[0].bound, b.entries[0].bound))
    .map((pool) => ({ pool, first: pool.entries[0].bound[objective] <= worst() || pareto.length > 0 ? priceNext(pool) : undefined }))
    .sort((a, b) => (a.first?.[objective] ?? Infinity) - (b.first?.[objective] ?? Infinity));
  const isArranging = strategy.name === 'exhaustive';
  ranked.forEach(({ pool }, rank) => {
    const { length } = pool.selection.gpus;
    const most = rank < searchedFully(length) || isArranging ? Infinity : triedElsewhere(length);
    while (pool.next < pool.entries.length) {
      const { bound } = pool.entries[pool.next];
      if (pareto.length > 0) {
        if (state.front.some(({ score }) => dominates(pareto, score, bound)) && bound[objective] > worst()) {
          pool.next++;
          continue;
        }
      } else if (bound[objective] > worst()) break;
      if (pool.next >= most) {
        state.isExact = false;
        break;
      }
      priceNext(pool);
    }
  });
  if (kept.length > 0) state.kept.set(strategy.name, kept);
}

/** Degrees for a selection: those of its kind of GPU that do not tear apart what must stay together. */
function openPool(state: SearchState, selection: Selection): Pool {
  const { routes, question } = state;
  const { job, objective, run, space: options } = question;
  const set = gpuSet(routes.fabric, selection.gpus, job.precision, 'placeJob');
  const widest = widestTensor(routes, selection.gpus);
  const spread = selection.unit === 'none' ? [] : selection.sites;
  const key = JSON.stringify([
    selection.gpus.length,
    widest,
    selection.outerEvery,
    set.floor,
    set.ceiling,
    spread,
    selection.strategy === 'exhaustive',
  ]);
  let space = state.spaces.get(key);
  if (space === undefined) {
    space = candidateSpace(job, set, selection.gpus.length, widest, state.egress, question.usableMemory, objective, run, {
      ...options,
      outerEvery: selection.outerEvery,
      sites: spread,
      unsharded: selection.strategy === 'exhaustive',
    });
    state.spaces.set(key, space);
  }
  state.examined += space.examined;
  for (const [reason, count] of space.rejections) tally(state, reason, count);
  const entries = space.entries.filter(({ parallelism }) => {
    const refusal = refuseBlocks(selection, parallelism);
    if (refusal !== undefined) tally(state, refusal);
    return refusal === undefined;
  });
  state.feasible += entries.length;
  if (entries.length > 0) state.bound = Math.min(state.bound, entries[0].bound[objective]);
  return {
    selection,
    set,
    entries,
    mappings: new Map(),
    context: { floors: [set.floor], gpuCount: selection.gpus.length, constants: COMPUTE_MODEL, cache: new Map<string, GpuTimes>() },
    next: 0,
  };
}

function priceEntry(state: SearchState, pool: Pool, { parallelism }: SpaceEntry): Candidate | undefined {
  const { question, routes } = state;
  if (question.signal?.aborted === true) throw new FabricPlanError('aborted', 'placeJob: the search was stopped by its signal');
  const { selection, set } = pool;
  const { tensor, pipeline, data, context, expert, shardGroup } = parallelism;
  const key = `${tensor},${pipeline},${data},${context},${expert},${shardGroup}`;
  let mapped = pool.mappings.get(key);
  if (mapped === undefined) {
    let axes = state.axes.get(selection.gpus);
    if (axes === undefined) state.axes.set(selection.gpus, (axes = new Map<string, PreparedAxis>()));
    mapped = mapDegrees(routes, question.job, selection, set, parallelism, axes);
    pool.mappings.set(key, mapped);
  }
  state.priced++;
  const priced = priceMapped(question, selection, set, parallelism, mapped, pool.context);
  if (typeof priced !== 'string') return priced;
  state.feasible--;
  tally(state, priced);
  return undefined;
}

/** Tries other orders of ranks for the best of every strategy. */
function improveBest(state: SearchState, free: Int32Array): void {
  const { objective, limit, job, pareto } = state.question;
  for (const [strategy, kept] of state.kept) {
    if (strategy === 'exhaustive') continue;
    const starts = kept.slice(0, IMPROVED);
    for (const start of starts) {
      const better = improveMapping(state.routes, start, free, starts.length, (selection) => {
        const set =
          selection.gpus === start.selection.gpus ? start.set : gpuSet(state.routes.fabric, selection.gpus, job.precision, 'placeJob');
        const { parallelism } = start;
        const mapped = mapDegrees(state.routes, job, selection, set, parallelism);
        const context: StepContext = { floors: [set.floor], gpuCount: selection.gpus.length, constants: COMPUTE_MODEL };
        state.priced++;
        if (!set.isMixed && peakMemory(job, parallelism) > set.floor.memory * state.question.usableMemory) return undefined;
        const priced = priceMapped(state.question, selection, set, parallelism, mapped, context);
        return typeof priced === 'string' ? undefined : priced;
      });
      if (better === undefined) continue;
      if (compareScores(objective, better.score, kept[0].score) < 0) keep(kept, better, objective, limit);
      if (pareto.length > 0) state.front = addToFront(state.front, better, pareto);
    }
  }
}

function proofOf(state: SearchState, best: readonly Candidate[]): Omit<PlacementProof, 'statement'> {
  const { objective } = state.question;
  const [first] = best as readonly [Candidate | undefined];
  const value = first?.score[objective] ?? Infinity;
  // Every arrangement was examined: then its best is the least there is for synchronous training.
  const arranged = state.arrangedAll ? (state.kept.get('exhaustive')?.[0]?.score[objective] ?? Infinity) : Infinity;
  const isArranged = state.arrangedAll && first?.parallelism.outerEvery === 1 && value >= arranged;
  const bound = isArranged ? value : Math.min(state.bound, value);
  return {
    optimal: first !== undefined && value <= bound * (1 + 1e-9),
    bound,
    gap: first === undefined || bound === 0 ? 0 : value / bound - 1,
    rankingExact: state.isExact,
    method: isArranged ? 'exhaustive' : 'branch and bound, local search',
  };
}
