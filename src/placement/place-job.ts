import { orderRanks } from '../collectives/rank-order.js';
import { FabricPlanError, invalidArgument, unknownName } from '../errors.js';
import { gpuIndices } from '../fabric/edit-fabric.js';
import { formatSeconds, formatShare } from '../quantities.js';
import type { Routes } from '../routes/compute-routes.js';
import { COMPUTE_MODEL } from '../training/compute-model.js';
import { describeStep } from '../training/describe-step.js';
import { peakMemory } from '../training/estimate-memory.js';
import { gpuSet, type GpuSet } from '../training/gpu-floor.js';
import { priceStep, stepFloor } from '../training/price-step.js';
import { prepareMapping, type PreparedMapping } from '../training/prepare-mapping.js';
import type { Parallelism, StepEstimate, TrainingJob } from '../training/types.js';
import { completeJob, completeParallelism, refuseParallelism, type CompleteJob } from '../training/validate-job.js';
import { packGpus } from './pack-gpus.js';
import { parallelismSpace } from './parallelism-space.js';
import { DEFAULT_STRATEGIES, PLACEMENT_STRATEGIES } from './registry.js';
import type { Placement, PlacementResult, PlacementStrategy, Selection, SelectionContext } from './types.js';

export interface PlaceOptions {
  /** Number of GPUs, or `fewest` for as few as the model fits on. Default: all free ones. */
  readonly gpus?: number | 'fewest';
  /** Ids of GPUs that may be used. Default: all. */
  readonly free?: readonly string[];
  /** Strategies by name or value. Default: single-site, data-across-sites, pipeline-across-sites, low-communication. */
  readonly strategies?: readonly (string | PlacementStrategy)[];
  /** Number of placements to return. Default 5. */
  readonly limit?: number;
  /** Steps between synchronisations across sites for low-communication training. Default 100. */
  readonly outerEvery?: number;
  /** Fixed degrees: only candidates with these values are examined. */
  readonly fixed?: Partial<Parallelism>;
  /** Stops the search with an `aborted` error. */
  readonly signal?: AbortSignal;
  /** Called with the share done (0–1). */
  readonly onProgress?: (share: number) => void;
}

/**
 * Finds where and how to run a training job: degrees of parallelism, micro-batch, recomputation and sharding, and the GPUs, ranked by
 * step time. Says why the rest was rejected, counted by reason.
 *
 * Every candidate that fits memory and could still be among the best is priced on the fabric; a candidate is cut off only by a bound
 * that ignores communication, so the ranking over what the strategies propose is exact.
 *
 * @throws FabricPlanError `invalid-argument`, `unknown-name`, `unreachable`, `aborted`. A job that does not fit is a result, not an error
 * @complexity O(selections × degrees × GPUs)
 * @example
 * const { placements } = placeJob(routes, { model, sequence: 2048, globalBatch: 8 });
 * placements[0].mapping.gpus.length // 2
 */
export function placeJob(routes: Routes, job: TrainingJob, options: PlaceOptions = {}): PlacementResult {
  const where = 'placeJob';
  const complete = completeJob(where, job);
  const strategies = (options.strategies ?? DEFAULT_STRATEGIES).map((strategy) => resolveStrategy(where, strategy));
  const limit = options.limit ?? 5;
  if (!(Number.isInteger(limit) && limit >= 1)) throw invalidArgument(where, 'limit', limit, 'a whole number of at least 1');
  const outerEvery = options.outerEvery ?? 100;
  if (!(Number.isInteger(outerEvery) && outerEvery >= 1))
    throw invalidArgument(where, 'outerEvery', outerEvery, 'a whole number of at least 1');
  const free = orderRanks(
    routes,
    options.free === undefined ? Int32Array.from(routes.fabric.gpuIds, (_, i) => i) : gpuIndices(routes.fabric, options.free, where),
  );
  const counts = wantedCounts(where, options.gpus, free.length);
  const tally = new Map<string, number>();
  let result: Search = { found: [], examined: 0, feasible: 0 };
  for (const count of counts) {
    const search = searchCount(routes, complete, job, contextOf(routes, free, count, outerEvery), strategies, limit, tally, options);
    result = { found: search.found, examined: result.examined + search.examined, feasible: result.feasible + search.feasible };
    if (search.found.length > 0) break;
  }
  const placements = result.found.map((candidate) => describePlacement(routes, candidate));
  const rejections = [...tally]
    .map(([reason, count]) => ({ reason, count }))
    .sort((a, b) => b.count - a.count || (a.reason < b.reason ? -1 : 1));
  return { placements, rejections, examined: result.examined, feasible: result.feasible, explanation: explain(placements, rejections) };
}

interface Candidate {
  readonly selection: Selection;
  readonly parallelism: Required<Parallelism>;
  readonly step: StepEstimate;
}

