import type { Topology, TopologyDevice } from './types.js';
import type { BytesPerSecond } from '../../quantities.js';

/** Cables of one technology and rate. */
export interface CableClass {
  readonly technology: string;
  /** One direction of one cable; absent where the file does not say. */
  readonly bandwidth?: BytesPerSecond;
  readonly cables: number;
}

/** What a topology holds, added up. */
export interface TopologySummary {
  readonly gpus: number;
  /** Hosts. */
  readonly nodes: number;
  /** Network switches; scale-up switches and PCIe bridges are counted among the devices. */
  readonly switches: number;
  /** Places of a wide-area map. */
  readonly sites: number;
  /** Cables: both directions of a duplex cable are one, parallel cables count each. */
  readonly links: number;
  /** Parts that no cable joins. */
  readonly components: number;
  /** Devices by kind. */
  readonly devices: Readonly<Record<string, number>>;
  readonly capacities: {
    /** All cables that have a rate, one direction. */
    readonly total: BytesPerSecond;
    readonly cables: readonly CableClass[];
  };
}

/**
 * Counts and capacities of a topology.
 *
 * @complexity O(devices + links)
 * @example
 * summarizeTopology({ format: 'x', name: 'x', scope: 'cluster', levels: [], devices: [], links: [], contents: {}, coverage: { inferred: [] }, warnings: [] }).links // 0
 */
export function summarizeTopology(topology: Topology): TopologySummary {
  const devices: Record<string, number> = {};
  let gpus = 0;
  for (const device of topology.devices) {
    devices[device.kind] = (devices[device.kind] ?? 0) + 1;
    gpus += device.kind === 'gpu' ? 1 : (device.gpus ?? 0);
  }
  let links = 0;
  let total = 0;
  const classes = new Map<string, CableClass>();
  for (const { technology = '', bandwidth, count = 1, duplex } of topology.links) {
    links += count;
    total += (bandwidth ?? 0) * count;
    const key = JSON.stringify([technology, bandwidth ?? -1, duplex ?? true]);
    classes.set(key, {
      technology,
      ...(bandwidth === undefined ? {} : { bandwidth }),
      cables: (classes.get(key)?.cables ?? 0) + count,
    });
  }
  return {
    gpus,
    nodes: hostsOf(topology).length,
    switches: devices['switch'] ?? 0,
    sites: countSites(topology),
    links,
    components: countParts(topology),
    devices,
    capacities: {
      total,
      cables: [...classes.values()].sort(
        (a, b) => (b.bandwidth ?? -1) - (a.bandwidth ?? -1) || (a.technology < b.technology ? -1 : a.technology > b.technology ? 1 : 0),
      ),
    },
  };
}

/** Places: sites of a map, and sites that only their gateways show. */
function countSites({ devices }: Topology): number {
  const sites = devices.filter(({ kind }) => kind === 'site');
  const shown = new Set(sites.map(({ id, location }) => location[0] ?? id));
  const hidden = new Set(
    devices.flatMap(({ id, kind, location }) => (kind === 'gateway' && !shown.has(location[0] ?? id) ? [location[0] ?? id] : [])),
  );
  return sites.length + hidden.size;
}

/** Hosts by a key of their own: host devices, and hosts whose inside is shown, by where its parts are. */
export function hostsOf(topology: Topology): string[] {
  const hosts = new Set<string>();
  const level = topology.levels.indexOf('host');
  for (const device of topology.devices) {
    if (device.kind === 'host') hosts.add(JSON.stringify([...device.location.slice(0, -1), device.id]));
    else if (isInHost(device) && device.location.length > 0)
      hosts.add(JSON.stringify(level >= 0 ? device.location.slice(0, level + 1) : device.location));
  }
  return [...hosts];
}

const isInHost = ({ kind }: TopologyDevice): boolean => kind === 'gpu' || kind === 'cpu' || kind === 'nic' || kind === 'pcie';

function countParts({ devices, links }: Topology): number {
  const index = new Map(devices.map(({ id }, i) => [id, i]));
  const parent = Int32Array.from(devices, (_, i) => i);
  const find = (i: number): number => {
    while (parent[i] !== i) i = parent[i] = parent[parent[i]];
    return i;
  };
  let parts = devices.length;
  for (const { source, target } of links) {
    const a = index.get(source);
    const b = index.get(target);
    if (a === undefined || b === undefined) continue;
    const rootA = find(a);
    const rootB = find(b);
    if (rootA === rootB) continue;
    parent[rootA] = rootB;
    parts--;
  }
  return parts;
}
