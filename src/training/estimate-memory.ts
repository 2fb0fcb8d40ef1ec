import { GiB, type Bytes } from '../quantities.js';
import { countParameters } from './parameters.js';
import type { MemoryEstimate, Parallelism, TrainingJob } from './types.js';
import { completeJob, completeParallelism, type CompleteJob } from './validate-job.js';

/** Bytes per parameter by precision: weight, gradient, and optimizer states (master copy and two Adam moments). */
const STATE_BYTES = {
  bf16: { weight: 2, gradient: 2, optimizer: 12 },
  fp16: { weight: 2, gradient: 2, optimizer: 12 },
  // bf16 weights with an fp8 copy for the matrix multiplies.
  fp8: { weight: 3, gradient: 2, optimizer: 12 },
  fp32: { weight: 4, gradient: 4, optimizer: 8 },
} as const;

/** CUDA context, libraries and collective buffers of one process: 1–4 GiB reported (Megatron-LM issue threads); the middle. */
const RUNTIME: Bytes = 2 * GiB;
/** Allocator slack over activations and buffers, as in Megatron-LM's theoretical memory report. */
const FRAGMENTATION = 0.05;

/** Parameters that one GPU of a stage holds, before sharding over data-parallel ranks. */
export interface StageParameters {
  readonly dense: number;
  readonly routed: number;
  readonly largestLayer: number;
}

/** Parameters on a GPU of a pipeline stage: layers and embeddings over tensor ranks, routed experts over expert ranks too. */
export function stageParameters(job: CompleteJob, parallelism: Required<Parallelism>, stage: number): StageParameters {
  const { model } = job;
  const { tensor, pipeline, expert } = parallelism;
  const count = countParameters(model);
  const [first, end] = stageLayers(model.layers, pipeline, stage);
  const denseUntil = model.experts === undefined ? model.layers : (model.experts.denseLayers ?? 0);
  const denseLayers = Math.max(0, Math.min(end, denseUntil) - first);
  const expertLayers = end - first - denseLayers;
  const table = model.vocab * model.hidden;
  const isFirst = stage === 0;
  const isLast = stage === pipeline - 1;
  // A tied table is needed at both ends of a pipeline.
  const tables = pipeline === 1 ? (model.tied ? 1 : 2) : (isFirst ? 1 : 0) + (isLast ? 1 : 0);
  const outside = tables * table + (isFirst ? (model.learnedPositions ?? 0) * model.hidden : 0);
  const expertDense = count.expertLayer - count.routedExperts;
  return {
    dense: (denseLayers * count.layer + expertLayers * expertDense + outside) / tensor,
    routed: (expertLayers * count.routedExperts) / tensor / expert,
    largestLayer: Math.max(expertLayers > 0 ? expertDense + count.routedExperts / expert : 0, denseLayers > 0 ? count.layer : 0) / tensor,
  };
}

/** First layer of a stage and the one after its last; surplus layers go to the first stages. */
export function stageLayers(layers: number, pipeline: number, stage: number): [number, number] {
  const base = Math.floor(layers / pipeline);
  const surplus = layers % pipeline;
  const start = stage * base + Math.min(stage, surplus);
  return [start, start + base + (stage < surplus ? 1 : 0)];
}

/**
 * Memory of the GPU that needs most under degrees of parallelism; the parts sum to the total.
 *
 * ```text
 * states       n·(w + g + o), o / d from ZeRO 1, g / d from 2, w / d from 3     experts: d · c / e instead of d
 * activations  X/t·(18 + 4 f/h)  a layer and micro-batch, 18 + 6 f/h when gated; X = s·b·h/c    (attention scores not kept)
 *              + 5·X/t·a·s/h  with recomputation `none`; 2·X/t with `full` and one layer live
 * in flight    min(m, p − stage) micro-batches; interleaved p·(1 + (p − 1)/(p·v)) on the first stage
 * ```
 *
 * Sequence parallelism goes with tensor parallelism; `selective` stands for FlashAttention or selective recomputation alike.
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

/** {@link estimateMemory} on checked input: the search calls this. */
export function memoryOf(job: CompleteJob, parallelism: Required<Parallelism>): MemoryEstimate {
  let worst: MemoryEstimate | undefined;
  // Only the ends and the first stages can be worst: later middle stages hold no more and have fewer micro-batches in flight.
  const stages = [...new Set([0, Math.min(1, parallelism.pipeline - 1), parallelism.pipeline - 1])];
  for (const stage of stages) {
    const one = stageMemory(job, parallelism, stage);
    if (worst === undefined || one.total > worst.total) worst = one;
  }
  return worst!;
}

function stageMemory(job: CompleteJob, parallelism: Required<Parallelism>, stage: number): MemoryEstimate {
  const { model, sequence } = job;
  const { tensor, pipeline, data, context, expert, microBatch, zeroStage, recomputation, interleave } = parallelism;
  const bytes = STATE_BYTES[job.precision];
  const parameters = stageParameters(job, parallelism, stage);
  const sharded = (perParameter: number, isSharded: boolean): number =>
    perParameter *
    (parameters.dense / (isSharded ? data * context : 1) + parameters.routed / (isSharded ? Math.max(1, (data * context) / expert) : 1));
  const weights = sharded(bytes.weight, zeroStage >= 3);
  const gradients = sharded(bytes.gradient, zeroStage >= 2);
  const states = sharded(bytes.optimizer, zeroStage >= 1);

  const microBatches = Math.max(1, job.globalBatch / (data * microBatch));
  const width = (sequence * microBatch * model.hidden) / context;
  const [first, end] = stageLayers(model.layers, pipeline, stage);
  const perLayer = layerActivations(job, width, tensor, recomputation);
  const flight =
    interleave > 1
      ? Math.min(microBatches, pipeline * (1 + (pipeline - 1) / (pipeline * interleave)) - stage)
      : Math.min(microBatches, pipeline - stage);
  const live = recomputation === 'full' ? layerActivations(job, width, tensor, 'selective') : 0;
  const activations = perLayer * (end - first) * Math.max(1, flight) + live;
  const isLast = stage === pipeline - 1;
  const logits = isLast ? (4 * sequence * microBatch * model.vocab) / (tensor * context) + (2 * width) / tensor : 0;
  const gathered = zeroStage >= 3 ? 2 * parameters.largestLayer * 2 : 0;
  const buffers = gathered + FRAGMENTATION * (activations + logits + gathered);
  const host = job.offload ? states : 0;
  const parts = { weights, gradients, optimizer: states - host, activations, logits, buffers, runtime: RUNTIME };
  const total = Object.values(parts).reduce((sum, part) => sum + part, 0);
  return { total, parts, host, stage };
}

/** Bytes kept of one layer for one micro-batch; `width` = s·b·h/c. */
function layerActivations(job: CompleteJob, width: number, tensor: number, recomputation: Required<Parallelism>['recomputation']): Bytes {
  const { model, sequence } = job;
  const bytes = job.precision === 'fp32' ? 2 : 1;
  if (recomputation === 'full') return (2 * width * bytes) / tensor;
  const { experts } = model;
  const ffn = experts === undefined ? model.ffn : experts.topK * experts.ffn + (experts.sharedFfn ?? 0);
  const kept = 18 + ((model.gated ? 6 : 4) * ffn) / model.hidden;
  const scores = recomputation === 'none' ? (5 * model.heads * sequence) / model.hidden : 0;
  return ((kept + scores) * width * bytes) / tensor;
}