interface Search {
  readonly found: Candidate[];
  readonly examined: number;
  readonly feasible: number;
}

function resolveStrategy(where: string, strategy: string | PlacementStrategy): PlacementStrategy {
  if (typeof strategy !== 'string') return strategy;
  const found = PLACEMENT_STRATEGIES.find(({ name }) => name === strategy);
  if (found === undefined)
    throw unknownName(
      where,
      'strategy',
      strategy,
      PLACEMENT_STRATEGIES.map(({ name }) => name),
    );
  return found;
}

function wantedCounts(where: string, wanted: PlaceOptions['gpus'], free: number): number[] {
  if (wanted === undefined) {
    if (free === 0) throw invalidArgument(where, 'free', free, 'at least one GPU');
    return [free];
  }
  if (wanted === 'fewest') {
    const counts: number[] = [];
    for (let count = 1; count < free; count *= 2) counts.push(count, ...(count >= 4 ? [count * 1.5] : []));
    return [...counts.filter((count) => count <= free), free].sort((a, b) => a - b);
  }
  if (!(Number.isInteger(wanted) && wanted >= 1)) throw invalidArgument(where, 'gpus', wanted, 'a whole number of at least 1, or "fewest"');
  return [wanted];
}

function contextOf(routes: Routes, free: Int32Array, count: number, outerEvery: number): SelectionContext {
  const siteOf = routes.fabric.compiled.gpuLevel[0] as Int32Array | undefined;
  const bySite = new Map<number, number[]>();
  for (const gpu of free) {
    const site = siteOf?.[gpu] ?? 0;
    const list = bySite.get(site);
    if (list === undefined) bySite.set(site, [gpu]);
    else list.push(gpu);
  }
  const sites = [...bySite.values()].map((gpus) => ({ name: siteName(routes, gpus[0]), gpus: Int32Array.from(gpus) }));
  return { free, sites, count, outerEvery, pack: (gpus, wanted) => packGpus(routes, gpus, wanted) };
}

function siteName(routes: Routes, gpu: number): string {
  const { location } = routes.fabric.devices[routes.fabric.compiled.gpus[gpu]];
  return location.length > 0 ? location[0] : routes.fabric.name;
}

function searchCount(
  routes: Routes,
  complete: CompleteJob,
  job: TrainingJob,
  context: SelectionContext,
  strategies: readonly PlacementStrategy[],
  limit: number,
  tally: Map<string, number>,
  options: PlaceOptions,
): Search {
  let examined = 0;
  let feasible = 0;
  const reject = (reason: string): void => {
    tally.set(reason, (tally.get(reason) ?? 0) + 1);
  };
  const selections: Selection[] = [];
  for (const strategy of strategies) {
    const { selections: proposed, reason } = strategy.propose(context);
    if (proposed.length === 0) {
      examined++;
      reject(`${strategy.name}: ${reason ?? 'nothing to propose'}`);
    }
    selections.push(...proposed);
  }
  const best = new Map<string, Candidate[]>();
  selections.forEach((selection, s) => {
    const set = gpuSet(routes.fabric, selection.gpus, complete.precision, 'placeJob');
    const floor = { floors: [set.floor], gpuCount: selection.gpus.length, constants: COMPUTE_MODEL };
    const todo: { parallelism: Required<Parallelism>; bound: number }[] = [];
    const widest = widestTensor(routes, selection.gpus);
    for (const candidate of parallelismSpace(complete, selection.gpus.length, widest, selection.outerEvery, options.fixed)) {
      examined++;
      const refusal = refuseParallelism(job, candidate) ?? refuseBlocks(selection, candidate) ?? refuseMemory(complete, candidate, set);
      if (refusal !== undefined) {
        reject(refusal);
        continue;
      }
      feasible++;
      const parallelism = completeParallelism('placeJob', candidate);
      todo.push({ parallelism, bound: stepFloor(complete, parallelism, floor) });
    }
    priceSelection(routes, complete, selection, set, todo, best, limit, options);
    options.onProgress?.((s + 1) / selections.length);
  });
  const found = [...best.values()].flat().sort(byTime);
  // The best of every strategy is always shown; the rest by time.
  const leaders = [...best.values()].map((list) => list[0]);
  const rest = found.filter((candidate) => !leaders.includes(candidate));
  return { found: [...leaders, ...rest.slice(0, Math.max(0, limit - leaders.length))].sort(byTime), examined, feasible };
}

const byTime = (a: Candidate, b: Candidate): number => a.step.seconds - b.step.seconds;

