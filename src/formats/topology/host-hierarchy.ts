import { appendTo } from './append-to.js';
import { ownName } from './expand-hosts.js';
import type { Attributes, Topology, TopologyDevice } from './types.js';

/** A host as schedulers know it. */
export interface HierarchyHost {
  /** Name on its own site where that is unique, else the whole id with dashes. */
  readonly name: string;
  readonly gpus: number;
  readonly model?: string;
  /** Location without the host itself. */
  readonly path: readonly string[];
  readonly attributes: Attributes;
}

/** A switch, or a group of hosts, in a tree. */
export interface HierarchyGroup {
  readonly name: string;
  readonly children: readonly string[];
  readonly hosts: readonly string[];
  /** Height above the hosts, 0 for a leaf. */
  readonly height: number;
  readonly attributes: Attributes;
}

/** The tree that a scheduler sees of a topology. */
export interface HostHierarchy {
  readonly hosts: readonly HierarchyHost[];
  /** Broad before narrow. */
  readonly groups: readonly HierarchyGroup[];
  /** What the tree does not show of the topology. */
  readonly lost: readonly string[];
}

/**
 * The tree of hosts of a topology. A tree of switches is taken as it is; of any other network, switches that serve the same hosts are one
 * group, and groups that a switch above joins are one group of the next tier, up to the top; hosts without cables are grouped by location.
 *
 * @complexity O(devices + links)
 */
export function hostHierarchy(topology: Topology): HostHierarchy {
  const byId = new Map(topology.devices.map((device) => [device.id, device]));
  const hostOf = new Map<string, string>();
  const found = new Map<string, { device: TopologyDevice; gpus: number; model: string | undefined; path: readonly string[] }>();
  const level = topology.levels.indexOf('host');
  for (const device of topology.devices) {
    const isInside =
      device.kind === 'gpu' || device.kind === 'cpu' || device.kind === 'nic' || device.kind === 'pcie' || device.kind === 'nvswitch';
    if (device.kind !== 'host' && !isInside) continue;
    const key =
      device.kind === 'host'
        ? device.id
        : device.id.includes('/')
          ? device.id.slice(0, device.id.lastIndexOf('/'))
          : (device.location[level] ?? device.location.at(-1) ?? topology.name);
    // A scale-up switch of several hosts belongs to none of them.
    if (device.kind === 'nvswitch' && !found.has(key)) continue;
    hostOf.set(device.id, key);
    const known = found.get(key);
    const gpus = device.kind === 'gpu' ? 1 : (device.gpus ?? 0);
    if (known === undefined)
      found.set(key, {
        device,
        gpus,
        model: device.model,
        path: device.location.slice(0, device.kind === 'host' || level < 0 ? -1 : level),
      });
    else {
      known.gpus += gpus;
      known.model ??= device.model;
    }
  }
  const names = nameAll([...found.keys()], ownName);
  const hosts = [...found].map(([key, { device, gpus, model, path }]): HierarchyHost => ({
    name: names.get(key)!,
    gpus,
    ...(model === undefined ? {} : { model }),
    path,
    attributes: device.kind === 'host' ? (device.attributes ?? {}) : {},
  }));
  const lost: string[] = [];
  const isTree =
    topology.links.length > 0 &&
    topology.links.every(
      (link) =>
        link.technology === 'uplink' &&
        byId.get(link.source)?.kind === 'switch' &&
        (byId.get(link.target)?.kind === 'switch' || byId.get(link.target)?.kind === 'host'),
    );
  let groups: HierarchyGroup[];
  if (isTree) groups = treeGroups(topology, byId, hostOf, names);
  else {
    groups = networkGroups(topology, byId, hostOf, names);
    if (groups.length > 0) {
      const switches = topology.devices.filter(({ kind }) => kind === 'switch').length;
      if (switches > groups.length)
        lost.push(`${switches} switches are shown as ${groups.length} groups: a tree has one switch above another`);
    } else groups = locationGroups(hosts);
  }
  const grouped = new Set(groups.flatMap((group) => group.hosts));
  const loose = hosts.filter(({ name }) => !grouped.has(name)).length;
  if (groups.length > 0 && loose > 0) lost.push(`${loose} hosts that belong to no switch or group`);
  if (topology.links.some(({ bandwidth }) => bandwidth !== undefined)) lost.push('rates and latencies of links');
  if (topology.devices.some(({ coordinates }) => coordinates !== undefined)) lost.push('coordinates');
  if (topology.devices.some(({ kind }) => kind === 'gpu')) lost.push('the inside of hosts');
  if (topology.devices.some(({ kind }) => kind === 'site' || kind === 'gateway')) lost.push('sites and the links between them');
  return { hosts, groups, lost };
}

