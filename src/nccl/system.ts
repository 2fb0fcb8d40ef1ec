import { FabricPlanError, type Issue } from '../errors.js';
import { PATH, type NcclCpu, type NcclNet, type NcclPci, type NcclTopology } from './types.js';

/** Node kinds of NCCL's graph. */
export type NodeKind = 'gpu' | 'pci' | 'nvs' | 'cpu' | 'nic' | 'net';

/** Link kinds, numbered as the path kind that one hop over them gives. */
export const LINK = { nvlink: PATH.NVL, pci: PATH.PIX, system: PATH.SYS, net: PATH.NET } as const;

export interface SystemLink {
  readonly kind: number;
  readonly target: SystemNode;
  /** Remaining GB/s; the search takes from it and gives back. */
  bandwidth: number;
}

export interface SystemNode {
  readonly kind: NodeKind;
  /** Place among the nodes of its kind. */
  readonly index: number;
  readonly links: SystemLink[];
  readonly paths: { gpu: Path[]; net: Path[]; cpu: Path[]; nvs: Path[] };
  readonly gpu?: { readonly device: number; readonly rank: number; readonly cc: number; readonly gpuDirect: boolean };
  readonly net?: {
    readonly asic: string;
    readonly port: number;
    readonly latency: number;
    readonly gpuDirect: boolean;
    readonly collNet: boolean;
  };
  readonly cpu?: Pick<NcclCpu, 'architecture' | 'vendor' | 'family' | 'model'>;
  /** Remaining GB/s of a NIC over all channels. */
  netBandwidth: number;
  /** Whether a channel has visited this GPU, one per channel. */
  readonly used: Uint8Array;
}

/** A route: its links in order, its narrowest link in GB/s and its kind. */
export interface Path {
  readonly links: SystemLink[];
  readonly bandwidth: number;
  readonly kind: number;
}

/** RCCL's `sm` is the number of compute units; its search treats every AMD GPU like this NVIDIA generation. */
const AMD_AS = 80;

/** GB/s inside one device. */
const LOCAL_GBPS = 5000;

/** The graph that the search runs on: nodes by kind, links with remaining GB/s, best paths. */
export interface System {
  readonly gpus: SystemNode[];
  readonly nets: SystemNode[];
  readonly cpus: SystemNode[];
  readonly switches: SystemNode[];
  readonly all: SystemNode[];
  readonly architecture: NcclCpu['architecture'];
  readonly vendor: NcclCpu['vendor'] | 'mixed';
  readonly cpuModel: Pick<NcclCpu, 'architecture' | 'vendor' | 'family' | 'model'>;
}

/** NVLink GB/s of one link by compute capability (facts: NCCL 2.30 topo.h). */
function nvlinkGbps(cc: number): number {
  if (cc >= 100) return 40.1;
  if (cc >= 90) return 20.6;
  if (cc === 86) return 12;
  if (cc >= 70) return 20;
  return 18;
}

/** xGMI GB/s of one link of AMD GPUs by architecture: MI300 64 (less 25 % header), MI200 and older about 37. */
function xgmiGbps(architecture: string | undefined): number {
  return /94|95|1030[0-9]/.test(architecture ?? '') ? 48 : 36;
}

/** GB/s between two sockets. */
function socketGbps({ architecture, vendor, family, model }: Pick<NcclCpu, 'architecture' | 'vendor' | 'family' | 'model'>): number {
  if (architecture === 'power') return 32;
  if (architecture === 'arm') return 6;
  if (vendor === 'amd') return 16;
  if (vendor !== 'intel' || family !== 6) return 6;
  if (model >= 0xcf) return 40;
  if (model >= 0x8f) return 22;
  return model >= 0x55 ? 10 : 6;
}

/**
 * Builds NCCL's graph of one node. NICs are left out where the job stays inside the node, as NCCL trims them.
 *
 * @throws FabricPlanError `invalid-argument` for a topology without GPUs or with NVLinks to unknown targets
 */
