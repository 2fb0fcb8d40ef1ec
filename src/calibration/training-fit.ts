import { invalidArgument } from '../errors.js';
import type { Seconds } from '../quantities.js';
import type { Routes } from '../routes/compute-routes.js';
import type { ComputeModel } from '../training/compute-model.js';
import { prepareStep } from '../training/estimate-step.js';
import type { Parallelism, StepEstimate, TrainingJob } from '../training/types.js';
import { solvePositive } from './linear-algebra.js';

/** A measured training run on a fabric. */
export interface MeasuredRun {
  readonly id: string;
  /** Repository or paper it comes from: rows of one source are near-copies of each other. */
  readonly source: string;
  readonly gpu: string;
  /** Names the job whose settings are compared, where several rows share one. */
  readonly sweep?: string;
  readonly job: TrainingJob;
  readonly parallelism: Parallelism;
  readonly routes: Routes;
  readonly seconds: Seconds;
}

/** Constants, and what each GPU type holds of its best matrix-multiply rate beside the common share. */
export interface TrainingFit {
  readonly constants: ComputeModel;
  readonly gpuScales: Readonly<Record<string, number>>;
}

/** A run whose links are priced; what is left takes microseconds for any constants. */
export interface PreparedRun {
  readonly run: MeasuredRun;
  predict(constants: ComputeModel): StepEstimate;
}

/** Prices the links of a run once. */
export function prepareRun(run: MeasuredRun): PreparedRun {
  const { tensor, pipeline, data, context = 1 } = run.parallelism;
  const gpus = run.routes.fabric.gpuIds.slice(0, tensor * pipeline * data * context);
  const step = prepareStep(run.routes, run.job, { parallelism: run.parallelism, gpus });
  return { run, predict: (constants) => step({ constants }) };
}

/**
 * What was known before the fit: Calculon's size steps imply 5–10 µs a kernel; the FlashAttention papers state their rates; Megatron's
 * fused kernels their traffic; host times are those of eager frameworks in general.
 */
export const PRIOR_MODEL: ComputeModel = {
  sustained: 0.85,
  tileFill: 128,
  kernelTail: 6e-6,
  overlappedAttention: 0.65,
  attentionEfficiency: 0.8,
  softmaxTime: 0.8e-12,
  scoreBytes: 12,
  elementwiseTraffic: 1.2,
  lossBytes: 20,
  memoryEfficiency: 0.8,
  hostPerLayer: 1.1e-3,
  hostPerStep: 0.02,
  trafficScale: 1.2,
  dataOverlap: 0.7,
  overlapCost: 0.1,
  jitter: 0.007,
};

/** Spread (log) that published priors leave to each constant, and to the scale of a GPU type. */
export const PRIOR_SPREAD: Readonly<Record<keyof ComputeModel, number>> = {
  sustained: 0.15,
  tileFill: 0.5,
  kernelTail: 0.5,
  overlappedAttention: 0.2,
  attentionEfficiency: 0.3,
  softmaxTime: 0.4,
  scoreBytes: 0.3,
  elementwiseTraffic: 0.25,
  lossBytes: 0.4,
  memoryEfficiency: 0.1,
  hostPerLayer: 0.6,
  hostPerStep: 0.8,
  trafficScale: 0.25,
  dataOverlap: 0.25,
  overlapCost: 0.5,
  jitter: 0.4,
};
const GPU_SPREAD = 0.06;
/** Log error of a typical run that the constants cannot explain, and from where on an outlier counts less. */
const NOISE = 0.06;
const OUTLIER = 2;

/**
 * Fits the constants to measured runs: least squares of log errors around published priors, every source with the same weight whatever
 * its number of rows, outliers beyond two deviations counted linearly.
 *
 * @throws FabricPlanError `invalid-argument` without runs
 * @complexity O(iterations × constants × runs)
 */
