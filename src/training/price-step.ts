import type { Seconds } from '../quantities.js';
import type { ComputeModel, GpuFloor } from './compute-model.js';
import { headTimes, layerTimes, type LayerTimes } from './layer-times.js';
import { exposedOuter } from './low-communication.js';
import { bubbleTime } from './pipeline-time.js';
import type { PreparedAxis, PreparedMapping } from './prepare-mapping.js';
import { stageLayers, stageParameters } from './stage-parameters.js';
import { stateBytes } from './state-bytes.js';
import type { AxisEstimate, StepBreakdown } from './types.js';
import { expertTensor, shardRanks, type CompleteJob, type CompleteParallelism } from './validate-job.js';

/** What a step runs on, beside the links. */
export interface StepContext {
  /** The weakest GPU of every stage, or one for all. */
  readonly floors: readonly GpuFloor[];
  readonly gpuCount: number;
  readonly constants: ComputeModel;
  /** Layer times by what they depend on, for searches that ask again; for one job, one set of floors and constants. */
  readonly cache?: Map<string, GpuTimes>;
}

/** Times of a layer of either kind and of the head on one kind of GPU. */
export interface GpuTimes {
  readonly dense: LayerTimes | undefined;
  readonly expert: LayerTimes | undefined;
  readonly head: { readonly forward: Seconds; readonly total: Seconds };
}

/** A step in numbers: what a search compares. */
export interface StepPrice {
  readonly seconds: Seconds;
  readonly breakdown: StepBreakdown;
  readonly axes: readonly AxisEstimate[];
}

/** Host link and host memory rate under offload, bytes per second (PCIe 4 x16, and a quarter of it for the update on the host). */
const OFFLOAD_RATE = 25e9;
/** Share of the time of a chunk behind which its pipeline transfers hide when interleaved. */
const CHUNK_WINDOW = 0.8;

/**
 * Time of a step on checked input and prepared axes.
 *
 * @complexity O(stages), and O(1) for equal stages of a dense model
 */
