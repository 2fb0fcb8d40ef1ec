import { PATH, type NcclAlgorithm } from './types.js';

/** Three numbers in the order LL, LL128, Simple. */
export type PerProtocol = readonly [number, number, number];
/** One triple per algorithm; absent means 0. */
export type LatencyRow = Readonly<Partial<Record<NcclAlgorithm, PerProtocol>>>;

/** Constants of a tuner as data: latencies in µs, bandwidths in GB/s. */
export interface TunerTables {
  readonly name: string;
  /** Version and place the constants were read from. */
  readonly source: string;
  /** Cost of a call before any step. */
  readonly base: LatencyRow;
  /** Cost of a step by the kind of link it crosses. */
  readonly steps: { readonly nvlink: LatencyRow; readonly pci: LatencyRow; readonly net: LatencyRow };
  /** By GPU generation, each on one node, two nodes, more. */
  readonly caps?: Readonly<Record<'70' | '80' | '90' | '100', GenerationCaps>>;
  /** Share of the bus bandwidth reached, instead of caps: on two nodes and on more. */
  readonly ratios?: { readonly two: LatencyRow; readonly more: LatencyRow };
  /** Share of the switch rate that in-switch reduction reaches, by generation. */
  readonly switchEfficiency: Readonly<Record<'70' | '80' | '90' | '100', number>>;
  /** Factor on the tree's bandwidth by floor(log2(bytes / 64)), one list per protocol. */
  readonly treeCorrection: readonly [readonly number[], readonly number[], readonly number[]];
  /** Whether protocol LL128 exists. */
  readonly ll128: boolean;
  /** Inter-node steps that a ring all-reduce counts: 2(n − 1) now, 2n in older versions. */
  readonly ringInterSteps: (nodes: number) => number;
}

/** Bandwidth caps of one GPU generation: [one node, two nodes, more than two]. */
export interface GenerationCaps {
  /** All channels of LL together. */
  readonly ll: PerProtocol;
  /** One channel. */
  readonly ringLl128: PerProtocol;
  readonly treeLl128: PerProtocol;
  readonly tree: PerProtocol;
  readonly nvlsTree: PerProtocol;
}

const TREE_CORRECTION = [
  [1, 1, 1, 1, 0.9, 0.8, 0.7, 0.7, 0.7, 0.7, 0.6, 0.5, 0.4, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1, 1, 1, 1, 1],
  [1, 1, 1, 1, 1, 0.9, 0.8, 0.8, 0.8, 0.7, 0.6, 0.6, 0.6, 0.6, 0.6, 0.6, 0.8, 0.9, 0.9, 0.9, 0.9, 1, 1, 1],
  [0.9, 0.9, 0.9, 0.9, 0.9, 0.9, 0.9, 0.8, 0.7, 0.6, 0.6, 0.5, 0.5, 0.5, 0.5, 0.6, 0.7, 0.8, 0.7, 0.7, 0.8, 0.9, 0.9, 0.9],
] as const;

