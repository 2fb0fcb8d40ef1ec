import { invalidArgument } from '../../errors.js';
import type { BytesPerSecond, Bytes, Seconds } from '../../quantities.js';
import type { DeviceSpec, LinkSpec, PeakRates } from '../types.js';

/** A GPU as the builders place it. */
export interface GpuShape {
  readonly model: string;
  readonly memory?: Bytes;
  readonly memoryBandwidth?: BytesPerSecond;
  readonly peak?: PeakRates;
  readonly computeEfficiency?: number;
  /** Watts. */
  readonly power?: number;
}

/** One link technology as builders use it: rate of one direction, one-way latency, share of the rate that bulk transfers reach. */
export interface LinkShape {
  readonly bandwidth: BytesPerSecond;
  readonly latency: Seconds;
  readonly efficiency?: number;
  readonly technology?: string;
}

/**
 * How the GPUs of a node (or of a rack domain) are joined.
 *
 * - `nvswitch`: every GPU has `link` to one switch; `reduces` says whether the switch can add up (NVLink SHARP).
 * - `all-to-all`: every pair has `link` (bandwidth per pair): NVLink of four-GPU boards, Infinity Fabric of MI300X.
 * - `mesh`: the pairs listed, with the number of links each: the V100 cube mesh, the LUMI node.
 * - `none`: PCIe only.
 */
export type ScaleUpShape =
  | { readonly kind: 'nvswitch'; readonly link: LinkShape; readonly reduces?: boolean }
  | { readonly kind: 'all-to-all'; readonly link: LinkShape }
  | { readonly kind: 'mesh'; readonly link: LinkShape; readonly pairs: readonly (readonly [number, number, number])[] }
  | { readonly kind: 'none' };

/** What one node is made of. The builders repeat it. */
export interface NodeShape {
  readonly name: string;
  readonly gpus: number;
  readonly gpu: GpuShape;
  readonly scaleUp: ScaleUpShape;
  /**
   * How GPUs reach NICs: through PCIe switches, each shared by `gpusPerSwitch` GPUs and their NICs and joined to a CPU; straight through
   * the CPU (`host`: GH200's chip-to-chip link, or PCIe into the socket); or NICs on the GPU itself (`gpu`: MI250X).
   */
  readonly attach:
    | { readonly kind: 'pcie-switch'; readonly link: LinkShape; readonly gpusPerSwitch: number }
    | { readonly kind: 'host'; readonly link: LinkShape; readonly nicLink: LinkShape }
    | { readonly kind: 'gpu'; readonly link: LinkShape };
  /** Number of CPUs (sockets). GPUs and NICs are spread over them in order. */
  readonly cpus: number;
  /** Link between two CPUs. */
  readonly cpuLink?: LinkShape;
  readonly nics: number;
  /** Rate of one NIC port into the network. */
  readonly nic: LinkShape;
  /** Nodes that share one scale-up switch: an NVL72 rack is 18 nodes of 4 GPUs. Default 1. */
  readonly nodesPerDomain?: number;
}

/** Devices and links of one node or domain, and the NICs by which it joins a network: `nics[node][rail]`. */
export interface NodeFragment {
  readonly devices: DeviceSpec[];
  readonly links: LinkSpec[];
  readonly nics: string[][];
}

/** Throws for shapes that cannot be built. */
export function checkNodeShape(node: NodeShape, where: string): void {
  const whole = (value: number, name: string, least: number): void => {
    if (!Number.isInteger(value) || value < least)
      throw invalidArgument(where, `${name} of node "${node.name}"`, value, `a whole number of at least ${least}`);
  };
  whole(node.gpus, 'gpus', 1);
  whole(node.nics, 'nics', 0);
  whole(node.cpus, 'cpus', 1);
  whole(node.nodesPerDomain ?? 1, 'nodesPerDomain', 1);
}

/**
 * Devices and links of one scale-up domain: usually one node, a rack of nodes where they share a switch.
 *
 * Ids are `<prefix>/gpu0`, … for a single node and `<prefix>/n0/gpu0`, … for a domain of several.
 *
 * @param location location path of the domain; nodes of a larger domain add their own part
 * @complexity O(GPUs²) for all-to-all nodes, else O(GPUs + NICs)
 */
