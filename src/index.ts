// What exists
export { createFabric, describeFabric } from './fabric/create-fabric.js';
export { validateFabric } from './fabric/validate-fabric.js';
export { editFabric, type FabricEdit } from './fabric/edit-fabric.js';
export { setLinkCounts } from './fabric/set-link-counts.js';
export { groupByLevel, localityLevels, type LocationGroup } from './fabric/locality.js';
export { summarizeFabric, type FabricSummary } from './fabric/capacity.js';
export {
  DEVICE_KINDS,
  type CompiledFabric,
  type DeviceKind,
  type DeviceSpec,
  type Fabric,
  type FabricSpec,
  type LinkSpec,
  type PeakRates,
} from './fabric/types.js';
// Builders
export { buildNode, type GpuShape, type LinkShape, type NodeFragment, type NodeShape, type ScaleUpShape } from './fabric/builders/node.js';
export { CLUSTER_LEVELS, type ClusterOptions, type ClusterSpec } from './fabric/builders/network.js';
export { buildLeafSpine, type LeafSpineOptions } from './fabric/builders/leaf-spine.js';
export { buildRailOptimised, type RailOptimisedOptions } from './fabric/builders/rail-optimised.js';
export { buildFatTree, type FatTreeOptions } from './fabric/builders/fat-tree.js';
export { buildDragonfly, buildDragonflyPlus, type DragonflyOptions, type DragonflyPlusOptions } from './fabric/builders/dragonfly.js';
export { buildTorus, type TorusOptions } from './fabric/builders/torus.js';
export {
  buildMultiSite,
  FIBRE_LATENCY_PER_METRE,
  type MultiSiteOptions,
  type SiteOptions,
  type WideAreaLink,
} from './fabric/builders/multi-site.js';
// How bytes travel
export { computeRoutes, routeBetween, type Route, type Routes, type RoutesOptions } from './routes/compute-routes.js';
export { computeLinkLoads, type LinkLoad, type LinkLoads, type Transfer } from './routes/link-load.js';
export { shareFairly, type Flow } from './routes/max-min-share.js';
export { computeMaxFlow, type MaxFlow } from './routes/max-flow.js';
// What a pattern costs
export { estimateAllReduce, estimateCollective } from './collectives/estimate-collective.js';
export { busFactor } from './collectives/bus-factor.js';
export {
  prepareCollective,
  type CollectiveOptions,
  type CollectiveSubject,
  type PreparedCollective,
} from './collectives/prepare-collective.js';
export { COLLECTIVE_ALGORITHMS } from './collectives/registry.js';
export { DEFAULT_PHYSICS } from './collectives/physics.js';
export {
  collectiveOptimum,
  type BottleneckCut,
  type CollectiveOptimum,
  type OptimumOperation,
} from './collectives/bounds/collective-optimum.js';
export {
  COLLECTIVE_OPERATIONS,
  type CollectiveAlgorithm,
  type CollectiveEstimate,
  type CollectiveOperation,
  type CollectivePhysics,
  type CollectiveShape,
  type LinkDirection,
  type Move,
  type Phase,
  type PhaseEstimate,
  type Trace,
  type Transfers,
} from './collectives/types.js';
// What a step needs
export { countParameters, tokenFlops, type ParameterCount, type TokenFlops } from './training/parameters.js';
export { modelFlops, type FlopCount } from './training/model-flops.js';
export { shapeOfSize } from './training/shape-of-size.js';
export { estimateMemory, MEMORY_MODEL } from './training/estimate-memory.js';
export { lowCommunicationCost, type LowCommunication, type LowCommunicationEstimate } from './training/low-communication.js';
export { estimateStep, prepareStep, type StepVariant } from './training/estimate-step.js';
export { STEP_SPREAD } from './training/step-range.js';
export { COMPUTE_MODEL, type ComputeModel } from './training/compute-model.js';
export { refuseParallelism } from './training/validate-job.js';
export {
  ATTENTION_KERNELS,
  CONTEXT_METHODS,
  OPTIMIZERS,
  PIPELINE_SCHEDULES,
  PRECISIONS,
  RECOMPUTATIONS,
  type AttentionKernel,
  type Axis,
  type AxisEstimate,
  type ContextMethod,
  type Mapping,
  type MemoryEstimate,
  type MemoryParts,
  type Optimizer,
  type Parallelism,
  type PipelineSchedule,
  type Precision,
  type Recomputation,
  type StageMemory,
  type StepBreakdown,
  type StepEstimate,
  type TrainingJob,
  type TransformerShape,
} from './training/types.js';
// Where it runs
export { placeJob, type PlaceOptions } from './placement/place-job.js';
export { PLACEMENT_STRATEGIES } from './placement/registry.js';
export { OBJECTIVES, type Objective, type RunLimits } from './placement/objective.js';
export type {
  Placement,
  PlacementProof,
  PlacementResult,
  PlacementStrategy,
  Rejection,
  RunEstimate,
  Selection,
  SelectionContext,
} from './placement/types.js';
// What is in use
export { createCluster } from './cluster/create-cluster.js';
export type {
  Allocation,
  Cluster,
  ClusterDecision,
  ClusterPolicy,
  ClusterRequest,
  ClusterSnapshot,
  SharePolicy,
  ShareUsage,
} from './cluster/types.js';
// What to change
export { planUpgrades, type UpgradeOptions } from './upgrades/plan-upgrades.js';
export { requiredBandwidth, type BandwidthAnswer, type BandwidthPoint, type BandwidthQuestion } from './upgrades/required-bandwidth.js';
export { offerWaves, type PriceRange, type WavePrices } from './upgrades/wave-offers.js';
export type { UpgradeCandidate, UpgradeJob, UpgradeOffer, UpgradePlan, UpgradeStep } from './upgrades/types.js';
// Common ground
export { FabricPlanError, type ErrorCode, type Issue } from './errors.js';
export {
  formatBandwidth,
  formatBitRate,
  formatBytes,
  formatCount,
  formatFlops,
  formatSeconds,
  formatShare,
  GB,
  GiB,
  GIGABIT_PER_SECOND,
  kB,
  KiB,
  MB,
  MiB,
  MICROSECOND,
  parseQuantity,
  TB,
  TiB,
  type Bytes,
  type BytesPerSecond,
  type FlopsPerSecond,
  type Metres,
  type QuantityKind,
  type Seconds,
} from './quantities.js';
