import type { Bytes } from '../quantities.js';
import type { Recomputation } from './types.js';
import { expertTensor, rankImbalance, type CompleteJob, type CompleteParallelism } from './validate-job.js';

/**
 * Bytes that one layer keeps of one micro-batch for its backward pass, on one GPU.
 *
 * Per token, 16 bit, in parts that tensor parallelism splits (÷ t) and, without sequence parallelism, parts that it does not:
 *
 * ```text
 * split       q, k, v and attention output    2·(2·a·d + 2·k·d)          first feed-forward output 2·f (gated 4·f), second's input 2·f
 *             with unfused attention          5·a·s (scores, softmax, dropout of it)      with a fused kernel 4·a (log-sums)
 * not split   inputs of both norms and their outputs 8·h, dropout masks 2·h where drawn
 * selective   scores dropped; with a fused kernel instead norm outputs and second feed-forward input
 * operators   half of the multiplies' outputs as well
 * full        the layer's input alone, 2·h
 * ```
 *
 * For the GPT shape with dropout this is 34·s·b·h + 5·a·s²·b, as published.
 *
 * @reference Korthikanti et al., arXiv 2205.05198, equations 1–6
 */
export function layerActivations(
  job: CompleteJob,
  parallelism: CompleteParallelism,
  isExpertLayer: boolean,
  recomputation: Recomputation,
): Bytes {
  const { model, sequence } = job;
  const { tensor, context, microBatch, sequenceParallel } = parallelism;
  const tokens = (sequence * microBatch) / context;
  const wide = job.precision === 'fp32' ? 2 : 1;
  const outside = sequenceParallel ? tensor : 1;
  if (recomputation === 'full') return (2 * model.hidden * tokens * wide) / outside;
  const isFused = job.attention !== 'unfused';
  const dropsNorms = recomputation !== 'none' && isFused;
  // Half of the matrix multiplies are computed again: their outputs are not kept.
  const kept = recomputation === 'operators' ? 0.5 : 1;
  const { hidden: h, heads: a, kvHeads: k, headDim: d, latent } = model;
  const masks = job.dropout ? 2 * h : 0;
  const norms = (dropsNorms ? 4 : 8) * h * wide + masks;
  // Latent attention keeps the compressed vectors and rebuilds keys and values that are as many as heads.
  const keysAndValues =
    latent === undefined
      ? 2 * (2 * a * d + 2 * k * d)
      : 2 * (a * (2 * latent.nopeHeadDim + latent.ropeHeadDim + 2 * latent.valueHeadDim) + latent.keyValueRank + latent.queryRank);
  const scores = isFused ? 4 * a : recomputation === 'none' ? 5 * a * sequence : 0;
  const split = keysAndValues * kept * wide + scores * wide;
  const branches = (model.gated ? 2 : 1) * 2 * kept + (dropsNorms ? 0 : 2);
  const { experts } = model;
  const feedForward =
    isExpertLayer && experts !== undefined
      ? // Each token is copied to its experts: their input and output as well.
        (experts.topK * (branches * experts.ffn + 4 * h) * rankImbalance(job, parallelism)) / expertTensor(parallelism) +
        (branches * (experts.sharedFfn ?? 0)) / tensor
      : (branches * model.ffn) / tensor;
  return tokens * (norms / outside + split / tensor + feedForward * wide);
}

/**
 * Micro-batches whose activations a stage holds at once, in units of whole stages.
 *
 * ```text
 * 1f1b, zero-bubble   min(m, p − i)          gpipe   m
 * interleaved         p − i + (p − 1)·(v − 1)/v … at most m; on the first stage p·(1 + (p − 1)/(p·v))
 * ```
 *
 * @reference Narayanan et al., SC 2021; Korthikanti et al., arXiv 2205.05198
 */
export function microBatchesInFlight(parallelism: CompleteParallelism, microBatches: number, stage: number): number {
  const { pipeline, interleave, schedule } = parallelism;
  if (pipeline === 1) return 1;
  if (schedule === 'gpipe') return microBatches;
  if (interleave === 1) return Math.max(1, Math.min(microBatches, pipeline - stage));
  // Warm-up of stage i runs 2·(p − i − 1) + (v − 1)·p chunks ahead of the one in work.
  const chunks = 2 * (pipeline - stage - 1) + (interleave - 1) * pipeline + 1;
  return Math.max(1 / interleave, Math.min(microBatches, chunks / interleave));
}
