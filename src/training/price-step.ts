import type { Seconds } from '../quantities.js';
import type { ComputeModel, GpuFloor } from './compute-model.js';
import { addDataTraffic, type AddTraffic } from './data-traffic.js';
import { headTimes, layerTimes, type LayerTimes } from './layer-times.js';
import { bubbleTime } from './pipeline-time.js';
import type { PreparedAxis, PreparedMapping } from './prepare-mapping.js';
import { stageParameters } from './stage-parameters.js';
import { stageShape } from './stage-shape.js';
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
  const { zeroStage } = parallelism;
  const m = job.globalBatch / (data * microBatch);
  const q = job.precision === 'fp32' ? 4 : 2;
  const tokens = (sequence * microBatch) / context;
  const width = q * tokens * model.hidden;
  const axes: AxisEstimate[] = [];
  const add: AddTraffic = (axis, prepared, operation, bytes, calls, hidden) => {
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
  let slowestWeights = 0;
  let launching = 0;
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
    };
    layersOf(dense, own.dense, 1);
    layersOf(routed, own.expert, EXPERT_LAUNCHES);
    compute += (2 * bytes.gradient * (dense * shape.denseParameters + routed * shape.expertParameters)) / memoryRate;
    if (isLast) compute += own.head.total;
    const total = compute + (dense + routed) * (forwardTraffic + backwardTraffic);
    sum += total * count;
    launching = Math.max(launching, host);
    if (total > slowest) [slowest, slowestWeights] = [total, weights];
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

  // The last micro-batch takes as long as its GPU or its host does.
  const pace = Math.max(slowest, launching);
  addDataTraffic(job, parallelism, mapping, add, {
    share: constants.dataOverlap,
    steady,
    all: pace * m,
    last: pace,
    // The backward pass takes twice as long as the forward one, and repeats it with full recomputation.
    forward: 1 / (3 + again),
    step: steady + bubble,
  });

  const held = stageParameters(job, parallelism, 0);
  const ranks = shardRanks(parallelism);
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
  // The slowest stage may have a layer less than the traffic is counted for, where it has the head: together they take its time.
  const compute = (slowest - layers * (forwardTraffic + backwardTraffic)) * m;
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

/** Kernels of an expert layer over those of a dense one: router, permutation, exchange, grouped multiplies. */
const EXPERT_LAUNCHES = 2;

/** All that layer times depend on beside the job. */
const timesKey = (parallelism: CompleteParallelism, floor: number): string =>
  `${parallelism.tensor},${parallelism.context},${parallelism.microBatch},${parallelism.expert},${expertTensor(parallelism)},${parallelism.recomputation},${parallelism.recomputeEvery},${parallelism.sequenceParallel ? 1 : 0},${floor}`;
