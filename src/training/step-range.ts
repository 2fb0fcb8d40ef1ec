import type { Seconds } from '../quantities.js';
import type { GpuFloor } from './compute-model.js';
import type { StepBreakdown } from './types.js';
import type { CompleteJob } from './validate-job.js';

/**
 * 90 % spread (log) of measured over estimated step times, for software and systems that the fit had not seen: by part of the step, and
 * what comes on top where a run lies outside what the constants were fitted to (dense models in 16 bit on V100, A100 and H100).
 *
 * @source docs/validation.md
 */
export const STEP_SPREAD = {
  compute: 0.155,
  communication: 0.6,
  host: 0.9,
  /** 8- and 4-bit arithmetic: how much of a step is quantised differs between recipes. */
  quantised: 0.15,
  /** Mixtures of experts: routing, dispatch and grouped multiplies differ between libraries. */
  experts: 0.3,
  /** GPUs whose 16-bit peak lies outside 100–1,000 TFLOP/s. */
  otherGpu: 0.15,
} as const;
const FITTED_PEAK = { least: 1e14, most: 1e15 } as const;

/** 90 % range of a step: compute is known better than communication, communication better than the host. */
export function stepRange(
  job: CompleteJob,
  floor: GpuFloor,
  seconds: Seconds,
  { compute, bubble, exposedCommunication, optimizer, overhead }: StepBreakdown,
): { low: Seconds; high: Seconds } {
  const isQuantised = job.precision === 'fp8' || job.precision === 'fp4';
  const isOther = floor.peak16 < FITTED_PEAK.least || floor.peak16 > FITTED_PEAK.most;
  const spread = Math.hypot(
    (STEP_SPREAD.compute * (compute + bubble + optimizer)) / seconds,
    (STEP_SPREAD.communication * exposedCommunication) / seconds,
    (STEP_SPREAD.host * overhead) / seconds,
    isQuantised ? STEP_SPREAD.quantised : 0,
    job.model.experts === undefined ? 0 : STEP_SPREAD.experts,
    isOther ? STEP_SPREAD.otherGpu : 0,
  );
  return { low: seconds * Math.exp(-spread), high: seconds * Math.exp(spread) };
}
