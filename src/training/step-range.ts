import type { Seconds } from '../quantities.js';
import type { StepBreakdown } from './types.js';
import type { CompleteJob, CompleteParallelism } from './validate-job.js';

/**
 * Spread of measured over estimated step times of software and systems that the fit had not seen, as 90 % ranges of its parts (log).
 *
 * @source docs/validation.md
 */
export const STEP_SPREAD = { compute: 0.15, communication: 0.6, host: 0.9 } as const;

/** 90 % range of a step: compute is known better than communication, communication better than the host. */
export function stepRange(
  _job: CompleteJob,
  _parallelism: CompleteParallelism,
  seconds: Seconds,
  { compute, bubble, exposedCommunication, optimizer, overhead }: StepBreakdown,
): { low: Seconds; high: Seconds } {
  const spread = Math.hypot(
    (STEP_SPREAD.compute * (compute + bubble + optimizer)) / seconds,
    (STEP_SPREAD.communication * exposedCommunication) / seconds,
    (STEP_SPREAD.host * overhead) / seconds,
  );
  return { low: seconds * Math.exp(-spread), high: seconds * Math.exp(spread) };
}