export function createSystem(topology: NcclTopology, withNets: boolean): System {
  const system = {
    gpus: [] as SystemNode[],
    nets: [] as SystemNode[],
    cpus: [] as SystemNode[],
    switches: [] as SystemNode[],
    all: [] as SystemNode[],
  };
  const counts: Record<NodeKind, number> = { gpu: 0, pci: 0, nvs: 0, cpu: 0, nic: 0, net: 0 };
  const lists: Partial<Record<NodeKind, SystemNode[]>> = { gpu: system.gpus, net: system.nets, cpu: system.cpus, nvs: system.switches };
  const add = (kind: NodeKind, more: Partial<SystemNode> = {}): SystemNode => {
    const node: SystemNode = {
      kind,
      index: counts[kind]++,
      links: [],
      paths: { gpu: [], net: [], cpu: [], nvs: [] },
      netBandwidth: 0,
      used: new Uint8Array(128),
      ...more,
    };
    system.all.push(node);
    lists[kind]?.push(node);
    return node;
  };
  const issues: Issue[] = [];
  const byBus = new Map<string, SystemNode>();
  const addNet = (parent: SystemNode, net: NcclNet): void => {
    if (!withNets) return;
    const speed = net.megabitsPerSecond > 0 ? net.megabitsPerSecond : 10_000;
    const node = add('net', {
      net: {
        asic: net.guid === '' ? `device ${net.device}` : net.guid,
        port: net.port,
        latency: net.latency * 1e6,
        gpuDirect: net.gpuDirect,
        collNet: net.collNet,
      },
      netBandwidth: speed / 8000,
    });
    connect(parent, node, LINK.net, speed / 8000);
  };
  const addPci = (parent: SystemNode, pci: NcclPci): void => {
    if (pci.gpu === undefined && pci.nets.length === 0 && pci.children.length === 0) return;
    const { gpu } = pci;
    const node = add(gpu !== undefined ? 'gpu' : pci.nets.length > 0 ? 'nic' : 'pci', {
      ...(gpu === undefined
        ? {}
        : {
            gpu: {
              device: gpu.device,
              rank: gpu.rank,
              cc: gpu.vendor === 'amd' ? AMD_AS : gpu.computeCapability,
              gpuDirect: gpu.gpuDirect,
            },
          }),
    });
    byBus.set(pci.busId.toLowerCase(), node);
    for (const net of pci.nets) addNet(node, net);
    for (const child of pci.children) addPci(node, child);
    connect(node, parent, LINK.pci, pci.bandwidth / 1e9);
  };
  for (const cpu of topology.cpus) {
    const node = add('cpu', { cpu });
    for (const pci of cpu.pci) addPci(node, pci);
    if (cpu.nets.length > 0) {
      const nic = add('nic');
      connect(nic, node, LINK.pci, LOCAL_GBPS);
      for (const net of cpu.nets) addNet(nic, net);
    }
  }
  for (const pci of allPci(topology)) {
    if (pci.gpu === undefined) continue;
    const from = byBus.get(pci.busId.toLowerCase());
    if (from === undefined) continue;
    for (const { target, count, targetClass } of pci.gpu.nvlinks) {
      const rate = count * (pci.gpu.vendor === 'amd' ? xgmiGbps(pci.gpu.architecture) : nvlinkGbps(pci.gpu.computeCapability));
      if (targetClass.startsWith('0x0680')) {
        const nvs = system.switches[0] ?? add('nvs');
        connect(from, nvs, LINK.nvlink, rate);
      } else {
        const to = byBus.get(target.toLowerCase());
        if (to?.kind === 'gpu') connectOneWay(from, to, LINK.nvlink, rate);
        else if (targetClass.startsWith('0x0604') || targetClass.startsWith('0x0600')) {
          const cpu = system.cpus.find((one) => one.links.some((link) => link.target === from)) ?? system.cpus[0];
          connect(from, cpu, LINK.nvlink, rate);
        } else if (to === undefined)
          issues.push({
            path: pci.busId,
            message: `GPU ${pci.busId} has NVLinks to ${target}, which the topology does not hold; expected a GPU`,
          });
      }
    }
  }
  if (system.gpus.length === 0) issues.push({ path: 'cpus', message: `topology "${topology.name}" holds no GPU; expected at least one` });
  if (issues.length > 0)
    throw new FabricPlanError('invalid-argument', issues.map(({ message }) => `createSystem: ${message}`).join('\n'), issues);
  for (const a of system.cpus)
    for (const b of system.cpus) if (a !== b) connectOneWay(a, b, LINK.system, socketGbps(a.cpu ?? topology.cpus[0]));
  const vendors = new Set(topology.cpus.map(({ vendor }) => vendor));
  return {
    ...system,
    architecture: topology.cpus[0].architecture,
    vendor: vendors.size === 1 ? topology.cpus[0].vendor : 'mixed',
    cpuModel: topology.cpus[0],
  };
}

/** Every PCI function of a topology, in the order of the file. */
export function allPci(topology: NcclTopology): NcclPci[] {
  const list: NcclPci[] = [];
  const visit = (pci: NcclPci): void => {
    list.push(pci);
    pci.children.forEach(visit);
  };
  for (const cpu of topology.cpus) cpu.pci.forEach(visit);
  return list;
}

function connect(a: SystemNode, b: SystemNode, kind: number, gbps: number): void {
  connectOneWay(a, b, kind, gbps);
  connectOneWay(b, a, kind, gbps);
}

/** Adds to a link of the same kind and target, else a new link; the fastest links come first. */
function connectOneWay(source: SystemNode, target: SystemNode, kind: number, gbps: number): void {
  const existing = source.links.find((link) => link.target === target && link.kind === kind);
  if (existing === undefined) source.links.push({ kind, target, bandwidth: gbps });
  else existing.bandwidth += gbps;
  source.links.sort((a, b) => b.bandwidth - a.bandwidth);
}

export const LOCAL_PATH: Path = { links: [], bandwidth: LOCAL_GBPS, kind: PATH.LOC };
export const NO_PATH: Path = { links: [], bandwidth: 0, kind: PATH.DIS };