/** Names by key: the short one where it is unique. */
function nameAll(keys: readonly string[], short: (key: string) => string): Map<string, string> {
  const counts = new Map<string, number>();
  for (const key of keys) counts.set(short(key), (counts.get(short(key)) ?? 0) + 1);
  return new Map(keys.map((key) => [key, counts.get(short(key)) === 1 ? short(key) : key.replaceAll('/', '-')]));
}

function treeGroups(
  topology: Topology,
  byId: ReadonlyMap<string, TopologyDevice>,
  hostOf: ReadonlyMap<string, string>,
  names: ReadonlyMap<string, string>,
): HierarchyGroup[] {
  const children = new Map<string, string[]>();
  const hosts = new Map<string, string[]>();
  for (const { source, target } of topology.links) {
    const list = byId.get(target)?.kind === 'switch' ? children : hosts;
    appendTo(list, source, list === children ? target : names.get(hostOf.get(target)!)!);
  }
  const heights = new Map<string, number>();
  const height = (id: string, depth = 0): number => {
    const known = heights.get(id);
    if (known !== undefined || depth > 1000) return known ?? 0;
    const own = Math.max(-1, ...(children.get(id) ?? []).map((child) => height(child, depth + 1))) + 1;
    heights.set(id, own);
    return own;
  };
  return topology.devices
    .filter(({ kind }) => kind === 'switch')
    .map(({ id, attributes }) => ({
      name: id,
      children: children.get(id) ?? [],
      hosts: hosts.get(id) ?? [],
      height: height(id),
      attributes: attributes ?? {},
    }));
}

