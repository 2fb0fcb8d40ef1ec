import { inv, matrix, multiply, transpose } from 'mathjs';
import { FabricPlanError, showValue, type Issue } from '../errors.js';
import type { Bytes, BytesPerSecond, Seconds } from '../quantities.js';

/** One measured collective call. */
export interface MeasuredTime {
  readonly bytes: Bytes;
  readonly seconds: Seconds;
}

/** α and β of one curve with their uncertainty. */
export interface CollectiveFit {
  /** Fixed cost of a call. */
  readonly latency: Seconds;
  readonly latencyError: Seconds;
  /** Algorithm bandwidth of large messages, bytes per second. */
  readonly bandwidth: BytesPerSecond;
  /** Relative standard error of the bandwidth. */
  readonly bandwidthError: number;
  /** exp(mean |ln(predicted / measured)|): 1.1 means 10 % off on average. */
  readonly error: number;
  predict(bytes: Bytes): Seconds;
}

/**
 * Fits t = α + bytes·β to measured times by least squares of the relative error, so that small and large messages count alike.
 *
 * Two constants leave a factor of 1.1–1.4 between protocols on real curves; `error` says how much. Uses mathjs matrices.
 *
 * @throws FabricPlanError `invalid-argument` for fewer than two sizes, or values that are not above 0
 * @complexity O(rows)
 * @example
 * const fit = fitLatencyBandwidth([{ bytes: 1e6, seconds: 30e-6 }, { bytes: 2e6, seconds: 40e-6 }, { bytes: 4e6, seconds: 60e-6 }]);
 * Math.round(fit.bandwidth / 1e9) // 100
 */
export function fitLatencyBandwidth(rows: readonly MeasuredTime[]): CollectiveFit {
  const issues: Issue[] = rows.flatMap(({ bytes, seconds }, i) =>
    Number.isFinite(bytes) && bytes >= 0 && Number.isFinite(seconds) && seconds > 0
      ? []
      : [
          {
            path: `rows[${i}]`,
            message: `fitLatencyBandwidth: rows[${i}] has bytes ${showValue(bytes)} and seconds ${showValue(seconds)}; expected bytes of 0 or more and seconds above 0`,
          },
        ],
  );
  if (new Set(rows.map(({ bytes }) => bytes)).size < 2)
    issues.push({ path: 'rows', message: `fitLatencyBandwidth: ${rows.length} rows; expected at least two sizes` });
  if (issues.length > 0) throw new FabricPlanError('invalid-argument', issues.map(({ message }) => message).join('\n'), issues);
  // Rows of (1, bytes) / seconds against 1; bytes in units of the mean, so that the normal equations stay well conditioned.
  const scale = rows.reduce((sum, { bytes }) => sum + bytes, 0) / rows.length;
  let used: 'both' | 'latency' | 'bandwidth' = 'both';
  let solved = solve(rows, scale, used);
  // Neither constant can be negative: leave out the one that would be.
  if (solved.values[0] < 0) solved = solve(rows, scale, (used = 'bandwidth'));
  else if (solved.values[1] <= 0) solved = solve(rows, scale, (used = 'latency'));
  const [latency, slope] = used === 'both' ? solved.values : used === 'bandwidth' ? [0, solved.values[0]] : [solved.values[0], 0];
  const [latencyError, slopeError] = used === 'both' ? solved.errors : used === 'bandwidth' ? [0, solved.errors[0]] : [solved.errors[0], 0];
  const predict = (bytes: Bytes): Seconds => latency + (bytes / scale) * slope;
  const error = Math.exp(rows.reduce((sum, { bytes, seconds }) => sum + Math.abs(Math.log(predict(bytes) / seconds)), 0) / rows.length);
  return {
    latency,
    latencyError,
    bandwidth: slope > 0 ? scale / slope : Infinity,
    bandwidthError: slope > 0 ? slopeError / slope : 0,
    error,
    predict,
  };
}

function solve(
  rows: readonly MeasuredTime[],
  scale: number,
  used: 'both' | 'latency' | 'bandwidth',
): { values: number[]; errors: number[] } {
  const columns = ({ bytes, seconds }: MeasuredTime): number[] => [
    ...(used === 'bandwidth' ? [] : [1 / seconds]),
    ...(used === 'latency' ? [] : [bytes / scale / seconds]),
  ];
  const a = matrix(rows.map(columns));
  const normal = multiply(transpose(a), a);
  const inverse = inv(normal);
  const values = (
    multiply(
      inverse,
      multiply(
        transpose(a),
        rows.map(() => 1),
      ),
    ).toArray() as number[]
  ).map(Number);
  const residual = rows.reduce((sum, row) => sum + (columns(row).reduce((fit, x, i) => fit + x * values[i], 0) - 1) ** 2, 0);
  const variance = residual / Math.max(1, rows.length - values.length);
  const diagonal = inverse.toArray() as number[][];
  return { values, errors: values.map((_, i) => Math.sqrt(Math.max(0, variance * diagonal[i][i]))) };
}
