import type { Seconds } from '../quantities.js';
import type { ComputeModel, GpuFloor } from './compute-model.js';
import { elementwiseTraffic } from './elementwise.js';
import { expertTensor, rankImbalance, type CompleteJob, type CompleteParallelism } from './validate-job.js';

/** Seconds of one layer and one micro-batch on one GPU, communication apart. */
export interface LayerTimes {
  readonly forward: Seconds;
  /** Gradients of inputs and of weights, recomputation not counted. */
  readonly backward: Seconds;
  /** Part of the backward pass that computes gradients of weights: a zero-bubble schedule may move it. */
  readonly weightGradient: Seconds;
  /** What the backward pass computes again. */
  readonly recompute: Seconds;
  /** Forward time of attention scores and values: what context parallelism can hide traffic behind. */
  readonly attention: Seconds;
}

/**
 * Time of one transformer layer, operation by operation: matrix multiplies, attention, memory-bound operations.
 *
 * ```text
 * multiply M×N×K   max(2·M·N·K·(1 + f·(1/M + 1/N + 1/K)) / rate, bytes / HBM) + tail       f tile fill
 * attention        causal half of 4·s·a·d a token, 3.5 of it with the backward pass; unfused: all of it, and the traffic of scores
 * memory-bound     bytes / (HBM · share)
 * ```
 *
 * The backward pass runs every multiply twice (inputs, weights) and every memory-bound operation twice.
 */
export function layerTimes(
  job: CompleteJob,
  parallelism: CompleteParallelism,
  gpu: GpuFloor,
  isExpertLayer: boolean,
  constants: ComputeModel,
): LayerTimes {
  const { model, sequence } = job;
  const { tensor, context, microBatch, expert, sequenceParallel, recomputation, recomputeEvery } = parallelism;
  const tokens = (sequence * microBatch) / context;
  const { hidden: h, heads: a, kvHeads: k, headDim: d, latent } = model;
  const rate = gpu.peak * gpu.efficiency * constants.sustained;
  const rate16 = gpu.peak16 * gpu.efficiency * constants.sustained;
  const memoryRate = gpu.memoryBandwidth * constants.memoryEfficiency;
  // Filling takes the time of 16-bit arithmetic whatever the format: it is memory latency.
  const multiply = (m: number, n: number, depth: number, groups = 1): number => {
    const arithmetic = 2 * m * n * depth * (1 / rate + (constants.tileFill * (1 / m + 1 / n + 1 / depth)) / rate16);
    return groups * Math.max(arithmetic, (2 * (m * n + n * depth + m * depth)) / memoryRate) + constants.kernelTail;
  };

  let matrices: number;
  if (latent === undefined) matrices = multiply(tokens, ((a + 2 * k) * d) / tensor, h) + multiply(tokens, h, (a * d) / tensor);
  else {
    const { queryRank, keyValueRank, nopeHeadDim, ropeHeadDim, valueHeadDim } = latent;
    const queries = (a * (nopeHeadDim + ropeHeadDim)) / tensor;
    matrices =
      (queryRank > 0 ? multiply(tokens, queryRank, h) + multiply(tokens, queries, queryRank) : multiply(tokens, queries, h)) +
      multiply(tokens, keyValueRank + ropeHeadDim, h) +
      multiply(tokens, (a * (nopeHeadDim + valueHeadDim)) / tensor, keyValueRank) +
      multiply(tokens, h, (a * valueHeadDim) / tensor);
  }
  const branches = model.gated ? 2 : 1;
  let activated = model.ffn / tensor;
  let routed = 0;
  const { experts } = model;
  if (isExpertLayer && experts !== undefined) {
    const splitExpert = expertTensor(parallelism);
    const local = experts.count / expert;
    // Balanced routing brings every rank as many token copies as it has tokens, times what the busiest gets more.
    const copies = (tokens * experts.topK * rankImbalance(job, parallelism)) / (splitExpert === 1 ? tensor : 1);
    const each = Math.max(1, copies / local);
    const width = experts.ffn / splitExpert;
    matrices += multiply(each, branches * width, h, local) + multiply(each, h, width, local) + multiply(tokens, experts.count, h);
    activated = (copies * width) / tokens;
    // Tokens are copied into expert order and back.
    routed = (8 * copies * h) / memoryRate;
    const shared = experts.sharedFfn ?? 0;
    if (shared > 0) {
      matrices += multiply(tokens, (branches * shared) / tensor, h) + multiply(tokens, h, shared / tensor);
      activated += shared / tensor;
    }
  } else {
    matrices += multiply(tokens, (branches * model.ffn) / tensor, h) + multiply(tokens, h, model.ffn / tensor);
  }

  const scoreWidth = latent === undefined ? 2 * d : latent.nopeHeadDim + latent.ropeHeadDim + latent.valueHeadDim;
  const scores = (tokens * sequence * a) / tensor;
  const isFused = job.attention !== 'unfused';
  const attention = isFused
    ? (job.attention === 'overlapped'
        ? (scores * scoreWidth) / (rate16 * constants.overlappedAttention)
        : (scores * scoreWidth) / (rate16 * constants.attentionEfficiency) + (scores / 2) * constants.softmaxTime) + constants.kernelTail
    : ((2 * scores * scoreWidth) / rate16) * (1 + constants.tileFill * (2 / sequence + 2 / scoreWidth)) +
      (scores * constants.scoreBytes) / memoryRate +
      4 * constants.kernelTail;
  const attentionBackward = (isFused ? 2.5 : 2) * attention;

  const traffic = elementwiseTraffic(job);
  const outside = sequenceParallel ? tensor : 1;
  const elementRate = memoryRate / constants.elementwiseTraffic;
  const norms = (tokens * traffic.outside) / outside / elementRate;
  const activation = (tokens * (traffic.attention / tensor + traffic.perInner * activated)) / elementRate;
  const element = norms + activation + routed;

  const forward = matrices + attention + element;
  const backward = 2 * matrices + attentionBackward + 2 * element;
  const cheap = isFused ? norms / 2 + activation : attention;
  const recompute =
    recomputation === 'full'
      ? forward / recomputeEvery
      : recomputation === 'none'
        ? 0
        : recomputation === 'operators'
          ? cheap + matrices / 2
          : cheap;
  return { forward, backward, weightGradient: matrices, recompute, attention };
}

/** Output head, loss and their gradients for one micro-batch on the last stage: forward, and in all. */
export function headTimes(
  job: CompleteJob,
  parallelism: CompleteParallelism,
  gpu: GpuFloor,
  constants: ComputeModel,
): { readonly forward: Seconds; readonly total: Seconds } {
  const tokens = (job.sequence * parallelism.microBatch) / parallelism.context;
  const columns = job.model.vocab / parallelism.tensor;
  const rate16 = gpu.peak16 * gpu.efficiency * constants.sustained;
  const { hidden } = job.model;
  const arithmetic =
    ((2 * tokens * columns * hidden) / rate16) * (1 + constants.tileFill * (1 / tokens + 1 / columns + 1 / hidden)) + constants.kernelTail;
  const loss = (tokens * columns * constants.lossBytes) / (gpu.memoryBandwidth * constants.memoryEfficiency);
  return { forward: arithmetic + loss / 2, total: 3 * arithmetic + loss };
}
