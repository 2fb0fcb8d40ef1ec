import { invertPositive } from './linear-algebra.js';
import type { PreparedSubject } from '../prediction/model.js';

/** Where a residual was seen: one size of one curve. */
export interface CurvePlace {
  readonly subject: PreparedSubject;
  readonly bytes: number;
}

/** How residuals of one system hang together, natural logs. */
export interface Smoothness {
  /** Standard deviation of what the physics leaves over. */
  readonly amplitude: number;
  /** Octaves of size over which it stays alike. */
  readonly octaves: number;
  /** Doublings of the nodes over which it stays alike. */
  readonly doublings: number;
  /** Share that two operations have in common. */
  readonly operations: number;
  /** Standard deviation of a measurement around its own mean. */
  readonly noise: number;
}

/** Found on the residuals of the calibration data. */
export const SMOOTHNESS: Smoothness = { amplitude: 0.16, octaves: 3, doublings: 3, operations: 0.5, noise: 0.03 };

/** Smooth residuals of one system: kriging over size, nodes and operation. */
export interface ResidualField {
  /** Mean and standard deviation of the residual at a place. */
  at(place: CurvePlace): { readonly mean: number; readonly deviation: number };
}

/**
 * Interpolates residuals. Without points it is 0 ± amplitude.
 *
 * @complexity O(points³) once, O(points²) a place
 */
export function fitResiduals(places: readonly CurvePlace[], residuals: readonly number[], smooth: Smoothness = SMOOTHNESS): ResidualField {
  const n = places.length;
  const a = new Float64Array(n * n);
  for (let i = 0; i < n; i++)
    for (let j = 0; j <= i; j++) {
      const value = likeness(places[i], places[j], smooth) + (i === j ? smooth.noise ** 2 : 0);
      a[i * n + j] = a[j * n + i] = value;
    }
  const inverse = n === 0 ? a : invertPositive(a, n);
  const weights = new Float64Array(n);
  for (let i = 0; i < n; i++) for (let j = 0; j < n; j++) weights[i] += inverse[i * n + j] * residuals[j];
  return {
    at(place) {
      if (n === 0) return { mean: 0, deviation: smooth.amplitude };
      const near = Float64Array.from(places, (one) => likeness(place, one, smooth));
      let mean = 0;
      let known = 0;
      for (let i = 0; i < n; i++) {
        mean += near[i] * weights[i];
        for (let j = 0; j < n; j++) known += near[i] * inverse[i * n + j] * near[j];
      }
      return { mean, deviation: Math.sqrt(Math.max(0, smooth.amplitude ** 2 - known)) };
    },
  };
}

/** Covariance of the residuals at two places. */
export function likeness(a: CurvePlace, b: CurvePlace, smooth: Smoothness): number {
  const octaves = Math.abs(Math.log2(Math.max(1, a.bytes) / Math.max(1, b.bytes)));
  const doublings = Math.abs(Math.log2(a.subject.nodes / b.subject.nodes)) + Math.abs(Math.log2(a.subject.g / b.subject.g));
  const operation = a.subject.operation === b.subject.operation ? 1 : smooth.operations;
  return smooth.amplitude ** 2 * operation * Math.exp(-octaves / smooth.octaves - doublings / smooth.doublings);
}
