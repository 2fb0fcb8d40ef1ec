import type { Bytes, BytesPerSecond, FlopsPerSecond } from '../quantities.js';
import { DEVICE_KINDS, type DeviceKind, type Fabric } from './types.js';

/** What a fabric holds, added up. */
export interface FabricSummary {
  readonly name: string;
  readonly devices: Readonly<Record<DeviceKind, number>>;
  /** Cables: both directions of a duplex link are one, parallel cables count each. */
  readonly links: number;
  /** Connected parts, direction ignored. */
  readonly components: number;
  /** GPUs by preset label (`unknown` where none is given). */
  readonly gpuModels: Readonly<Record<string, number>>;
  readonly gpuMemory: Bytes;
  /** Dense bf16 peak of all GPUs that state one. */
  readonly bf16Peak: FlopsPerSecond;
  /** Number of groups at each level that hold a GPU. */
  readonly groups: Readonly<Record<string, number>>;
  /** Nominal rate of all cables that end in a NIC on one side and a switch on the other, one direction. */
  readonly injectionBandwidth: BytesPerSecond;
}

/**
 * Counts and capacities of a fabric.
 *
 * @complexity O(devices + links)
 * @example
 * summarizeFabric(fabric).devices.gpu // 2
 */
export function summarizeFabric(fabric: Fabric): FabricSummary {
  const devices = Object.fromEntries(DEVICE_KINDS.map((kind) => [kind, 0])) as Record<DeviceKind, number>;
  const gpuModels: Record<string, number> = {};
  let gpuMemory = 0;
  let bf16Peak = 0;
  for (const device of fabric.devices) {
    devices[device.kind]++;
    if (device.kind !== 'gpu') continue;
    const model = device.model ?? 'unknown';
    gpuModels[model] = (Object.hasOwn(gpuModels, model) ? gpuModels[model] : 0) + 1;
    gpuMemory += device.memory ?? 0;
    bf16Peak += device.peak?.bf16 ?? 0;
  }
  let links = 0;
  let injectionBandwidth = 0;
  const kindOf = (id: string): DeviceKind => fabric.devices[fabric.indexOf(id)!].kind;
  for (const link of fabric.links) {
    links += link.count ?? 1;
    const ends = [kindOf(link.source), kindOf(link.target)];
    if (ends.includes('nic') && ends.includes('switch')) injectionBandwidth += link.bandwidth * (link.count ?? 1);
  }
  const groups = Object.fromEntries(fabric.levels.map((level, i) => [level, new Set(fabric.compiled.gpuLevel[i]).size]));
  return {
    name: fabric.name,
    devices,
    links,
    components: countComponents(fabric),
    gpuModels,
    gpuMemory,
    bf16Peak,
    groups,
    injectionBandwidth,
  };
}

function countComponents(fabric: Fabric): number {
  const { deviceCount, arcSource, arcTarget } = fabric.compiled;
  const parent = Int32Array.from({ length: deviceCount }, (_, i) => i);
  const find = (i: number): number => {
    while (parent[i] !== i) i = parent[i] = parent[parent[i]];
    return i;
  };
  let count = deviceCount;
  for (let arc = 0; arc < arcSource.length; arc++) {
    const a = find(arcSource[arc]);
    const b = find(arcTarget[arc]);
    if (a !== b) {
      parent[a] = b;
      count--;
    }
  }
  return count;
}
