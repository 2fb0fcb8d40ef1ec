import { naturalOrder } from './natural-order.js';
import { DEVICE_KINDS, type CompiledFabric, type DeviceSpec, type FabricSpec, type LinkSpec } from './types.js';

/** A description in compiled order together with its integer form. */
export interface Compilation {
  readonly devices: readonly DeviceSpec[];
  readonly links: readonly LinkSpec[];
  readonly indexOf: ReadonlyMap<string, number>;
  readonly compiled: CompiledFabric;
}

/**
 * Turns a valid description into typed arrays.
 *
 * @complexity O((devices + links) log) time; about 60 bytes a link beside the description
 */
export function compileFabric(spec: FabricSpec): Compilation {
  const order = naturalOrder(spec.devices.map((device) => device.id));
  const devices = Array.from(order, (i) => spec.devices[i]);
  const indexOf = new Map<string, number>();
  devices.forEach((device, i) => indexOf.set(device.id, i));

  const links = sortLinks(spec.links, indexOf);
  const deviceCount = devices.length;
  let arcCount = 0;
  for (const link of links) arcCount += link.duplex === false ? 1 : 2;

  const rawSource = new Int32Array(arcCount);
  const rawTarget = new Int32Array(arcCount);
  const rawLink = new Int32Array(arcCount);
  const outStart = new Int32Array(deviceCount + 1);
  const inStart = new Int32Array(deviceCount + 1);
  let raw = 0;
  const addRaw = (source: number, target: number, link: number): void => {
    rawSource[raw] = source;
    rawTarget[raw] = target;
    rawLink[raw++] = link;
    outStart[source + 1]++;
    inStart[target + 1]++;
  };
  links.forEach((link, i) => {
    const source = indexOf.get(link.source)!;
    const target = indexOf.get(link.target)!;
    addRaw(source, target, i);
    if (link.duplex !== false) addRaw(target, source, i);
  });
  for (let i = 0; i < deviceCount; i++) {
    outStart[i + 1] += outStart[i];
    inStart[i + 1] += inStart[i];
  }

  // Counting sort by target, then stably by source: arcs end up ordered by (source, target, link).
  const byTarget = countingSort(rawTarget, inStart);
  const arcSource = new Int32Array(arcCount);
  const arcTarget = new Int32Array(arcCount);
  const arcLink = new Int32Array(arcCount);
  const arcBandwidth = new Float64Array(arcCount);
  const arcLatency = new Float64Array(arcCount);
  const next = outStart.slice(0, deviceCount);
  for (const r of byTarget) {
    const arc = next[rawSource[r]]++;
    const link = links[rawLink[r]];
    arcSource[arc] = rawSource[r];
    arcTarget[arc] = rawTarget[r];
    arcLink[arc] = rawLink[r];
    const isReverse = devices[rawSource[r]].id !== link.source;
    const rate = isReverse ? (link.reverseBandwidth ?? link.bandwidth) : link.bandwidth;
    arcBandwidth[arc] = rate * (link.count ?? 1) * (1 - (link.backgroundLoad ?? 0)) * (link.efficiency ?? 1);
    arcLatency[arc] = link.latency;
  }
  const inArcs = countingSort(arcTarget, inStart);

  const kind = Uint8Array.from(devices, (device) => DEVICE_KINDS.indexOf(device.kind));
  const gpus = Int32Array.from(devices.flatMap((device, i) => (device.kind === 'gpu' ? [i] : [])));
  const gpuOfDevice = new Int32Array(deviceCount).fill(-1);
  gpus.forEach((device, gpu) => (gpuOfDevice[device] = gpu));
  const gpuLevel = spec.levels.map((_, level) => denseLocations(devices, gpus, level));
  const compiled = {
    deviceCount,
    arcCount,
    kind,
    gpus,
    gpuOfDevice,
    outStart,
    arcSource,
    arcTarget,
    arcBandwidth,
    arcLatency,
    arcLink,
    inStart,
    inArcs,
    gpuLevel,
  };
  return { devices, links, indexOf, compiled };
}

function sortLinks(links: readonly LinkSpec[], indexOf: ReadonlyMap<string, number>): readonly LinkSpec[] {
  const source = Int32Array.from(links, (link) => indexOf.get(link.source)!);
  const target = Int32Array.from(links, (link) => indexOf.get(link.target)!);
  const compare = (a: number, b: number): number => source[a] - source[b] || target[a] - target[b] || (links[a].id < links[b].id ? -1 : 1);
  const order = Int32Array.from(links, (_, i) => i);
  return Array.from(order.sort(compare), (i) => links[i]);
}

/** Indices of `keys` grouped by key, stable; `start` holds the first place of each key. */
function countingSort(keys: Int32Array, start: Int32Array): Int32Array {
  const next = start.slice(0, start.length - 1);
  const sorted = new Int32Array(keys.length);
  for (let i = 0; i < keys.length; i++) sorted[next[keys[i]]++] = i;
  return sorted;
}

/** Numbers the location prefixes of depth `level + 1` in order of first appearance; a GPU without that part is alone in its own. */
function denseLocations(devices: readonly DeviceSpec[], gpus: Int32Array, level: number): Int32Array {
  const known = new Map<string, number>();
  let count = 0;
  return Int32Array.from(gpus, (index) => {
    const { location } = devices[index];
    if (location.length <= level) return count++;
    const key = location.slice(0, level + 1).join('\u0000');
    let id = known.get(key);
    if (id === undefined) known.set(key, (id = count++));
    return id;
  });
}
