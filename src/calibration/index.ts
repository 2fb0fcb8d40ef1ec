export { fitLatencyBandwidth, type CollectiveFit, type MeasuredTime } from './fit-latency-bandwidth.js';
export { calibratePoints, calibrateSystem, type CollectiveMeasurement } from './calibrate-system.js';
export { suggestMeasurements } from './suggest-measurements.js';
export { fitPopulation, priorValues, systemSpreads, type PopulationFit } from './fit-population.js';
export { fitSystem, type CurvePoint, type SystemFit } from './fit-system.js';
export { fitResiduals, SMOOTHNESS, type CurvePlace, type ResidualField, type Smoothness } from './gaussian-process.js';
export {
  averaged,
  bandOf,
  isStalled,
  SIZE_BANDS,
  summarise,
  validateMeasurements,
  type ErrorSummary,
  type ValidatedRow,
  type ValidationRow,
} from './validate-measurements.js';
export { crossValidate, curvePoints } from './cross-validate.js';
export { diagnose, type Diagnosis, type GroupMeasurement, type Suspect } from './diagnose.js';
export {
  constantsFor,
  fitTraining,
  prepareRun,
  PRIOR_MODEL,
  PRIOR_SPREAD,
  type MeasuredRun,
  type PreparedRun,
  type TrainingFit,
} from './training-fit.js';
export {
  crossValidateTraining,
  predictRuns,
  rankSweeps,
  summariseTraining,
  type SweepRanking,
  type TrainingSummary,
  type ValidatedRun,
} from './validate-training.js';
export { runPreparer, type TabledRun } from './prepare-runs.js';
