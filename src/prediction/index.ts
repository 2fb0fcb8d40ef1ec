export {
  gpuFamily,
  GPU_FAMILIES,
  pcieBandwidth,
  SCALE_UP_KINDS,
  TRANSPORTS,
  type GpuFamily,
  type HardwareRecord,
  type ScaleUpKind,
  type Transport,
} from './hardware.js';
export {
  modelTime,
  prepareSubject,
  PREDICTED_OPERATIONS,
  type ModelTime,
  type ModelSubject,
  type PredictedOperation,
  type PreparedSubject,
} from './model.js';
export { predictCollective, preparePrediction, type CollectivePrediction, type SystemCalibration } from './predict-collective.js';
export type { ParameterKnowledge } from './interval.js';
export { groupRange as groupRangeOf, PARAMETER_GROUPS, PARAMETERS, type Parameter, type ParameterGroup } from './parameters.js';
export { FITTED, type FittedValues } from './fitted-values.js';
export { hardwareOf, predictOnFabric } from './hardware-of.js';
