import { appendTo } from './append-to.js';
import { coverageOf } from './coverage.js';
import type { Inference, Topology, TopologyDevice, TopologyLink, TopologyWarning } from './types.js';

/** Technologies of links that say "this host hangs off that switch", not how many cables there are. */
const LABEL_LINKS: ReadonlySet<string> = new Set(['uplink', 'ring', 'torus', 'border']);

/** The inside of a host, to be repeated. */
export interface HostTemplate {
  readonly inside: Topology;
  /** Whether a host, by its id, gets this inside. */
  matches(host: TopologyDevice): boolean;
}

/** Last part of an id: the name that a host has on its own site. */
export const ownName = (id: string): string => id.slice(id.lastIndexOf('/') + 1);

/**
 * Gives hosts their inside: devices and links of the template under the host's id, and the host's cables on its NICs. A cable whose port
 * bears a NIC's name goes there; else cables and NICs are paired in order, and a link that only says "under this leaf" goes to every NIC.
 *
 * @complexity O(hosts × devices of the template + links)
 */
export function expandHosts(topology: Topology, templates: readonly HostTemplate[]): Topology {
  if (templates.length === 0) return topology;
  const chosen = new Map<string, Topology>();
  const warnings: TopologyWarning[] = [];
  let claimed = 0;
  for (const device of topology.devices) {
    if (device.kind !== 'host') continue;
    const own = templates.filter((template) => template.matches(device));
    if (own.length > 1) claimed++;
    if (own.length > 0) chosen.set(device.id, own[0].inside);
  }
  if (claimed > 0) warnings.push({ message: `${claimed} hosts are claimed by several node files; the first is taken` });
  const counts = new Map<Topology, number>();
  let differing = 0;
  const devices: TopologyDevice[] = [];
  const links: TopologyLink[] = [];
  const nicsOf = new Map<string, { readonly id: string; readonly names: readonly string[]; readonly rate: number | undefined }[]>();
  const hostLevel = topology.levels.includes('host') ? topology.levels : [...topology.levels, 'host'];
  for (const device of topology.devices) {
    const inside = chosen.get(device.id);
    if (inside === undefined) {
      devices.push(device);
      continue;
    }
    counts.set(inside, (counts.get(inside) ?? 0) + 1);
    const gpus = inside.devices.filter(({ kind }) => kind === 'gpu').length;
    if (device.gpus !== undefined && device.gpus > 0 && device.gpus !== gpus) differing++;
    const nics: { id: string; names: string[]; rate: number | undefined }[] = [];
    for (const part of inside.devices) {
      const id = `${device.id}/${part.id}`;
      devices.push({
        ...part,
        id,
        location: device.location,
        ...(part.kind === 'gpu' && part.model === undefined && device.model !== undefined ? { model: device.model } : {}),
      });
      if (part.kind === 'nic') nics.push({ id, names: portNames(part), rate: part.portBandwidth });
    }
    for (const link of inside.links)
      links.push({ ...link, id: `${device.id}/${link.id}`, source: `${device.id}/${link.source}`, target: `${device.id}/${link.target}` });
    if (nics.length === 0) {
      const cpu = inside.devices.find(({ kind }) => kind === 'cpu') ?? inside.devices[0];
      nics.push({ id: `${device.id}/${cpu.id}`, names: [], rate: undefined });
    }
    nicsOf.set(device.id, nics);
  }
  let rated = 0;
  const touching = new Map<string, number[]>();
  topology.links.forEach((link, i) => {
    for (const end of new Set([link.source, link.target])) if (nicsOf.has(end)) appendTo(touching, end, i);
  });
  /** NICs of a host for each of its links. */
  const assigned = new Map<string, string[]>();
  const rateOf = new Map<string, number | undefined>();
  for (const [host, nics] of nicsOf) {
    for (const nic of nics) rateOf.set(nic.id, nic.rate);
    const own = touching.get(host) ?? [];
    const isLabel = own.every((i) => LABEL_LINKS.has(topology.links[i].technology ?? '') && topology.links[i].sourcePort === undefined);
    const free = new Set(nics);
    const open: number[] = [];
    for (const i of own) {
      const link = topology.links[i];
      const port = link.source === host ? link.sourcePort : link.targetPort;
      const named = isLabel || port === undefined ? undefined : nics.find((nic) => nic.names.includes(port.replace(/:1$/, '')));
      if (named === undefined) open.push(i);
      else {
        assigned.set(`${host}\u0000${i}`, [named.id]);
        free.delete(named);
      }
    }
    if (isLabel)
      for (const i of open)
        assigned.set(
          `${host}\u0000${i}`,
          nics.map(({ id }) => id),
        );
    else {
      const pool = free.size > 0 ? [...free] : nics;
      open.forEach((i, k) => assigned.set(`${host}\u0000${i}`, [pool[k % pool.length].id]));
    }
  }
  const ids = new Set(links.map(({ id }) => id));
  topology.links.forEach((link, i) => {
    const sources = assigned.get(`${link.source}\u0000${i}`) ?? [link.source];
    const targets = assigned.get(`${link.target}\u0000${i}`) ?? [link.target];
    // Two hosts joined directly: NIC by NIC.
    const pairs =
      sources.length > 1 && targets.length > 1
        ? sources.map((source, k) => [source, targets[k % targets.length]])
        : sources.flatMap((source) => targets.map((target) => [source, target]));
    for (const [source, target] of pairs) {
      const port = rateOf.get(source) ?? rateOf.get(target);
      const bandwidth = link.bandwidth ?? port;
      if (link.bandwidth === undefined && port !== undefined) rated += link.count ?? 1;
      const { id: _id, ...rest } = link;
      // Named by the link and the NICs, without the host's path: the same whether the host got its inside before or after it got a site.
      const ends = [
        source === link.source ? '' : `@${source.slice(link.source.length + 1)}`,
        target === link.target ? '' : `@${target.slice(link.target.length + 1)}`,
      ].join('');
      let id = link.id + ends;
      for (let n = 2; ids.has(id); n++) id = `${link.id}${ends}#${n}`;
      ids.add(id);
      links.push({ ...rest, id, source, target, ...(bandwidth === undefined ? {} : { bandwidth }) });
    }
  });
  const inferred: Inference[] = [...topology.coverage.inferred];
  for (const [inside, count] of counts) inferred.push({ what: `the inside of hosts`, from: inside.name, count });
  if (rated > 0) inferred.push({ what: 'rates of cables', from: 'the port of the NIC they end at', count: rated });
  if (differing > 0)
    warnings.push({
      message: `${differing} hosts have another number of GPUs in the cluster's file than in the node's; the node's is taken`,
    });
  for (const template of templates)
    if (!counts.has(template.inside)) warnings.push({ message: `no host takes the inside "${template.inside.name}"` });
  for (const { inside } of templates)
    for (const { what, from, count } of inside.coverage.inferred) inferred.push({ what, from, count: count * (counts.get(inside) ?? 0) });
  return {
    ...topology,
    levels: hostLevel,
    devices,
    links,
    coverage: coverageOf(
      devices,
      links,
      inferred.filter(({ count }) => count > 0),
    ),
    warnings: [...topology.warnings, ...warnings],
  };
}

/** Names under which a cluster's file may know a NIC: its id, its ports, its label. */
function portNames({ id, label, attributes }: TopologyDevice): string[] {
  const names = [id];
  if (label !== undefined) names.push(label);
  for (const [key, value] of Object.entries(attributes ?? {})) if (/^net\d+\.name$/.test(key)) names.push(String(value));
  return names;
}
