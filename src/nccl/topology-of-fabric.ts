import { FabricPlanError, invalidArgument } from '../errors.js';
import type { DeviceSpec, Fabric, LinkSpec } from '../fabric/types.js';
import type { NcclCpu, NcclGpu, NcclNet, NcclNvlink, NcclPci, NcclTopology } from './types.js';

export interface TopologyOfFabricOptions {
  /** Compute capability × 10 of the GPUs (90 for H100). Default: by the GPU's model. */
  readonly computeCapability?: number;
  /** Vendor of the CPUs, which sets the rate between sockets and a step's overhead. Default intel. */
  readonly cpuVendor?: NcclCpu['vendor'];
  readonly cpuArchitecture?: NcclCpu['architecture'];
}

/** Generations by model name, first match: NVIDIA's published compute capabilities. */
const GENERATIONS: readonly (readonly [RegExp, number])[] = [
  [/B300/, 103],
  [/B200|B100/, 100],
  [/H100|H200|H800|H20|GH200/, 90],
  [/L40|L4|RTX 40|4090/, 89],
  [/A40|A10(?!0)|A6000|3090/, 86],
  [/A100|A800|A30/, 80],
  [/T4/, 75],
  [/V100/, 70],
  [/P100/, 60],
];

/** Nominal rate of PCIe x16 by generation and what NCCL counts for it, GB/s. */
const PCIE_STEPS = [
  [4, 3],
  [8, 6],
  [15.75, 12],
  [31.5, 24],
  [63, 48],
  [126, 96],
] as const;

/**
 * The inside of one node of a fabric, as NCCL would see it: CPUs, the PCI tree with GPUs and NICs, NVLinks.
 *
 * @param gpus ids of GPUs of that node, in rank order
 * @throws FabricPlanError `invalid-argument` for unknown ids, GPUs without a path to a CPU, or GPUs of a generation that cannot be told
 * @complexity O(devices + links)
 */