export function buildNode(node: NodeShape, prefix: string, location: readonly string[]): NodeFragment {
  const devices: DeviceSpec[] = [];
  const links: LinkSpec[] = [];
  const nics: string[][] = [];
  const domainNodes = node.nodesPerDomain ?? 1;
  const gpuIds: string[] = [];
  for (let n = 0; n < domainNodes; n++) {
    const at = domainNodes === 1 ? prefix : `${prefix}/n${n}`;
    const place = domainNodes === 1 ? location : [...location, `n${n}`];
    nics.push(addHost(node, at, place, devices, links));
    for (let g = 0; g < node.gpus; g++) gpuIds.push(`${at}/gpu${g}`);
  }
  addScaleUp(node.scaleUp, gpuIds, prefix, location, devices, links);
  return { devices, links, nics };
}

function addHost(node: NodeShape, at: string, location: readonly string[], devices: DeviceSpec[], links: LinkSpec[]): string[] {
  const { attach } = node;
  for (let g = 0; g < node.gpus; g++) devices.push({ id: `${at}/gpu${g}`, kind: 'gpu', location, ...node.gpu });
  for (let c = 0; c < node.cpus; c++) devices.push({ id: `${at}/cpu${c}`, kind: 'cpu', location });
  const nics: string[] = [];
  for (let n = 0; n < node.nics; n++) {
    devices.push({ id: `${at}/nic${n}`, kind: 'nic', location });
    nics.push(`${at}/nic${n}`);
  }
  const gpuOfNic = (n: number): number => Math.floor((n * node.gpus) / node.nics);
  const cpuOfGpu = (g: number): number => Math.floor((g * node.cpus) / node.gpus);
  if (attach.kind === 'pcie-switch') {
    const switches = Math.ceil(node.gpus / attach.gpusPerSwitch);
    for (let p = 0; p < switches; p++) {
      devices.push({ id: `${at}/pcie${p}`, kind: 'pcie', location });
      links.push(link(`${at}/cpu${cpuOfGpu(p * attach.gpusPerSwitch)}`, `${at}/pcie${p}`, attach.link));
    }
    for (let g = 0; g < node.gpus; g++) links.push(link(`${at}/gpu${g}`, `${at}/pcie${Math.floor(g / attach.gpusPerSwitch)}`, attach.link));
    for (let n = 0; n < node.nics; n++)
      links.push(link(`${at}/nic${n}`, `${at}/pcie${Math.floor(gpuOfNic(n) / attach.gpusPerSwitch)}`, attach.link));
  } else {
    for (let g = 0; g < node.gpus; g++) links.push(link(`${at}/gpu${g}`, `${at}/cpu${cpuOfGpu(g)}`, attach.link));
    for (let n = 0; n < node.nics; n++) {
      const gpu = gpuOfNic(n);
      if (attach.kind === 'gpu') links.push(link(`${at}/nic${n}`, `${at}/gpu${gpu}`, attach.link));
      else links.push(link(`${at}/nic${n}`, `${at}/cpu${cpuOfGpu(gpu)}`, attach.nicLink));
    }
  }
  if (node.cpuLink !== undefined) {
    for (let a = 0; a < node.cpus; a++)
      for (let b = a + 1; b < node.cpus; b++) links.push(link(`${at}/cpu${a}`, `${at}/cpu${b}`, node.cpuLink));
  }
  return nics;
}

function addScaleUp(
  shape: ScaleUpShape,
  gpuIds: readonly string[],
  prefix: string,
  location: readonly string[],
  devices: DeviceSpec[],
  links: LinkSpec[],
): void {
  switch (shape.kind) {
    case 'none':
      return;
    case 'nvswitch': {
      const id = `${prefix}/nvswitch`;
      devices.push({ id, kind: 'nvswitch', location, ...(shape.reduces === undefined ? {} : { reduces: shape.reduces }) });
      for (const gpu of gpuIds) links.push(link(gpu, id, shape.link));
      return;
    }
    case 'all-to-all':
      for (let a = 0; a < gpuIds.length; a++)
        for (let b = a + 1; b < gpuIds.length; b++) links.push(link(gpuIds[a], gpuIds[b], shape.link));
      return;
    case 'mesh':
      for (const [a, b, count] of shape.pairs) links.push(link(gpuIds[a], gpuIds[b], shape.link, count));
  }
}

/** A duplex link named by its ends. */
export function link(source: string, target: string, shape: LinkShape, count = 1): LinkSpec {
  return { id: `${source}–${target}`, source, target, ...shape, ...(count === 1 ? {} : { count }) };
}
