import type { Bytes, Seconds } from '../quantities.js';
import { FITTED } from '../prediction/fitted-values.js';
import { PREDICTED_OPERATIONS, type ModelSubject } from '../prediction/model.js';
import { isStallSize, preparePrediction, type CollectivePrediction, type SystemCalibration } from '../prediction/predict-collective.js';
import { calibrateSystem } from './calibrate-system.js';
import { suggestMeasurements } from './suggest-measurements.js';

/** One measured row with the machine it belongs to. Rows of one size of a curve may differ in place. */
export interface ValidationRow {
  readonly system: string;
  readonly set: string;
  readonly subject: ModelSubject;
  readonly bytes: Bytes;
  readonly seconds: Seconds;
}

/** The same row held against the model. */
export interface ValidatedRow {
  readonly row: ValidationRow;
  readonly prediction: CollectivePrediction;
  /** Used for calibration, so not part of the errors. */
  readonly given: boolean;
}

/** Error of a slice of rows. */
export interface ErrorSummary {
  readonly name: string;
  readonly rows: number;
  /** exp(mean |ln(predicted / measured)|): sets averaged within a system, systems with each other. */
  readonly error: number;
  /** exp(mean ln(predicted / measured)) over rows: above 1 the model is slower than the machine. */
  readonly bias: number;
  /** Share of the measurements within low and high. */
  readonly coverage: number;
}

export const SIZE_BANDS = [
  { name: 'below 64 KiB', least: 0 },
  { name: '64 KiB to 4 MiB', least: 64 * 1024 },
  { name: '4 MiB to 64 MiB', least: 4 * 2 ** 20 },
  { name: '64 MiB and above', least: 64 * 2 ** 20 },
] as const;

/** Band of a size, by name. */
export const bandOf = (bytes: Bytes): string => SIZE_BANDS.findLast(({ least }) => bytes >= least)?.name ?? SIZE_BANDS[0].name;

/**
 * Predicts every row, from the hardware alone or after calibrating each system with some sizes of each curve, which the library chooses.
 *
 * @param sizesGiven sizes of each curve that are given for calibration; 0 for none
 * @param center class values instead of the fitted ones, for cross-validation
 */
export function validateMeasurements(rows: readonly ValidationRow[], sizesGiven = 0, center?: Float64Array): ValidatedRow[] {
  const given = new Set<ValidationRow>();
  const calibrations = new Map<string, SystemCalibration>();
  for (const [system, own] of groupBy(rows, (row) => row.system)) {
    const chosen: ValidationRow[] = [];
    if (sizesGiven > 0) {
      for (const curve of groupBy(own, curveKey).values()) {
        const sizes = new Set(
          suggestMeasurements(
            curve[0].subject,
            sizesGiven,
            curve.map(({ bytes }) => bytes),
          ),
        );
        for (const row of curve) if (sizes.has(row.bytes)) chosen.push(row);
      }
    }
    for (const row of chosen) given.add(row);
    if (chosen.length > 0) calibrations.set(system, calibrateSystem(averaged(chosen), center));
    else if (center !== undefined) calibrations.set(system, classOnly(center));
  }
  const prepared = new Map<string, ReturnType<typeof preparePrediction>>();
  return rows.map((row) => {
    const key = `${row.system}\n${curveKey(row)}`;
    let predictor = prepared.get(key);
    if (predictor === undefined) prepared.set(key, (predictor = preparePrediction(row.subject, calibrations.get(row.system))));
    return { row, prediction: predictor.at(row.bytes), given: given.has(row) };
  });
}

/** Class values in place of the fitted ones, with nothing known of the system. */
const classOnly = (center: Float64Array): SystemCalibration => ({
  knowledge: { values: center, used: [], covariance: new Float64Array(0) },
  reach: FITTED.reach,
  residual: () => ({ mean: 0, deviation: FITTED.shape }),
});

const curveKey = ({ set, subject }: ValidationRow): string => `${set}\n${subject.operation}\n${subject.ranks}\n${subject.nodes}`;

/** One row per size of a curve: the geometric mean of its places and repetitions. */
export function averaged(rows: readonly ValidationRow[]): ValidationRow[] {
  return [...groupBy(rows, (row) => `${row.system}\n${curveKey(row)}\n${row.bytes}`).values()].map((same) => ({
    ...same[0],
    seconds: Math.exp(same.reduce((sum, { seconds }) => sum + Math.log(seconds), 0) / same.length),
  }));
}

/** Errors over everything and by operation, size band and system; rows that were given are left out. */
export function summarise(validated: readonly ValidatedRow[]): {
  readonly overall: ErrorSummary;
  readonly byCollective: readonly ErrorSummary[];
  readonly bySize: readonly ErrorSummary[];
  readonly bySystem: readonly ErrorSummary[];
  /** Sizes at which network plug-ins stall (Slingshot, 64 KiB to 4 MiB), left out of everything above. */
  readonly apart: ErrorSummary;
} {
  const all = validated.filter(({ given }) => !given);
  const judged = all.filter((one) => !isStalled(one.row));
  const slices = (key: (one: ValidatedRow) => string, order?: readonly string[]): ErrorSummary[] => {
    const groups = groupBy(judged, key);
    return (order ?? [...groups.keys()].sort()).filter((name) => groups.has(name)).map((name) => summary(name, groups.get(name) ?? []));
  };
  return {
    overall: summary('all', judged),
    byCollective: slices(({ row }) => row.subject.operation, PREDICTED_OPERATIONS),
    bySize: slices(
      ({ row }) => bandOf(row.bytes),
      SIZE_BANDS.map(({ name }) => name),
    ),
    bySystem: slices(({ row }) => row.system),
    apart: summary(
      'Slingshot, 64 KiB to 4 MiB',
      all.filter(({ row }) => isStalled(row)),
    ),
  };
}

/** Whether a row falls where Slingshot plug-ins stall; no model of links can tell. */
export const isStalled = ({ subject, bytes }: ValidationRow): boolean =>
  subject.nodes > 1 && subject.hardware.scaleOut.transport === 'slingshot' && isStallSize(bytes);

const logError = ({ row, prediction }: ValidatedRow): number => Math.log(prediction.seconds / row.seconds);
const mean = (values: readonly number[]): number => (values.length === 0 ? 0 : values.reduce((a, b) => a + b, 0) / values.length);

function summary(name: string, rows: readonly ValidatedRow[]): ErrorSummary {
  const systems = [...groupBy(rows, ({ row }) => row.system).values()].map((own) =>
    mean([...groupBy(own, ({ row }) => row.set).values()].map((set) => mean(set.map((one) => Math.abs(logError(one)))))),
  );
  return {
    name,
    rows: rows.length,
    error: Math.exp(mean(systems)),
    bias: Math.exp(mean(rows.map(logError))),
    coverage: mean(rows.map(({ row, prediction }) => (row.seconds >= prediction.low && row.seconds <= prediction.high ? 1 : 0))),
  };
}

export function groupBy<T>(items: readonly T[], key: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const name = key(item);
    const list = groups.get(name);
    if (list === undefined) groups.set(name, [item]);
    else list.push(item);
  }
  return groups;
}
