import { describe, expect, it } from 'vitest';
import {
  crossValidateTraining,
  fitTraining,
  predictRuns,
  rankSweeps,
  runPreparer,
  summariseTraining,
  type PreparedRun,
} from '../../src/calibration/index.js';
import { isRun, parseTrainingRuns } from '../../src/formats/index.js';
import { GiB } from '../../src/quantities.js';
import { estimateMemory } from '../../src/training/estimate-memory.js';
import { hasShared, readShared } from '../support/shared-data.js';

/** Figures that docs/validation.md states, recomputed; skipped where the public runs are not beside this repository. */
describe.skipIf(!hasShared('training'))('public training runs (../shared/data/training)', () => {
  const rows = hasShared('training') ? parseTrainingRuns(readShared('training/runs.csv')) : [];
  const runs = rows.filter(isRun);
  const prepare = runPreparer();
  const fitted: PreparedRun[] = runs
    .filter((run) => run.columns['split'] === 'fit' && run.seconds !== undefined)
    .map((run) => prepare(run));

  it('are read, all that state a number of GPUs', () => {
    expect(rows.length).toBe(675);
    expect(rows.filter((row) => !isRun(row) && !row.refused.startsWith('gpus is empty'))).toEqual([]);
  });
  it('left out by source are within 8 % in the median and 12 % in the mean; the GPU of no other source within 15 %', () => {
    const leftOut = crossValidateTraining(fitted);
    const others = summariseTraining(leftOut.filter(({ gpu }) => !gpu.startsWith('V100')));
    expect(others.median).toBeLessThan(0.08);
    expect(others.mean).toBeLessThan(0.12);
    expect(summariseTraining(leftOut.filter(({ gpu }) => gpu.startsWith('V100'))).mean).toBeLessThan(0.15);
    const inside =
      leftOut.filter(({ measured, estimate }) => measured >= estimate.low && measured <= estimate.high).length / leftOut.length;
    expect(inside).toBeGreaterThan(0.85);
    expect(inside).toBeLessThan(0.95);
    const regrets = rankSweeps(leftOut)
      .map(({ regret }) => regret)
      .sort((a, b) => a - b);
    expect(regrets.length).toBeGreaterThan(8);
    expect(regrets[Math.floor(regrets.length / 2)]).toBeLessThan(0.03);
  });
  it('are predicted by the shipped constants as by a fresh fit', () => {
    const { constants } = fitTraining(fitted);
    const shipped = predictRuns(fitted);
    fitted.forEach((one, i) => {
      expect(Math.abs(one.predict(constants).seconds / shipped[i].estimate.seconds - 1)).toBeLessThan(0.02);
    });
  });
  it('had the memory that is estimated, within 10 % in the median, and 97 % of them are said to fit', () => {
    const fits =
      runs.filter(({ job, parallelism, node }) => estimateMemory(job, parallelism).total <= node.gpu.memory!).length / runs.length;
    expect(fits).toBeGreaterThan(0.97);
    for (const unit of [1e9, GiB]) {
      // nvidia-smi's gigabytes on V100 are decimal or binary, as one reads them.
      const errors = runs
        .filter(({ peakGiB }) => peakGiB !== undefined)
        .map(({ job, parallelism, peakGiB, gpu }) =>
          Math.abs(estimateMemory(job, parallelism).total / (peakGiB! * (gpu.startsWith('V100') ? unit : GiB)) - 1),
        )
        .sort((a, b) => a - b);
      expect(errors.length).toBe(40);
      expect((errors[19] + errors[20]) / 2).toBeLessThan(0.1);
    }
  });
});
