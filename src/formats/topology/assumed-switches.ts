import { appendTo } from './append-to.js';
import type { Assumptions } from './assumptions.js';
import type { Ledger } from './ledger.js';
import type { Topology, TopologyDevice, TopologyLink } from './types.js';

/** One switch for every group of hosts that have no link at all, and one above the groups. */
export function joinGroups(topology: Topology, ledger: Ledger): Topology {
  const linked = new Set(topology.links.flatMap(({ source, target }) => [source, target]));
  const hostOf = (id: string): string => (id.includes('/') ? id.slice(0, id.lastIndexOf('/')) : id);
  // The ports by which hosts join the network: NICs where the inside is known.
  const ports = topology.devices.filter(({ kind }) => kind === 'nic' || kind === 'host');
  const outward = new Set(topology.links.flatMap(({ source, target }) => (hostOf(source) === hostOf(target) ? [] : [source, target])));
  const loose = ports.filter((port) => (port.kind === 'host' ? !linked.has(port.id) : !outward.has(port.id)));
  if (loose.length === 0) return topology;
  const depth = Math.max(0, topology.levels.indexOf('host'));
  const devices = [...topology.devices];
  const links: TopologyLink[] = [...topology.links];
  const known = new Set(devices.map(({ id }) => id));
  const added = new Set<string>();
  const idOf = (path: readonly string[]): string => {
    let id = `group:${path.join('/')}`;
    while (known.has(id)) id += 'x';
    return id;
  };
  const ensure = (path: readonly string[]): string => {
    const id = idOf(path);
    if (added.has(id)) return id;
    added.add(id);
    devices.push({ id, kind: 'switch', location: path });
    if (path.length > 0)
      links.push({ id: `${ensure(path.slice(0, -1))}–${id}`, source: idOf(path.slice(0, -1)), target: id, technology: 'uplink' });
    return id;
  };
  for (const port of loose) {
    const group = ensure(port.location.slice(0, depth));
    links.push({
      id: `${group}–${port.id}`,
      source: group,
      target: port.id,
      technology: 'uplink',
      ...(port.portBandwidth === undefined ? {} : { bandwidth: port.portBandwidth }),
    });
  }
  ledger.assume('a switch for every group of hosts', 'groups', added.size);
  return { ...topology, devices, links };
}

/**
 * Rates of links that only say "under this switch": for every such link between switches the rate of everything below, shared by the
 * parents, over the oversubscription.
 */
export function sumBelow(topology: Topology, ids: ReadonlyMap<string, TopologyDevice>, assume: Assumptions): Map<string, number> {
  const sums = new Map<string, number>();
  if (assume.oversubscription === undefined) return sums;
  const down = new Map<string, TopologyLink[]>();
  const parents = new Map<string, number>();
  for (const link of topology.links) {
    if (link.technology !== 'uplink') continue;
    appendTo(down, link.source, link);
    parents.set(link.target, (parents.get(link.target) ?? 0) + 1);
  }
  const own = new Map<string, number>();
  const open = new Set<string>();
  const below = (id: string): number => {
    const known = own.get(id);
    if (known !== undefined) return known;
    if (open.has(id)) return 0;
    open.add(id);
    let sum = 0;
    for (const link of down.get(id) ?? []) {
      const isSwitch = ids.get(link.target)?.kind === 'switch';
      if (!isSwitch) {
        sum += (link.bandwidth ?? assume.link ?? 0) * (link.count ?? 1);
        continue;
      }
      const share = below(link.target) / (parents.get(link.target) ?? 1) / assume.oversubscription!;
      if (link.bandwidth === undefined && share > 0) sums.set(link.id, share);
      sum += link.bandwidth ?? share;
    }
    open.delete(id);
    own.set(id, sum);
    return sum;
  };
  for (const id of down.keys()) below(id);
  return sums;
}
