import type { Parallelism, Recomputation } from '../training/types.js';
import type { CompleteJob } from '../training/validate-job.js';

const MICRO_BATCHES = [1, 2, 4, 8] as const;
const RECOMPUTE: readonly Recomputation[] = ['selective', 'full'];
const INTERLEAVES = [1, 2, 4] as const;
/** Sequences from which context parallelism is worth trying. */
const LONG_SEQUENCE = 16_384;

/**
 * Degrees worth examining for a job on a number of GPUs: tensor inside the scale-up domain, pipeline up to the layers, the rest data;
 * context for long sequences, expert for mixtures of experts; micro-batches, recomputation, ZeRO 1 and 3, interleaving.
 */
export function* parallelismSpace(
  job: CompleteJob,
  gpus: number,
  widestTensor: number,
  outerEvery: number,
  fixed: Partial<Parallelism> = {},
): Generator<Parallelism> {
  const allows = (field: keyof Parallelism, value: Parallelism[keyof Parallelism]): boolean =>
    fixed[field] === undefined || fixed[field] === value;
  const { model } = job;
  const contexts =
    job.sequence >= LONG_SEQUENCE ? [1, 2, 4, 8, 16] : [1, ...(fixed.context === undefined || fixed.context === 1 ? [] : [fixed.context])];
  for (const tensor of divisors(gpus)) {
    if ((tensor > widestTensor || model.heads % tensor !== 0) && fixed.tensor !== tensor) continue;
    if (!allows('tensor', tensor)) continue;
    for (const context of contexts) {
      if ((gpus / tensor) % context !== 0 || !allows('context', context)) continue;
      for (const pipeline of divisors(gpus / tensor / context)) {
        if (pipeline > Math.min(model.layers, 64) || !allows('pipeline', pipeline)) continue;
        const data = gpus / tensor / context / pipeline;
        if (!allows('data', data)) continue;
        for (const expert of expertDegrees(job, data * context)) {
          if (!allows('expert', expert)) continue;
          for (const microBatch of microBatches(job, data, fixed)) {
            for (const recomputation of fixed.recomputation === undefined ? RECOMPUTE : [fixed.recomputation]) {
              for (const zeroStage of data * context === 1 ? ([0] as const) : ([1, 3] as const)) {
                if (!allows('zeroStage', zeroStage) && fixed.zeroStage !== undefined && data * context > 1 && zeroStage !== 1) continue;
                for (const interleave of pipeline === 1 || zeroStage === 3 ? ([1] as const) : INTERLEAVES) {
                  if (!allows('interleave', interleave)) continue;
                  yield {
                    tensor,
                    pipeline,
                    data,
                    context,
                    expert,
                    microBatch,
                    recomputation,
                    zeroStage: fixed.zeroStage ?? zeroStage,
                    interleave,
                    outerEvery,
                  };
                }
              }
            }
          }
        }
      }
    }
  }
}

/** Micro-batches that divide a rank's share; 1 stands for all where none does, so that the refusal is counted once. */
function microBatches(job: CompleteJob, data: number, fixed: Partial<Parallelism>): readonly number[] {
  if (fixed.microBatch !== undefined) return [fixed.microBatch];
  if (job.globalBatch % data !== 0) return [1];
  return MICRO_BATCHES.filter((microBatch) => (job.globalBatch / data) % microBatch === 0);
}

function expertDegrees(job: CompleteJob, replicas: number): number[] {
  const { experts } = job.model;
  if (experts === undefined) return [1];
  return divisors(experts.count).filter((degree) => replicas % degree === 0);
}

export function divisors(n: number): number[] {
  const found: number[] = [];
  for (let d = 1; d * d <= n; d++) {
    if (n % d !== 0) continue;
    found.push(d);
    if (d * d !== n) found.push(n / d);
  }
  return found.sort((a, b) => a - b);
}