/** Prices the candidates of one selection, most promising first, and stops when the bound of the next exceeds the worst kept. */
function priceSelection(
  routes: Routes,
  complete: CompleteJob,
  selection: Selection,
  set: GpuSet,
  todo: { parallelism: Required<Parallelism>; bound: number }[],
  best: Map<string, Candidate[]>,
  limit: number,
  options: PlaceOptions,
): void {
  todo.sort((a, b) => a.bound - b.bound);
  const kept = best.get(selection.strategy) ?? [];
  const prepared = new Map<string, PreparedMapping>();
  for (const { parallelism, bound } of todo) {
    if (options.signal?.aborted === true) throw new FabricPlanError('aborted', 'placeJob: the search was stopped by its signal');
    if (kept.length >= limit && bound > kept[kept.length - 1].step.seconds) break;
    const { tensor, pipeline, data, context: contextDegree, expert } = parallelism;
    const key = [tensor, pipeline, data, contextDegree, expert].join();
    let mapping = prepared.get(key);
    if (mapping === undefined) prepared.set(key, (mapping = prepareMapping(routes, selection.gpus, parallelism, selection.order)));
    const context = { floors: [set.floor], gpuCount: selection.gpus.length, constants: COMPUTE_MODEL };
    const step = describeStep(complete, parallelism, priceStep(complete, parallelism, mapping, context), set, context.floors);
    // Two orders of axes are one placement where an axis has a single rank.
    if (kept.some((other) => other.step.seconds === step.seconds && JSON.stringify(other.parallelism) === JSON.stringify(parallelism)))
      continue;
    kept.push({ selection, parallelism, step });
    kept.sort(byTime);
    if (kept.length > limit) kept.pop();
  }
  if (kept.length > 0) best.set(selection.strategy, kept);
}

/** Ranks of the smallest scale-up domain in use: a wider tensor group would leave it. */
function widestTensor(routes: Routes, gpus: Int32Array): number {
  const { zones, fabric } = routes;
  const sizes = new Map<number, number>();
  for (const gpu of gpus) {
    const zone = zones.zoneOf[fabric.compiled.gpus[gpu]];
    sizes.set(zone, (sizes.get(zone) ?? 0) + 1);
  }
  return Math.max(...sizes.values());
}

function refuseBlocks(selection: Selection, candidate: Parallelism): string | undefined {
  if (selection.unit === 'none' || selection.sites.length < 2) return undefined;
  const { tensor, pipeline, data, context = 1 } = candidate;
  const size = selection.unit === 'replica' ? tensor * context * pipeline : tensor * context * data;
  if (selection.unit === 'stage' && pipeline === 1) return 'a pipeline of one stage cannot cross sites';
  if (selection.sites.some((count) => count % size !== 0)) return `a ${selection.unit} of ${size} GPUs would straddle two sites`;
  return undefined;
}

function refuseMemory(job: CompleteJob, candidate: Parallelism, set: GpuSet): string | undefined {
  return peakMemory(job, completeParallelism('placeJob', candidate)) > set.floor.memory ? 'does not fit GPU memory' : undefined;
}

function describePlacement(routes: Routes, { selection, parallelism, step }: Candidate): Placement {
  const sites: Record<string, number> = {};
  for (const gpu of selection.gpus) {
    const name = siteName(routes, gpu);
    sites[name] = (Object.hasOwn(sites, name) ? sites[name] : 0) + 1;
  }
  const caveats =
    parallelism.outerEvery > 1
      ? [
          `Sites are synchronised every ${parallelism.outerEvery} steps only: the model may converge differently than with synchronous steps; quality at this size and interval is not proven in public.`,
        ]
      : [];
  return {
    strategy: selection.strategy,
    mapping: { parallelism, order: selection.order, gpus: Array.from(selection.gpus, (gpu) => routes.fabric.gpuIds[gpu]) },
    step,
    sites,
    caveats,
  };
}

function explain(placements: readonly Placement[], rejections: PlacementResult['rejections']): string {
  if (placements.length === 0)
    return `Nothing is feasible; most often: ${rejections
      .slice(0, 3)
      .map(({ reason, count }) => `${reason} (${count} times)`)
      .join('; ')}.`;
  const [first, second] = placements as readonly [Placement, Placement | undefined];
  const head = `${first.strategy} takes ${formatSeconds(first.step.seconds)} a step, limited by ${first.step.bottleneck}.`;
  if (second === undefined) return `${head} There is no runner-up.`;
  const extra = second.step.seconds / first.step.seconds - 1;
  const part = (['compute', 'bubble', 'exposedCommunication', 'optimizer'] as const).reduce((a, b) =>
    second.step.breakdown[b] - first.step.breakdown[b] > second.step.breakdown[a] - first.step.breakdown[a] ? b : a,
  );
  const words = {
    compute: 'compute',
    bubble: 'the pipeline bubble',
    exposedCommunication: 'exposed communication',
    optimizer: 'the optimizer',
  } as const;
  return `${head} The runner-up (${second.strategy}) is ${formatShare(extra, 2)} slower, most of it in ${words[part]}.`;
}
