import { prepareSubject } from '../prediction/model.js';
import { fitPopulation, priorValues } from './fit-population.js';
import type { CurvePoint } from './fit-system.js';
import { averaged, groupBy, validateMeasurements, type ValidatedRow, type ValidationRow } from './validate-measurements.js';

/** Neighbouring sizes of a curve err alike: a curve counts for at most this many independent points, a system for the second number. */
const INDEPENDENT = { curve: 8, system: 40 };
/** Standard deviation of the log error of an independent point. */
const POINT_DEVIATION = 0.12;

/**
 * Points of every system for a fit: places and repetitions averaged, weights shared out so that long curves and many curves do not drown
 * others.
 *
 * @param trust weight of a row's set between 0 and 1. Default 1
 */
export function curvePoints(rows: readonly ValidationRow[], trust: (row: ValidationRow) => number = () => 1): Map<string, CurvePoint[]> {
  const systems = new Map<string, CurvePoint[]>();
  for (const [system, own] of groupBy(averaged(rows), (row) => row.system)) {
    const curves = [...groupBy(own, (row) => `${row.set}\n${row.subject.operation}`).values()];
    const total = curves.reduce((sum, curve) => sum + trust(curve[0]) * Math.min(curve.length, INDEPENDENT.curve), 0);
    const share = Math.min(1, INDEPENDENT.system / total);
    systems.set(
      system,
      curves.flatMap((curve) => {
        const subject = prepareSubject(curve[0].subject);
        const weight = (share * trust(curve[0]) * Math.min(1, INDEPENDENT.curve / curve.length)) / POINT_DEVIATION ** 2;
        return curve.map(({ bytes, seconds }) => ({ subject, bytes, logMicroseconds: Math.log(seconds * 1e6), weight }));
      }),
    );
  }
  return systems;
}

/**
 * Predicts every system with class values learned from the others alone.
 *
 * @param fitted rows to learn from; rows of the system judged are left out
 * @param judged rows to predict
 * @param sizesGiven sizes of each judged curve that are given for calibration
 * @param start class values to start the fits from; speeds them up, does not change where they end. Default: the priors
 */
export function crossValidate(
  fitted: ReadonlyMap<string, readonly CurvePoint[]>,
  judged: readonly ValidationRow[],
  sizesGiven = 0,
  start: Float64Array = priorValues(),
): ValidatedRow[] {
  return [...groupBy(judged, (row) => row.system)].flatMap(([system, own]) => {
    const others = new Map(fitted);
    others.delete(system);
    return validateMeasurements(own, sizesGiven, fitPopulation(others, start, 4).values);
  });
}
