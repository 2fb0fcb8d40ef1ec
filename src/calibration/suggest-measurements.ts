import { invalidArgument } from '../errors.js';
import type { Bytes } from '../quantities.js';
import { fittedKnowledge } from '../prediction/predict-collective.js';
import { parameterSlopes } from '../prediction/interval.js';
import { prepareSubject, type ModelSubject } from '../prediction/model.js';
import { systemSpreads } from './fit-population.js';
import { likeness, SMOOTHNESS } from './gaussian-process.js';
import { invertPositive } from './linear-algebra.js';

/** Most candidate sizes that are looked at. */
const MOST_CANDIDATES = 200;

/**
 * Sizes worth measuring on a curve: those that leave the least uncertainty over all candidates. Greedy: each next size is the one that
 * lowers the summed predictive variance most, from what the parameters of the model and smooth residuals share between sizes.
 *
 * @param candidates sizes that could be measured, bytes. Default: powers of two from 8 B to 8 GiB
 * @throws FabricPlanError `invalid-argument` for a count below 1
 * @complexity O(count · candidates²)
 * @example
 * const machine = { gpu: 'H100', gpusPerNode: 8, scaleUp: { kind: 'nvswitch', bandwidthPerGpu: 450e9, inSwitchReduction: true }, scaleOut: { transport: 'none' } };
 * suggestMeasurements({ hardware: machine, operation: 'all-reduce', ranks: 8, nodes: 1 }, 6).length // 6
 */
export function suggestMeasurements(
  subject: ModelSubject,
  count: number,
  candidates: readonly Bytes[] = Array.from({ length: 31 }, (_, k) => 8 * 2 ** k),
): Bytes[] {
  if (!(Number.isInteger(count) && count >= 1))
    throw invalidArgument('suggestMeasurements', 'count', count, 'a whole number of at least 1');
  const every = Math.ceil(candidates.length / MOST_CANDIDATES);
  const sizes = [...new Set(candidates)].sort((a, b) => a - b).filter((_, i) => i % every === 0);
  if (sizes.length <= count) return sizes;
  const prepared = prepareSubject(subject);
  const { values } = fittedKnowledge();
  const spread = systemSpreads();
  const slopes = sizes.map((bytes) => {
    const own: number[] = [];
    parameterSlopes(prepared, values, bytes, (index, slope) => own.push(slope * spread[index]));
    return own;
  });
  const n = sizes.length;
  const covariance = new Float64Array(n * n);
  for (let i = 0; i < n; i++)
    for (let j = 0; j < n; j++)
      covariance[i * n + j] =
        likeness({ subject: prepared, bytes: sizes[i] }, { subject: prepared, bytes: sizes[j] }, SMOOTHNESS) +
        slopes[i].reduce((sum, slope, k) => sum + slope * slopes[j][k], 0);
  const chosen: number[] = [];
  while (chosen.length < count) {
    let best = -1;
    let least = Infinity;
    for (let i = 0; i < n; i++) {
      if (chosen.includes(i)) continue;
      const left = remaining(covariance, n, [...chosen, i]);
      if (left < least - 1e-12) [best, least] = [i, left];
    }
    chosen.push(best);
  }
  return chosen.sort((a, b) => a - b).map((i) => sizes[i]);
}

/** Summed variance that is left over all sizes once some are measured. */
function remaining(covariance: Float64Array, n: number, measured: readonly number[]): number {
  const m = measured.length;
  const block = new Float64Array(m * m);
  measured.forEach((i, a) => {
    measured.forEach((j, b) => (block[a * m + b] = covariance[i * n + j] + (a === b ? SMOOTHNESS.noise ** 2 : 0)));
  });
  const inverse = invertPositive(block, m);
  let sum = 0;
  for (let i = 0; i < n; i++) {
    let known = 0;
    for (let a = 0; a < m; a++)
      for (let b = 0; b < m; b++) known += covariance[i * n + measured[a]] * inverse[a * m + b] * covariance[i * n + measured[b]];
    sum += covariance[i * n + i] - known;
  }
  return sum;
}
