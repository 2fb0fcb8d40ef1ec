import { invalidArgument } from '../errors.js';
import type { Seconds } from '../quantities.js';
import type { StepBreakdown } from '../training/types.js';

/** What a search minimises. All are per step, and so order the same as for any number of steps. */
export const OBJECTIVES = ['time', 'cost', 'energy', 'gpus'] as const;
/** Step time; GPU-hours (euros with a price); joules; or GPUs, the fastest among the fewest. */
export type Objective = (typeof OBJECTIVES)[number];

/** Limits on a whole run of so many tokens. */
export interface RunLimits {
  readonly seconds?: Seconds;
  readonly euros?: number;
  readonly joules?: number;
}

/** A candidate in numbers. */
export interface Score {
  readonly time: Seconds;
  /** Euros a step, or GPU-seconds a step where no price is known. */
  readonly cost: number;
  /** Joules a step; 0 where the GPUs state no power. */
  readonly energy: number;
  readonly gpus: number;
}

/** What scores depend on beside the step. */
export interface ScoreContext {
  readonly gpus: number;
  readonly eurosPerGpuHour: number | undefined;
  /** Watts of all GPUs while they work, nodes and facility included; share of it while they wait. */
  readonly watts: number;
  readonly waitingShare: number;
}

/** Scores a step. Every part grows with every part of the step, so the score of a bound is a bound of the score. */
export function scoreStep(seconds: Seconds, { compute, optimizer }: StepBreakdown, context: ScoreContext): Score {
  const busy = compute + optimizer;
  return {
    time: seconds,
    cost: context.gpus * seconds * (context.eurosPerGpuHour === undefined ? 1 : context.eurosPerGpuHour / 3600),
    energy: context.watts * (context.waitingShare * seconds + (1 - context.waitingShare) * busy),
    gpus: context.gpus,
  };
}

/** Orders scores by an objective; among equals the faster one is better. */
export const compareScores = (objective: Objective, a: Score, b: Score): number => a[objective] - b[objective] || a.time - b.time;

/** Whether a is at least as good as b in all of some objectives and better in one. */
export function dominates(objectives: readonly Objective[], a: Score, b: Score): boolean {
  let better = false;
  for (const objective of objectives) {
    if (a[objective] > b[objective]) return false;
    if (a[objective] < b[objective]) better = true;
  }
  return better;
}

/** Why a run exceeds its limits; undefined when it does not. `steps` may be a fraction. */
export function exceeds(score: Score, steps: number, limits: RunLimits, hasPrice: boolean): string | undefined {
  if (limits.seconds !== undefined && score.time * steps > limits.seconds) return 'misses the deadline';
  if (limits.euros !== undefined && hasPrice && score.cost * steps > limits.euros) return 'exceeds the budget';
  if (limits.joules !== undefined && score.energy * steps > limits.joules) return 'exceeds the energy limit';
  return undefined;
}

/** Checks limits against what is known of a run. */
export function checkLimits(where: string, limits: RunLimits, tokens: number | undefined, hasPrice: boolean): void {
  for (const [name, value] of Object.entries(limits) as [string, unknown][])
    if (!(typeof value === 'number' && value > 0)) throw invalidArgument(where, `limits.${name}`, value, 'a number above 0');
  if (Object.keys(limits).length > 0 && tokens === undefined)
    throw invalidArgument(where, 'tokens', tokens, 'the tokens of the run, to hold it against its limits');
  if (limits.euros !== undefined && !hasPrice)
    throw invalidArgument(where, 'eurosPerGpuHour', undefined, 'a price in the job, to hold the run against a budget');
}
