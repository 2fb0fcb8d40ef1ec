import { invalidArgument } from '../errors.js';
import { localGpuOf } from './locality.js';
import { LINK, LOCAL_PATH, NO_PATH, type Path, type System, type SystemLink, type SystemNode } from './system.js';
import { PATH } from './types.js';

/**
 * Best paths between GPUs, NICs, CPUs and NVSwitches: breadth first from every end, wider paths preferred among equally long ones,
 * through another GPU for one NVLink hop at most. Pairs that cannot talk directly go through a CPU; NICs are reached through the NVLink
 * peer beside them (PXN) where that is wider or avoids the CPU.
 */
export function setPaths(system: System): void {
  for (const kind of ['cpu', 'gpu', 'nvs'] as const) for (const base of listOf(system, kind)) setPathsTo(system, base, kind);
  // GPUs that cannot reach each other directly go through the CPU of the sender.
  const level = directLevel(system);
  for (const a of system.gpus) {
    for (const b of system.gpus) {
      if (a === b) continue;
      if (a.paths.gpu[b.index].kind > level) divert(a, cpuOf(system, a), 'gpu', b.index);
    }
  }
  for (const net of system.nets) setPathsTo(system, net, 'net');
  for (const net of system.nets) {
    for (const gpu of system.gpus) {
      const own = gpu.paths.net[net.index];
      const local = localGpuOf(system, net);
      if (local !== undefined && local !== gpu) {
        const peer = local.paths.net[net.index];
        if (peer.kind <= PATH.P2C && local.paths.gpu[gpu.index].kind <= PATH.NVL && (peer.bandwidth > own.bandwidth || own.kind > PATH.PXN))
          divert(gpu, local, 'net', net.index);
      }
      if (gpu.paths.net[net.index].kind < PATH.PHB && !gpuDirect(gpu, net, local)) {
        const cpu = cpuOf(system, gpu);
        divert(gpu, cpu, 'net', net.index);
        divert(net, cpu, 'gpu', gpu.index);
      }
    }
  }
}

const listOf = (system: System, kind: 'gpu' | 'net' | 'cpu' | 'nvs'): SystemNode[] =>
  kind === 'gpu' ? system.gpus : kind === 'net' ? system.nets : kind === 'cpu' ? system.cpus : system.switches;

/** Whether the NIC may read and write GPU memory itself. */
function gpuDirect(gpu: SystemNode, net: SystemNode, proxy: SystemNode | undefined): boolean {
  if (!(gpu.gpu?.gpuDirect === true && net.net?.gpuDirect === true)) return false;
  const path = gpu.paths.net[net.index];
  const distance = path.kind === PATH.PXN && proxy !== undefined ? proxy.paths.net[net.index].kind : path.kind;
  return distance <= PATH.P2C;
}

/** Worst path kind over which GPUs use peer-to-peer access. */
function directLevel(system: System): number {
  const { architecture, vendor, family, model } = system.cpuModel;
  if (architecture === 'arm') return PATH.PXB;
  if (architecture === 'x86' && (vendor === 'zhaoxin' || (vendor === 'intel' && family === 6 && model < 0x55))) return PATH.PXB;
  return PATH.SYS;
}

/** Nearest CPU of a GPU. */
export function cpuOf(system: System, gpu: SystemNode): SystemNode {
  let best: SystemNode | undefined;
  for (const cpu of system.cpus) {
    if (cpu.index >= gpu.paths.cpu.length || gpu.paths.cpu[cpu.index].kind === PATH.DIS) continue;
    if (best === undefined || gpu.paths.cpu[cpu.index].links.length < gpu.paths.cpu[best.index].links.length) best = cpu;
  }
  if (best === undefined) throw invalidArgument('searchNcclGraphs', `GPU ${gpu.gpu?.device ?? 0}`, 'no CPU', 'a GPU below a CPU');
  return best;
}

/** Replaces the path of `from` to an end by one through `via`. */
function divert(from: SystemNode, via: SystemNode, kind: 'gpu' | 'net', index: number): void {
  const first = via.kind === 'cpu' ? from.paths.cpu[via.index] : from.paths.gpu[via.index];
  const second = via.paths[kind][index];
  if (first.kind === PATH.DIS || second.kind === PATH.DIS) return;
  const worst = Math.max(first.kind, second.kind);
  from.paths[kind][index] = {
    links: [...first.links, ...second.links],
    bandwidth: Math.min(first.bandwidth, second.bandwidth),
    kind: via.kind === 'gpu' ? Math.max(worst, PATH.PXN) : Math.max(worst, PATH.PHB),
  };
}

function setPathsTo(system: System, base: SystemNode, kind: 'gpu' | 'net' | 'cpu' | 'nvs'): void {
  const best = new Map<SystemNode, Path>([[base, LOCAL_PATH]]);
  let frontier = [base];
  while (frontier.length > 0) {
    const next: SystemNode[] = [];
    for (const node of frontier) {
      const path = best.get(node) ?? NO_PATH;
      for (const link of node.links) {
        const other = link.target;
        // Through a GPU only as one NVLink hop between GPUs.
        if (node !== base && node.kind === 'gpu' && (link.kind !== LINK.nvlink || other.kind !== 'gpu' || path.links.length > 1)) continue;
        const back = other.links.find((one) => one.target === node && one.kind === link.kind);
        if (back === undefined) continue;
        const bandwidth = Math.min(path.bandwidth, link.bandwidth);
        const known = best.get(other);
        if (known !== undefined && !(known.links.length > path.links.length && known.bandwidth < bandwidth)) continue;
        best.set(other, { links: [back, ...path.links], bandwidth, kind: kindAfter(node, path, link) });
        if (!next.includes(other)) next.push(other);
      }
    }
    frontier = next;
  }
  for (const node of system.all) node.paths[kind][base.index] = best.get(node) ?? NO_PATH;
}

/** Kind of a path after one more hop, from `node` over `link`. */
function kindAfter(node: SystemNode, path: Path, link: SystemLink): number {
  const other = link.target;
  let kind: number = link.kind === LINK.net ? PATH.LOC : link.kind;
  if (node.kind === 'pci' && other.kind === 'pci') kind = PATH.PXB;
  if (link.kind === LINK.pci && (node.kind === 'cpu' || other.kind === 'cpu')) kind = PATH.PHB;
  if (node.kind === 'gpu' && path.kind === PATH.NVL && kind === PATH.NVL && path.links.length > 0) kind = PATH.NVB;
  return Math.max(path.kind, kind);
}
