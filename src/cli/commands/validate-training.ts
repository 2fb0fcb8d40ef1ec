import {
  predictRuns,
  prepareRun,
  rankSweeps,
  summariseTraining,
  type PreparedRun,
  type TrainingSummary,
  type ValidatedRun,
} from '../../calibration/index.js';
import { FabricPlanError } from '../../errors.js';
import { buildRailOptimised } from '../../fabric/builders/rail-optimised.js';
import { createFabric } from '../../fabric/create-fabric.js';
import { isRun, parseTrainingRuns, type RefusedRun, type TrainingRun } from '../../formats/index.js';
import { GiB } from '../../quantities.js';
import { formatTable } from '../../report/text-report.js';
import { computeRoutes, type Routes } from '../../routes/compute-routes.js';
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
  const routesOf = fabricCache();
  const rows = table.map((row) => (isRun(row) ? predicted(row, routesOf) : row));
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

function predicted(run: TrainingRun, routesOf: (run: TrainingRun) => Routes): PredictedRow | RefusedRun {
  try {
    const prepared = preparedRun(run, routesOf);
    const [validated] = predictRuns([prepared]);
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

/** A run on a rail-optimised cluster of its nodes: tables name a network, not its switches. */
export function preparedRun(run: TrainingRun, routesOf: (run: TrainingRun) => Routes): PreparedRun {
  const cell = (name: string): string => (Object.hasOwn(run.columns, name) ? run.columns[name] : '');
  return prepareRun({
    id: run.id,
    source: cell('source').split(/[@ ]/)[0] || 'table',
    // Variants that differ in memory alone are one type.
    gpu: run.gpu.replace(/-\d+$/, ''),
    sweep: ['source', 'system', 'model', 'gpus', 'seq', 'gbs'].map(cell).join(' | '),
    job: run.job,
    parallelism: run.parallelism,
    routes: routesOf(run),
    seconds: run.seconds ?? 1,
  });
}

/** Routes of the fabric of a run; runs on equal nodes share them. */
export function fabricCache(): (run: TrainingRun) => Routes {
  const known = new Map<string, Routes>();
  return ({ node, gpus }) => {
    const key = JSON.stringify([node, gpus]);
    let routes = known.get(key);
    if (routes === undefined) {
      routes = computeRoutes(createFabric(buildRailOptimised({ node, nodes: Math.ceil(gpus / node.gpus) })));
      known.set(key, routes);
    }
    return routes;
  };
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
