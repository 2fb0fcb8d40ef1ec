import { modelTime, type PreparedSubject } from './model.js';
import { PARAMETERS } from './parameters.js';

/** What is known of a system's own parameters: a covariance over some of them; the rest vary as their class does. */
export interface ParameterKnowledge {
  readonly values: Float64Array;
  /** Indices of the parameters that measurements could move, and their covariance after them, row-major. */
  readonly used: readonly number[];
  readonly covariance: Float64Array;
}

const STEP = 1e-3;

/**
 * Change of the log time per change of each parameter the subject uses, by finite differences.
 *
 * @param values are put back as they were
 */
export function parameterSlopes(
  subject: PreparedSubject,
  values: Float64Array,
  bytes: number,
  visit: (index: number, slope: number) => void,
): void {
  const at = Math.log(modelTime(subject, values, bytes).microseconds);
  for (const index of new Set(Object.values(subject.index))) {
    if (index < 0) continue;
    const before = values[index];
    values[index] = before + STEP;
    const slope = (Math.log(modelTime(subject, values, bytes).microseconds) - at) / STEP;
    values[index] = before;
    visit(index, slope);
  }
}

/** Log spread of a class value itself where the class was never seen. */
const UNSEEN_CLASS = 0.3;

/**
 * Standard deviation of the log of a predicted time that comes from not knowing the system's parameters.
 *
 * @complexity O(parameters) model evaluations
 */
export function parameterDeviation(subject: PreparedSubject, knowledge: ParameterKnowledge, bytes: number): number {
  const place = new Map(knowledge.used.map((index, i) => [index, i]));
  const slopes = new Float64Array(knowledge.used.length);
  let variance = 0;
  parameterSlopes(subject, knowledge.values, bytes, (index, slope) => {
    const i = place.get(index);
    if (i !== undefined) {
      slopes[i] = slope;
      return;
    }
    const { group, class: name } = PARAMETERS[index];
    const unseen = subject.unseen && (name === 'other' || group.classes.length > 1) ? UNSEEN_CLASS : 0;
    variance += slope ** 2 * (group.systemSpread ** 2 + unseen ** 2);
  });
  const n = slopes.length;
  for (let i = 0; i < n; i++) for (let j = 0; j < n; j++) variance += slopes[i] * knowledge.covariance[i * n + j] * slopes[j];
  return Math.sqrt(Math.max(0, variance));
}
