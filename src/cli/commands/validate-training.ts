import {
  predictRuns,
  rankSweeps,
  runPreparer,
  summariseTraining,
  type PreparedRun,
  type TrainingSummary,
  type ValidatedRun,
} from '../../calibration/index.js';
import { FabricPlanError } from '../../errors.js';
import { isRun, parseTrainingRuns, type RefusedRun, type TrainingRun } from '../../formats/index.js';
import { GiB } from '../../quantities.js';
import { formatTable } from '../../report/text-report.js';
import { printJson } from '../output.js';
import { readInput } from '../read-input.js';

export interface ValidateTrainingOptions {
  readonly runs: string;
  readonly json?: boolean;
}

/** Errors of a slice of the rows. */
interface Slice extends TrainingSummary {
  readonly name: string;
}

/** Holds measured training runs against the step and memory models. */
export function validateTraining(options: ValidateTrainingOptions): void {
  const table = parseTrainingRuns(readInput(options.runs));
  const prepare = runPreparer();
  const rows = table.map((row) => (isRun(row) ? predicted(row, prepare) : row));
  const timed = rows.flatMap((row) => ('run' in row && row.validated !== undefined ? [row.validated] : []));
  const runOf = new Map(rows.flatMap((row) => ('run' in row ? [[row.run.id, row.run] as const] : [])));
  const slices = (keyOf: (run: ValidatedRun) => string): Slice[] => {
    const groups = new Map<string, ValidatedRun[]>();
    for (const run of timed) groups.set(keyOf(run), [...(groups.get(keyOf(run)) ?? []), run]);
    return [...groups]
      .map(([name, own]) => ({ name, ...summariseTraining(own) }))
      .sort((a, b) => b.rows - a.rows || (a.name < b.name ? -1 : 1));
  };
  const summary = {
    overall: summariseTraining(timed),
    bySource: slices(({ source }) => source),
    byGpu: slices(({ gpu }) => gpu),
    byParallelism: slices(({ id }) => parallelismOf(runOf.get(id)!)),
    memory: memorySummary(rows),
    ranking: rankSweeps(timed),
  };
  if (options.json === true) {
    printJson({ schema: 'fabricplan/validate-training/1', rows: rows.map(jsonRow), summary });
    return;
  }
  const refused = rows.filter((row): row is RefusedRun => 'refused' in row);
  process.stdout.write(
    `${rows.length - refused.length} rows predicted, ${timed.length} of them with a measured time, ${refused.length} refused\n\n`,
  );
  const percent = (value: number): string => `${(value * 100).toFixed(1)} %`;
  const show = (title: string, list: readonly Slice[]): void => {
    process.stdout.write(
      `${formatTable(
        [title, 'rows', 'mean error', 'median', 'bias', 'within range'],
        list.map(({ name, rows: count, mean, median, bias, coverage }) => [
          name,
          String(count),
          percent(mean),
          percent(median),
          percent(bias),
          percent(coverage),
        ]),
      )}\n`,
    );
  };
  if (timed.length > 0) {
    show('all, by source', [{ name: 'all', ...summary.overall }]);
    show('source', summary.bySource);
    show('GPU', summary.byGpu);
    show('parallelism', summary.byParallelism);
  }
  const { memory } = summary;
  process.stdout.write(
    `memory: ${percent(memory.fitShare)} of ${memory.rows} rows are said to fit${memory.measured === 0 ? '' : `; ${memory.measured} measured peaks, median error ${percent(memory.median)}`}\n`,
  );
  if (summary.ranking.length > 0)
    process.stdout.write(
      `\n${formatTable(
        ['sweep', 'settings', 'first choice behind the best', 'Kendall τ'],
        summary.ranking.map(({ sweep, rows: count, regret, tau }) => [sweep.slice(0, 60), String(count), percent(regret), tau.toFixed(2)]),
      )}\n`,
    );
  for (const { id, refused: reason } of refused.slice(0, 5)) process.stdout.write(`refused ${id}: ${reason}\n`);
}

/** A row that could be read, priced. */
interface PredictedRow {
  readonly run: TrainingRun;
  readonly seconds: number;
  readonly low: number;
  readonly high: number;
  readonly peak: number;
  readonly fits: boolean;
  readonly bottleneck: string;
  readonly validated: ValidatedRun | undefined;
}

function predicted(run: TrainingRun, prepare: (run: TrainingRun) => PreparedRun): PredictedRow | RefusedRun {
  try {
    const [validated] = predictRuns([prepare(run)]);
    const { estimate } = validated;
    return {
      run,
      seconds: estimate.seconds,
      low: estimate.low,
      high: estimate.high,
      peak: estimate.memory.total / GiB,
      fits: estimate.fits,
      bottleneck: estimate.bottleneck,
      validated: run.seconds === undefined ? undefined : validated,
    };
  } catch (error) {
    if (!(error instanceof FabricPlanError)) throw error;
    return { id: run.id, columns: run.columns, refused: error.message };
  }
}

function parallelismOf({ parallelism }: TrainingRun): string {
  const { tensor, pipeline, context = 1, expert = 1, zeroStage } = parallelism;
  const parts = [
    ...(tensor > 1 ? ['tensor'] : []),
    ...(pipeline > 1 ? ['pipeline'] : []),
    ...(context > 1 ? ['context'] : []),
    ...(expert > 1 ? ['expert'] : []),
    ...(zeroStage === 3 ? ['ZeRO 3'] : []),
  ];
  return parts.length === 0 ? 'data' : parts.join(' + ');
}

function memorySummary(rows: readonly (PredictedRow | RefusedRun)[]): { rows: number; fitShare: number; measured: number; median: number } {
  const read = rows.filter((row): row is PredictedRow => 'run' in row);
  const errors = read
    .flatMap(({ run, peak }) => (run.peakGiB === undefined ? [] : [Math.abs(peak / run.peakGiB - 1)]))
    .sort((a, b) => a - b);
  return {
    rows: read.length,
    fitShare: read.length === 0 ? 0 : read.filter(({ fits }) => fits).length / read.length,
    measured: errors.length,
    median: errors.length === 0 ? 0 : (errors[Math.floor((errors.length - 1) / 2)] + errors[Math.floor(errors.length / 2)]) / 2,
  };
}

function jsonRow(row: PredictedRow | RefusedRun): Record<string, unknown> {
  if ('refused' in row) return { id: row.id, refused: row.refused };
  const { run, seconds, low, high, peak, fits, bottleneck } = row;
  return {
    id: run.id,
    measured_iter_s: run.seconds ?? null,
    predicted_iter_s: seconds,
    low_s: low,
    high_s: high,
    measured_peak_gib: run.peakGiB ?? null,
    predicted_peak_gib: peak,
    fits,
    bottleneck,
    inferred: run.inferred,
  };
}
