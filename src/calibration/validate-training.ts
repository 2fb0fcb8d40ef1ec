import type { Seconds } from '../quantities.js';
import { COMPUTE_MODEL } from '../training/compute-model.js';
import type { StepEstimate } from '../training/types.js';
import { constantsFor, fitTraining, type PreparedRun } from './training-fit.js';

/** A measured run beside what the model says of it. */
export interface ValidatedRun {
  readonly id: string;
  readonly source: string;
  readonly gpu: string;
  /** Rows with the same key are settings of one job that could be ranked; see rankSweeps. */
  readonly sweep: string;
  readonly measured: Seconds;
  readonly estimate: StepEstimate;
}

/** Errors of a set of runs, averaged within a source first. */
export interface TrainingSummary {
  readonly rows: number;
  readonly sources: number;
  /** Mean and median of |predicted / measured − 1|. */
  readonly mean: number;
  readonly median: number;
  /** Mean of predicted / measured − 1. */
  readonly bias: number;
  /** Share of rows inside their 90 % range. */
  readonly coverage: number;
}

/** How well a sweep was ranked. */
export interface SweepRanking {
  readonly sweep: string;
  readonly rows: number;
  /** Measured time of the setting ranked first over the best measured, minus 1. */
  readonly regret: number;
  /** Kendall's τ-b between predicted and measured times, −1 to 1. */
  readonly tau: number;
}

/** Predictions of the shipped constants. */
export const predictRuns = (prepared: readonly PreparedRun[]): ValidatedRun[] =>
  prepared.map((one) => describe(one, one.predict(COMPUTE_MODEL)));

/**
 * Predictions of every source by constants fitted to all others, with one scale per GPU type that these know.
 *
 * @complexity one fit per source
 */
export function crossValidateTraining(prepared: readonly PreparedRun[]): ValidatedRun[] {
  const found = new Map<PreparedRun, ValidatedRun>();
  for (const source of new Set(prepared.map(({ run }) => run.source))) {
    const fit = fitTraining(prepared.filter(({ run }) => run.source !== source));
    for (const one of prepared) if (one.run.source === source) found.set(one, describe(one, one.predict(constantsFor(fit, one.run.gpu))));
  }
  return prepared.map((one) => found.get(one)!);
}

const describe = ({ run }: PreparedRun, estimate: StepEstimate): ValidatedRun => ({
  id: run.id,
  source: run.source,
  gpu: run.gpu,
  sweep: run.sweep ?? run.id,
  measured: run.seconds,
  estimate,
});

/** Errors of runs: each source counts the same, whatever its number of rows. */
export function summariseTraining(runs: readonly ValidatedRun[]): TrainingSummary {
  const bySource = groupBy(runs, ({ source }) => source);
  const parts = [...bySource.values()].map((own) => {
    const errors = own.map(({ estimate, measured }) => estimate.seconds / measured - 1);
    const sizes = errors.map((error) => Math.abs(error)).sort((a, b) => a - b);
    return {
      mean: average(sizes),
      median: middle(sizes),
      bias: average(errors),
      coverage: average(own.map(({ estimate, measured }) => (measured >= estimate.low && measured <= estimate.high ? 1 : 0))),
    };
  });
  const over = (of: (part: (typeof parts)[number]) => number): number => average(parts.map(of));
  return {
    rows: runs.length,
    sources: parts.length,
    mean: over(({ mean }) => mean),
    median: over(({ median }) => median),
    bias: over(({ bias }) => bias),
    coverage: over(({ coverage }) => coverage),
  };
}

/** Ranks the settings of every sweep of at least four rows by predicted time and compares with the measured order. */
export function rankSweeps(runs: readonly ValidatedRun[]): SweepRanking[] {
  return [...groupBy(runs, ({ sweep }) => sweep)]
    .filter(([, own]) => own.length >= 4)
    .map(([sweep, own]) => {
      const first = own.reduce((a, b) => (b.estimate.seconds < a.estimate.seconds ? b : a));
      const best = Math.min(...own.map(({ measured }) => measured));
      return { sweep, rows: own.length, regret: first.measured / best - 1, tau: kendall(own) };
    })
    .sort((a, b) => b.rows - a.rows || (a.sweep < b.sweep ? -1 : 1));
}

/** Kendall's τ-b: pairs in the same order less pairs in opposite order, ties left out of the norm on either side. */
function kendall(runs: readonly ValidatedRun[]): number {
  let agreeing = 0;
  let measuredPairs = 0;
  let predictedPairs = 0;
  for (let i = 0; i < runs.length; i++) {
    for (let j = 0; j < i; j++) {
      const measured = Math.sign(runs[i].measured - runs[j].measured);
      const predicted = Math.sign(runs[i].estimate.seconds - runs[j].estimate.seconds);
      agreeing += measured * predicted;
      measuredPairs += Math.abs(measured);
      predictedPairs += Math.abs(predicted);
    }
  }
  return measuredPairs === 0 || predictedPairs === 0 ? 0 : agreeing / Math.sqrt(measuredPairs * predictedPairs);
}

function groupBy(runs: readonly ValidatedRun[], key: (run: ValidatedRun) => string): Map<string, ValidatedRun[]> {
  const groups = new Map<string, ValidatedRun[]>();
  for (const run of runs) {
    const own = groups.get(key(run));
    if (own === undefined) groups.set(key(run), [run]);
    else own.push(run);
  }
  return groups;
}

const average = (values: readonly number[]): number => (values.length === 0 ? 0 : values.reduce((a, b) => a + b, 0) / values.length);
const middle = (sorted: readonly number[]): number =>
  sorted.length === 0 ? 0 : (sorted[Math.floor((sorted.length - 1) / 2)] + sorted[Math.floor(sorted.length / 2)]) / 2;
