import type { Seconds } from '../quantities.js';
import type { CompleteParallelism } from './validate-job.js';

/** Time of the stages of a pipeline for one micro-batch, in all and in the parts a schedule tells apart. */
export interface StageTimes {
  /** Forward and backward of the slowest stage, and of all stages together. */
  readonly slowest: Seconds;
  readonly sum: Seconds;
  /** Weight gradients of the slowest stage: what zero-bubble schedules move into the bubble. */
  readonly weightGradient: Seconds;
}

/**
 * Seconds in which the slowest stage waits for others, in one step.
 *
 * ```text
 * 1f1b, gpipe   Σ t_i − max t_i           (p − 1)·t for equal stages
 * interleaved   1/v of it
 * zero-bubble   (1 − t_w/t) − t_w/t of it: input gradients go first, weight gradients fill the gap; not below zero
 * ```
 *
 * @reference Narayanan et al., SC 2021 (interleaving); Qi et al., arXiv 2401.10241 (ZB-H1)
 */
export function bubbleTime({ slowest, sum, weightGradient }: StageTimes, { interleave, schedule }: CompleteParallelism): Seconds {
  const waiting = Math.max(0, sum - slowest);
  if (schedule !== 'zero-bubble') return waiting / interleave;
  // t_f + t_b − t_w instead of t_f + t_b + t_w.
  return slowest === 0 ? 0 : waiting * Math.max(0, 1 - (2 * weightGradient) / slowest);
}
