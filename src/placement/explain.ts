import { formatCount, formatSeconds, formatShare } from '../quantities.js';
import type { Objective, Score } from './objective.js';
import type { Placement, PlacementProof, PlacementResult } from './types.js';

/** A placement and its score. */
export interface Scored {
  readonly placement: Placement;
  readonly score: Score;
}

const PARTS = [
  ['compute', 'compute'],
  ['bubble', 'the pipeline bubble'],
  ['exposedCommunication', 'exposed communication'],
  ['optimizer', 'the optimizer'],
  ['overhead', 'host and stragglers'],
] as const;

const WORSE: Readonly<Record<Objective, string>> = { time: 'slower', cost: 'dearer', energy: 'more energy', gpus: 'more GPUs' };

/** What a placement loses to the best by, in words. */
export function lostBy(objective: Objective, best: Scored, other: Scored): string {
  const extra = best.score[objective] > 0 ? other.score[objective] / best.score[objective] - 1 : 0;
  const part = PARTS.reduce((a, b) => (excess(best, other, b[0]) > excess(best, other, a[0]) ? b : a));
  const most =
    excess(best, other, part[0]) > 0 ? `, most of it in ${part[1]} (+${formatSeconds(excess(best, other, part[0]))} a step)` : '';
  return `${formatShare(extra, 2)} ${WORSE[objective]}${most}`;
}

const excess = (best: Scored, other: Scored, part: (typeof PARTS)[number][0]): number =>
  other.placement.step.breakdown[part] - best.placement.step.breakdown[part];

/** One sentence or two: what is best, what limits it, what the runner-up loses by, how far that is proven. */
export function explainPlacements(
  objective: Objective,
  scored: readonly Scored[],
  rejections: PlacementResult['rejections'],
  proof: PlacementProof,
): string {
  if (scored.length === 0)
    return `Nothing is feasible; most often: ${rejections
      .slice(0, 3)
      .map(({ reason, count }) => `${reason} (${count} times)`)
      .join('; ')}.`;
  const [{ placement: first }, second] = scored as readonly [Scored, Scored | undefined];
  const head = `${first.strategy} takes ${formatSeconds(first.step.seconds)} a step, limited by ${first.step.bottleneck}.`;
  const runnerUp =
    second === undefined
      ? 'There is no runner-up.'
      : `The runner-up (${second.placement.strategy}) is ${lostBy(objective, scored[0], second)}.`;
  return `${head} ${runnerUp} ${proof.statement}`;
}

/** What is proven, as a sentence. */
export function proofStatement(proof: Omit<PlacementProof, 'statement'>, examined: number): string {
  if (!Number.isFinite(proof.bound)) return 'No degrees are feasible.';
  if (proof.optimal) return `Proven optimal over ${formatCount(examined)} candidates and every mapping.`;
  return `No mapping can be more than ${formatShare(proof.gap / (1 + proof.gap), 2)} better${proof.rankingExact ? '' : '; not every selection was searched to the end'}.`;
}
