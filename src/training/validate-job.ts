import { FabricPlanError, showValue, type Issue } from '../errors.js';
import { PRECISIONS, RECOMPUTATIONS, type Parallelism, type TrainingJob, type TransformerShape } from './types.js';

/** A job and degrees with every default filled in. */
export interface CompleteJob {
  readonly model: TransformerShape;
  readonly sequence: number;
  readonly globalBatch: number;
  readonly precision: NonNullable<TrainingJob['precision']>;
  readonly overlap: number | undefined;
  readonly offload: boolean;
}

/** Checks a job and fills in its defaults; throws for all that is wrong with it at once. */
export function completeJob(where: string, job: TrainingJob): CompleteJob {
  const issues: Issue[] = [];
  const whole = (path: string, value: unknown, least = 1): void => {
    if (!(typeof value === 'number' && Number.isInteger(value) && value >= least && value <= 1e12))
      issues.push({ path, message: `${where}: ${path} is ${showValue(value)}; expected a whole number of at least ${least}` });
  };
  if (typeof job !== 'object' || (job as unknown) === null || typeof job.model !== 'object') {
    throw new FabricPlanError('invalid-argument', `${where}: job is ${showValue(job)}; expected a job with a model shape`);
  }
  for (const field of ['layers', 'hidden', 'heads', 'kvHeads', 'headDim', 'ffn', 'vocab'] as const)
    whole(`model.${field}`, job.model[field]);
  whole('sequence', job.sequence);
  whole('globalBatch', job.globalBatch);
  if (job.precision !== undefined && !PRECISIONS.includes(job.precision))
    issues.push({
      path: 'precision',
      message: `${where}: precision is ${showValue(job.precision)}; expected one of ${PRECISIONS.join(', ')}`,
    });
  if (job.overlap !== undefined && !(job.overlap >= 0 && job.overlap <= 1))
    issues.push({ path: 'overlap', message: `${where}: overlap is ${showValue(job.overlap)}; expected a share from 0 to 1` });
  if (issues.length > 0) throw new FabricPlanError('invalid-argument', issues.map((issue) => issue.message).join('\n'), issues);
  return {
    model: job.model,
    sequence: job.sequence,
    globalBatch: job.globalBatch,
    precision: job.precision ?? 'bf16',
    overlap: job.overlap,
    offload: job.offload ?? false,
  };
}

/** Checks degrees and fills in their defaults. */
export function completeParallelism(where: string, parallelism: Parallelism): Required<Parallelism> {
  const complete: Required<Parallelism> = {
    context: 1,
    expert: 1,
    microBatch: 1,
    zeroStage: 1,
    recomputation: 'selective',
    interleave: 1,
    outerEvery: 1,
    ...parallelism,
  };
  const issues: Issue[] = [];
  for (const field of ['tensor', 'pipeline', 'data', 'context', 'expert', 'microBatch', 'interleave', 'outerEvery'] as const) {
    const value = complete[field];
    if (!(Number.isInteger(value) && value >= 1))
      issues.push({ path: field, message: `${where}: ${field} is ${showValue(value)}; expected a whole number of at least 1` });
  }
  if (![0, 1, 2, 3].includes(complete.zeroStage))
    issues.push({ path: 'zeroStage', message: `${where}: zeroStage is ${showValue(complete.zeroStage)}; expected 0, 1, 2 or 3` });
  if (!RECOMPUTATIONS.includes(complete.recomputation))
    issues.push({
      path: 'recomputation',
      message: `${where}: recomputation is ${showValue(complete.recomputation)}; expected one of ${RECOMPUTATIONS.join(', ')}`,
    });
  if (issues.length > 0) throw new FabricPlanError('invalid-argument', issues.map((issue) => issue.message).join('\n'), issues);
  return complete;
}

/**
 * Why degrees do not suit a job; undefined when they do.
 *
 * @example
 * refuseParallelism({ model, sequence: 4096, globalBatch: 12 }, { tensor: 1, pipeline: 1, data: 8 })
 * // 'the batch of 12 does not divide by 8 data-parallel ranks × micro-batch 1'
 */
export function refuseParallelism(job: TrainingJob, parallelism: Parallelism): string | undefined {
  const { tensor, pipeline, data, context, expert, microBatch, interleave } = completeParallelism('refuseParallelism', parallelism);
  const { model } = job;
  if (model.heads % tensor !== 0) return `tensor degree ${tensor} does not divide the ${model.heads} heads`;
  if (pipeline * interleave > model.layers) return `${pipeline * interleave} pipeline chunks are more than the ${model.layers} layers`;
  if (job.globalBatch % (data * microBatch) !== 0)
    return `the batch of ${job.globalBatch} does not divide by ${data} data-parallel ranks × micro-batch ${microBatch}`;
  if (job.sequence % context !== 0) return `context degree ${context} does not divide the sequence of ${job.sequence}`;
  if (expert > 1 && (model.experts === undefined || model.experts.count % expert !== 0))
    return `expert degree ${expert} does not divide the ${model.experts?.count ?? 0} experts`;
  if (expert > 1 && (data * context) % expert !== 0)
    return `expert degree ${expert} does not divide the ${data * context} data × context ranks`;
  if (interleave > 1 && (pipeline === 1 || (job.globalBatch / (data * microBatch)) % pipeline !== 0))
    return `interleaving needs a number of micro-batches that divides by the ${pipeline} pipeline stages`;
  return undefined;
}
