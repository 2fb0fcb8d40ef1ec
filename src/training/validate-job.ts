import { FabricPlanError, showValue, type Issue } from '../errors.js';
import { countParameters, tokenFlops, type ParameterCount, type TokenFlops } from './parameters.js';
import {
  ATTENTION_KERNELS,
  CONTEXT_METHODS,
  OPTIMIZERS,
  PIPELINE_SCHEDULES,
  PRECISIONS,
  RECOMPUTATIONS,
  type Parallelism,
  type TrainingJob,
  type TransformerShape,
} from './types.js';

type Optional = 'overlap' | 'eurosPerGpuHour';
/** A job with every default filled in. */
export type CompleteJob = Required<Omit<TrainingJob, Optional>> & { readonly [K in Optional]: TrainingJob[K] | undefined } & {
  /** Parameters and FLOPs of the model, counted once. */
  readonly count: ParameterCount;
  readonly flops: TokenFlops;
};
/** Degrees with every default filled in. */
export type CompleteParallelism = Required<Parallelism>;

/** Checks a job and fills in its defaults; throws for all that is wrong with it at once. */
export function completeJob(where: string, job: TrainingJob): CompleteJob {
  const issues: Issue[] = [];
  const expect = (isGood: boolean, path: string, value: unknown, expected: string): void => {
    if (!isGood) issues.push({ path, message: `${where}: ${path} is ${showValue(value)}; expected ${expected}` });
  };
  const whole = (path: string, value: unknown): void => {
    expect(
      typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= 1e12,
      path,
      value,
      'a whole number of at least 1',
    );
  };
  const from = (path: keyof TrainingJob, least: number, most: number, expected: string): void => {
    const value = job[path];
    expect(value === undefined || (typeof value === 'number' && value >= least && value <= most), path, value, expected);
  };
  const oneOf = (path: keyof TrainingJob, names: readonly unknown[]): void => {
    expect(job[path] === undefined || names.includes(job[path]), path, job[path], `one of ${names.join(', ')}`);
  };
  if (typeof job !== 'object' || (job as unknown) === null || typeof job.model !== 'object' || (job.model as unknown) === null) {
    throw new FabricPlanError('invalid-argument', `${where}: job is ${showValue(job)}; expected a job with a model shape`);
  }
  for (const field of ['layers', 'hidden', 'heads', 'kvHeads', 'headDim', 'ffn', 'vocab'] as const)
    whole(`model.${field}`, job.model[field]);
  whole('sequence', job.sequence);
  whole('globalBatch', job.globalBatch);
  oneOf('precision', PRECISIONS);
  oneOf('optimizer', OPTIMIZERS);
  oneOf('gradientBytes', [2, 4]);
  oneOf('attention', ATTENTION_KERNELS);
  oneOf('loss', ['fused', 'eager']);
  oneOf('kernels', ['fused', 'eager']);
  from('overlap', 0, 1, 'a share from 0 to 1');
  from('tensorOverlap', 0, 1, 'a share from 0 to 1');
  from('expertImbalance', 1, 1e6, 'a ratio of at least 1');
  from('eurosPerGpuHour', 0, 1e9, 'euros of 0 or more');
  from('powerUsageEffectiveness', 1, 10, 'a ratio from 1 to 10');
  if (issues.length > 0) throw new FabricPlanError('invalid-argument', issues.map((issue) => issue.message).join('\n'), issues);
  return {
    model: job.model,
    sequence: job.sequence,
    globalBatch: job.globalBatch,
    precision: job.precision ?? 'bf16',
    optimizer: job.optimizer ?? 'adam',
    gradientBytes: job.gradientBytes ?? (job.precision === 'fp32' ? 4 : 2),
    masterCopy: job.masterCopy ?? true,
    attention: job.attention ?? 'overlapped',
    loss: job.loss ?? 'fused',
    kernels: job.kernels ?? 'fused',
    dropout: job.dropout ?? false,
    overlap: job.overlap,
    tensorOverlap: job.tensorOverlap ?? 0,
    expertImbalance: job.expertImbalance ?? 1,
    offload: job.offload ?? false,
    eurosPerGpuHour: job.eurosPerGpuHour,
    powerUsageEffectiveness: job.powerUsageEffectiveness ?? 1.2,
    count: countParameters(job.model),
    flops: tokenFlops(job.model, job.sequence),
  };
}

const DEFAULT_DEGREES: Omit<CompleteParallelism, 'tensor' | 'pipeline' | 'data'> = {
  context: 1,
  contextMethod: 'ring',
  expert: 1,
  microBatch: 1,
  zeroStage: 1,
  shardGroup: 0,
  recomputation: 'selective',
  recomputeEvery: 1,
  sequenceParallel: true,
  schedule: '1f1b',
  interleave: 1,
  stageLayers: [],
  outerEvery: 1,
  outerFragments: 1,
  outerDelay: 0,
  outerBytes: 2,
};
const WHOLE_FIELDS = [
  'tensor',
  'pipeline',
  'data',
  'context',
  'expert',
  'microBatch',
  'recomputeEvery',
  'interleave',
  'outerEvery',
  'outerFragments',
] as const;