export function priceStep(
  job: CompleteJob,
  parallelism: CompleteParallelism,
  mapping: PreparedMapping,
  { floors, gpuCount, constants, cache }: StepContext,
): StepPrice {
  const { model, sequence } = job;
  const { tensor, pipeline, data, context, contextMethod, expert, microBatch, recomputation, recomputeEvery, interleave } = parallelism;
  const { zeroStage, outerEvery, outerFragments, outerDelay, outerBytes } = parallelism;
  const m = job.globalBatch / (data * microBatch);
  const q = job.precision === 'fp32' ? 4 : 2;
  const tokens = (sequence * microBatch) / context;
  const width = q * tokens * model.hidden;
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
    const seconds = one * calls * constants.trafficScale;
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

  // Layers of the slowest stage stand for all where traffic inside a stage is counted.
  const shape = stageShape(job, parallelism, floors.length === 1);
  const times = floors.map((floor, i) => {
    const key = cache === undefined ? '' : timesKey(parallelism, i);
    const known = cache?.get(key);
    if (known !== undefined) return known;
    const own: GpuTimes = {
      dense: shape.hasDense ? layerTimes(job, parallelism, floor, false, constants) : undefined,
      expert: shape.hasExperts ? layerTimes(job, parallelism, floor, true, constants) : undefined,
      head: headTimes(job, parallelism, floor, constants),
    };
    cache?.set(key, own);
    return own;
  });

  // Traffic inside a layer, forward and backward of one micro-batch; recomputation repeats the forward part.
  const again = recomputation === 'full' ? 1 / recomputeEvery : 0;
  const { layers } = shape;
  let forwardTraffic = 0;
  let backwardTraffic = 0;
  const inLayer = (estimate: AxisEstimate, layerCount: number, forwardCalls: number, backwardCalls: number): void => {
    if (estimate.calls === 0) return;
    const each = estimate.exposed / (layerCount * m) / (forwardCalls + backwardCalls);
    const share = layerCount / layers;
    forwardTraffic += each * forwardCalls * share;
    backwardTraffic += each * backwardCalls * share;
  };
  if (tensor > 1) {
    const calls = 4 + 2 * again;
    inLayer(
      add('tensor', mapping.tensor, 'all-reduce', width, layers * m * calls, (seconds) => seconds * job.tensorOverlap),
      layers,
      2,
      2 + 2 * again,
    );
  }
  if (context > 1) {
    if (contextMethod === 'ulysses') {
      const heads = (q * tokens * (2 * model.heads + 2 * model.kvHeads) * model.headDim) / tensor;
      inLayer(add('context', mapping.context, 'all-to-all', heads, layers * m * (2 + again), none), layers, 1, 1 + again);
    } else {
      // Keys and values of the whole sequence, once forward and twice backward.
      const keyValues = (2 * q * sequence * microBatch * model.kvHeads * model.headDim) / tensor;
      const attention = Math.max(...times.map(({ dense, expert: routed }) => (dense ?? routed)!.attention)) * layers * m * 3.5;
      inLayer(
        add('context', mapping.context, 'all-gather', keyValues, (3 + again) * layers * m, (seconds) =>
          contextMethod === 'ring' ? Math.min(seconds * constants.dataOverlap, attention) : 0,
        ),
        layers,
        1,
        2 + again,
      );
    }
  }
  if (expert > 1 && model.experts !== undefined && shape.expertLayers > 0) {
    const { topK } = model.experts;
    const { domains } = mapping.expert;
    // A token goes once to every domain that has one of its experts, however many it has there.
    const copies = domains === 1 ? topK : Math.min(topK, domains * (1 - (1 - 1 / domains) ** topK));
    const sent = (copies * width * job.expertImbalance) / (expertTensor(parallelism) === 1 ? tensor : 1);
    inLayer(
      add('expert', mapping.expert, 'all-to-all', sent, (4 + 2 * again) * shape.expertLayers * m, none),
      shape.expertLayers,
      2,
      2 + 2 * again,
    );
  }

  // Gradients are added up in memory after every micro-batch.
  const bytes = stateBytes(job);
  let slowest = 0;
  let sum = 0;
  let slowestCompute = 0;
  let slowestWeights = 0;
  let launching = 0;
  let forwardSum = 0;
  for (const { dense, routed, isLast, floor, count } of shape.stages) {
    const own = times[floors.length === 1 ? 0 : floor];
    const memoryRate = floors[floors.length === 1 ? 0 : floor].memoryBandwidth * constants.memoryEfficiency;
    let compute = 0;
    let weights = 0;
    let host = 0;
    const layersOf = (layerCount: number, layer: LayerTimes | undefined, launches: number): void => {
      if (layer === undefined || layerCount === 0) return;
      compute += layerCount * (layer.forward + layer.backward + layer.recompute);
      weights += layerCount * layer.weightGradient;
      host += layerCount * constants.hostPerLayer * launches * (2 + again);
      forwardSum += count * layerCount * (layer.forward + forwardTraffic);
    };
    layersOf(dense, own.dense, 1);
    layersOf(routed, own.expert, EXPERT_LAUNCHES);
    compute += (2 * bytes.gradient * (dense * shape.denseParameters + routed * shape.expertParameters)) / memoryRate;
    if (isLast) compute += own.head.total;
    const total = compute + (dense + routed) * (forwardTraffic + backwardTraffic);
    sum += total * count;
    launching = Math.max(launching, host);
    if (total > slowest) [slowest, slowestCompute, slowestWeights] = [total, compute, weights];
  }

  const steady = slowest * m;
  let fill = 0;
  if (pipeline > 1) {
    // Every tensor rank sends its part and gathers behind the boundary. Strict 1F1B waits for its neighbour twice per micro-batch; chunks leave room to send while others are computed.
    const crossing = add('pipeline', mapping.pipeline, 'send-receive', width / tensor, 2 * m * interleave, (seconds) =>
      interleave > 1 || parallelism.schedule !== '1f1b' ? Math.min(seconds, steady * CHUNK_WINDOW) : 0,
    );
    fill = (2 * (pipeline - 1) * crossing.seconds) / crossing.calls;
  }
  const bubble = bubbleTime({ slowest, sum, weightGradient: slowestWeights }, parallelism) + fill;

  // Data-parallel traffic of the fullest end of the pipeline.
  const held = stageParameters(job, parallelism, 0);
  const last = pipeline > 1 ? stageParameters(job, parallelism, pipeline - 1) : held;
  const replicas = data * context;
  const ranks = shardRanks(parallelism);
  const dense = Math.max(held.dense, last.dense);
  const routed = Math.max(held.routed, last.routed);
  // Routed experts are reduced over the ranks that hold the same ones; on few of them that is next to nothing.
  const parameters = dense + routed * Math.min(1, replicas / expert / Math.max(1, replicas - 1));
  const window = (share: number, own: Seconds) => (seconds: number) =>
    job.overlap === undefined
      ? Math.min(seconds * constants.dataOverlap, own * share)
      : Math.min(seconds, (steady * job.overlap * share) / WINDOW_SHARES);
  const forwardShare = sum > 0 ? Math.min(0.5, forwardSum / sum) : 1 / 3;
  if (replicas > 1) {
    const isOuter = outerEvery > 1;
    if (zeroStage >= 3) {
      const group = isOuter ? mapping.dataInSite : mapping.shard;
      // Weights are gathered for forward and backward of every micro-batch, layer by layer behind the compute of the layer before.
      const layerBytes = Math.max(1, Math.min(parameters, held.largestLayer));
      const layerCalls = parameters / layerBytes;
      // A pipeline stage gathers once: it would have to for every micro-batch in flight.
      const [gathers, behind] = pipeline > 1 ? [1, slowest] : [m, steady];
      add(
        'data',
        group,
        'all-gather',
        2 * layerBytes,
        (pipeline > 1 ? 1 : 2) * gathers * layerCalls,
        window(1, behind * (1 + forwardShare) * 0.5),
      );
      add('data', group, 'reduce-scatter', bytes.gradient * layerBytes, gathers * layerCalls, window(1, behind * (1 - forwardShare) * 0.5));
      if (ranks < replicas && !isOuter)
        add('data', mapping.shardReplicas, 'all-reduce', (bytes.gradient * parameters) / ranks, 1, window(1, slowest));
    } else if (isOuter) {
      if (mapping.dataInSite.groups > 0)
        add('data', mapping.dataInSite, 'all-reduce', bytes.gradient * parameters, 1, window(2, slowest * (1 - forwardShare)));
    } else if (zeroStage === 0) {
      add('data', mapping.data, 'all-reduce', bytes.gradient * parameters, 1, window(2, slowest * (1 - forwardShare)));
    } else {
      // Sharded gradients are reduced after every micro-batch: nobody has room to add them up.
      const [reductions, behind] = zeroStage === 2 ? [m, steady] : [1, slowest];
      if (ranks === replicas)
        add('data', mapping.data, 'reduce-scatter', bytes.gradient * parameters, reductions, window(1, behind * (1 - forwardShare)));
      else add('data', mapping.data, 'all-reduce', bytes.gradient * parameters, 1, window(1, slowest * (1 - forwardShare)));
      // Weights are gathered after the optimizer; vendor stacks hide that behind the first forward pass, frameworks do not.
      if (ranks > 1)
        add('data', mapping.shard, 'all-gather', 2 * parameters, 1, job.kernels === 'fused' ? window(1, slowest * forwardShare) : none);
    }
    if (isOuter) {
      const outerWindow = outerDelay * (steady + bubble);
      add('outer', mapping.data, 'all-reduce', (outerBytes * parameters) / outerFragments, outerFragments / outerEvery, (seconds) => {
        const each = (seconds * outerEvery) / outerFragments;
        return seconds - (exposedOuter(each, outerWindow) * outerFragments) / outerEvery;
      });
    }
  }

  const share = (isSharded: boolean): number =>
    held.dense / (isSharded ? ranks : 1) + held.routed / (isSharded ? Math.max(1, (data * context) / expert) : 1);
  const weakest = floors.reduce((a, b) => (b.memoryBandwidth < a.memoryBandwidth ? b : a));
  // Read states and gradients, write states and weights; the norm of the gradients before it.
  const updated = share(zeroStage >= 1) * (2 * bytes.optimizer + 2 * bytes.gradient + 2) + share(zeroStage >= 2) * bytes.gradient;
  const optimizer = job.offload
    ? (share(zeroStage >= 1) * (bytes.gradient + 2)) / OFFLOAD_RATE + (4 * updated) / OFFLOAD_RATE
    : updated / (weakest.memoryBandwidth * constants.memoryEfficiency);

  const exposedCommunication = axes.reduce((total, { exposed }) => total + exposed, 0);
  const hiddenTraffic = axes.reduce((total, { seconds, exposed }) => total + seconds - exposed, 0);
  const compute = slowestCompute * m;
  const stragglers = constants.jitter * Math.sqrt(2 * Math.log(Math.max(1, gpuCount))) * (compute + bubble);
  // The host runs ahead of its GPU where it can: only what all its work of the step does not cover is waited for.
  const waiting = Math.max(0, launching * m - (steady + bubble));
  const overhead = waiting + constants.hostPerStep + constants.overlapCost * Math.min(hiddenTraffic, compute) + stragglers;
  const seconds = compute + bubble + exposedCommunication + optimizer + overhead;
  return { seconds, breakdown: { compute, bubble, exposedCommunication, optimizer, overhead }, axes };
}