/** NCCL 2.30 (`5067397`, src/graph/tuning.cc). */
export const NCCL_2_30: TunerTables = {
  name: 'nccl-2.30',
  source: 'NVIDIA/nccl 5067397, src/graph/tuning.cc',
  base: { TREE: [6.8, 14, 8.4], RING: [6.6, 14, 8.4], PAT: [8, 8, 8] },
  steps: {
    nvlink: {
      TREE: [0.6, 1.25, 4],
      RING: [0.6, 1.9, 3.4],
      COLLNET_DIRECT: [0, 0, 3.7],
      COLLNET_CHAIN: [0, 0, 2.8],
      NVLS: [0, 0, 25],
      NVLS_TREE: [0, 0, 25],
      PAT: [0, 0, 4],
    },
    pci: { TREE: [1, 1.9, 4], RING: [1, 2.5, 5.7], COLLNET_DIRECT: [0, 0, 3.7], COLLNET_CHAIN: [0, 0, 2.8], PAT: [0, 0, 4] },
    net: {
      TREE: [5, 8.5, 14],
      RING: [2.7, 4, 14],
      COLLNET_DIRECT: [0, 0, 31],
      COLLNET_CHAIN: [0, 0, 30],
      NVLS: [0, 0, 18],
      NVLS_TREE: [0, 0, 20.9],
      PAT: [0, 0, 14],
    },
  },
  caps: {
    '70': {
      ll: [39, 39, 20.4],
      ringLl128: [20, 20, 20],
      treeLl128: [20, 20, 20],
      tree: [26.5, 18.5, 10],
      nvlsTree: [26.5, 18.5, 10],
    },
    '80': {
      ll: [87.7, 22.5, 19],
      ringLl128: [20, 20, 20],
      treeLl128: [20, 20, 20],
      tree: [24, 23.6, 17.8],
      nvlsTree: [24, 23.6, 17.8],
    },
    '90': {
      ll: [141, 45, 35],
      ringLl128: [36.7, 36.7, 36.7],
      treeLl128: [36.7, 36.7, 29],
      tree: [38.7, 41.4, 36],
      nvlsTree: [0, 57.7, 45.5],
    },
    '100': {
      ll: [282, 90, 70],
      ringLl128: [40, 40, 40],
      treeLl128: [55.6, 31.67, 20],
      tree: [70, 42.8, 24],
      nvlsTree: [0, 96, 80],
    },
  },
  switchEfficiency: { '70': 0, '80': 0, '90': 0.85, '100': 0.74 },
  treeCorrection: TREE_CORRECTION,
  ll128: true,
  ringInterSteps: (nodes) => 2 * (nodes - 1),
};

/**
 * The RCCL family: own step latencies, a share of the bus bandwidth instead of caps, no LL128, and 2n inter-node steps of a ring.
 *
 * RCCL carries six such sets, one per platform, with size corrections for each. These are the figures of its first set as generally
 * known, without the per-platform corrections: a selector for the family, less exact than the NCCL set.
 */
export const RCCL: TunerTables = {
  name: 'rccl',
  source: 'ROCm/rccl tuning models, first platform set; general knowledge, size corrections left out',
  base: { TREE: [12, 14, 8.4], RING: [12, 14, 8.4] },
  steps: {
    nvlink: { TREE: [0.8, 0, 2.5], RING: [0.8, 0, 3.6], COLLNET_DIRECT: [0, 0, 0.8] },
    pci: { TREE: [2.2, 0, 5.7], RING: [2.2, 0, 5.7], COLLNET_DIRECT: [0, 0, 5.7], COLLNET_CHAIN: [0, 0, 5.7] },
    net: { TREE: [12.5, 0, 22.4], RING: [9.5, 0, 19.8], COLLNET_DIRECT: [0, 0, 12.5] },
  },
  ratios: {
    two: { TREE: [0.2, 0, 1.75], RING: [0.2, 0, 1], COLLNET_DIRECT: [0, 0, 1], COLLNET_CHAIN: [0, 0, 1] },
    more: { TREE: [0.2, 0, 0.9], RING: [0.2, 0, 1], COLLNET_DIRECT: [0, 0, 1], COLLNET_CHAIN: [0, 0, 1] },
  },
  switchEfficiency: { '70': 5 / 6, '80': 5 / 6, '90': 5 / 6, '100': 5 / 6 },
  treeCorrection: [TREE_CORRECTION[0].map(() => 1), TREE_CORRECTION[0].map(() => 1), TREE_CORRECTION[0].map(() => 1)],
  ll128: false,
  ringInterSteps: (nodes) => 2 * nodes,
};

/** Worst path kinds within which LL128 is used between nodes, by generation, and inside a node. */
export const LL128_LIMITS = { interHopper: PATH.PXN, interBefore: PATH.PXB, intra: PATH.NVB } as const;
