import type { CompleteJob, CompleteParallelism } from '../training/validate-job.js';
import type { Parallelism, PipelineSchedule, Recomputation } from '../training/types.js';

const MICRO_BATCHES = [1, 2, 4, 8, 16] as const;
const RECOMPUTE: readonly Recomputation[] = ['none', 'selective', 'full'];
const INTERLEAVES = [1, 2, 3, 4, 6, 8] as const;
/** Stage 0 moves the bytes of stage 1 and holds more: inside a site it is tried only when it is asked for. */
const ZERO_STAGES = [1, 2, 3] as const;
/** Sequences from which context parallelism is worth trying. */
const LONG_SEQUENCE = 16_384;
const MOST_STAGES = 128;

/** What a search may vary beyond the degrees. */
export interface SpaceOptions {
  /** Only candidates with these values. */
  readonly fixed: Partial<Parallelism>;
  /** Pipeline schedules to try. */
  readonly schedules: readonly PipelineSchedule[];
  readonly outerEvery: number;
  /** GPUs of every site, where there are several: states may then be sharded inside sites, and gradients reduced by any algorithm. */
  readonly sites: readonly number[];
  /** Also with whole states on every GPU on one site: an all-reduce by trees may then beat the two halves of a ring. */
  readonly unsharded?: boolean;
}

/**
 * Degrees worth examining for a job on a number of GPUs: tensor up to the scale-up domain, pipeline up to the layers, the rest data;
 * context for long sequences, expert for mixtures of experts; micro-batches, recomputation, ZeRO stage, schedule, interleaving.
 *
 * @returns complete degrees; one array for all
 */
export function parallelismSpace(job: CompleteJob, gpus: number, widestTensor: number, options: SpaceOptions): CompleteParallelism[] {
  const { fixed, schedules, outerEvery, sites } = options;
  const common = sites.length > 1 ? sites.reduce(greatestCommonDivisor) : 0;
  const { model } = job;
  const found: CompleteParallelism[] = [];
  const pick = <K extends keyof Parallelism>(
    field: K,
    values: readonly NonNullable<Parallelism[K]>[],
  ): readonly NonNullable<Parallelism[K]>[] => (fixed[field] === undefined ? values : [fixed[field]]);
  const contexts = pick('context', job.sequence >= LONG_SEQUENCE ? [1, 2, 4, 8, 16] : [1]);
  const tensors = pick(
    'tensor',
    divisors(gpus).filter((tensor) => tensor <= widestTensor && model.heads % tensor === 0),
  ).filter((tensor) => gpus % tensor === 0);
  const recomputations = pick('recomputation', RECOMPUTE);
  for (const tensor of tensors) {
    for (const context of contexts) {
      if ((gpus / tensor) % context !== 0) continue;
      const rest = gpus / tensor / context;
      for (const pipeline of pick(
        'pipeline',
        divisors(rest).filter((stages) => stages <= Math.min(model.layers, MOST_STAGES)),
      )) {
        if (rest % pipeline !== 0) continue;
        const data = rest / pipeline;
        if (fixed.data !== undefined && fixed.data !== data) continue;
        const experts = pick('expert', expertDegrees(job, data * context));
        const zeroStages = pick(
          'zeroStage',
          data * context === 1 ? [0] : common > 0 || options.unsharded === true ? [0, ...ZERO_STAGES] : ZERO_STAGES,
        );
        // As many replicas as fill every site a whole number of times share one copy of the states.
        const inSite = common / tensor / context / pipeline;
        const shardGroups = pick(
          'shardGroup',
          Number.isInteger(inSite) && inSite >= 2 && inSite < data && outerEvery === 1 ? [0, inSite] : [0],
        );
        for (const microBatch of microBatches(job, data, fixed)) {
          const interleaves = pick('interleave', pipeline === 1 ? [1] : interleavesOf(job, data, microBatch, pipeline));
          const orders = pick('schedule', pipeline === 1 ? ['1f1b'] : schedules);
          for (const expert of experts) {
            for (const recomputation of recomputations) {
              for (const zeroStage of zeroStages) {
                for (const interleave of interleaves) {
                  for (const schedule of orders) {
                    // Chunks go with 1F1B; re-gathering weights for every one of them is not worth trying.
                    if (interleave > 1 && (schedule !== '1f1b' || (zeroStage === 3 && fixed.interleave === undefined))) continue;
                    for (const shardGroup of zeroStage === 0 ? [0] : shardGroups)
                      found.push({
                        tensor,
                        pipeline,
                        data,
                        context,
                        contextMethod: fixed.contextMethod ?? 'ring',
                        expert,
                        microBatch,
                        zeroStage,
                        shardGroup,
                        recomputation,
                        recomputeEvery: fixed.recomputeEvery ?? 1,
                        sequenceParallel: fixed.sequenceParallel ?? true,
                        schedule,
                        interleave,
                        stageLayers: fixed.stageLayers ?? NO_LAYERS,
                        outerEvery,
                        outerFragments: fixed.outerFragments ?? 1,
                        outerDelay: fixed.outerDelay ?? 0,
                        outerBytes: fixed.outerBytes ?? 2,
                      });
                  }
                }
              }
            }
          }
        }
      }
    }
  }
  return found;
}

const NO_LAYERS: readonly number[] = [];

/** Micro-batches that divide a rank's share; 1 stands for all where none does, so that the refusal is counted once. */
function microBatches(job: CompleteJob, data: number, fixed: Partial<Parallelism>): readonly number[] {
  if (fixed.microBatch !== undefined) return [fixed.microBatch];
  if (job.globalBatch % data !== 0) return [1];
  return MICRO_BATCHES.filter((microBatch) => (job.globalBatch / data) % microBatch === 0);
}

/** Chunk counts that go evenly into the layers, or into layers, embedding and head, of a stage, and into the micro-batches. */
function interleavesOf(job: CompleteJob, data: number, microBatch: number, pipeline: number): readonly number[] {
  const microBatchCount = job.globalBatch / data / microBatch;
  if (!Number.isInteger(microBatchCount) || microBatchCount % pipeline !== 0) return [1];
  const { layers } = job.model;
  return INTERLEAVES.filter((chunks) => chunks === 1 || layers % (pipeline * chunks) === 0 || (layers + 2) % (pipeline * chunks) === 0);
}

function expertDegrees(job: CompleteJob, replicas: number): number[] {
  const { experts } = job.model;
  if (experts === undefined) return [1];
  return divisors(experts.count).filter((degree) => replicas % degree === 0);
}

const greatestCommonDivisor = (a: number, b: number): number => (b === 0 ? a : greatestCommonDivisor(b, a % b));

export function divisors(n: number): number[] {
  const found: number[] = [];
  for (let d = 1; d * d <= n; d++) {
    if (n % d !== 0) continue;
    found.push(d);
    if (d * d !== n) found.push(n / d);
  }
  return found.sort((a, b) => a - b);
}
