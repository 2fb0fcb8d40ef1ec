import { draftTopology, type Draft } from './draft.js';
import { infinibandRate } from './rates.js';
import type { Topology, TopologyDevice } from './types.js';

/** An end of a cable: a port of a switch or channel adapter. */
export interface InfinibandPort {
  readonly guid: string;
  readonly port: number;
}

/** An InfiniBand subnet while it is read: nodes by GUID, cables once per pair of ports. */
export interface Subnet {
  readonly draft: Draft;
  /** Notes a switch or channel adapter; a later description of the same GUID fills an empty one. */
  node(guid: string, kind: 'switch' | 'adapter' | 'router', description: string, line: number): void;
  /** Notes a cable; its other direction, and a second mention, are the same cable. */
  cable(a: InfinibandPort, b: InfinibandPort, width: number, speed: string, line: number): void;
  finish(contents: Record<string, number>): Topology;
}

interface Node {
  readonly kind: 'switch' | 'adapter' | 'router';
  description: string;
  readonly line: number;
}

interface Cable {
  readonly a: InfinibandPort;
  readonly b: InfinibandPort;
  readonly width: number;
  readonly speed: string;
  mentions: number;
  readonly line: number;
}

const AGGREGATION = /Mellanox Technologies Aggregation Node|SHARP|Quantum Aggregation/i;

/** Whether a channel adapter is the in-network reduction engine of a switch and no host. */
export const isAggregation = (description: string): boolean => AGGREGATION.test(description);

/** Starts a subnet. */
export function draftSubnet(where: string, format: string, name: string): Subnet {
  const draft = draftTopology(where, format, name, 'cluster');
  const nodes = new Map<string, Node>();
  const cables = new Map<string, Cable>();
  return {
    draft,
    node(guid, kind, description, line) {
      const known = nodes.get(guid);
      if (known === undefined) nodes.set(guid, { kind, description, line });
      else if (known.kind !== kind) draft.warn(`${guid} is described as ${known.kind} and as ${kind}; the first is kept`, line);
      else if (known.description === '') known.description = description;
    },
    cable(a, b, width, speed, line) {
      const [first, second] = a.guid < b.guid || (a.guid === b.guid && a.port <= b.port) ? [a, b] : [b, a];
      const key = `${first.guid}[${first.port}]–${second.guid}[${second.port}]`;
      const known = cables.get(key);
      if (known === undefined) cables.set(key, { a: first, b: second, width, speed, mentions: 1, line });
      else {
        known.mentions++;
        if (known.speed !== speed && speed !== '')
          draft.warn(`the two ends of ${key} say ${known.width}x${known.speed} and ${width}x${speed}`, line);
      }
    },
    finish: (contents) => finishSubnet(draft, format, nodes, [...cables.values()], contents),
  };
}

function finishSubnet(
  draft: Draft,
  format: string,
  nodes: ReadonlyMap<string, Node>,
  cables: readonly Cable[],
  contents: Record<string, number>,
): Topology {
  draft.check();
  const idOf = new Map<string, string>();
  const engines = new Set<string>();
  const hostsOf = new Map<string, string>();
  const named = countNames(nodes);
  let unnamed = 0;
  for (const [guid, node] of nodes) {
    if (node.kind !== 'adapter') {
      const label = switchName(node.description);
      // Two switches of one name are told apart by their GUIDs.
      const id = label !== '' && named.get(label) === 1 ? label : guid;
      idOf.set(guid, id);
      draft.device({
        id,
        kind: node.kind === 'router' ? 'gateway' : 'switch',
        location: [],
        ...(label === '' || label === id ? {} : { label }),
        attributes: { guid, ...(node.description === '' ? {} : { description: node.description }) },
      });
    } else if (isAggregation(node.description)) engines.add(guid);
    else {
      const { host, port, isNamed } = hostName(node.description, guid);
      if (!isNamed) unnamed++;
      hostsOf.set(guid, host);
      idOf.set(guid, host);
      const known = draft.deviceOf(host);
      if (known === undefined)
        draft.device({ id: host, kind: 'host', location: [host], attributes: { adapters: 1, [`adapter ${port}`]: guid } });
      else if (known.kind === 'host')
        draft.amend(host, {
          attributes: { ...known.attributes, adapters: Number(known.attributes?.['adapters'] ?? 0) + 1, [`adapter ${port}`]: guid },
        });
    }
  }
  const reducing = new Set<string>();
  let once = 0;
  const speeds = new Map<string, number>();
  for (const cable of cables) {
    const [engine, other] = engines.has(cable.a.guid) ? [cable.a, cable.b] : [cable.b, cable.a];
    if (engines.has(engine.guid)) {
      const id = idOf.get(other.guid);
      if (id !== undefined && draft.deviceOf(id)?.kind === 'switch') reducing.add(id);
      continue;
    }
    const source = idOf.get(cable.a.guid);
    const target = idOf.get(cable.b.guid);
    if (source === undefined || target === undefined) {
      draft.warn(
        `a cable ends at ${source === undefined ? cable.a.guid : cable.b.guid}, which the file does not describe; left out`,
        cable.line,
      );
      continue;
    }
    if (cable.mentions === 1) once++;
    const label = (guid: string, port: number): string => {
      const adapter = nodes.get(guid);
      return adapter?.kind === 'adapter' ? adapterPort(adapter.description, port) : String(port);
    };
    const rate = infinibandRate(cable.width, cable.speed);
    if (rate === undefined && cable.speed !== '') draft.warn(`"${cable.width}x${cable.speed}" is no known InfiniBand rate`, cable.line);
    const technology = rate?.technology ?? '';
    if (technology !== '') speeds.set(technology, (speeds.get(technology) ?? 0) + 1);
    draft.link({
      source,
      target,
      ...rate,
      ...(technology === '' ? { technology: 'InfiniBand' } : {}),
      sourcePort: label(cable.a.guid, cable.a.port),
      targetPort: label(cable.b.guid, cable.b.port),
      attributes: { sourceGuid: cable.a.guid, targetGuid: cable.b.guid, ...(cable.a.guid === cable.b.guid ? { loop: true } : {}) },
    });
  }
  for (const id of reducing) draft.amend(id, { reduces: true });
  warnAboutSickCables(draft, speeds);
  if (unnamed > 0)
    draft.warn(`${unnamed} adapters have no host name in their description; each is taken as a host of its own, named by GUID`);
  // A network for ibsim may list a cable from either end.
  if (format !== 'ibsim' && once > 0 && once < cables.length) draft.warn(`${once} of ${cables.length} cables are listed from one end only`);
  if (engines.size > 0) draft.infer('switches that reduce in the network', 'aggregation nodes', engines.size);
  const hosts = new Set(hostsOf.values()).size;
  if (hosts + nodes.size - hostsOf.size - engines.size <= 1)
    draft.warn('the scan shows one device only: it may have been run from an unmanaged adapter, or the links are down');
  return draft.finish({ levels: placeUnderLeaf(draft), contents });
}

