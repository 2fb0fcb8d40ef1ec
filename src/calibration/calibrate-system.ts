import { invalidArgument } from '../errors.js';
import type { Bytes, Seconds } from '../quantities.js';
import { FITTED } from '../prediction/fitted-values.js';
import { modelTime, prepareSubject, type ModelSubject, type PreparedSubject } from '../prediction/model.js';
import type { SystemCalibration } from '../prediction/predict-collective.js';
import { systemSpreads } from './fit-population.js';
import { fitSystem, type CurvePoint } from './fit-system.js';
import { fitResiduals, SMOOTHNESS } from './gaussian-process.js';
import { invertPositive } from './linear-algebra.js';

/** One measured call of a collective on a known machine. */
export interface CollectiveMeasurement {
  readonly subject: ModelSubject;
  readonly bytes: Bytes;
  readonly seconds: Seconds;
}

/** Standard deviation of the log error that a given point is trusted to. */
const POINT_DEVIATION = 0.1;
/** Given points count for at most this many, so that long curves do not drown the physics. */
const MOST_INDEPENDENT = 80;
/** A system that sent measurements may differ more from its class than the class's own spread says. */
const FREEDOM = 1.5;
/** Residuals are interpolated from at most this many points, the evenly thinned ones. */
const MOST_POINTS = 400;

/**
 * Sharpens the measured model to one system: its own parameters from a handful of rows, then what the physics leaves over, smooth in size,
 * nodes and operation. More rows never widen the intervals where they lie.
 *
 * @param center class values to start from. Default: the fitted ones
 * @throws FabricPlanError `invalid-argument` without rows, or with sizes or times that are not above 0
 * @complexity O(rows · parameters) for the fit, O(rows³) for the residuals (at most 400 points)
 * @example
 * const machine = { gpu: 'A100', gpusPerNode: 8, scaleUp: { kind: 'nvswitch', bandwidthPerGpu: 300e9, inSwitchReduction: false }, scaleOut: { transport: 'none' } };
 * const subject = { hardware: machine, operation: 'all-reduce', ranks: 8, nodes: 1 };
 * const calibration = calibrateSystem([{ subject, bytes: 1e6, seconds: 50e-6 }, { subject, bytes: 1e9, seconds: 8e-3 }]);
 * Math.round(predictCollective(subject, 1e9, calibration).seconds * 1e3) // 8
 */
export function calibrateSystem(
  rows: readonly CollectiveMeasurement[],
  center: Float64Array = Float64Array.from(FITTED.values),
): SystemCalibration {
  if (rows.length === 0) throw invalidArgument('calibrateSystem', 'rows', rows, 'at least one measurement');
  rows.forEach(({ bytes, seconds }, i) => {
    if (!(Number.isFinite(bytes) && bytes > 0)) throw invalidArgument('calibrateSystem', `rows[${i}].bytes`, bytes, 'a number above 0');
    if (!(Number.isFinite(seconds) && seconds > 0))
      throw invalidArgument('calibrateSystem', `rows[${i}].seconds`, seconds, 'a number above 0');
  });
  const prepared = new Map<ModelSubject, PreparedSubject>();
  const places = rows.map(({ subject, bytes, seconds }) => {
    let known = prepared.get(subject);
    if (known === undefined) prepared.set(subject, (known = prepareSubject(subject)));
    return { subject: known, bytes, logMicroseconds: Math.log(seconds * 1e6) };
  });
  return calibratePoints(places, center);
}

/** The same for points whose subjects are prepared. */
export function calibratePoints(
  places: readonly Omit<CurvePoint, 'weight'>[],
  center: Float64Array = Float64Array.from(FITTED.values),
): SystemCalibration {
  const spread = systemSpreads().map((one) => one * FREEDOM);
  const weight = Math.min(1, MOST_INDEPENDENT / places.length) / POINT_DEVIATION ** 2;
  const fit = fitSystem(
    places.map((place) => ({ ...place, weight })),
    center,
    spread,
    center,
    15,
  );
  const n = fit.used.length;
  const precision = fit.curvature.slice();
  for (let i = 0; i < n; i++) precision[i * n + i] += 1 / spread[fit.used[i]] ** 2;
  const every = Math.ceil(places.length / MOST_POINTS);
  const thinned = places.filter((_, i) => i % every === 0);
  // Parameters fitted to few points leave a little of each point's own scatter in the residual; the field takes it as noise.
  const field = fitResiduals(
    thinned,
    thinned.map(({ subject, bytes, logMicroseconds }) => logMicroseconds - Math.log(modelTime(subject, fit.values, bytes).microseconds)),
    places.length > MOST_INDEPENDENT ? { ...SMOOTHNESS, noise: 0.08 } : SMOOTHNESS,
  );
  return {
    reach: FITTED.reachCalibrated,
    knowledge: { values: fit.values, used: fit.used, covariance: invertPositive(precision, n) },
    residual: (subject, bytes) => field.at({ subject, bytes }),
  };
}
