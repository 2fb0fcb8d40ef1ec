import { parameterSlopes } from '../prediction/interval.js';
import { modelTime, type PreparedSubject } from '../prediction/model.js';
import { PARAMETERS } from '../prediction/parameters.js';
import { solvePositive } from './linear-algebra.js';

/** One measured size of a curve; places (in, out) and repetitions taken together. */
export interface CurvePoint {
  readonly subject: PreparedSubject;
  readonly bytes: number;
  /** Natural log of the measured microseconds. */
  readonly logMicroseconds: number;
  /** Weight of the point: 1 / variance of its log error, shared out among the points of a curve. */
  readonly weight: number;
}

/** Parameters of one system after seeing points of it. */
export interface SystemFit {
  /** Natural logs, in the order of PARAMETERS; untouched parameters keep their class value. */
  readonly values: Float64Array;
  /** Indices of the parameters that the points could move. */
  readonly used: readonly number[];
  /** Data curvature and gradient at `values`, over `used`, row-major. */
  readonly curvature: Float64Array;
  readonly gradient: Float64Array;
}

/** Least log error that is told apart; below it all points are equally good. */
const LEAST_ERROR = 0.03;

/**
 * Most probable parameters of one system: least absolute log errors of the points, held to the class values by `spread` (natural log, one
 * per parameter). Gauss–Newton with reweighting.
 *
 * @complexity O(rounds · points · parameters)
 */
export function fitSystem(
  points: readonly CurvePoint[],
  center: Float64Array,
  spread: Float64Array,
  start = center,
  rounds = 12,
): SystemFit {
  const used = [...new Set(points.flatMap(({ subject }) => Object.values(subject.index)))].filter((i) => i >= 0).sort((a, b) => a - b);
  let values = Float64Array.from(start);
  let best = objective(points, values, center, spread, used);
  let damping = 1e-2;
  for (let round = 0; round < rounds; round++) {
    const { curvature, gradient } = linearise(points, values, used);
    const n = used.length;
    let improved = false;
    for (let attempt = 0; attempt < 6 && !improved; attempt++) {
      const a = curvature.slice();
      const b = new Float64Array(n);
      for (let i = 0; i < n; i++) {
        const hold = 1 / spread[used[i]] ** 2;
        b[i] = -gradient[i] - hold * (values[used[i]] - center[used[i]]);
        a[i * n + i] = (a[i * n + i] + hold) * (1 + damping);
      }
      const step = solvePositive(a, b, n);
      const candidate = Float64Array.from(values);
      used.forEach((index, i) => (candidate[index] += Math.max(-0.7, Math.min(0.7, step[i]))));
      const value = objective(points, candidate, center, spread, used);
      if (value < best) {
        const gain = best - value;
        improved = true;
        values = candidate;
        best = value;
        damping = Math.max(1e-4, damping / 3);
        if (gain < 1e-5 * best) round = rounds;
      } else damping *= 4;
    }
    if (!improved) break;
  }
  return { values, used, ...linearise(points, values, used) };
}

function objective(
  points: readonly CurvePoint[],
  values: Float64Array,
  center: Float64Array,
  spread: Float64Array,
  used: readonly number[],
): number {
  let sum = 0;
  for (const { subject, bytes, logMicroseconds, weight } of points)
    sum += weight * loss(Math.log(modelTime(subject, values, bytes).microseconds) - logMicroseconds);
  for (const i of used) sum += ((values[i] - center[i]) / spread[i]) ** 2 / 2;
  return sum;
}

/** Quadratic near zero, linear beyond: outliers count by their size, not its square. */
const KNEE = 0.15;
const loss = (error: number): number => (Math.abs(error) <= KNEE ? error ** 2 / 2 : KNEE * (Math.abs(error) - KNEE / 2));

/** Gauss–Newton curvature and gradient of the data term. */
function linearise(
  points: readonly CurvePoint[],
  values: Float64Array,
  used: readonly number[],
): { curvature: Float64Array; gradient: Float64Array } {
  const n = used.length;
  const place = new Int32Array(PARAMETERS.length).fill(-1);
  used.forEach((index, i) => (place[index] = i));
  const curvature = new Float64Array(n * n);
  const gradient = new Float64Array(n);
  const slope = new Float64Array(n);
  for (const { subject, bytes, logMicroseconds, weight } of points) {
    const at = Math.log(modelTime(subject, values, bytes).microseconds);
    const error = at - logMicroseconds;
    const scaled = weight * Math.min(1, KNEE / Math.max(Math.abs(error), LEAST_ERROR));
    const own: number[] = [];
    parameterSlopes(subject, values, bytes, (index, change) => {
      slope[place[index]] = change;
      if (Math.abs(change) > 1e-9) own.push(place[index]);
    });
    for (const i of own) {
      gradient[i] += scaled * slope[i] * error;
      for (const j of own) curvature[i * n + j] += scaled * slope[i] * slope[j];
    }
  }
  return { curvature, gradient };
}