function networkGroups(
  topology: Topology,
  byId: ReadonlyMap<string, TopologyDevice>,
  hostOf: ReadonlyMap<string, string>,
  names: ReadonlyMap<string, string>,
): HierarchyGroup[] {
  const around = new Map<string, Set<string>>();
  const leavesOf = new Map<string, Set<string>>();
  const add = (map: Map<string, Set<string>>, key: string, value: string): void => {
    const list = map.get(key);
    if (list === undefined) map.set(key, new Set([value]));
    else list.add(value);
  };
  for (const { source, target } of topology.links)
    for (const [a, b] of [
      [source, target],
      [target, source],
    ]) {
      if (byId.get(a)?.kind !== 'switch') continue;
      if (byId.get(b)?.kind === 'switch') add(around, a, b);
      const host = hostOf.get(b);
      if (host !== undefined) add(leavesOf, host, a);
    }
  if (leavesOf.size === 0) return [];
  // Depth of every switch above the hosts.
  const depth = new Map<string, number>();
  let frontier = [...new Set([...leavesOf.values()].flatMap((set) => [...set]))];
  for (const id of frontier) depth.set(id, 0);
  for (let at = 1; frontier.length > 0; at++) {
    frontier = [...new Set(frontier.flatMap((id) => [...(around.get(id) ?? [])]))].filter((id) => !depth.has(id));
    for (const id of frontier) depth.set(id, at);
  }
  const parent = new Map([...depth.keys()].map((id) => [id, id]));
  const find = (id: string): string => {
    let at = id;
    while (parent.get(at) !== at) {
      parent.set(at, parent.get(parent.get(at)!)!);
      at = parent.get(at)!;
    }
    return at;
  };
  const join = (a: string, b: string): void => {
    const [x, y] = [find(a), find(b)].sort();
    parent.set(y, x);
  };
  for (const set of leavesOf.values()) {
    const [first, ...rest] = set;
    for (const other of rest) join(first, other);
  }
  // Leaves joined directly (a torus, a dragonfly group) stay apart here and meet one tier above.
  let units = new Map<string, { name: string; height: number }>();
  const groups: { name: string; children: string[]; hosts: string[]; height: number; attributes: Attributes }[] = [];
  const members = new Map<string, string[]>();
  for (const [id, at] of depth) if (at === 0) appendTo(members, find(id), id);
  for (const [root, list] of members) {
    const name = list.length === 1 ? root : `${root}-group`;
    units.set(root, { name, height: 0 });
    groups.push({ name, children: [], hosts: [], height: 0, attributes: list.length === 1 ? (byId.get(root)?.attributes ?? {}) : {} });
  }
  const byName = new Map(groups.map((group) => [group.name, group]));
  for (const [host, set] of leavesOf) byName.get(units.get(find([...set][0]))!.name)!.hosts.push(names.get(host)!);
  const tiers = Math.max(0, ...depth.values());
  for (let tier = 1; tier <= tiers + 1 && units.size > 1; tier++) {
    const before = new Map([...units].map(([root, unit]) => [root, unit]));
    for (const [id, set] of around) {
      const own = depth.get(id)!;
      if (tier <= tiers ? own > tier : false) continue;
      for (const other of set) if (tier > tiers || depth.get(other)! <= tier) join(id, other);
    }
    const merged = new Map<string, { name: string; height: number }[]>();
    for (const [root, unit] of before) appendTo(merged, find(root), unit);
    units = new Map();
    for (const [root, list] of merged) {
      if (list.length === 1) {
        units.set(root, list[0]);
        continue;
      }
      const tops = [...depth]
        .filter(([id, at]) => at === Math.min(tier, tiers) && at > 0 && find(id) === root)
        .map(([id]) => id)
        .sort();
      const name = tops.length === 1 ? tops[0] : `${tops[0] ?? root}-group`;
      const unique = byName.has(name) ? `${name}-tier${tier}` : name;
      const height = Math.max(...list.map((unit) => unit.height)) + 1;
      const group = {
        name: unique,
        children: list.map((unit) => unit.name),
        hosts: [],
        height,
        attributes: tops.length === 1 ? (byId.get(tops[0])?.attributes ?? {}) : {},
      };
      groups.push(group);
      byName.set(unique, group);
      units.set(root, { name: unique, height });
    }
  }
  return groups.sort((a, b) => b.height - a.height);
}

/** Groups by location, for hosts without cables. */
function locationGroups(hosts: readonly HierarchyHost[]): HierarchyGroup[] {
  const groups = new Map<string, { name: string; children: string[]; hosts: string[]; height: number; attributes: Attributes }>();
  const depth = Math.max(0, ...hosts.map(({ path }) => path.length));
  const taken = new Set<string>();
  const ensure = (path: readonly string[]): string => {
    const key = JSON.stringify(path);
    const known = groups.get(key);
    if (known !== undefined) return known.name;
    let name = path.at(-1)!;
    if (taken.has(name)) name = path.join('-');
    taken.add(name);
    groups.set(key, { name, children: [], hosts: [], height: depth - path.length, attributes: {} });
    if (path.length > 1) {
      ensure(path.slice(0, -1));
      groups.get(JSON.stringify(path.slice(0, -1)))!.children.push(name);
    }
    return name;
  };
  for (const { name, path } of hosts) {
    // A host that belongs to no group of a level stands there under its own name.
    const alone = path.indexOf(name);
    const own = alone < 0 ? path : path.slice(0, alone);
    if (own.length === 0) continue;
    ensure(own);
    groups.get(JSON.stringify(own))!.hosts.push(name);
  }
  return [...groups.values()].sort((a, b) => b.height - a.height);
}