/** Checks degrees and fills in their defaults. */
export function completeParallelism(where: string, parallelism: Parallelism): CompleteParallelism {
  const complete: CompleteParallelism = { ...DEFAULT_DEGREES, ...parallelism };
  const issues: Issue[] = [];
  const expect = (isGood: boolean, path: keyof Parallelism, expected: string): void => {
    if (!isGood) issues.push({ path, message: `${where}: ${path} is ${showValue(complete[path])}; expected ${expected}` });
  };
  for (const field of WHOLE_FIELDS)
    expect(Number.isInteger(complete[field]) && complete[field] >= 1, field, 'a whole number of at least 1');
  expect([0, 1, 2, 3].includes(complete.zeroStage), 'zeroStage', '0, 1, 2 or 3');
  expect(Number.isInteger(complete.shardGroup) && complete.shardGroup >= 0, 'shardGroup', 'a whole number of ranks, 0 for all');
  expect(RECOMPUTATIONS.includes(complete.recomputation), 'recomputation', `one of ${RECOMPUTATIONS.join(', ')}`);
  expect(PIPELINE_SCHEDULES.includes(complete.schedule), 'schedule', `one of ${PIPELINE_SCHEDULES.join(', ')}`);
  expect(CONTEXT_METHODS.includes(complete.contextMethod), 'contextMethod', `one of ${CONTEXT_METHODS.join(', ')}`);
  expect(complete.outerDelay >= 0 && Number.isFinite(complete.outerDelay), 'outerDelay', 'steps of 0 or more');
  expect(complete.outerBytes > 0 && complete.outerBytes <= 8, 'outerBytes', 'bytes above 0 and at most 8');
  expect(
    (Array.isArray as (value: unknown) => boolean)(complete.stageLayers) &&
      (complete.stageLayers.length === 0 || complete.stageLayers.length === complete.pipeline) &&
      complete.stageLayers.every((count) => Number.isInteger(count) && count >= 1),
    'stageLayers',
    'a count of at least 1 for each pipeline stage, or an empty list',
  );
  if (issues.length > 0) throw new FabricPlanError('invalid-argument', issues.map((issue) => issue.message).join('\n'), issues);
  return complete;
}

/**
 * Why degrees do not suit a job; undefined when they do.
 *
 * @throws FabricPlanError `invalid-argument` for degrees that are no whole numbers
 * @example
 * refuseParallelism({ model, sequence: 4096, globalBatch: 12 }, { tensor: 1, pipeline: 1, data: 8 })
 * // 'the batch of 12 does not divide by 8 data-parallel ranks × micro-batch 1'
 */
export function refuseParallelism(
  job: Pick<TrainingJob, 'model' | 'sequence' | 'globalBatch'>,
  parallelism: Parallelism,
): string | undefined {
  return refuseDegrees(job, completeParallelism('refuseParallelism', parallelism));
}

/** {@link refuseParallelism} on checked degrees: the search calls this. */
export function refuseDegrees(
  job: Pick<TrainingJob, 'model' | 'sequence' | 'globalBatch'>,
  parallelism: CompleteParallelism,
): string | undefined {
  const { tensor, pipeline, data, context, expert, microBatch, interleave, stageLayers, shardGroup, schedule } = parallelism;
  const model: TransformerShape = job.model;
  if (model.heads % tensor !== 0) return `tensor degree ${tensor} does not divide the ${model.heads} heads`;
  // Interleaved, the embedding and the head may be chunks of their own.
  if (pipeline * interleave > model.layers + (interleave > 1 ? 2 : 0))
    return `${pipeline * interleave} pipeline chunks are more than the ${model.layers} layers`;
  if (job.globalBatch % (data * microBatch) !== 0)
    return `the batch of ${job.globalBatch} does not divide by ${data} data-parallel ranks × micro-batch ${microBatch}`;
  if (job.sequence % context !== 0) return `context degree ${context} does not divide the sequence of ${job.sequence}`;
  if (parallelism.contextMethod === 'ulysses' && context > 1 && (model.heads / tensor) % context !== 0)
    return `context degree ${context} does not divide the ${model.heads / tensor} heads of a tensor rank (Ulysses)`;
  if (expert > 1) {
    if (model.experts === undefined || model.experts.count % expert !== 0)
      return `expert degree ${expert} does not divide the ${model.experts?.count ?? 0} experts`;
    if ((data * context) % expert !== 0 && (data * context * tensor) % expert !== 0)
      return `expert degree ${expert} does not divide the ${data * context} data × context ranks`;
  }
  if (interleave > 1 && (pipeline === 1 || (job.globalBatch / (data * microBatch)) % pipeline !== 0))
    return `interleaving needs a number of micro-batches that divides by the ${pipeline} pipeline stages`;
  if (interleave > 1 && schedule !== '1f1b') return `interleaving goes with the schedule 1f1b, not ${schedule}`;
  if (shardGroup > 0 && (data * context) % shardGroup !== 0)
    return `a shard group of ${shardGroup} does not divide the ${data * context} data × context ranks`;
  if (stageLayers.length > 0) {
    const sum = stageLayers.reduce((a, b) => a + b, 0);
    if (sum !== model.layers) return `the stages hold ${sum} layers, the model has ${model.layers}`;
    if (stageLayers.some((count) => count < interleave)) return `a stage has fewer layers than its ${interleave} chunks`;
  }
  return undefined;
}

/** Tensor ranks that share one expert: the tensor degree, or 1 where experts are spread over the tensor ranks as well. */
export const expertTensor = ({ tensor, data, context, expert }: CompleteParallelism): number =>
  (data * context) % expert === 0 ? tensor : 1;

/** Load of the busiest expert rank over the mean: 1 where every rank holds all experts. */
export const rankImbalance = ({ expertImbalance }: CompleteJob, { expert }: CompleteParallelism): number =>
  expert > 1 ? expertImbalance : 1;

/** Ranks that hold the same routed experts and share their optimizer states. */
export const expertReplicas = (parallelism: CompleteParallelism): number =>
  Math.max(1, (parallelism.data * parallelism.context * parallelism.tensor) / expertTensor(parallelism) / parallelism.expert);

/** Ranks over which ZeRO shards dense states. */
export const shardRanks = ({ data, context, shardGroup }: CompleteParallelism): number => (shardGroup === 0 ? data * context : shardGroup);
