import { GiB, type Bytes } from '../quantities.js';
import { layerActivations, microBatchesInFlight } from './activations.js';
import { stageParameters, type StageParameters } from './stage-parameters.js';
import { stateBytes } from './state-bytes.js';
import type { MemoryEstimate, MemoryParts, Parallelism, StageMemory, TrainingJob } from './types.js';
import {
  completeJob,
  completeParallelism,
  expertReplicas,
  shardRanks,
  type CompleteJob,
  type CompleteParallelism,
} from './validate-job.js';

/** Constants of the memory model, each with its meaning and source. */
export const MEMORY_MODEL = {
  /** CUDA context, libraries, workspaces and collective buffers of one process: 1–4 GiB reported (Megatron-LM issue threads). */
  runtime: 3 * GiB,
  /** Allocator slack over all that is allocated and freed in a step, as in Megatron-LM's theoretical memory report. */
  fragmentation: 0.05,
  /** Bytes per logit: 16-bit output, fp32 copy for the loss whose gradient is written in place; a framework's own steps keep 14. */
  logitBytes: { fused: 6, eager: 14 },
  /** Parameters in the buckets by which ZeRO 1 and 2 reduce gradients and gather weights (DeepSpeed's default). */
  bucket: 5e8,
  /** Measured peaks lie within these ratios of the estimate (docs/validation.md). */
  low: 0.85,
  high: 1.2,
} as const;

/**
 * Memory of the GPU that needs most under degrees of parallelism, and of every stage; the parts sum to the total.
 *
 * ```text
 * states       n·(w + g + o): o / z from ZeRO 1, g / z from 2, w / z from 3; z ranks share them; experts over their own replicas
 * activations  bytes a layer keeps · layers · micro-batches in flight, + one layer live with full recomputation
 * logits       6·s·b·V/(t·c) on the last stage, beyond the layer being rebuilt, which comes later
 * buffers      with ZeRO 3 two gathered layers, weights and gradients; 5 % of what comes and goes
 * ```
 *
 * @throws FabricPlanError `invalid-argument` for jobs or degrees that make no sense
 * @complexity O(stages)
 * @reference Korthikanti et al., arXiv 2205.05198; Rajbhandari et al., SC 2020 (ZeRO)
 * @example
 * const memory = estimateMemory({ model, sequence: 4096, globalBatch: 1024 }, { tensor: 8, pipeline: 4, data: 32 });
 * memory.total < 80e9 // true
 */
export function estimateMemory(job: TrainingJob, parallelism: Parallelism): MemoryEstimate {
  return memoryOf(completeJob('estimateMemory', job), completeParallelism('estimateMemory', parallelism));
}

/** {@link estimateMemory} on checked input. */
export function memoryOf(job: CompleteJob, parallelism: CompleteParallelism): MemoryEstimate {
  const stages = Array.from({ length: parallelism.pipeline }, (_, stage) => stageMemory(job, parallelism, stage));
  const worst = stages.reduce((a, b) => (b.total > a.total ? b : a));
  return { ...worst, low: worst.total * MEMORY_MODEL.low, high: worst.total * MEMORY_MODEL.high, stages };
}

/** Total of the fullest stage alone: the search asks for this. Later middle stages hold no more and have less in flight. */
export function peakMemory(job: CompleteJob, parallelism: CompleteParallelism): Bytes {
  const { pipeline, stageLayers } = parallelism;
  let most = 0;
  for (let stage = 0; stage < pipeline; stage++) {
    if (stageLayers.length === 0 && stage > 1 && stage < pipeline - 1 && (job.model.experts?.denseLayers ?? 0) === 0) continue;
    most = Math.max(most, stageMemory(job, parallelism, stage).total);
  }
  return most;
}

/** Memory of a GPU of one stage. */
export function stageMemory(job: CompleteJob, parallelism: CompleteParallelism, stage: number): StageMemory {
  const { model, sequence } = job;
  const { tensor, pipeline, data, context, microBatch, zeroStage, recomputation, recomputeEvery } = parallelism;
  const bytes = stateBytes(job);
  const held = stageParameters(job, parallelism, stage);
  const replicas = shardRanks(parallelism);
  const routedReplicas = parallelism.shardGroup === 0 ? expertReplicas(parallelism) : Math.min(replicas, expertReplicas(parallelism));
  const share = (perParameter: number, isSharded: boolean): number =>
    perParameter * (held.dense / (isSharded ? replicas : 1) + held.routed / (isSharded ? routedReplicas : 1));
  const weights = share(bytes.weight, zeroStage >= 3);
  const gradients = share(bytes.gradient, zeroStage >= 2);
  const states = share(bytes.optimizer, zeroStage >= 1);

  const microBatches = Math.max(1, job.globalBatch / (data * microBatch));
  const inFlight = microBatchesInFlight(parallelism, microBatches, stage);
  const perMicroBatch = (isExpert: boolean): number => {
    if (recomputation !== 'full') return layerActivations(job, parallelism, isExpert, recomputation);
    const kept = layerActivations(job, parallelism, isExpert, 'full');
    return recomputeEvery === 1
      ? kept
      : (kept + (recomputeEvery - 1) * layerActivations(job, parallelism, isExpert, 'none')) / recomputeEvery;
  };
  // One layer is rebuilt while its gradients are computed.
  const isExpert = held.expertLayers > 0;
  const live =
    recomputation === 'none'
      ? 0
      : layerActivations(job, parallelism, isExpert, 'none') -
        (recomputation === 'selective' ? layerActivations(job, parallelism, isExpert, 'selective') : 0);
  const activations =
    (held.denseLayers * (held.denseLayers > 0 ? perMicroBatch(false) : 0) +
      held.expertLayers * (held.expertLayers > 0 ? perMicroBatch(true) : 0)) *
      inFlight +
    live;
  const tokens = (sequence * microBatch) / context;
  const isLast = stage === pipeline - 1;
  // Logits are gone before the first layer is rebuilt: the larger of both counts.
  const logits = isLast ? Math.max(0, (MEMORY_MODEL.logitBytes[job.loss] * tokens * model.vocab) / tensor - live) : 0;
  const gathered = replicas > 1 ? gatheredParameters(held, parallelism) * (2 + bytes.gradient) : 0;
  const buffers = gathered + MEMORY_MODEL.fragmentation * (activations + logits + gathered);
  const host = job.offload ? states : 0;
  const parts: MemoryParts = {
    weights,
    gradients,
    optimizer: states - host,
    activations,
    logits,
    buffers,
    runtime: MEMORY_MODEL.runtime,
  };
  const total = weights + gradients + parts.optimizer + activations + logits + buffers + parts.runtime;
  return { stage, total, parts, host, inFlight };
}

/**
 * Parameters that stand unsharded beside their shards, with their gradients: two layers under ZeRO 3, all of a pipeline stage (which would
 * gather them for every micro-batch again), the buckets of ZeRO 1 and 2.
 */
function gatheredParameters(held: StageParameters, { zeroStage, pipeline }: CompleteParallelism): number {
  const all = held.dense + held.routed;
  if (zeroStage === 0) return 0;
  if (zeroStage < 3) return Math.min(all, MEMORY_MODEL.bucket);
  return pipeline > 1 ? all : Math.min(all, 2 * held.largestLayer);
}