export function fitTraining(prepared: readonly PreparedRun[], priors: ComputeModel = PRIOR_MODEL): TrainingFit {
  if (prepared.length === 0) throw invalidArgument('fitTraining', 'runs', prepared.length, 'at least one measured run');
  const names = Object.keys(PRIOR_SPREAD) as (keyof ComputeModel)[];
  const gpus = [...new Set(prepared.map(({ run }) => run.gpu))].sort();
  const rowsOf = new Map<string, number>();
  for (const { run } of prepared) rowsOf.set(run.source, (rowsOf.get(run.source) ?? 0) + 1);
  // A source weighs as much as some ten independent runs, however many it has.
  const weightOf = ({ run }: PreparedRun): number => Math.min(1, SOURCE_WEIGHT / rowsOf.get(run.source)!);
  const spreads = [...names.map((name) => PRIOR_SPREAD[name]), ...gpus.map(() => GPU_SPREAD)];
  const decode = (x: readonly number[]): TrainingFit => ({
    constants: Object.fromEntries(
      names.map((name, i) => [name, limited(name, priors[name] * Math.exp(x[i] * spreads[i]))]),
    ) as unknown as ComputeModel,
    gpuScales: Object.fromEntries(gpus.map((gpu, i) => [gpu, Math.exp(x[names.length + i] * spreads[names.length + i])])),
  });
  const residuals = (x: readonly number[]): number[] => {
    const fit = decode(x);
    return prepared.map((one) => Math.log(one.predict(constantsFor(fit, one.run.gpu)).seconds / one.run.seconds) / NOISE);
  };
  const loss = (x: readonly number[], r: readonly number[]): number =>
    r.reduce((sum, value, i) => sum + weightOf(prepared[i]) * huber(value), 0) + x.reduce((sum, value) => sum + value * value, 0);

  let x: number[] = spreads.map(() => 0);
  let current = residuals(x);
  let best = loss(x, current);
  let damping = 1e-2;
  for (let iteration = 0; iteration < 25; iteration++) {
    const step = 0.02;
    const jacobian = x.map((_, j) => {
      const moved = residuals(x.map((value, i) => (i === j ? value + step : value)));
      return moved.map((value, i) => (value - current[i]) / step);
    });
    const weights = current.map((value, i) => weightOf(prepared[i]) * (Math.abs(value) <= OUTLIER ? 1 : OUTLIER / Math.abs(value)));
    const gradient = x.map((value, j) => jacobian[j].reduce((sum, d, i) => sum + weights[i] * d * current[i], 0) + value);
    const hessian = x.map((_, j) =>
      x.map((__, k) => jacobian[j].reduce((sum, d, i) => sum + weights[i] * d * jacobian[k][i], 0) + (j === k ? 1 : 0)),
    );
    let improved = false;
    for (let attempt = 0; attempt < 8 && !improved; attempt++) {
      const damped = Float64Array.from(hessian.flatMap((row, j) => row.map((value, k) => (j === k ? value * (1 + damping) : value))));
      const move = solvePositive(damped, Float64Array.from(gradient), x.length);
      const next = x.map((value, i) => Math.max(-3, Math.min(3, value - move[i])));
      const r = residuals(next);
      const value = loss(next, r);
      if (value < best) {
        improved = best - value > 1e-4 * best;
        [x, current, best] = [next, r, value];
        damping = Math.max(1e-6, damping / 4);
        break;
      }
      damping *= 5;
    }
    if (!improved) break;
  }
  return decode(x);
}

const SOURCE_WEIGHT = 10;

/** The constants for a GPU type: of a type that was not seen, the common share. */
export function constantsFor({ constants, gpuScales }: TrainingFit, gpu: string): ComputeModel {
  const scale = Object.hasOwn(gpuScales, gpu) ? gpuScales[gpu] : 1;
  return { ...constants, sustained: Math.min(1, constants.sustained * scale) };
}

const SHARES: readonly (keyof ComputeModel)[] = ['sustained', 'memoryEfficiency', 'dataOverlap'];
const limited = (name: keyof ComputeModel, value: number): number => (SHARES.includes(name) ? Math.min(1, value) : value);
const huber = (r: number): number => (Math.abs(r) <= OUTLIER ? r * r : OUTLIER * (2 * Math.abs(r) - OUTLIER));
