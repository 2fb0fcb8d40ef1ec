import { orderRanks } from '../collectives/rank-order.js';
import { invalidArgument, unknownName } from '../errors.js';
import { gpuIndices } from '../fabric/edit-fabric.js';
import type { Routes } from '../routes/compute-routes.js';
import { describeStep } from '../training/describe-step.js';
import { PIPELINE_SCHEDULES, type Parallelism, type PipelineSchedule, type TrainingJob } from '../training/types.js';
import { completeJob, type CompleteJob } from '../training/validate-job.js';
import { explainPlacements, lostBy, proofStatement, type Scored } from './explain.js';
import { checkLimits, compareScores, OBJECTIVES, type Objective, type RunLimits } from './objective.js';
import { DEFAULT_STRATEGIES, PLACEMENT_STRATEGIES } from './registry.js';
import { arrangementCount, exhaustive, MOST_UNASKED } from './strategies/exhaustive.js';
import type { Candidate } from './price-candidate.js';
import { searchPlacements, type SearchQuestion } from './search.js';
import type { Placement, PlacementProof, PlacementResult, PlacementStrategy, RunEstimate } from './types.js';

export interface PlaceOptions {
  /** Number of GPUs; several to choose from; `fewest` for as few as the model fits on; `any` for whatever is best. Default: all free ones. */
  readonly gpus?: number | readonly number[] | 'fewest' | 'any';
  /** Ids of GPUs that may be used. Default: all. */
  readonly free?: readonly string[];
  /** Strategies by name or value. Default: all that suit; and every arrangement where there are at most 400. */
  readonly strategies?: readonly (string | PlacementStrategy)[];
  /** What to minimise. Default `time`. */
  readonly objective?: Objective;
  /** Tokens of the whole run: placements then say its time, GPU-hours, price and energy. */
  readonly tokens?: number;
  /** What the run may take at most; needs `tokens`. */
  readonly limits?: RunLimits;
  /** Also return the placements that none beats in all of these. */
  readonly pareto?: readonly Objective[];
  /** Share (0–1) of GPU memory to leave free: estimates of memory are off by some percent. Default 0.05. */
  readonly memoryHeadroom?: number;
  /** Number of placements to return. Default 5. */
  readonly limit?: number;
  /** Steps between synchronisations across sites for low-communication training. Default 100. */
  readonly outerEvery?: number;
  /** Pipeline schedules to try. Default `1f1b`, interleaved as far as it goes, and `zero-bubble`; `gpipe` is never faster. */
  readonly schedules?: readonly PipelineSchedule[];
  /** Fixed degrees: only candidates with these values are examined. */
  readonly fixed?: Partial<Parallelism>;
  /** Stops the search with an `aborted` error. */
  readonly signal?: AbortSignal;
  /** Called with the share done (0–1). */
  readonly onProgress?: (share: number) => void;
}

/**
 * Finds where and how to run a training job: degrees of parallelism, micro-batch, recomputation, sharding, schedule, the number of GPUs
 * where it is open, which GPUs, and which rank sits on which. Ranked by an objective, with why the rest was rejected, counted, and how
 * far the answer is proven.
 *
 * Branch and bound: every candidate that fits memory is bounded by what no mapping of it can beat; those that could still be among the
 * best are priced on the fabric, all groups sharing links. The best is improved by local search over the order of ranks. Where there are
 * at most 400 arrangements of GPUs all are examined.
 *
 * @throws FabricPlanError `invalid-argument`, `unknown-name`, `unreachable`, `aborted`. A job that does not fit is a result, not an error
 * @complexity a few microseconds per candidate, O(GPUs) per set of degrees that is priced
 * @example
 * const { placements } = placeJob(routes, { model, sequence: 2048, globalBatch: 8 });
 * placements[0].mapping.gpus.length // 2
 */
