export { descriptionJsonSchema, descriptionSchema, type Description } from './description-schema.js';
export { formatDescription, parseDescription } from './parse-description.js';
export { describedJob, describedModel, expandDescription } from './expand-description.js';
export { formatFabricJson, parseFabricJson } from './fabric-json.js';
export { parseModelConfig } from './model-config.js';
export { readFabric, type ReadFabricOptions } from './read-fabric.js';
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
export { readTopology, type ReadTopologyOptions } from './read-topology.js';
export { TOPOLOGY_FORMATS, type TopologyFormat } from './topology-formats.js';
export { TOPOLOGY_WRITERS, writeTopology, type TopologyWriter } from './write-topology.js';
export type { Written } from './writers/types.js';
export { composeTopologies, type PlacedTopology } from './topology/compose-topologies.js';
export { fabricOfTopology, insideOfPreset, type FabricOfTopology } from './topology/fabric-of-topology.js';
export { summarizeTopology, type CableClass, type TopologySummary } from './topology/summarize-topology.js';
export { ASSUMPTION_KEYS, GENERATIONS, type Assumptions, type GenerationAssumption } from './topology/assumptions.js';
export { LABEL_SETS, type LabelLevel, type LabelMeaning, type LabelSet } from './topology/label-sets.js';
export { topologyOfFabric } from './readers/own-formats.js';
export { formatNcclTopology } from './writers/nccl-topology.js';
export type {
  Attributes,
  Coverage,
  Inference,
  Scalar,
  Topology,
  TopologyDemand,
  TopologyDevice,
  TopologyDeviceKind,
  TopologyLink,
  TopologyOffer,
  TopologyScope,
  TopologyWarning,
} from './topology/types.js';
export { expandHostlist } from '../fabric/expand-hostlist.js';
export { listHosts } from '../fabric/hostlist.js';
