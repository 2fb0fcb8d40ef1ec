import type { FlopsPerSecond, Seconds } from '../quantities.js';
import { FITTED } from './fitted-values.js';

/** Constants of the compute model; see {@link COMPUTE_MODEL}. */
export interface ComputeModel {
  /** Share of the best measured matrix-multiply rate that is held over whole steps: clocks under the power limit. */
  readonly sustained: number;
  /** Size at which a dimension of a matrix multiply costs as much again: partial tiles and waves, filling of the pipeline (elements). */
  readonly tileFill: number;
  /** Fixed time of a kernel on the GPU: launch latency and tail (s). */
  readonly kernelTail: Seconds;
  /** Rate of attention kernels that overlap exponentials with their multiplies, over that of large matrix multiplies. */
  readonly overlappedAttention: number;
  /** The same of the multiplies alone in the first fused kernels, which take turns. */
  readonly attentionEfficiency: number;
  /** Time per attention score that these spend outside them: exponentials, rescaling (s). It shrank little from Ampere to Hopper. */
  readonly softmaxTime: Seconds;
  /** Bytes read and written per attention score by unfused attention, forward: scores, mask and softmax, dropout. */
  readonly scoreBytes: number;
  /** Traffic of memory-bound operations over what a count of reads and writes gives; see elementwiseTraffic. */
  readonly elementwiseTraffic: number;
  /** Bytes read and written per logit by head, loss and their gradients. */
  readonly lossBytes: number;
  /** Share of the HBM rate that memory-bound kernels reach. */
  readonly memoryEfficiency: number;
  /** Time in which the host launches the kernels of one layer, one pass (s): no GPU runs ahead of its host. */
  readonly hostPerLayer: Seconds;
  /** Time per step outside the layers: data loading, gradient norm, host work, synchronisation (s). */
  readonly hostPerStep: Seconds;
  /** Time of a collective in training over its time alone at the evaluator's rates. */
  readonly trafficScale: number;
  /** Share of data-parallel traffic that software can hide where there is compute to hide it behind. */
  readonly dataOverlap: number;
  /** Compute lost per second of traffic beside it: streaming multiprocessors and memory bandwidth taken. */
  readonly overlapCost: number;
  /** Standard deviation of the time of one GPU from step to step, share: the slowest of n sets the pace. */
  readonly jitter: number;
}

/**
 * What a GPU does in a step, fitted to published runs from priors that are published too. Each is one number for all machines.
 *
 * @source docs/validation.md (rows, left-out errors); priors: Calculon's size steps, FlashAttention-2 and -3 papers, Megatron-LM threads
 */
export const COMPUTE_MODEL: ComputeModel = FITTED;

/** Rates of the weakest GPU of a set: a synchronous step waits for it. */
export interface GpuFloor {
  /** Peak in the precision of the job, and in 16 bit for what is not quantised. */
  readonly peak: FlopsPerSecond;
  readonly peak16: FlopsPerSecond;
  /** Best measured matrix multiply over peak. */
  readonly efficiency: number;
  readonly memory: number;
  readonly memoryBandwidth: number;
}
