import type { Routes } from '../routes/compute-routes.js';
import { balanceStages } from '../training/balance-stages.js';
import { COMPUTE_MODEL, type GpuFloor } from '../training/compute-model.js';
import { fitsStages } from '../training/describe-step.js';
import { memoryOf } from '../training/estimate-memory.js';
import type { GpuSet } from '../training/gpu-floor.js';
import { prepareMapping, type AxisCache, type PreparedMapping } from '../training/prepare-mapping.js';
import { priceStep, type StepContext, type StepPrice } from '../training/price-step.js';
import { stageFloors } from '../training/stage-floors.js';
import type { CompleteJob, CompleteParallelism } from '../training/validate-job.js';
import { scoreContext, type RunFrame } from './candidate-space.js';
import { compareScores, exceeds, scoreStep, type Objective, type Score } from './objective.js';
import type { Selection } from './types.js';

/** Degrees on a selection, priced. */
export interface Candidate {
  readonly selection: Selection;
  readonly parallelism: CompleteParallelism;
  readonly price: StepPrice;
  readonly score: Score;
  readonly set: GpuSet;
  readonly floors: readonly GpuFloor[];
}

/** What prices depend on beside the candidate. */
export interface PricingFrame {
  readonly job: CompleteJob;
  readonly run: RunFrame;
  readonly objective: Objective;
  /** Share of GPU memory that may be used. */
  readonly usableMemory: number;
}

/** Degrees on the GPUs of a selection: their links, and the weakest GPU of every stage. */
export interface MappedDegrees {
  readonly mapping: PreparedMapping;
  readonly floors: readonly GpuFloor[];
}

/** Prepares the axes and stages of degrees on a selection. */
export function mapDegrees(
  routes: Routes,
  job: CompleteJob,
  { gpus, order }: Selection,
  set: GpuSet,
  parallelism: CompleteParallelism,
  axes?: AxisCache,
): MappedDegrees {
  return {
    mapping: prepareMapping(routes, gpus, parallelism, order, axes),
    floors: stageFloors(routes.fabric, gpus, set, parallelism, order, job.precision, 'placeJob'),
  };
}

/** Prices degrees on prepared axes; why not, where unequal GPUs do not hold them or the run exceeds its limits. */
export function priceMapped(
  { job, run, objective, usableMemory }: PricingFrame,
  selection: Selection,
  set: GpuSet,
  parallelism: CompleteParallelism,
  { mapping, floors }: MappedDegrees,
  context: StepContext,
): Candidate | string {
  const scoring = scoreContext(job, set, selection.gpus.length);
  const score = (price: StepPrice): Score => scoreStep(price.seconds, price.breakdown, scoring);
  let best: Candidate | undefined;
  if (!set.isMixed || parallelism.pipeline === 1) {
    const price = priceStep(job, parallelism, mapping, context);
    best = { selection, parallelism, price, score: score(price), set, floors: context.floors };
  } else {
    const mixed: StepContext = { floors, gpuCount: selection.gpus.length, constants: COMPUTE_MODEL };
    const balanced = parallelism.stageLayers.length > 0 || parallelism.interleave > 1 ? [] : balanceStages(job, parallelism, mixed);
    for (const stageLayers of balanced.length > 0 ? [parallelism.stageLayers, balanced] : [parallelism.stageLayers]) {
      const own = { ...parallelism, stageLayers };
      if (!fitsStages(memoryOf(job, own), floors, usableMemory)) continue;
      const price = priceStep(job, own, mapping, mixed);
      const candidate: Candidate = { selection, parallelism: own, price, score: score(price), set, floors };
      if (best === undefined || compareScores(objective, candidate.score, best.score) < 0) best = candidate;
    }
    if (best === undefined) return 'does not fit GPU memory';
  }
  return exceeds(best.score, run.steps, run.limits, job.eurosPerGpuHour !== undefined) ?? best;
}
