import { FabricPlanError, invalidArgument } from '../errors.js';
import { gpuIndices } from '../fabric/edit-fabric.js';
import type { Fabric } from '../fabric/types.js';
import type { FlopsPerSecond, Seconds } from '../quantities.js';
import type { Routes } from '../routes/compute-routes.js';
import { isAxisOrder } from './axis-groups.js';
import { memoryOf, stageLayers, stageParameters } from './estimate-memory.js';
import { tokenFlops } from './parameters.js';
import { prepareMapping, type PreparedAxis, type PreparedMapping } from './prepare-mapping.js';
import { AXES, type AxisEstimate, type Mapping, type Parallelism, type StepEstimate, type TrainingJob } from './types.js';
import { completeJob, completeParallelism, refuseParallelism, type CompleteJob } from './validate-job.js';

/** Constants of the compute model, each with its meaning. */
export const COMPUTE_MODEL = {
  /**
   * Share of the best matrix-multiply rate that is held over whole steps: clocks under the power limit, awkward shapes, kernels left out
   * here. Without it the compute of 404 published runs (A100, H100, V100; 8 sources) comes to 0.5–0.75 of the measured step, in the
   * median of sources 0.65, where communication explains some 15 %.
   */
  sustained: 0.78,
  /** Fixed time of a matrix multiply: launch, tail wave, pipeline fill (s). Calculon's size steps for A100 and H100 imply 5–10 µs. */
  kernelTail: 8e-6,
  /** Attention kernels reach this share of the efficiency of large matrix multiplies (FlashAttention-2 and -3 papers: 60–80 %). */
  attentionEfficiency: 0.7,
  /** Bytes of memory traffic per token, layer and hidden element for norms, residuals, rotary embedding (forward, 16 bit). */
  elementwiseBytes: 40,
  /** The same per feed-forward element for the activation function. */
  activationBytes: 8,
  /** Share of the HBM rate that such kernels reach. */
  memoryEfficiency: 0.8,
  /** Data loading, host work and synchronisation per step, share of compute (general knowledge: 1–3 %). */
  overheadShare: 0.02,
  /** Share of the hiding window that communication can really use. */
  windowEfficiency: 0.8,
  /** Bytes read and written per parameter by Adam: gradient, master, two moments, new weight. */
  optimizerBytes: 30,
  /** Host link and host memory rate under offload, bytes per second (PCIe 4 x16 and one socket's share). */
  offloadRate: 25e9,
  /** Range around the estimate until calibrated. */
  low: 0.8,
  high: 1.35,
} as const;

/** Weakest GPU of a set: a synchronous step waits for it. */
export interface GpuFloor {
  readonly peak: FlopsPerSecond;
  readonly efficiency: number;
  readonly memory: number;
  readonly memoryBandwidth: number;
  /** Sum of peaks, for utilisation. */
  readonly peakSum: FlopsPerSecond;
}

const DEFAULT_ORDER = AXES;

/**
 * Time of one training step of a job under a mapping, with what limits it.
 *
 * ```text
 * T        = m·t_mb + bubble + exposed communication + optimizer + overhead
 * t_mb     = Σ ops max over arithmetic and memory time, backward twice forward, recomputation once more
 * bubble   = (p − 1)/v · t_mb                                                  1F1B, interleaved with v chunks
 * tensor   = 4 (6 with full recomputation) reduce-scatter + all-gather pairs per layer and micro-batch, exposed
 * data     = max(0, all-reduce of gradients − window);  window = 0.8 of the last micro-batch, or overlap · T where given
 * outer    = all-reduce across sites every H steps, over H
 * ```
 *
 * All groups of an axis send at once and share links. The slowest GPU sets the pace.
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

/** Prices a mapping once for several values of overlap; undefined keeps that of the job. */
export function prepareStep(routes: Routes, job: TrainingJob, mapping: Mapping): (overlap?: number) => StepEstimate {
  const where = 'estimateStep';
  const complete = completeJob(where, job);
  const parallelism = completeParallelism(where, mapping.parallelism);
  const order: readonly string[] = mapping.order ?? DEFAULT_ORDER;
  if (!isAxisOrder(order)) throw invalidArgument(where, 'order', order.join(), `each of ${AXES.join(', ')} once`);
  const needed = parallelism.tensor * parallelism.pipeline * parallelism.data * parallelism.context;
  if (mapping.gpus.length !== needed)
    throw invalidArgument(where, 'gpus', mapping.gpus.length, `${needed} GPUs, the product of the degrees`);
  const refusal = refuseParallelism(job, parallelism);
  if (refusal !== undefined) throw new FabricPlanError('invalid-argument', `${where}: ${refusal}`);
  const gpus = gpuIndices(routes.fabric, mapping.gpus, where);
  const floor = gpuFloor(routes.fabric, gpus, complete.precision, where);
  const prepared = prepareMapping(routes, gpus, parallelism, order);
  return (overlap) => stepOf(overlap === undefined ? complete : { ...complete, overlap }, parallelism, prepared, floor);
}

