import type { Seconds } from '../quantities.js';
import { exposedOuter } from './low-communication.js';
import type { PreparedAxis, PreparedMapping } from './prepare-mapping.js';
import { stageParameters } from './stage-parameters.js';
import { stateBytes } from './state-bytes.js';
import type { AxisEstimate } from './types.js';
import { shardRanks, type CompleteJob, type CompleteParallelism } from './validate-job.js';

/** Prices calls on an axis and adds them to a step; `hidden` says how many of so many seconds compute covers. */
export type AddTraffic = (
  axis: AxisEstimate['axis'],
  prepared: PreparedAxis,
  operation: Parameters<PreparedAxis['cost']>[0],
  bytes: number,
  calls: number,
  hidden: (seconds: number) => number,
) => AxisEstimate;

/** What data-parallel traffic can hide behind. */
export interface DataWindow {
  /** Share of traffic that software hides at most. */
  readonly share: number;
  /** Seconds of all micro-batches, by the GPU alone, and with the host. */
  readonly steady: Seconds;
  readonly all: Seconds;
  /** Seconds of the last micro-batch. */
  readonly last: Seconds;
  /** Share of a micro-batch that is its forward pass. */
  readonly forward: number;
  /** Seconds of a step without traffic between replicas. */
  readonly step: Seconds;
}

/** A given overlap is shared by the reduction of gradients and the gathering of weights. */
const HALF = 0.5;

/** Adds the traffic of gradients and weights between replicas: every step, every micro-batch under ZeRO 3, or every H steps across sites. */
export function addDataTraffic(
  job: CompleteJob,
  parallelism: CompleteParallelism,
  mapping: PreparedMapping,
  add: AddTraffic,
  window: DataWindow,
): void {
  const { pipeline, data, context, expert, microBatch, zeroStage, outerEvery, outerFragments, outerDelay, outerBytes } = parallelism;
  const replicas = data * context;
  if (replicas === 1) return;
  // Of the fullest end of the pipeline.
  const first = stageParameters(job, parallelism, 0);
  const last = pipeline > 1 ? stageParameters(job, parallelism, pipeline - 1) : first;
  const ranks = shardRanks(parallelism);
  // Routed experts are reduced over the ranks that hold the same ones; on few of them that is next to nothing.
  const parameters =
    Math.max(first.dense, last.dense) + Math.max(first.routed, last.routed) * Math.min(1, replicas / expert / Math.max(1, replicas - 1));
  const { gradient } = stateBytes(job);
  const m = job.globalBatch / (data * microBatch);
  const backward = 1 - window.forward;
  // What hides behind so many seconds: a measured share of it, or what the job says of the whole step.
  const behind = (seconds: Seconds, givenShare: number) => (traffic: number) =>
    job.overlap === undefined ? Math.min(traffic * window.share, seconds) : Math.min(traffic, window.steady * job.overlap * givenShare);
  const none = (): number => 0;
  const isOuter = outerEvery > 1;
  if (zeroStage >= 3) {
    const group = isOuter ? mapping.dataInSite : mapping.shard;
    // Weights are gathered for forward and backward of every micro-batch, layer by layer behind the compute of the layer before.
    // A pipeline stage gathers once: it would have to for every micro-batch in flight.
    const layerBytes = Math.max(1, Math.min(parameters, first.largestLayer));
    const layerCalls = parameters / layerBytes;
    const [times, gathers, seconds] = pipeline > 1 ? [1, 1, window.last] : [m, 2, window.all];
    add('data', group, 'all-gather', 2 * layerBytes, gathers * times * layerCalls, behind((seconds * (1 + window.forward)) / 2, HALF));
    add('data', group, 'reduce-scatter', gradient * layerBytes, times * layerCalls, behind((seconds * backward) / 2, HALF));
    if (ranks < replicas && !isOuter)
      add('data', mapping.shardReplicas, 'all-reduce', (gradient * parameters) / ranks, 1, behind(window.last, HALF));
  } else if (isOuter) {
    if (mapping.dataInSite.groups > 0)
      add('data', mapping.dataInSite, 'all-reduce', gradient * parameters, 1, behind(window.last * backward, 1));
  } else if (zeroStage === 0) {
    add('data', mapping.data, 'all-reduce', gradient * parameters, 1, behind(window.last * backward, 1));
  } else {
    const bytes = gradient * parameters;
    if (zeroStage === 2) {
      // Sharded gradients are reduced after every micro-batch: nobody has room to add them up. Copies of the shards meet at the end.
      add('data', mapping.shard, 'reduce-scatter', bytes, m, behind(window.all * backward, HALF));
      if (ranks < replicas) add('data', mapping.shardReplicas, 'all-reduce', bytes / ranks, 1, behind(window.last * backward, HALF));
    } else add('data', mapping.data, ranks === replicas ? 'reduce-scatter' : 'all-reduce', bytes, 1, behind(window.last * backward, HALF));
    // Weights are gathered after the optimizer; vendor stacks hide that behind the first forward pass, frameworks do not.
    if (ranks > 1)
      add(
        'data',
        mapping.shard,
        'all-gather',
        2 * parameters,
        1,
        job.kernels === 'fused' ? behind(window.last * window.forward, HALF) : none,
      );
  }
  if (!isOuter) return;
  const outerWindow = outerDelay * window.step;
  add('outer', mapping.data, 'all-reduce', (outerBytes * parameters) / outerFragments, outerFragments / outerEvery, (seconds) => {
    const each = (seconds * outerEvery) / outerFragments;
    return seconds - (exposedOuter(each, outerWindow) * outerFragments) / outerEvery;
  });
}
