import type { CompleteParallelism } from '../training/validate-job.js';
import { compareScores, dominates, type Objective } from './objective.js';
import type { Candidate } from './price-candidate.js';

/** Adds a candidate to a sorted list of at most `limit`, unless it stands there already. */
export function keep(kept: Candidate[], candidate: Candidate, objective: Objective, limit: number): void {
  // Two orders of axes are one placement where an axis has a single rank.
  if (kept.some((other) => other.score.time === candidate.score.time && sameDegrees(other.parallelism, candidate.parallelism))) return;
  kept.push(candidate);
  kept.sort(byObjective(objective));
  if (kept.length > limit) kept.pop();
}

/** The front with a candidate on it, and what it beats off it; unchanged where it is beaten or equalled. */
export function addToFront(front: Candidate[], candidate: Candidate, objectives: readonly Objective[]): Candidate[] {
  const isBeaten = front.some(
    ({ score }) =>
      dominates(objectives, score, candidate.score) || objectives.every((objective) => score[objective] === candidate.score[objective]),
  );
  return isBeaten ? front : [...front.filter(({ score }) => !dominates(objectives, candidate.score, score)), candidate];
}

/** Orders candidates, best first. */
export const byObjective =
  (objective: Objective) =>
  (a: Candidate, b: Candidate): number =>
    compareScores(objective, a.score, b.score);

const sameDegrees = (a: CompleteParallelism, b: CompleteParallelism): boolean =>
  (Object.keys(a) as (keyof CompleteParallelism)[]).every((field) => String(a[field]) === String(b[field]));

/** Whether two candidates run the same degrees on the same GPUs in the same order. */
export const isSame = (a: Candidate, b: Candidate): boolean =>
  a === b ||
  (a.score.time === b.score.time &&
    a.selection.gpus.length === b.selection.gpus.length &&
    a.selection.gpus.every((gpu, i) => b.selection.gpus[i] === gpu) &&
    a.selection.order.join() === b.selection.order.join() &&
    sameDegrees(a.parallelism, b.parallelism));
