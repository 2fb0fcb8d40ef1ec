import { appendTo } from './append-to.js';
import { FabricPlanError, invalidArgument } from '../../errors.js';
import { expandHostlist } from '../../fabric/expand-hostlist.js';
import { coverageOf } from './coverage.js';
import { expandHosts, ownName, type HostTemplate } from './expand-hosts.js';
import type { Topology, TopologyDevice, TopologyLink, TopologyWarning } from './types.js';

/** A topology with the place where it belongs. */
export interface PlacedTopology {
  readonly topology: Topology;
  /**
   * Where: for the inside of a node the hosts that have it, as a hostlist (`n[1-4]`) or a pattern between slashes; for a cluster the site
   * it stands at, by id or label. Default: every host; the site of the cluster's name.
   */
  readonly at?: string;
}

/** Far above any access link, which is the one that limits; gateways serve the wide area only, and are no short cut within a site. */
const BORDER = { bandwidth: 1e13, latency: 1e-6, routingCost: 1, technology: 'border' } as const;

/**
 * Joins topologies into one: node files give the inside of hosts, clusters that name the same hosts or switches are laid over each other,
 * clusters stand at sites of a map behind a gateway and an access link, whose rate no file says. Everything else stands side by side.
 *
 * Conflicts (a value that two files give differently) and leftovers (a node file that no host takes, a cluster at no site) are warnings.
 * The order of the parts matters only where they conflict: the first wins. Composing in steps gives the same as at once, where no two
 * parts say different things of the same device.
 *
 * @throws FabricPlanError `invalid-argument` for nothing to compose, or a site or hosts that are not there
 * @complexity O(devices + links)
 */
export function composeTopologies(parts: readonly (Topology | PlacedTopology)[], options: { readonly name?: string } = {}): Topology {
  const where = 'composeTopologies';
  const placed = parts.map((part): PlacedTopology => ('topology' in part ? part : { topology: part }));
  if (placed.length === 0) throw invalidArgument(where, 'parts', placed, 'at least one topology');
  const ofScope = (scope: Topology['scope']): PlacedTopology[] => placed.filter(({ topology }) => topology.scope === scope);
  const nodes = mergeInsides(ofScope('node'));
  const clusters = ofScope('cluster');
  const maps = ofScope('wide-area').map(({ topology }) => topology);
  const names = options.name ?? (maps[0] ?? clusters[0]?.topology ?? nodes[0].topology).name;
  if (clusters.length === 0 && maps.length === 0) return { ...unite(nodes.map(({ topology }) => topology)), name: names };
  const templates = nodes.map(({ topology, at }): HostTemplate => ({ inside: topology, matches: hostMatcher(topology, at, nodes.length) }));
  // Node files beside a map alone are hosts of their own; each stands at its site.
  const hasHosts = [...clusters.map(({ topology }) => topology), ...maps].some(({ devices }) =>
    devices.some(({ kind }) => kind === 'host'),
  );
  const lone: PlacedTopology[] = hasHosts
    ? []
    : nodes.map(({ topology, at }) => ({ topology: hostOf(topology), ...(at === undefined ? {} : { at }) }));
  let whole: Topology;
  if (maps.length === 0) {
    const stray = clusters.find(({ at }) => at !== undefined);
    if (stray !== undefined)
      throw invalidArgument(where, `place of "${stray.topology.name}"`, stray.at, 'a site, and there is no map among the parts');
    whole = unite([...clusters, ...lone].map(({ topology }) => topology));
  } else whole = standAtSites(unite(maps), [...clusters, ...lone]);
  if (hasHosts) whole = expandHosts(whole, templates);
  return { ...whole, name: names, format: placed.length === 1 ? whole.format : 'composed' };
}

/** Node files of the same place are views of one host: they are laid over each other. */
function mergeInsides(nodes: readonly PlacedTopology[]): PlacedTopology[] {
  const byPlace = new Map<string, PlacedTopology[]>();
  for (const node of nodes) {
    const key = node.at ?? '';
    appendTo(byPlace, key, node);
  }
  return [...byPlace.values()].map((list) => {
    const [first] = list;
    if (list.length === 1) return first;
    return { ...first, topology: fillNvlinkRates(unite(list.map(({ topology }) => topology))) };
  });
}

/** Rates that nvidia-smi nvlink gives per GPU, on the links that a matrix of the same host draws. */
function fillNvlinkRates(topology: Topology): Topology {
  const rates = new Map(
    topology.devices.flatMap(({ id, attributes }) =>
      typeof attributes?.['nvlink rate'] === 'number' ? [[id, attributes['nvlink rate']] as const] : [],
    ),
  );
  let filled = 0;
  const links = topology.links.map((link) => {
    const rate = rates.get(link.source) ?? rates.get(link.target);
    if (link.technology !== 'NVLink' || link.bandwidth !== undefined || rate === undefined) return link;
    filled += link.count ?? 1;
    return { ...link, bandwidth: rate };
  });
  if (filled === 0) return topology;
  return {
    ...topology,
    links,
    coverage: coverageOf(topology.devices, links, [
      ...topology.coverage.inferred,
      { what: 'NVLink rates', from: 'nvidia-smi nvlink --status of the same GPU', count: filled },
    ]),
  };
}