/** The weakest figures of a set of GPUs. */
export function gpuFloor(fabric: Fabric, gpus: Int32Array, precision: CompleteJob['precision'], where: string): GpuFloor {
  let peak = Infinity;
  let efficiency = 1;
  let memory = Infinity;
  let memoryBandwidth = Infinity;
  let peakSum = 0;
  for (const gpu of gpus) {
    const device = fabric.devices[fabric.compiled.gpus[gpu]];
    const own = device.peak?.[precision] ?? (precision === 'bf16' ? device.peak?.fp16 : undefined);
    if (own === undefined)
      throw invalidArgument(
        where,
        `peak.${precision} of GPU "${device.id}"`,
        own,
        'FLOP per second; name a GPU model in the description or give its peak',
      );
    if (own * (device.computeEfficiency ?? 0.75) < peak * efficiency) {
      peak = own;
      efficiency = device.computeEfficiency ?? 0.75;
    }
    memory = Math.min(memory, device.memory ?? Infinity);
    memoryBandwidth = Math.min(memoryBandwidth, device.memoryBandwidth ?? 2e12);
    peakSum += own;
  }
  return { peak, efficiency, memory, memoryBandwidth, peakSum };
}

/** Compute time of one micro-batch on the slowest stage, and of the optimizer. */
export function computeTimes(
  job: CompleteJob,
  parallelism: Required<Parallelism>,
  floor: GpuFloor,
): { microBatch: Seconds; optimizer: Seconds; microBatches: number } {
  const { model, sequence } = job;
  const { tensor, pipeline, data, context, microBatch, recomputation, zeroStage } = parallelism;
  const tokens = (sequence * microBatch) / context;
  const flops = tokenFlops(model, sequence);
  const head = 2 * model.vocab * model.hidden;
  const matricesPerLayer = (flops.matrices - head) / model.layers;
  const attentionPerLayer = flops.attentionCausal / model.layers;
  const rate = floor.peak * floor.efficiency * COMPUTE_MODEL.sustained;
  const { experts } = model;
  const ffn = experts === undefined ? model.ffn : experts.topK * experts.ffn + (experts.sharedFfn ?? 0);
  // About four matrix multiplies a layer forward (two more when gated or latent, k small ones for experts).
  const kernels = 4 + (experts === undefined ? 0 : Math.min(experts.count / parallelism.expert, 2 * experts.topK));
  const matrix = (tokens * matricesPerLayer) / tensor / rate + kernels * COMPUTE_MODEL.kernelTail;
  const attention = (tokens * attentionPerLayer) / tensor / (rate * COMPUTE_MODEL.attentionEfficiency);
  const element =
    (tokens * (COMPUTE_MODEL.elementwiseBytes * model.hidden + COMPUTE_MODEL.activationBytes * ffn)) /
    tensor /
    (floor.memoryBandwidth * COMPUTE_MODEL.memoryEfficiency);
  const passes = recomputation === 'full' ? 4 : 3;
  const attentionPasses = recomputation === 'none' ? 3 : recomputation === 'full' ? 4.5 : 3.5;
  const layer = matrix * passes + attention * attentionPasses + element * passes;
  let slowest = 0;
  for (const stage of [0, pipeline - 1]) {
    const [first, end] = stageLayers(model.layers, pipeline, stage);
    const headTime = stage === pipeline - 1 ? (3 * tokens * head) / tensor / rate : 0;
    slowest = Math.max(slowest, (end - first) * layer + headTime);
  }
  const held = stageParameters(job, parallelism, 0);
  const share =
    held.dense / (zeroStage >= 1 ? data * context : 1) +
    held.routed / (zeroStage >= 1 ? Math.max(1, (data * context) / parallelism.expert) : 1);
  const optimizer = job.offload
    ? (share * (2 + 2)) / COMPUTE_MODEL.offloadRate + (share * COMPUTE_MODEL.optimizerBytes) / COMPUTE_MODEL.offloadRate / 4
    : (share * COMPUTE_MODEL.optimizerBytes) / floor.memoryBandwidth;
  return { microBatch: slowest, optimizer, microBatches: job.globalBatch / (data * microBatch) };
}

