// The public training runs beside this repository, priced: shared by the fit and by the validation page.
import { existsSync, readFileSync } from 'node:fs';
import { runPreparer } from 'fabricplan/calibration';
import { isRun, parseTrainingRuns } from 'fabricplan/formats';

const RUNS = new URL('../../shared/data/training/runs.csv', import.meta.url);

export const hasRuns = () => existsSync(RUNS);

/** Rows of the table: those that can be read, with the run prepared, and those that cannot. */
export function trainingRuns() {
  const prepare = runPreparer();
  const rows = parseTrainingRuns(readFileSync(RUNS, 'utf8'));
  return {
    runs: rows.filter(isRun).map((run) => ({ run, prepared: prepare(run) })),
    refused: rows.filter((row) => !isRun(row)),
  };
}

/** Rows that are suited to fitting and scoring: 16 bit, complete shape, measured time. */
export const isFitted = ({ run }) => run.columns.split === 'fit' && run.seconds !== undefined;