/** How many switches bear each name. */
function countNames(nodes: ReadonlyMap<string, Node>): Map<string, number> {
  const names = new Map<string, number>();
  for (const { kind, description } of nodes.values()) {
    const name = kind === 'adapter' ? hostName(description, '').host : switchName(description);
    if (kind !== 'adapter' || !names.has(name)) names.set(name, (names.get(name) ?? 0) + 1);
  }
  return names;
}

/** Name of a switch: what its firmware prefixes and suffixes is dropped (`MF0;leaf01:MQM9700/U1` is leaf01). */
function switchName(description: string): string {
  const found = /^MF0;([^:]+):/.exec(description);
  const name = (found?.[1] ?? description).trim();
  return /Mellanox Technologies|Infiniscale|SwitchX|Quantum/i.test(name) ? '' : name;
}

/** Host and port of a channel adapter: first word of its description, unless that is the name of the card. */
function hostName(description: string, guid: string): { host: string; port: string; isNamed: boolean } {
  const [first = '', ...rest] = description.trim().replace(/^'|'$/g, '').split(/\s+/);
  if (first === '' || /^(MT\d{3,}|localhost(\.localdomain)?|Mellanox|InfiniHost|ConnectX)/i.test(first))
    return { host: guid, port: rest.join(' ') || 'hca', isNamed: false };
  return { host: first, port: rest.join(' ') || 'hca', isNamed: true };
}

function adapterPort(description: string, port: number): string {
  const { port: name } = hostName(description, '');
  return port === 1 ? name : `${name}:${port}`;
}

/** A few slow cables among many fast ones are sick, not designed. */
function warnAboutSickCables(draft: Draft, speeds: ReadonlyMap<string, number>): void {
  const all = [...speeds.values()].reduce((sum, count) => sum + count, 0);
  const [common] = [...speeds].sort((a, b) => b[1] - a[1]);
  if (speeds.size < 2 || common === undefined) return;
  for (const [technology, count] of speeds) {
    if (technology === common[0] || count * 20 > all) continue;
    draft.warn(`${count} of ${all} cables run at ${technology} where the rest run at ${common[0]}: degraded links?`);
  }
}

/** Where every host has all cables to one switch, hosts are placed under it. Returns the levels. */
function placeUnderLeaf(draft: Draft): string[] {
  const leaves = new Map<string, Set<string>>();
  const kindOf = (id: string): TopologyDevice['kind'] | undefined => draft.deviceOf(id)?.kind;
  for (const { source, target } of draft.links)
    for (const [host, other] of [
      [source, target],
      [target, source],
    ]) {
      if (kindOf(host) !== 'host' || kindOf(other) !== 'switch') continue;
      const list = leaves.get(host);
      if (list === undefined) leaves.set(host, new Set([other]));
      else list.add(other);
    }
  const hosts = draft.devices.filter(({ kind }) => kind === 'host').map(({ id }) => id);
  const isTree = hosts.length > 0 && hosts.every((host) => leaves.get(host)?.size === 1);
  if (!isTree) return ['host'];
  for (const host of hosts) draft.amend(host, { location: [[...leaves.get(host)!][0], host] });
  return ['leaf', 'host'];
}
