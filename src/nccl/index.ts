export { searchNcclGraphs } from './search-graphs.js';
export { ncclTime, ncclTimes, tuneNccl, type NcclRow, type NcclTime, type NcclTuning } from './tune.js';
export { NCCL_SIZES, onNodes, tabulateNccl, type NcclTableSet, type TableRow } from './nccl-tables.js';
export { NCCL_2_30, RCCL, type GenerationCaps, type LatencyRow, type PerProtocol, type TunerTables } from './tuner-tables.js';
export { ncclTopologyOf, type TopologyOfFabricOptions } from './topology-of-fabric.js';
export {
  NCCL_ALGORITHMS,
  NCCL_COLLECTIVES,
  NCCL_PROTOCOLS,
  PATH,
  PATTERN,
  type NcclAlgorithm,
  type NcclCollective,
  type NcclCpu,
  type NcclGpu,
  type NcclGraph,
  type NcclGraphs,
  type NcclNet,
  type NcclNvlink,
  type NcclPci,
  type NcclProtocol,
  type NcclTopology,
} from './types.js';
