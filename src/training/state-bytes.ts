import type { Optimizer, Precision } from './types.js';
import type { CompleteJob } from './validate-job.js';

/** Bytes per parameter. */
export interface StateBytes {
  readonly weight: number;
  readonly gradient: number;
  /** Optimizer states, the fp32 master copy included. */
  readonly optimizer: number;
}

/** Weights, with the quantised copy that the matrix multiplies read (and its transpose) beside 16-bit ones. */
const WEIGHT_BYTES: Readonly<Record<Precision, number>> = { bf16: 2, fp16: 2, fp8: 3, fp4: 3, fp32: 4 };

/**
 * States beside the master copy, fp32 unless said: Adam two moments; 8-bit Adam two bytes and their scales; Adafactor rows and columns
 * of the second moment alone; Muon one momentum; SGD a momentum or nothing.
 */
const OPTIMIZER_BYTES: Readonly<Record<Optimizer, number>> = {
  adam: 8,
  'adam-8bit': 2.03,
  adafactor: 0.02,
  muon: 4,
  'sgd-momentum': 4,
  sgd: 0,
};

/**
 * Bytes per parameter of a job: 16 in all for 16-bit Adam (2 + 2 + 12), 18 with 32-bit gradients.
 *
 * @reference Rajbhandari et al., SC 2020 (ZeRO); Dettmers et al., arXiv 2110.02861 (8-bit); Shazeer & Stern, arXiv 1804.04235 (Adafactor)
 */
export function stateBytes({ precision, optimizer, gradientBytes, masterCopy }: CompleteJob): StateBytes {
  const master = precision === 'fp32' || !masterCopy ? 0 : 4;
  return { weight: WEIGHT_BYTES[precision], gradient: gradientBytes, optimizer: master + OPTIMIZER_BYTES[optimizer] };
}
