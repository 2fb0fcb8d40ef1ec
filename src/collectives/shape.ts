import { localityLevels } from '../fabric/locality.js';
import type { Routes } from '../routes/compute-routes.js';
import type { CollectiveShape } from './types.js';

const MOST_CHANNELS = 8;
const MOST_STRIDED = 16;
/** Above this, rings in both directions are not tried across nodes: NICs carry the same either way. */
const MOST_REVERSED = 64;

/**
 * What algorithms need to know of an ordered list of GPUs.
 *
 * @param gpus GPU indices in rank order (from orderRanks)
 * @complexity O(n × levels)
 */
export function describeShape(routes: Routes, gpus: Int32Array): CollectiveShape {
  return describeShapes(routes, [gpus])[0];
}

/** Shapes of several groups: groups alike share one, so that its rings are laid out once. */
export function describeShapes(routes: Routes, groups: readonly Int32Array[]): CollectiveShape[] {
  const known = new Map<string, CollectiveShape>();
  return groups.map((gpus) => {
    const levels = localityLevels(routes.fabric, gpus);
    const switchReduces = switchesReduce(routes, gpus);
    const key = `${gpus.length}|${switchReduces}|${levels.map((level) => level.join()).join(';')}`;
    let shape = known.get(key);
    if (shape === undefined) {
      shape = { rankCount: gpus.length, levels, ringSets: gpus.length < 2 ? [] : ringSets(gpus.length, levels), switchReduces };
      known.set(key, shape);
    }
    return shape;
  });
}

/** Rings to choose from: rotated in every node so that each channel crosses by another NIC; both directions; strides inside a node. */
function ringSets(n: number, levels: readonly Int32Array[]): Int32Array[][] {
  const tour = Int32Array.from({ length: n }, (_, i) => i);
  const both = [tour, Int32Array.from(tour, (_, i) => (n - i) % n)];
  if (levels.length === 0) {
    const strides = n <= MOST_STRIDED ? tour.slice(1).filter((s) => greatestCommonDivisor(s, n) === 1) : new Int32Array(0);
    const strided = Array.from(strides, (s) => Int32Array.from(tour, (_, i) => (i * s) % n));
    return n === 2 ? [[tour]] : [[tour], both, ...(strided.length > 2 ? [strided] : [])];
  }
  const nodes: number[][] = [];
  levels[0].forEach((node, rank) => (nodes[node] ??= []).push(rank));
  const channels = Math.min(MOST_CHANNELS, ...nodes.map((members) => members.length));
  if (channels === 1) return n <= MOST_REVERSED ? [[tour], both] : [[tour]];
  const rotated = Array.from({ length: channels }, (_, c) => {
    const order = new Int32Array(n);
    let at = 0;
    nodes.forEach((members, node) => {
      const m = members.length;
      // Every second node runs backwards, so that a channel leaves and enters on the same rail.
      for (let i = 0; i < m; i++) order[at++] = node % 2 === 0 ? members[(c + i) % m] : members[(c - 1 - i + 2 * m) % m];
    });
    return order;
  });
  return n <= MOST_REVERSED ? [rotated, both] : [rotated];
}

const greatestCommonDivisor = (a: number, b: number): number => (b === 0 ? a : greatestCommonDivisor(b, a % b));

/** In one zone: its scale-up switch reduces. Across zones: one rank each, and every switch its routes meet reduces. */
function switchesReduce(routes: Routes, gpus: Int32Array): boolean {
  const { fabric, zones } = routes;
  const { compiled } = fabric;
  const zoneOf = (gpu: number): number => zones.zoneOf[compiled.gpus[gpu]];
  const used = new Set(Array.from(gpus, zoneOf));
  if (used.size === 1) return scaleUpSwitch(routes, gpus) !== undefined;
  if (used.size < gpus.length) return false;
  return Array.from(used).every((zone) => {
    const { exits } = zones.classes[zones.zones[zone].classIndex];
    return exits.length > 0 && exits.every((node) => fabric.devices[zones.coreDevices[node]].reduces === true);
  });
}

/** Device index of a reducing scale-up switch that every one of these GPUs is linked to. */
export function scaleUpSwitch(routes: Routes, gpus: Int32Array): number | undefined {
  const { devices, compiled } = routes.fabric;
  const neighbours = (gpu: number): number[] => {
    const device = compiled.gpus[gpu];
    return Array.from(compiled.arcTarget.subarray(compiled.outStart[device], compiled.outStart[device + 1])).filter(
      (next) => devices[next].kind === 'nvswitch' && devices[next].reduces === true,
    );
  };
  const first = neighbours(gpus[0]);
  if (first.length === 0) return undefined;
  return first.find((candidate) => gpus.every((gpu) => neighbours(gpu).includes(candidate)));
}