/** Least time of a step: compute and bubble alone. An admissible bound for the search. */
export function stepFloor(job: CompleteJob, parallelism: Required<Parallelism>, floor: GpuFloor): Seconds {
  const { microBatch, optimizer, microBatches } = computeTimes(job, parallelism, floor);
  const steps = microBatches * (1 + COMPUTE_MODEL.overheadShare) + (parallelism.pipeline - 1) / parallelism.interleave;
  return (microBatch * steps + optimizer) * (1 - 1e-9);
}

/** {@link estimateStep} on checked input and prepared axes: the search calls this. */
export function stepOf(job: CompleteJob, parallelism: Required<Parallelism>, mapping: PreparedMapping, floor: GpuFloor): StepEstimate {
  const { model, sequence } = job;
  const { tensor, pipeline, data, context, expert, microBatch, recomputation, interleave, zeroStage, outerEvery } = parallelism;
  const times = computeTimes(job, parallelism, floor);
  const m = times.microBatches;
  const q = job.precision === 'fp32' ? 4 : 2;
  const [firstLayer, endLayer] = stageLayers(model.layers, pipeline, 0);
  const layers = endLayer - firstLayer;
  const width = (q * sequence * microBatch * model.hidden) / context;
  const axes: AxisEstimate[] = [];
  const add = (
    axis: AxisEstimate['axis'],
    prepared: PreparedAxis,
    operation: Parameters<PreparedAxis['cost']>[0],
    bytes: number,
    calls: number,
    hidden: (seconds: number) => number,
  ): AxisEstimate => {
    const { seconds: one, algorithm, bottleneck } = prepared.cost(operation, bytes);
    const seconds = one * calls;
    const estimate: AxisEstimate = {
      axis,
      operation,
      groupSize: prepared.groupSize,
      groups: prepared.groups,
      bytesPerCall: bytes,
      calls,
      seconds,
      exposed: Math.max(0, seconds - hidden(seconds)),
      algorithm,
      ...(bottleneck === undefined ? {} : { bottleneck }),
    };
    axes.push(estimate);
    return estimate;
  };
  const none = (): number => 0;

  let perMicroBatch = times.microBatch;
  if (tensor > 1)
    perMicroBatch += add('tensor', mapping.tensor, 'all-reduce', width, layers * m * (recomputation === 'full' ? 6 : 4), none).exposed / m;
  if (context > 1) {
    // Keys and values go round the ring once forward and twice backward; block attention hides what it can.
    const keyValues = (2 * q * sequence * microBatch * model.kvHeads * model.headDim) / tensor;
    const attention =
      (tokenFlops(model, sequence).attentionCausal * ((sequence * microBatch) / context) * layers * 3 * m) /
      model.layers /
      tensor /
      (floor.peak * floor.efficiency * COMPUTE_MODEL.sustained * COMPUTE_MODEL.attentionEfficiency);
    perMicroBatch +=
      add('context', mapping.context, 'all-gather', keyValues, 3 * layers * m, (seconds) =>
        Math.min(seconds, attention * COMPUTE_MODEL.windowEfficiency),
      ).exposed / m;
  }
  if (expert > 1 && model.experts !== undefined) {
    perMicroBatch += add('expert', mapping.expert, 'all-to-all', model.experts.topK * width, 4 * layers * m, none).exposed / m;
  }
  let fill = 0;
  if (pipeline > 1) {
    // Every micro-batch crosses each boundary forward and backward; steady-state transfers hide behind compute while they are shorter.
    const crossing = add('pipeline', mapping.pipeline, 'send-receive', width / tensor, m * interleave, (seconds) =>
      Math.min(seconds, perMicroBatch * m * COMPUTE_MODEL.windowEfficiency),
    );
    fill = (2 * (pipeline - 1) * crossing.seconds) / crossing.calls;
  }

  const steady = perMicroBatch * m;
  const held = stageParameters(job, parallelism, 0);
  const replicas = data * context;
  const parameters = held.dense + held.routed / Math.max(1, replicas > 1 ? 1 : expert);
  const hide = (seconds: number): number => {
    const window = job.overlap === undefined ? perMicroBatch * COMPUTE_MODEL.windowEfficiency : steady * job.overlap;
    return Math.min(seconds, window);
  };
  if (replicas > 1) {
    const isOuter = outerEvery > 1;
    const inner = isOuter ? mapping.dataInSite : mapping.data;
    if (zeroStage >= 3) {
      // Weights are gathered for forward and backward of every micro-batch, layer by layer behind the compute of the layer before.
      add('data', inner, 'all-gather', 2 * parameters, 2 * m, (seconds) =>
        Math.min(seconds, steady * COMPUTE_MODEL.windowEfficiency * (2 / 3)),
      );
      add('data', inner, 'reduce-scatter', 2 * parameters, m, (seconds) =>
        Math.min(seconds, steady * COMPUTE_MODEL.windowEfficiency * (1 / 3)),
      );
    } else if (inner.groups > 0) add('data', inner, 'all-reduce', 2 * parameters, 1, hide);
    if (isOuter) add('outer', mapping.data, 'all-reduce', 2 * parameters, 1 / outerEvery, none);
  }
  const exposedOf = (names: readonly AxisEstimate['axis'][]): number =>
    axes.filter(({ axis }) => names.includes(axis)).reduce((sum, { exposed }) => sum + exposed, 0);

  const compute = times.microBatch * m;
  const bubble = ((pipeline - 1) / interleave) * perMicroBatch + fill;
  const exposedCommunication = exposedOf(['tensor', 'context', 'expert', 'pipeline', 'data', 'outer']);
  const overhead = COMPUTE_MODEL.overheadShare * compute;
  const seconds = compute + bubble + exposedCommunication + times.optimizer + overhead;
  const tokens = job.globalBatch * sequence;
  const flops = tokenFlops(model, sequence);
  const modelStep = 3 * tokens * (flops.matrices + flops.attentionCausal);
  const hardwareStep =
    tokens *
    ((recomputation === 'full' ? 4 : 3) * flops.matrices +
      (recomputation === 'full' ? 4 : recomputation === 'selective' ? 4 : 3) * flops.attentionCausal);
  const memory = memoryOf(job, parallelism);
  const worst = axes.reduce<AxisEstimate | undefined>((a, b) => (a === undefined || b.exposed > a.exposed ? b : a), undefined);
  const isComputeBound = worst === undefined || worst.exposed < 0.1 * seconds;
  return {
    seconds,
    low: seconds * COMPUTE_MODEL.low,
    high: seconds * COMPUTE_MODEL.high,
    breakdown: { compute, bubble, exposedCommunication, optimizer: times.optimizer, overhead },
    axes,
    tokensPerSecond: tokens / seconds,
    modelFlopUtilisation: modelStep / seconds / floor.peakSum,
    hardwareFlopUtilisation: hardwareStep / seconds / floor.peakSum,
    modelFlops: modelStep / seconds,
    bottleneck: isComputeBound
      ? 'compute'
      : `${worst.axis} traffic${worst.bottleneck === undefined ? '' : ` over ${worst.bottleneck.link}`}`,
    memory,
    fits: memory.total <= floor.memory,
  };
}
