export { descriptionJsonSchema, descriptionSchema, type Description } from './description-schema.js';
export { formatDescription, parseDescription } from './parse-description.js';
export { describedJob, describedModel, expandDescription } from './expand-description.js';
export { formatFabricJson, parseFabricJson } from './fabric-json.js';
export { parseModelConfig } from './model-config.js';
export { FABRIC_FORMATS, readFabric, type FabricFormat } from './read-fabric.js';
export { parseNcclTopology } from './nccl-topology-xml.js';
export {
  OPERATION_NAMES,
  parseMeasuredSets,
  parseMeasurements,
  parseTable,
  type MeasuredSet,
  type MeasurementRow,
} from './collective-measurements.js';
export { looksLikeNcclTests, parseNcclTestsLog, type NcclTestsLog } from './nccl-tests-log.js';
export { isRun, parseTrainingRuns, type RefusedRun, type TrainingRun } from './training-runs.js';
export type { RunColumns } from './run-cells.js';
