import type { BytesPerSecond } from '../quantities.js';

/** How the GPUs of a node are joined. */
export const SCALE_UP_KINDS = [
  'nvswitch',
  'nvl72',
  'nvlink-all-to-all',
  'nvlink-cube-mesh',
  'infinity-fabric-mesh',
  'pcie',
  'none',
  'unknown',
] as const;
export type ScaleUpKind = (typeof SCALE_UP_KINDS)[number];

/** What carries messages between nodes. `nvlink`: the nodes share one NVLink domain. */
export const TRANSPORTS = [
  'none',
  'nvlink',
  'infiniband',
  'roce',
  'slingshot',
  'efa',
  'gpudirect-tcpx',
  'omni-path',
  'tcp',
  'unknown',
] as const;
export type Transport = (typeof TRANSPORTS)[number];

/** A machine as far as the measured model looks at it. */
export interface HardwareRecord {
  /** GPU model as its maker names it, such as `H100-SXM5-80GB`. */
  readonly gpu: string;
  readonly gpusPerNode: number;
  readonly scaleUp: {
    readonly kind: ScaleUpKind;
    /** Nominal one-way rate per GPU; absent where GPUs only have PCIe, or it is not known. */
    readonly bandwidthPerGpu?: BytesPerSecond;
    /** Whether the switch adds up what passes (NVLink SHARP). */
    readonly inSwitchReduction: boolean;
  };
  readonly scaleOut: {
    readonly transport: Transport;
    /** Nominal sum of the NICs of a node; absent where it is not known. */
    readonly bandwidthPerNode?: BytesPerSecond;
    readonly nicsPerNode?: number;
    /** Nominal rate of one NIC; absent where it is not known. */
    readonly bandwidthPerNic?: BytesPerSecond;
  };
}

/** GPU families that share constants. */
export const GPU_FAMILIES = ['volta', 'ampere', 'hopper', 'blackwell', 'cdna', 'other'] as const;
export type GpuFamily = (typeof GPU_FAMILIES)[number];

const FAMILY_PATTERNS: readonly (readonly [RegExp, GpuFamily])[] = [
  [/MI\d{3}/i, 'cdna'],
  [/V100|T4\b|TITAN ?V/i, 'volta'],
  [/A100|A800|A30\b|A40\b|A10\b|A6000|30\d0/i, 'ampere'],
  [/H100|H200|H800|H20\b|GH200/i, 'hopper'],
  [/G?B[123]00/i, 'blackwell'],
];

/** Family of a GPU by its model name; `other` where no pattern fits. */
export function gpuFamily(gpu: string): GpuFamily {
  return FAMILY_PATTERNS.find(([pattern]) => pattern.test(gpu))?.[1] ?? 'other';
}

/** Rate of the PCIe link of a GPU by its model, as counted after encoding and framing. */
export function pcieBandwidth(gpu: string): BytesPerSecond {
  if (/V100|P100|T4\b|20\d0|GTX|TITAN/i.test(gpu)) return 12e9;
  if (/H100|H200|H20\b|B[123]00|50\d0|5K|6000 Blackwell/i.test(gpu)) return 48e9;
  return 24e9;
}
