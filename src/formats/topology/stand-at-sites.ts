import { FabricPlanError } from '../../errors.js';
import { appendTo } from './append-to.js';
import { coverageOf } from './coverage.js';
import type { Topology, TopologyDevice, TopologyWarning } from './types.js';
import { addContents, padLocation, unite } from './unite.js';

/** Far above any access link, which is the one that limits; gateways serve the wide area only, and are no short cut within a site. */
const BORDER = { bandwidth: 1e13, latency: 1e-6, routingCost: 1, technology: 'border' } as const;

/** Clusters behind the gateways of their sites. */
export function standAtSites(map: Topology, clusters: readonly { readonly topology: Topology; readonly at?: string }[]): Topology {
  if (clusters.length === 0) return map;
  const sites = map.devices.filter(({ kind }) => kind === 'site' || kind === 'gateway');
  const bySite = new Map<string, Topology[]>();
  const loose: Topology[] = [];
  const warnings: TopologyWarning[] = [...map.warnings];
  for (const { topology, at } of clusters) {
    const site = findSite(sites, at ?? topology.name);
    if (site !== undefined) appendTo(bySite, site.id, topology);
    else if (at !== undefined)
      throw new FabricPlanError(
        'invalid-argument',
        `composeTopologies: "${topology.name}" is to stand at "${at}", which is no site of the map, or several; expected one of ${sites
          .slice(0, 20)
          .map(({ id, label }) => (label === undefined ? id : `${id} (${label})`))
          .join(', ')}${sites.length > 20 ? ', …' : ''}`,
      );
    else {
      loose.push(topology);
      warnings.push({ message: `"${topology.name}" stands at no site of the map: give it one (at)` });
    }
  }
  const placed = [...bySite].map(([id, list]) => ({ site: sites.find((one) => one.id === id)!, cluster: unite(list) }));
  const levels = [
    'site',
    ...[...placed.map(({ cluster }) => cluster), ...loose].reduce<readonly string[]>(
      (longest, one) => (one.levels.length > longest.length ? one.levels : longest),
      [],
    ),
  ];
  // A map that already holds clusters has deeper levels of its own.
  const all = map.levels.length > levels.length ? map.levels : levels;
  const devices = map.devices.map((device): TopologyDevice => ({ ...device, location: device.location.slice(0, all.length) }));
  const links = [...map.links];
  const known = new Set(devices.map(({ id }) => id));
  for (const { site, cluster } of placed) {
    const prefix = `${site.id}/`;
    for (const device of cluster.devices)
      devices.push({
        ...device,
        id: prefix + device.id,
        location: [site.location[0] ?? site.id, ...padLocation(device, cluster.levels, all.slice(1))],
        ...(device.coordinates === undefined && site.coordinates !== undefined && device.kind === 'switch'
          ? { coordinates: site.coordinates }
          : {}),
      });
    for (const link of cluster.links)
      links.push({ ...link, id: prefix + link.id, source: prefix + link.source, target: prefix + link.target });
    const gateway = `${prefix}gateway`;
    if (!known.has(gateway)) {
      devices.push({
        id: gateway,
        kind: 'gateway',
        location: [site.location[0] ?? site.id],
        ...(site.coordinates === undefined ? {} : { coordinates: site.coordinates }),
      });
      links.push({ id: `access:${site.id}`, source: gateway, target: site.id, technology: 'site access' });
    }
    for (const { id: root, host } of topOf(cluster))
      links.push({
        id: host === undefined ? `${prefix}${root}–${gateway}` : `${prefix}${host}–${gateway}@${root.slice(host.length + 1)}`,
        source: prefix + root,
        target: gateway,
        ...BORDER,
      });
  }
  for (const cluster of loose)
    for (const device of cluster.devices) devices.push({ ...device, location: ['', ...padLocation(device, cluster.levels, all.slice(1))] });
  for (const cluster of loose) links.push(...cluster.links);
  const parts = [map, ...placed.map(({ cluster }) => cluster), ...loose];
  return {
    ...map,
    levels: all,
    devices,
    links,
    contents: addContents(parts),
    coverage: coverageOf(
      devices,
      links,
      parts.flatMap(({ coverage }) => coverage.inferred),
    ),
    warnings: [...warnings, ...[...placed.map(({ cluster }) => cluster), ...loose].flatMap((cluster) => cluster.warnings)],
  };
}

/** A site by id, or by a label that only it has. */
function findSite(sites: readonly TopologyDevice[], name: string): TopologyDevice | undefined {
  const exact = sites.find(({ id }) => id === name);
  if (exact !== undefined) return exact;
  const wanted = name.toLowerCase();
  const named = sites.filter(({ id, label }) => id.toLowerCase() === wanted || label?.toLowerCase() === wanted);
  return named.length === 1 ? named[0] : undefined;
}

/** Top switches of a cluster: those farthest from the hosts; the hosts' NICs, or the hosts, where there are no switches. */
function topOf({ devices, links }: Topology): { readonly id: string; readonly host?: string }[] {
  const around = new Map<string, string[]>();
  for (const { source, target } of links) {
    appendTo(around, source, target);
    appendTo(around, target, source);
  }
  const switches = new Set(devices.filter(({ kind }) => kind === 'switch').map(({ id }) => id));
  if (switches.size === 0) {
    const nics = devices.filter(({ kind }) => kind === 'nic');
    if (nics.length > 0) return nics.map(({ id }) => ({ id, ...(id.includes('/') ? { host: id.slice(0, id.lastIndexOf('/')) } : {}) }));
    return devices.filter(({ kind }) => kind === 'host' || kind === 'cpu').map(({ id }) => ({ id }));
  }
  let frontier = [...switches].filter((id) => around.get(id)?.some((other) => !switches.has(other)) === true);
  const depth = new Map(frontier.map((id) => [id, 0]));
  let last = frontier;
  for (let at = 1; frontier.length > 0; at++) {
    last = frontier;
    frontier = [...new Set(frontier.flatMap((id) => around.get(id) ?? []))].filter((id) => switches.has(id) && !depth.has(id));
    for (const id of frontier) depth.set(id, at);
  }
  return (last.length > 0 ? last : [...switches]).sort().map((id) => ({ id }));
}
