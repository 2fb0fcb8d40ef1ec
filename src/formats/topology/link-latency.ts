import { FIBRE_LATENCY_PER_METRE } from '../../fabric/builders/multi-site.js';
import { linkNamed } from '../../presets/nodes.js';
import { ROUTE_FACTOR } from '../../presets/sites.js';
import { greatCircle } from '../great-circle.js';
import { appendTo } from './append-to.js';
import type { Assumptions } from './assumptions.js';
import type { Gap, Ledger } from './ledger.js';
import type { Topology, TopologyDevice, TopologyLink } from './types.js';

/** One-way latency of a hop by technology, from the link presets. */
const HOPS: readonly (readonly [RegExp, string])[] = [
  [/^NVLink-C2C/, 'NVLink-C2C'],
  [/^NVLink/, 'NVLink4'],
  [/^xGMI/i, 'xGMI4'],
  [/^PCIe|^direct$|^channels$/, 'PCIe5-x16'],
  [/^socket$/, 'UPI'],
  [/Ethernet/i, 'RoCE-400'],
];

/** Coordinates of sites; a meeting point of links without a place is put in the middle of its neighbours. */
export function placeSites(topology: Topology, ledger: Ledger): Map<string, readonly [number, number]> {
  const places = new Map<string, readonly [number, number]>();
  for (const { id, coordinates } of topology.devices) if (coordinates !== undefined) places.set(id, coordinates);
  const around = new Map<string, string[]>();
  const sites = new Set(topology.devices.flatMap(({ id, kind }) => (kind === 'site' ? [id] : [])));
  for (const { source, target } of topology.links) {
    if (sites.has(source)) appendTo(around, source, target);
    if (sites.has(target)) appendTo(around, target, source);
  }
  // Twice: a meeting point may have another one as its only neighbour.
  for (let pass = 0; pass < 2; pass++)
    for (const { id, kind } of topology.devices) {
      if (kind !== 'site' || places.has(id)) continue;
      const near = (around.get(id) ?? []).flatMap((other) => (places.has(other) ? [places.get(other)!] : []));
      if (near.length === 0) continue;
      const mean = (axis: 0 | 1): number => near.reduce((sum, place) => sum + place[axis], 0) / near.length;
      places.set(id, [mean(0), mean(1)]);
      ledger.infer('places of sites without coordinates', 'the middle of their neighbours');
    }
  return places;
}

/** One-way latency of a link that does not state it: length of the fibre on maps, the usual hop of its technology elsewhere. */
export function latencyOf(
  link: TopologyLink,
  source: TopologyDevice,
  target: TopologyDevice,
  places: ReadonlyMap<string, readonly [number, number]>,
  assume: Assumptions,
  ledger: Ledger,
  gap: Gap,
): number {
  const technology = link.technology ?? '';
  if (technology === 'site access') return 5e-6;
  if (link.distance !== undefined && (source.kind === 'site' || link.distance > 1000)) {
    ledger.infer('latencies', 'length of the fibre, 4.9 µs a kilometre');
    return link.distance * FIBRE_LATENCY_PER_METRE;
  }
  if (source.kind === 'site' || target.kind === 'site') {
    const [a, b] = [places.get(link.source), places.get(link.target)];
    if (a !== undefined && b !== undefined) {
      ledger.infer('latencies', `great circle × ${ROUTE_FACTOR.default} (${ROUTE_FACTOR.low}–${ROUTE_FACTOR.high}) × 4.9 µs a kilometre`);
      return greatCircle(a, b) * ROUTE_FACTOR.default * FIBRE_LATENCY_PER_METRE;
    }
    if (assume.wideAreaLatency !== undefined) {
      ledger.assume(`latency of links of unknown length: ${assume.wideAreaLatency * 1e3} ms`, 'wideAreaLatency');
      return assume.wideAreaLatency;
    }
    gap('links of the map have neither a length nor two ends with coordinates', 'wideAreaLatency, such as wideAreaLatency=5ms');
    return 0;
  }
  const preset = HOPS.find(([pattern]) => pattern.test(technology))?.[1] ?? 'NDR';
  ledger.infer('latencies', `typical hop of ${preset}`);
  return linkNamed(preset).latency;
}
