import { FabricPlanError, invalidArgument } from '../errors.js';
import { gpuIndices } from '../fabric/edit-fabric.js';
import type { Routes } from '../routes/compute-routes.js';
import { isAxisOrder } from './axis-groups.js';
import { COMPUTE_MODEL, type ComputeModel } from './compute-model.js';
import { describeStep } from './describe-step.js';
import { gpuSet } from './gpu-floor.js';
import { prepareMapping } from './prepare-mapping.js';
import { priceStep, type StepContext } from './price-step.js';
import { stageFloors } from './stage-floors.js';
import { AXES, type Mapping, type StepEstimate, type TrainingJob } from './types.js';
import { completeJob, completeParallelism, refuseDegrees, type CompleteJob } from './validate-job.js';

const DEFAULT_ORDER = AXES;

/**
 * Time of one training step of a job under a mapping, with what limits it.
 *
 * ```text
 * T        = m·t_mb + bubble + exposed communication + optimizer + overhead        on the slowest stage
 * t_mb     = Σ operations max(arithmetic, memory traffic) + tail; recomputation once more
 * bubble   = Σ t_i − max t_i over stages, 1/v of it interleaved
 * tensor   = 4 (6 with full recomputation) reduce-scatter + all-gather pairs per layer and micro-batch, exposed
 * data     = what the last micro-batch cannot hide (ZeRO 3: every layer), never more than a measured share
 * outer    = synchronisation across sites every H steps, over H
 * overhead = host launches that no GPU work covers, work per step, compute slowed by traffic beside it, the slowest of n GPUs
 * ```
 *
 * All groups of an axis send at once and share links. The slowest GPU of a stage sets its pace.
 *
 * @throws FabricPlanError `invalid-argument` where degrees, GPUs and batch do not go together; `unreachable`
 * @complexity O(GPUs) per axis and algorithm
 * @reference Narayanan et al., SC 2021; Korthikanti et al., arXiv 2205.05198; Douillard et al., arXiv 2311.08105 (outer steps)
 * @example
 * const step = estimateStep(routes, { model, sequence: 2048, globalBatch: 8 }, { parallelism: { tensor: 1, pipeline: 1, data: 2 }, gpus: ['a', 'b'] });
 * step.seconds > step.breakdown.compute // true
 */
export function estimateStep(routes: Routes, job: TrainingJob, mapping: Mapping): StepEstimate {
  return prepareStep(routes, job, mapping)();
}

/** What may change between prices of one mapping. */
export interface StepVariant {
  /** Share of compute behind which data-parallel traffic can hide, instead of the job's. */
  readonly overlap?: number;
  /** Constants of the compute model, instead of the fitted ones. */
  readonly constants?: ComputeModel;
}

/**
 * Prices the links of a mapping once; what is left costs microseconds for any overlap and any constants of the compute model.
 *
 * @throws FabricPlanError as {@link estimateStep}
 * @example
 * const step = prepareStep(routes, { model, sequence: 2048, globalBatch: 8 }, { parallelism: { tensor: 1, pipeline: 1, data: 2 }, gpus: ['a', 'b'] });
 * step({ overlap: 1 }).seconds <= step({ overlap: 0 }).seconds // true
 */
export function prepareStep(routes: Routes, job: TrainingJob, mapping: Mapping): (variant?: StepVariant) => StepEstimate {
  const where = 'estimateStep';
  const complete = completeJob(where, job);
  const parallelism = completeParallelism(where, mapping.parallelism);
  const order: readonly string[] = mapping.order ?? DEFAULT_ORDER;
  if (!isAxisOrder(order)) throw invalidArgument(where, 'order', order.join(), `each of ${AXES.join(', ')} once`);
  const needed = parallelism.tensor * parallelism.pipeline * parallelism.data * parallelism.context;
  if (mapping.gpus.length !== needed)
    throw invalidArgument(where, 'gpus', mapping.gpus.length, `${needed} GPUs, the product of the degrees`);
  const refusal = refuseDegrees(job, parallelism);
  if (refusal !== undefined) throw new FabricPlanError('invalid-argument', `${where}: ${refusal}`);
  const gpus = gpuIndices(routes.fabric, mapping.gpus, where);
  const set = gpuSet(routes.fabric, gpus, complete.precision, where);
  const floors = stageFloors(routes.fabric, gpus, set, parallelism, order, complete.precision, where);
  const prepared = prepareMapping(routes, gpus, parallelism, order);
  return ({ overlap, constants = COMPUTE_MODEL } = {}) => {
    const varied: CompleteJob = overlap === undefined ? complete : { ...complete, overlap };
    const context: StepContext = { floors, gpuCount: gpus.length, constants };
    return describeStep(varied, parallelism, priceStep(varied, parallelism, prepared, context), set, floors);
  };
}
