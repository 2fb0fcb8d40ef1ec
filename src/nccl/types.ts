import type { BytesPerSecond, Seconds } from '../quantities.js';

/** NVLinks of a GPU to one peer: another GPU, an NVSwitch, or a POWER CPU, by PCI bus id. */
export interface NcclNvlink {
  readonly target: string;
  readonly count: number;
  /** PCI class of the target: `0x0302…` a GPU, `0x0680…` an NVSwitch, `0x0604…` a CPU. */
  readonly targetClass: string;
}

export interface NcclGpu {
  readonly device: number;
  readonly rank: number;
  /** Compute capability × 10: 80 for A100, 90 for H100, 100 for B200. */
  readonly computeCapability: number;
  /** GPUDirect RDMA works. */
  readonly gpuDirect: boolean;
  readonly nvlinks: readonly NcclNvlink[];
  /** Links of AMD GPUs (xGMI) carry the same fields but another rate. */
  readonly vendor: 'nvidia' | 'amd';
  /** AMD architecture name, such as `gfx942`; empty elsewhere. */
  readonly architecture?: string;
}

export interface NcclNet {
  readonly name: string;
  readonly device: number;
  readonly port: number;
  readonly guid: string;
  readonly megabitsPerSecond: number;
  readonly latency: Seconds;
  readonly gpuDirect: boolean;
  /** Takes part in in-network reduction. */
  readonly collNet: boolean;
}

/** A PCI function or bridge with what hangs below it. */
export interface NcclPci {
  readonly busId: string;
  readonly deviceClass: string;
  /** Rate of the link upwards, all lanes. */
  readonly bandwidth: BytesPerSecond;
  readonly gpu?: NcclGpu;
  readonly nets: readonly NcclNet[];
  readonly children: readonly NcclPci[];
}

export interface NcclCpu {
  readonly numa: number;
  readonly architecture: 'x86' | 'arm' | 'power';
  readonly vendor: 'intel' | 'amd' | 'zhaoxin' | 'other';
  /** CPU family and model number, as /proc/cpuinfo reports them. */
  readonly family: number;
  readonly model: number;
  readonly pci: readonly NcclPci[];
  /** NICs that are no PCI devices. */
  readonly nets: readonly NcclNet[];
}

/** The inside of one node as NCCL sees it: what its topology XML says. */
export interface NcclTopology {
  readonly name: string;
  readonly cpus: readonly NcclCpu[];
}

/** Path kinds from best to worst, with the numbers that NCCL prints. */
export const PATH = {
  LOC: 0,
  NVL: 1,
  NVB: 2,
  C2C: 3,
  PIX: 4,
  PXB: 5,
  P2C: 6,
  PXN: 7,
  PHB: 8,
  SYS: 9,
  NET: 10,
  DIS: 11,
} as const;

/** Patterns of a search, with the numbers that NCCL prints. */
export const PATTERN = { balancedTree: 1, splitTree: 2, tree: 3, ring: 4, nvls: 5 } as const;

export const NCCL_ALGORITHMS = ['TREE', 'RING', 'COLLNET_DIRECT', 'COLLNET_CHAIN', 'NVLS', 'NVLS_TREE', 'PAT'] as const;
export type NcclAlgorithm = (typeof NCCL_ALGORITHMS)[number];
export const NCCL_PROTOCOLS = ['LL', 'LL128', 'SIMPLE'] as const;
export type NcclProtocol = (typeof NCCL_PROTOCOLS)[number];
export const NCCL_COLLECTIVES = ['Broadcast', 'Reduce', 'AllGather', 'ReduceScatter', 'AllReduce'] as const;
export type NcclCollective = (typeof NCCL_COLLECTIVES)[number];

/** What the search found for one pattern. Bandwidths in bytes per second of one channel. */
export interface NcclGraph {
  readonly pattern: number;
  readonly channels: number;
  readonly bandwidthIntra: BytesPerSecond;
  readonly bandwidthInter: BytesPerSecond;
  /** Worst path kinds used, numbers of {@link PATH}. */
  readonly typeIntra: number;
  readonly typeInter: number;
  /** Whether every channel visits the GPUs in the same order. */
  readonly sameChannels: boolean;
  /** 0: a channel leaves and enters by one NIC; 2: neighbouring channels swap NICs. */
  readonly crossNic: number;
  readonly latencyInter: Seconds;
  /** Ranks in order, one list per channel. */
  readonly orders: readonly (readonly number[])[];
  /** Index of the entering and the leaving NIC of each channel; empty on one node. */
  readonly nics: readonly (readonly [number, number])[];
}

/** Result of the search of all patterns for one topology on some nodes. */
export interface NcclGraphs {
  readonly topology: string;
  readonly nodes: number;
  readonly ranks: number;
  readonly computeCapability: number;
  readonly architecture: NcclCpu['architecture'];
  readonly vendor: NcclCpu['vendor'] | 'mixed';
  readonly nics: number;
  readonly tree: NcclGraph;
  readonly ring: NcclGraph;
  readonly nvls: NcclGraph;
  /** Present where NICs reduce in the network (`coll="1"`): a chain through each node, and one head per NIC behind an NVSwitch. */
  readonly collNet?: { readonly chain: NcclGraph; readonly direct: NcclGraph };
  /** Channels of the communicator after connecting. */
  readonly communicatorChannels: number;
  readonly nvlinkSwitch: boolean;
}
