import { groupRange, PARAMETER_GROUPS, PARAMETERS } from '../prediction/parameters.js';
import { fitSystem, type CurvePoint, type SystemFit } from './fit-system.js';
import { solvePositive } from './linear-algebra.js';

/** Class values of every parameter, learned from many systems. */
export interface PopulationFit {
  /** Natural logs, in the order of PARAMETERS. */
  readonly values: Float64Array;
  /** Each system's own values, by its name. */
  readonly systems: ReadonlyMap<string, SystemFit>;
}

/** Values before any data. */
export const priorValues = (): Float64Array => Float64Array.from(PARAMETERS.map(({ group }) => Math.log(group.prior)));
/** How far a system may differ from its class, natural log, parallel to PARAMETERS. */
export const systemSpreads = (): Float64Array => Float64Array.from(PARAMETERS.map(({ group }) => group.systemSpread));

/**
 * Learns class values from systems, each with its own deviation: a linear mixed model around the physics. A system with many rows fixes its
 * own values well and counts once for its class; classes are tied to the mean of their group and that to its prior.
 *
 * @complexity O(rounds · points · parameters)
 */
export function fitPopulation(
  systems: ReadonlyMap<string, readonly CurvePoint[]>,
  start: Float64Array = priorValues(),
  rounds = 8,
): PopulationFit {
  const spread = systemSpreads();
  let values: Float64Array = Float64Array.from(start);
  let fits = new Map<string, SystemFit>();
  let spreads = new Map<string, Float64Array>();
  for (let round = 0; round < rounds; round++) {
    const next = new Map<string, SystemFit>();
    for (const [name, points] of systems)
      next.set(name, fitSystem(points, values, spreads.get(name) ?? spread, fits.get(name)?.values ?? values, round === 0 ? 12 : 5));
    fits = next;
    spreads = new Map([...fits].map(([name, fit]) => [name, widened(fit, values, spread)]));
    const updated = updateClasses(fits, spreads);
    let moved = 0;
    for (let i = 0; i < values.length; i++) moved = Math.max(moved, Math.abs(updated[i] - values[i]));
    values = updated;
    if (moved < 0.005) break;
  }
  return { values, systems: fits };
}

/** Degrees of freedom of Student's t for deviations: an odd system (a slow launcher, an old driver) pulls its class less. */
const DEGREES = 1;

function widened({ used, values }: SystemFit, center: Float64Array, spread: Float64Array): Float64Array {
  const wide = Float64Array.from(spread);
  for (const i of used) {
    const scaled = (values[i] - center[i]) / spread[i];
    wide[i] = spread[i] * Math.sqrt((DEGREES + scaled ** 2) / (DEGREES + 1));
  }
  return wide;
}

/** Class values that explain the systems best, their own deviations integrated out. */
function updateClasses(fits: ReadonlyMap<string, SystemFit>, spreads: ReadonlyMap<string, Float64Array>): Float64Array {
  const n = PARAMETERS.length;
  const a = new Float64Array(n * n);
  const b = new Float64Array(n);
  for (const [name, { used, curvature, gradient, values }] of fits) {
    const spread = spreads.get(name) ?? systemSpreads();
    const m = used.length;
    // Observed û with H·û = H·u − g; marginal precision P = H − H(H + Σ⁻¹)⁻¹H.
    const held = curvature.slice();
    for (let i = 0; i < m; i++) held[i * m + i] += 1 / spread[used[i]] ** 2;
    const target = new Float64Array(m);
    for (let i = 0; i < m; i++) {
      target[i] = -gradient[i];
      for (let j = 0; j < m; j++) target[i] += curvature[i * m + j] * values[used[j]];
    }
    const shrink = solvePositive(held, curvature, m);
    const shrunk = solvePositive(held, target, m);
    for (let i = 0; i < m; i++) {
      let right = target[i];
      for (let k = 0; k < m; k++) right -= curvature[i * m + k] * shrunk[k];
      b[used[i]] += right;
      for (let j = 0; j < m; j++) {
        let precision = curvature[i * m + j];
        for (let k = 0; k < m; k++) precision -= curvature[i * m + k] * shrink[k * m + j];
        a[used[i] * n + used[j]] += precision;
      }
    }
  }
  for (const group of PARAMETER_GROUPS) {
    const [first, count] = groupRange(group.name);
    const prior = 1 / group.priorSpread ** 2;
    for (let i = first; i < first + count; i++) {
      b[i] += (prior * Math.log(group.prior)) / count;
      for (let j = first; j < first + count; j++) {
        a[i * n + j] += prior / count ** 2;
        if (count > 1) a[i * n + j] += ((i === j ? 1 : 0) - 1 / count) / group.classSpread ** 2;
      }
    }
  }
  return solvePositive(a, b, n);
}