/**
 * Least time of a step under any mapping of these degrees on GPUs that can send at most so many bytes per second: an admissible bound.
 * A rank of k that reduce, gather or exchange b bytes sends or receives (k − 1)/k·b at least, whatever the algorithm and the wires.
 *
 * @param egress largest rate at which one GPU can send, all its links together
 */
export function stepFloor(job: CompleteJob, parallelism: CompleteParallelism, context: StepContext, egress: number): StepPrice {
  const axis = (ranks: number): PreparedAxis => ({
    groupSize: ranks,
    groups: 1,
    domains: 1,
    cost: (_operation, bytes) => ({ seconds: ((1 - 1 / ranks) * bytes) / egress, algorithm: 'bound' }),
  });
  const { tensor, context: contextRanks, data } = parallelism;
  const replicas = data * contextRanks;
  const price = priceStep(
    job,
    parallelism,
    {
      tensor: axis(tensor),
      context: axis(contextRanks),
      data: axis(replicas),
      // Whether a site holds several replicas depends on the mapping.
      dataInSite: axis(1),
      shard: axis(shardRanks(parallelism)),
      shardReplicas: axis(Math.max(1, replicas / shardRanks(parallelism))),
      // How many domains its tokens go to depends on the mapping as well.
      expert: axis(1),
      pipeline: axis(1),
    },
    context,
  );
  return { ...price, seconds: price.seconds * (1 - 1e-9) };
}