export function ncclTopologyOf(fabric: Fabric, gpus: readonly string[], options: TopologyOfFabricOptions = {}): NcclTopology {
  const where = 'ncclTopologyOf';
  if (gpus.length === 0) throw invalidArgument(where, 'gpus', gpus, 'at least one GPU id');
  const byId = new Map(fabric.devices.map((device) => [device.id, device]));
  const around = new Map<string, { link: LinkSpec; other: DeviceSpec }[]>();
  for (const link of fabric.links) {
    for (const [from, to] of [
      [link.source, link.target],
      [link.target, link.source],
    ]) {
      const other = byId.get(to);
      if (other === undefined) continue;
      const list = around.get(from);
      if (list === undefined) around.set(from, [{ link, other }]);
      else list.push({ link, other });
    }
  }
  const rankOf = new Map(gpus.map((id, rank) => [id, rank]));
  for (const id of gpus) {
    if (byId.get(id)?.kind !== 'gpu') throw invalidArgument(where, 'gpu', id, 'the id of a GPU of the fabric');
  }
  const neighbours = (id: string): readonly { link: LinkSpec; other: DeviceSpec }[] => around.get(id) ?? [];
  const busIds = new Map<string, string>();
  const busOf = (id: string): string => {
    let bus = busIds.get(id);
    if (bus === undefined) busIds.set(id, (bus = `0000:${(busIds.size + 1).toString(16).padStart(2, '0')}:00.0`));
    return bus;
  };
  const nvlinksOf = (device: DeviceSpec): NcclNvlink[] =>
    neighbours(device.id)
      .filter(({ other }) => (other.kind === 'gpu' && rankOf.has(other.id)) || other.kind === 'nvswitch')
      .map(({ link, other }) => ({
        target: busOf(other.id),
        count: Math.max(1, Math.round(((link.count ?? 1) * link.bandwidth) / nominalNvlink(capabilityOf(device, options)))),
        targetClass: other.kind === 'nvswitch' ? '0x068000' : '0x030200',
      }));
  const gpuOf = (device: DeviceSpec): NcclGpu => ({
    device: rankOf.get(device.id) ?? 0,
    rank: rankOf.get(device.id) ?? 0,
    computeCapability: capabilityOf(device, options),
    gpuDirect: true,
    nvlinks: nvlinksOf(device),
    vendor: 'nvidia',
  });
  let netCount = 0;
  const netsOf = (nic: DeviceSpec): NcclNet[] =>
    neighbours(nic.id)
      .filter(({ other }) => other.kind === 'switch' || other.kind === 'gateway')
      .map(({ link }, port) => ({
        name: nic.id,
        device: netCount++,
        port: port + 1,
        guid: nic.id,
        megabitsPerSecond: (link.bandwidth * (link.count ?? 1) * 8) / 1e6,
        latency: 0,
        gpuDirect: true,
        collNet: false,
      }));
  const seen = new Set<string>();
  const below = (id: string, isGpu = false): NcclPci[] =>
    neighbours(id)
      // Links between GPUs are no part of the PCI tree; a GPU may carry its own NIC.
      .filter(({ other }) => !seen.has(other.id) && (other.kind === 'nic' || (!isGpu && (other.kind === 'pcie' || rankOf.has(other.id)))))
      .sort((a, b) => (rankOf.get(a.other.id) ?? 1e9) - (rankOf.get(b.other.id) ?? 1e9))
      .map(({ link, other }) => {
        seen.add(other.id);
        return {
          busId: busOf(other.id),
          deviceClass: other.kind === 'pcie' ? '0x060400' : other.kind === 'nic' ? '0x020000' : '0x030200',
          bandwidth: pcieRate(link),
          ...(other.kind === 'gpu' ? { gpu: gpuOf(other) } : {}),
          nets: other.kind === 'nic' ? netsOf(other) : [],
          children: other.kind === 'nic' ? [] : below(other.id, other.kind === 'gpu'),
        };
      });
  const cpuIds = cpusOf(gpus, neighbours);
  const cpus = cpuIds.map((id, numa): NcclCpu => ({
    numa,
    architecture: options.cpuArchitecture ?? 'x86',
    vendor: options.cpuVendor ?? 'intel',
    family: options.cpuVendor === 'amd' ? 25 : 6,
    model: 143,
    pci: below(id),
    nets: [],
  }));
  const missing = gpus.filter((id) => !seen.has(id));
  if (missing.length > 0)
    throw new FabricPlanError('invalid-argument', `${where}: GPU ${missing.join(', ')} has no link to a CPU or PCIe switch; expected one`);
  return { name: fabric.name, cpus };
}

/** CPUs that the GPUs reach without leaving the node, in order of the first GPU that does. */
function cpusOf(gpus: readonly string[], neighbours: (id: string) => readonly { other: DeviceSpec }[]): string[] {
  const cpus: string[] = [];
  for (const gpu of gpus) {
    const seen = new Set([gpu]);
    let frontier = [gpu];
    while (frontier.length > 0) {
      const next: string[] = [];
      for (const id of frontier)
        for (const { other } of neighbours(id)) {
          if (seen.has(other.id)) continue;
          seen.add(other.id);
          if (other.kind === 'cpu' && !cpus.includes(other.id)) cpus.push(other.id);
          if (other.kind === 'pcie') next.push(other.id);
        }
      frontier = next;
    }
  }
  return cpus;
}

function capabilityOf(device: DeviceSpec, options: TopologyOfFabricOptions): number {
  const known = options.computeCapability ?? GENERATIONS.find(([pattern]) => pattern.test(device.model ?? ''))?.[1];
  if (known === undefined)
    throw invalidArgument(
      'ncclTopologyOf',
      `model of GPU "${device.id}"`,
      device.model,
      'a known NVIDIA model, or the option computeCapability',
    );
  return known;
}

/** Nominal bytes per second of one NVLink in one direction. */
const nominalNvlink = (capability: number): number => (capability >= 100 ? 50e9 : capability >= 70 ? 25e9 : 20e9);

/** What NCCL counts for a PCIe link: the step of the nearest generation. */
function pcieRate(link: LinkSpec): number {
  const gbps = link.bandwidth / 1e9;
  let best: readonly [number, number] = PCIE_STEPS[0];
  for (const step of PCIE_STEPS) if (Math.abs(Math.log(step[0] / gbps)) < Math.abs(Math.log(best[0] / gbps))) best = step;
  return gbps > 200 ? link.bandwidth : best[1] * 1e9;
}
