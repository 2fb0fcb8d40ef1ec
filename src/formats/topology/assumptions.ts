import type { BytesPerSecond, Seconds } from '../../quantities.js';

/** GPU generation whose usual links may be assumed where a file gives none. */
export interface GenerationAssumption {
  readonly name: string;
  /** Preset of the GPU: memory, peak rates. */
  readonly gpu: string;
  /** One direction of one NVLink or xGMI link, its usual share, and the technology. */
  readonly scaleUp: { readonly technology: string; readonly bandwidth: BytesPerSecond; readonly efficiency: number };
  /** Link presets of PCIe, sockets and NICs. */
  readonly pcie: string;
  readonly socket: string;
  readonly nic: string;
  readonly source: string;
}

const assume = (
  name: string,
  gpu: string,
  technology: string,
  gigabytes: number,
  efficiency: number,
  pcie: string,
  socket: string,
  nic: string,
  source: string,
): GenerationAssumption => ({
  name,
  gpu,
  scaleUp: { technology, bandwidth: gigabytes * 1e9, efficiency },
  pcie,
  socket,
  nic,
  source,
});

const SHEETS = 'vendor data sheets; NIC as in the usual reference systems (general knowledge)';

/** What may be assumed per GPU generation. Nothing of it is used unless asked for, and all of it is recorded where it is. */
export const GENERATIONS: readonly GenerationAssumption[] = [
  assume('volta', 'V100-SXM-32', 'NVLink2', 25, 0.8, 'PCIe3-x16', 'UPI', 'HDR100', SHEETS),
  assume('ampere', 'A100-SXM-80', 'NVLink3', 25, 0.77, 'PCIe4-x16', 'xGMI-sockets', 'HDR', SHEETS),
  assume('ampere-workstation', 'A6000-48', 'NVLink3', 14.0625, 0.77, 'PCIe4-x16', 'xGMI-sockets', 'RoCE-100', SHEETS),
  assume('hopper', 'H100-SXM-80', 'NVLink4', 25, 0.81, 'PCIe5-x16', 'xGMI-sockets', 'NDR', SHEETS),
  assume('hopper-h200', 'H200-SXM-141', 'NVLink4', 25, 0.81, 'PCIe5-x16', 'xGMI-sockets', 'NDR', SHEETS),
  assume('blackwell', 'B200-SXM-180', 'NVLink5', 50, 0.76, 'PCIe5-x16', 'xGMI-sockets', 'NDR', SHEETS),
  assume('cdna2', 'MI250X-GCD', 'xGMI3', 50, 0.72, 'PCIe4-x16', 'xGMI-sockets', 'Slingshot-11', SHEETS),
  assume('cdna3', 'MI300X', 'xGMI4', 64, 0.75, 'PCIe5-x16', 'xGMI-sockets', 'RoCE-400', SHEETS),
];

/** What to assume where a topology does not say. Every field is off by default. */
export interface Assumptions {
  /** Usual links and GPU of a generation, by name of {@link GENERATIONS}. */
  readonly generation?: string;
  /** Node preset for hosts whose inside no file shows, such as `dgx-h100`. */
  readonly node?: string;
  /** Rate of a cable between hosts and switches, or between switches, one direction. */
  readonly link?: BytesPerSecond;
  /** Links that only say "under this switch" get the sum of what is below them over this. Needed for label trees. */
  readonly oversubscription?: number;
  /** Hosts of one group without any links hang off one switch per group. */
  readonly groups?: boolean;
  /** Rate of a link of a map, one direction. */
  readonly wideArea?: BytesPerSecond;
  /** Rate of the access link of a site, one direction. */
  readonly access?: BytesPerSecond;
  /** One-way latency of a link of a map whose length is not known. */
  readonly wideAreaLatency?: Seconds;
  /** Rate of one unit of capacity, for maps that do not declare theirs. */
  readonly capacityUnit?: BytesPerSecond;
}

/** Names of what may be assumed, for command lines. */
export const ASSUMPTION_KEYS = [
  'generation',
  'node',
  'link',
  'oversubscription',
  'groups',
  'wideArea',
  'access',
  'wideAreaLatency',
  'capacityUnit',
] as const;

/** GPU preset by product name, first match. */
const PRODUCTS: readonly (readonly [RegExp, string])[] = [
  [/GB300/i, 'GB300-288'],
  [/GB200/i, 'GB200-186'],
  [/GH200.*144/i, 'GH200-144'],
  [/GH200/i, 'GH200-96'],
  [/B300/i, 'B300-SXM-288'],
  [/B200/i, 'B200-SXM-180'],
  [/H200/i, 'H200-SXM-141'],
  [/H100.*PCIe/i, 'H100-PCIE-80'],
  [/H100.*(64GB|64G)/i, 'H100-SXM-64'],
  [/H100.*94/i, 'H100-SXM-94'],
  [/H100/i, 'H100-SXM-80'],
  [/H800/i, 'H800-SXM-80'],
  [/H20\b/i, 'H20-SXM-96'],
  [/A100.*PCIe/i, 'A100-PCIE-80'],
  [/A100.*40/i, 'A100-SXM-40'],
  [/A100.*64/i, 'A100-SXM-64'],
  [/A100/i, 'A100-SXM-80'],
  [/A800/i, 'A800-SXM-80'],
  [/A6000/i, 'A6000-48'],
  [/\bA40\b/i, 'A40-48'],
  [/L40S/i, 'L40S'],
  [/L40/i, 'L40-48'],
  [/4090/i, 'RTX-4090'],
  [/V100.*(PCIe|PCI-E)/i, 'V100-PCIE-16'],
  [/V100.*16/i, 'V100-SXM-16'],
  [/V100/i, 'V100-SXM-32'],
  [/MI355/i, 'MI355X'],
  [/MI325/i, 'MI325X'],
  [/MI300A/i, 'MI300A'],
  [/MI300/i, 'MI300X'],
  [/MI250/i, 'MI250X-GCD'],
  [/MI210/i, 'MI210-64'],
];

/** Preset of a GPU by the product name that a file gives; undefined for products without one. */
export const gpuOfProduct = (product: string): string | undefined => PRODUCTS.find(([pattern]) => pattern.test(product))?.[1];