/** A given overlap is shared by the reduction and the gathering of a step. */
const WINDOW_SHARES = 2;
/** Kernels of an expert layer over those of a dense one: router, permutation, exchange, grouped multiplies. */
const EXPERT_LAUNCHES = 2;

/** All that layer times depend on beside the job. */
const timesKey = (parallelism: CompleteParallelism, floor: number): string =>
  `${parallelism.tensor},${parallelism.context},${parallelism.microBatch},${parallelism.expert},${expertTensor(parallelism)},${parallelism.recomputation},${parallelism.recomputeEvery},${parallelism.sequenceParallel ? 1 : 0},${floor}`;

/** Stages of a pipeline, equal ones together. */
interface StageShape {
  readonly hasDense: boolean;
  readonly hasExperts: boolean;
  /** Most layers of a stage, and most expert layers. */
  readonly layers: number;
  readonly expertLayers: number;
  /** Parameters that a GPU holds of one layer. */
  readonly denseParameters: number;
  readonly expertParameters: number;
  readonly stages: readonly { dense: number; routed: number; isLast: boolean; floor: number; count: number }[];
}

function stageShape(job: CompleteJob, parallelism: CompleteParallelism, isUniform: boolean): StageShape {
  const { pipeline, stageLayers: given } = parallelism;
  const { layers: total, experts } = job.model;
  const denseUntil = experts === undefined ? total : (experts.denseLayers ?? 0);
  const held = stageParameters(job, parallelism, Math.min(pipeline - 1, 1));
  const each = Math.max(1, held.denseLayers + held.expertLayers);
  const base = {
    hasDense: denseUntil > 0,
    hasExperts: denseUntil < total,
    denseParameters: held.dense / each,
    expertParameters: (held.dense + held.routed) / each,
  };
  if (isUniform && given.length === 0 && (denseUntil === 0 || denseUntil === total)) {
    // Even split of equal layers: the first stages have one more.
    const least = Math.floor(total / pipeline);
    const surplus = total % pipeline;
    const stage = (layers: number, isLast: boolean, count: number): StageShape['stages'][number] =>
      denseUntil === 0 ? { dense: 0, routed: layers, isLast, floor: 0, count } : { dense: layers, routed: 0, isLast, floor: 0, count };
    const stages = [stage(least, true, 1)];
    if (surplus > 0) stages.push(stage(least + 1, false, surplus));
    if (pipeline - surplus - 1 > 0) stages.push(stage(least, false, pipeline - surplus - 1));
    const layers = least + (surplus > 0 ? 1 : 0);
    return { ...base, layers, expertLayers: denseUntil === 0 ? layers : 0, stages };
  }
  const stages: StageShape['stages'][number][] = [];
  let layers = 0;
  let expertLayers = 0;
  for (let stage = 0; stage < pipeline; stage++) {
    const [first, end] = stageLayers(total, parallelism, stage);
    const dense = Math.max(0, Math.min(end, denseUntil) - first);
    const routed = end - first - dense;
    layers = Math.max(layers, end - first);
    expertLayers = Math.max(expertLayers, routed);
    stages.push({ dense, routed, isLast: stage === pipeline - 1, floor: stage, count: 1 });
  }
  return { ...base, layers, expertLayers, stages };
}