export function placeJob(routes: Routes, job: TrainingJob, options: PlaceOptions = {}): PlacementResult {
  const where = 'placeJob';
  const complete = completeJob(where, job);
  const whole = (name: string, value: number): number => {
    if (!(Number.isInteger(value) && value >= 1)) throw invalidArgument(where, name, value, 'a whole number of at least 1');
    return value;
  };
  const limit = whole('limit', options.limit ?? 5);
  const outerEvery = whole('outerEvery', options.outerEvery ?? 100);
  const objectives = [options.objective ?? 'time', ...(options.pareto ?? [])];
  for (const name of objectives) if (!OBJECTIVES.includes(name)) throw unknownName(where, 'objective', name, OBJECTIVES);
  const schedules = options.schedules ?? ['1f1b', 'zero-bubble'];
  for (const name of schedules) if (!PIPELINE_SCHEDULES.includes(name)) throw unknownName(where, 'schedule', name, PIPELINE_SCHEDULES);
  if (options.tokens !== undefined && !(options.tokens > 0 && Number.isFinite(options.tokens)))
    throw invalidArgument(where, 'tokens', options.tokens, 'a finite number above 0');
  checkLimits(where, options.limits ?? {}, options.tokens, complete.eurosPerGpuHour !== undefined);
  const memoryHeadroom = options.memoryHeadroom ?? 0.05;
  if (!(memoryHeadroom >= 0 && memoryHeadroom < 1))
    throw invalidArgument(where, 'memoryHeadroom', memoryHeadroom, 'a share from 0 to below 1');
  const free = orderRanks(
    routes,
    options.free === undefined ? Int32Array.from(routes.fabric.gpuIds, (_, i) => i) : gpuIndices(routes.fabric, options.free, where),
  );
  const { counts, isFirst } = wantedCounts(where, options.gpus, free.length);
  const strategies =
    options.strategies?.map((strategy) => resolveStrategy(where, strategy)) ??
    (counts.every((count) => arrangementCount(free.length, count) <= MOST_UNASKED)
      ? [...DEFAULT_STRATEGIES, exhaustive]
      : DEFAULT_STRATEGIES);
  const question: SearchQuestion = {
    job: complete,
    strategies,
    outerEvery,
    objective: objectives[0],
    pareto: options.pareto ?? [],
    limit,
    run: { steps: (options.tokens ?? 0) / (job.globalBatch * job.sequence), limits: options.limits ?? {} },
    space: { fixed: options.fixed ?? {}, schedules },
    usableMemory: 1 - memoryHeadroom,
    signal: options.signal,
    onProgress: options.onProgress,
  };
  const search = searchPlacements(routes, free, counts, isFirst, question);
  const describe = (candidate: Candidate): Scored => ({
    placement: describePlacement(routes, complete, candidate, options.tokens),
    score: candidate.score,
  });
  const scored = search.best.map(describe);
  const placements = scored.map((one, i) =>
    i === 0 ? one.placement : { ...one.placement, lostBy: lostBy(question.objective, scored[0], one) },
  );
  const rejections = [...search.rejections]
    .map(([reason, count]) => ({ reason, count }))
    .sort((a, b) => b.count - a.count || (a.reason < b.reason ? -1 : 1));
  const proof: PlacementProof = { ...search.proof, statement: proofStatement(search.proof, search.examined) };
  return {
    objective: question.objective,
    placements,
    ...(options.pareto === undefined
      ? {}
      : {
          front: search.front
            .map(describe)
            .sort((a, b) => compareScores(options.pareto![0] ?? 'time', a.score, b.score))
            .map(({ placement }) => placement),
        }),
    rejections,
    examined: search.examined,
    feasible: search.feasible,
    priced: search.priced,
    proof,
    explanation: explainPlacements(question.objective, scored, rejections, proof),
  };
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

/** Numbers of GPUs to try, ascending, and whether the first that works is the answer. */
function wantedCounts(where: string, wanted: PlaceOptions['gpus'], free: number): { counts: number[]; isFirst: boolean } {
  if (wanted === undefined) {
    if (free === 0) throw invalidArgument(where, 'free', free, 'at least one GPU');
    return { counts: [free], isFirst: false };
  }
  if (wanted === 'fewest' || wanted === 'any') {
    const counts: number[] = [];
    for (let count = 1; count < free; count *= 2) counts.push(count, ...(count >= 4 ? [count * 1.5] : []));
    return { counts: [...counts.filter((count) => count <= free), free].sort((a, b) => a - b), isFirst: wanted === 'fewest' };
  }
  const list = typeof wanted === 'number' ? [wanted] : [...new Set(wanted)].sort((a, b) => a - b);
  if (list.length === 0) throw invalidArgument(where, 'gpus', wanted, 'a number of GPUs');
  for (const count of list)
    if (!(Number.isInteger(count) && count >= 1))
      throw invalidArgument(where, 'gpus', count, 'a whole number of at least 1, several of them, "fewest" or "any"');
  return { counts: list, isFirst: false };
}

function describePlacement(
  routes: Routes,
  job: CompleteJob,
  { selection, parallelism, price, set, floors }: Candidate,
  tokens: number | undefined,
): Placement {
  const sites: Record<string, number> = {};
  const { devices, compiled, name: fabricName, gpuIds } = routes.fabric;
  for (const gpu of selection.gpus) {
    const { location } = devices[compiled.gpus[gpu]];
    const name = location.length > 0 ? location[0] : fabricName;
    sites[name] = (Object.hasOwn(sites, name) ? sites[name] : 0) + 1;
  }
  const caveats: string[] =
    parallelism.outerEvery > 1
      ? [
          `Sites are synchronised every ${parallelism.outerEvery} steps only: the model may converge differently than with synchronous steps; quality at this size and interval is not proven in public.`,
        ]
      : [];
  if (parallelism.schedule === 'zero-bubble')
    caveats.push('The zero-bubble schedule needs a framework that has it; fix `schedule` to `1f1b` for one that has not.');
  const step = describeStep(job, parallelism, price, set, floors);
  return {
    strategy: selection.strategy,
    mapping: { parallelism, order: selection.order, gpus: Array.from(selection.gpus, (gpu) => gpuIds[gpu]) },
    step,
    sites,
    caveats,
    ...(tokens === undefined ? {} : { run: describeRun(job, tokens, selection.gpus.length, step) }),
  };
}

function describeRun(job: CompleteJob, tokens: number, gpus: number, step: Placement['step']): RunEstimate {
  const steps = tokens / (job.globalBatch * job.sequence);
  const seconds = steps * step.seconds;
  return {
    tokens,
    steps,
    seconds,
    gpuHours: (gpus * seconds) / 3600,
    ...(step.euros === undefined ? {} : { euros: step.euros * steps }),
    ...(step.energy === undefined ? {} : { energy: step.energy * steps }),
  };
}
