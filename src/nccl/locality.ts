import type { System, SystemNode } from './system.js';
import { PATH } from './types.js';

/** Ends of the widest, then closest, paths of a node to ends of a kind. */
export function closest(system: System, node: SystemNode, kind: 'gpu' | 'net'): SystemNode[] {
  const ends = kind === 'gpu' ? system.gpus : system.nets;
  let bandwidth = 0;
  let best: number = PATH.DIS;
  let found: SystemNode[] = [];
  for (const end of ends) {
    const path = node.paths[kind][end.index];
    if (path.bandwidth > bandwidth || (path.bandwidth === bandwidth && path.kind < best)) {
      bandwidth = path.bandwidth;
      best = path.kind;
      found = [];
    }
    if (path.bandwidth === bandwidth && path.kind === best && path.kind !== PATH.DIS) found.push(end);
  }
  return found;
}

/** NIC that a GPU uses on a channel: GPUs that share NICs start at different ones. */
export function netOf(system: System, gpu: SystemNode, channel: number): SystemNode | undefined {
  const nets = closest(system, gpu, 'net');
  if (nets.length === 0) return undefined;
  const sharing = Math.max(1, closest(system, nets[0], 'gpu').length);
  const device = gpu.gpu?.device ?? 0;
  const start = isPowerOfTwo(nets.length) ? mirrorBits(device, nets.length) : device;
  return nets[(start + (channel % Math.ceil(nets.length / sharing))) % nets.length];
}

/** GPU that a NIC belongs to: the first that would choose it. */
export function localGpuOf(system: System, net: SystemNode): SystemNode | undefined {
  const near = closest(system, net, 'gpu');
  const channels = Math.max(1, system.nets.length);
  for (let channel = 0; channel < channels; channel++) for (const gpu of near) if (netOf(system, gpu, channel) === net) return gpu;
  return undefined;
}

/** NICs to try for a GPU (or for all): first the preferred ones, then all within a path kind, nearest first. */
export function selectNets(system: System, typeInter: number, gpu?: SystemNode): SystemNode[] {
  const found: SystemNode[] = [];
  const append = (net: SystemNode | undefined): void => {
    if (net !== undefined && !found.includes(net)) found.push(net);
  };
  const gpus = gpu === undefined ? system.gpus : [gpu];
  for (const one of gpus) {
    const first = netOf(system, one, 0);
    append(first);
    for (let channel = 1; channel < system.nets.length; channel++) {
      const net = netOf(system, one, channel);
      if (net === first) break;
      append(net);
    }
  }
  for (let kind = 0; kind <= typeInter; kind++)
    for (const one of gpus) for (const net of system.nets) if (one.paths.net[net.index].kind === kind) append(net);
  return found;
}

const isPowerOfTwo = (value: number): boolean => (value & (value - 1)) === 0;

/** Mirrors the low bits of a value below a power of two: neighbours end up far apart. */
function mirrorBits(value: number, powerOfTwo: number): number {
  let mirrored = 0;
  for (let up = 1, down = powerOfTwo >> 1; down > 0; up <<= 1, down >>= 1) if ((value & up) !== 0) mirrored |= down;
  return mirrored;
}

/** Answers that stay the same during a search, each worked out once. */
export interface Locality {
  nets(typeInter: number, gpu?: SystemNode): readonly SystemNode[];
  near(net: SystemNode): readonly SystemNode[];
  gpuOf(net: SystemNode): SystemNode | undefined;
}

export function createLocality(system: System): Locality {
  const nets = new Map<number, readonly SystemNode[]>();
  const near = system.nets.map((net) => closest(system, net, 'gpu'));
  const owners = system.nets.map((net) => localGpuOf(system, net));
  return {
    nets(typeInter, gpu) {
      const key = typeInter * 4096 + (gpu === undefined ? 0 : gpu.index + 1);
      let found = nets.get(key);
      if (found === undefined) nets.set(key, (found = selectNets(system, typeInter, gpu)));
      return found;
    },
    near: (net) => near[net.index],
    gpuOf: (net) => owners[net.index],
  };
}