function hostMatcher(inside: Topology, at: string | undefined, count: number): HostTemplate['matches'] {
  if (at === undefined) {
    // One node file is for every host that may have GPUs; of several each is for the host of its name.
    return count === 1 ? ({ gpus }) => gpus !== 0 : ({ id }) => ownName(id) === inside.name || id === inside.name;
  }
  const pattern = /^\/(.*)\/$/.exec(at)?.[1];
  if (pattern !== undefined) {
    let expression: RegExp;
    try {
      expression = new RegExp(pattern, 'u');
    } catch {
      throw invalidArgument('composeTopologies', `hosts of "${inside.name}"`, at, 'a hostlist, or a regular expression between slashes');
    }
    return ({ id }) => expression.test(id) || expression.test(ownName(id));
  }
  const hosts = new Set(expandHostlist(at));
  return ({ id }) => hosts.has(id) || hosts.has(ownName(id));
}

/** A node file as a cluster of one host. */
function hostOf(inside: Topology): Topology {
  const host: TopologyDevice = { id: inside.name, kind: 'host', location: [inside.name] };
  const bare: Topology = { ...inside, scope: 'cluster', levels: ['host'], devices: [host], links: [], coverage: { inferred: [] } };
  return expandHosts(bare, [{ inside, matches: () => true }]);
}

/** Topologies of one scope as one: devices of one id are one device, links of the same ends and ports one link. */
function unite(parts: readonly Topology[]): Topology {
  if (parts.length === 1) return parts[0];
  const levels = parts.reduce<readonly string[]>((longest, { levels: own }) => (own.length > longest.length ? own : longest), []);
  const devices = new Map<string, TopologyDevice>();
  const links = new Map<string, TopologyLink>();
  const warnings: TopologyWarning[] = parts.flatMap((part) => part.warnings);
  let conflicts = 0;
  let example = '';
  let shared = 0;
  for (const part of parts) {
    for (const device of part.devices) {
      const own = { ...device, location: padLocation(device, part.levels, levels) };
      const known = devices.get(device.id);
      if (known === undefined) devices.set(device.id, own);
      else {
        shared++;
        const { merged, conflict } = mergeDevices(known, own);
        devices.set(device.id, merged);
        if (conflict !== undefined) {
          conflicts++;
          example ||= `"${device.id}" has ${conflict} in "${part.name}" and another value before`;
        }
      }
    }
    for (const link of part.links) {
      const known = links.get(link.id);
      if (known !== undefined && known.source === link.source && known.target === link.target) links.set(link.id, { ...link, ...known });
      else if (known === undefined) links.set(link.id, link);
      else {
        let id = link.id;
        for (let n = 2; links.has(id); n++) id = `${link.id}@${n}`;
        links.set(id, { ...link, id });
      }
    }
  }
  if (conflicts > 0)
    warnings.push({ message: `${conflicts} devices are described differently by several files; the first is kept: ${example}` });
  if (shared === 0 && parts.length > 1)
    warnings.push({ message: `"${parts.map(({ name }) => name).join('" and "')}" have no device in common and stand side by side` });
  const all = [...devices.values()];
  const joined = [...links.values()];
  const demands = parts.flatMap((part) => part.demands ?? []);
  const offers = parts.flatMap((part) => part.offers ?? []);
  return {
    ...parts[0],
    levels,
    devices: all,
    links: joined,
    ...(demands.length > 0 ? { demands } : {}),
    ...(offers.length > 0 ? { offers } : {}),
    contents: addContents(parts),
    coverage: coverageOf(
      all,
      joined,
      parts.flatMap((part) => part.coverage.inferred),
    ),
    warnings,
  };
}

function addContents(parts: readonly Topology[]): Record<string, number> {
  const sum: Record<string, number> = {};
  for (const { contents } of parts)
    for (const [key, value] of Object.entries(contents)) sum[key] = (Object.hasOwn(sum, key) ? sum[key] : 0) + value;
  return sum;
}

/** Two descriptions of one device: what only one knows is added, of what both know the first is kept. */
function mergeDevices(first: TopologyDevice, second: TopologyDevice): { merged: TopologyDevice; conflict?: string } {
  const conflict = (['kind', 'gpus', 'model', 'memory'] as const).find(
    (key) => first[key] !== undefined && second[key] !== undefined && first[key] !== second[key],
  );
  const location =
    second.location.length > first.location.length || new Set(second.location).size > new Set(first.location).size
      ? second.location
      : first.location;
  const attributes = { ...second.attributes, ...first.attributes };
  return {
    merged: { ...second, ...first, location, ...(Object.keys(attributes).length > 0 ? { attributes } : {}) },
    ...(conflict === undefined ? {} : { conflict: `${conflict} ${String(second[conflict])}` }),
  };
}

/** A location in longer levels: the broadest part is repeated, so that groups stay what they are. */
function padLocation({ location, kind }: TopologyDevice, from: readonly string[], to: readonly string[]): readonly string[] {
  if (from.length >= to.length || location.length === 0 || kind === 'site') return location;
  return [...Array.from({ length: to.length - from.length }, () => location[0]), ...location];
}

/** Clusters behind the gateways of their sites. */
function standAtSites(map: Topology, clusters: readonly PlacedTopology[]): Topology {
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
        location: [site.id, ...padLocation(device, cluster.levels, all.slice(1))],
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
        location: [site.id],
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
