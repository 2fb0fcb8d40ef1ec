import { appendTo } from './append-to.js';
import { FabricPlanError, invalidArgument, unknownName, type Issue } from '../../errors.js';
import { buildNode, type LinkShape } from '../../fabric/builders/node.js';
import { FIBRE_LATENCY_PER_METRE } from '../../fabric/builders/multi-site.js';
import type { DeviceSpec, FabricSpec, LinkSpec } from '../../fabric/types.js';
import { GPUS } from '../../presets/gpus.js';
import { linkNamed } from '../../presets/nodes.js';
import { nodePreset } from '../../presets/lookups.js';
import { ROUTE_FACTOR } from '../../presets/sites.js';
import { greatCircle } from '../great-circle.js';
import { GENERATIONS, gpuOfProduct, type Assumptions, type GenerationAssumption } from './assumptions.js';
import { coverageOf } from './coverage.js';
import { expandHosts } from './expand-hosts.js';
import type { Inference, Topology, TopologyDevice, TopologyLink } from './types.js';

/** A fabric made of a topology, and what had to be concluded or assumed for it. */
export interface FabricOfTopology {
  readonly fabric: FabricSpec;
  /** What follows from the files and from physics: lengths of fibre, ports, data sheets of products named. */
  readonly inferred: readonly Inference[];
  /** What was taken because the caller allowed it. */
  readonly assumed: readonly Inference[];
  /** What was left out. */
  readonly dropped: readonly string[];
}

/** One-way latency of a hop by technology, from the link presets. */
const HOPS: readonly (readonly [RegExp, string])[] = [
  [/^NVLink-C2C/, 'NVLink-C2C'],
  [/^NVLink/, 'NVLink4'],
  [/^xGMI/i, 'xGMI4'],
  [/^PCIe|^direct$|^channels$/, 'PCIe5-x16'],
  [/^socket$/, 'UPI'],
  [/Ethernet/i, 'RoCE-400'],
];

/**
 * The fabric that a topology describes. What the files do not say is an error that lists it, unless `assume` says what to take; all that
 * is taken is recorded. Latencies are seldom in a file: they follow from the technology, and on maps from the length of the fibre (great
 * circle times the route factor of research networks), and are recorded as inferred.
 *
 * @throws FabricPlanError `invalid-argument`, listing every kind of gap with its size and what would fill it
 * @complexity O(devices + links)
 * @example
 * fabricOfTopology(readTopology('SwitchName=s0 Nodes=n[1-2]'), { node: 'dgx-h100', oversubscription: 1 }).fabric.devices.filter(({ kind }) => kind === 'gpu').length // 16
 */
export function fabricOfTopology(topology: Topology, assume: Assumptions = {}): FabricOfTopology {
  const where = 'fabricOfTopology';
  checkAssumptions(where, assume);
  const generation = assume.generation === undefined ? undefined : findGeneration(where, assume.generation);
  const ledger = startLedger();
  let whole = topology;
  if (assume.node !== undefined) whole = expandHosts(whole, [{ inside: insideOfPreset(assume.node), matches: ({ gpus }) => gpus !== 0 }]);
  if (whole !== topology)
    ledger.assume(
      `the inside of hosts: ${assume.node!}`,
      'node',
      topology.devices.filter(({ kind, gpus }) => kind === 'host' && gpus !== 0).length,
    );
  if (assume.groups === true) whole = joinGroups(whole, ledger);
  const gaps = new Map<string, { count: number; fill: string }>();
  const gap = (what: string, fill: string, count = 1): void => {
    gaps.set(what, { count: (gaps.get(what)?.count ?? 0) + count, fill });
  };
  const places = placeSites(whole, ledger);
  const devices = whole.devices.map((device) => deviceOf(device, places, generation, ledger, gap));
  const ids = new Map(whole.devices.map((device) => [device.id, device]));
  const sums = sumBelow(whole, ids, assume);
  let loops = 0;
  let dangling = 0;
  const links: LinkSpec[] = [];
  for (const link of whole.links) {
    const source = ids.get(link.source);
    const target = ids.get(link.target);
    if (source === undefined || target === undefined) dangling++;
    else if (link.source === link.target) loops++;
    else {
      const rated = rateOf(link, source, target, { assume, generation, ledger, gap, sums });
      const latency = link.latency ?? latencyOf(link, source, target, places, assume, ledger, gap);
      const { attributes: _attributes, sourcePort: _source, targetPort: _target, bandwidth: _bandwidth, latency: _latency, ...rest } = link;
      links.push({ ...rest, ...rated, latency });
    }
  }
  if (gaps.size > 0) {
    const issues = [...gaps].map(([what, { count, fill }]): Issue => ({
      path: fill,
      message: `${count} ${what}; expected them in a file, or an assumption (${fill})`,
    }));
    throw new FabricPlanError('invalid-argument', issues.map(({ message }) => `${where}: ${message}`).join('\n'), issues);
  }
  const dropped = [
    ...(loops > 0 ? [`${loops} links that join a device to itself`] : []),
    ...(dangling > 0 ? [`${dangling} links to devices that are not there`] : []),
  ];
  return {
    fabric: { name: whole.name, levels: whole.levels, devices, links },
    inferred: [...whole.coverage.inferred, ...ledger.inferred()],
    assumed: ledger.assumed(),
    dropped,
  };
}

interface Ledger {
  infer(what: string, from: string, count?: number): void;
  assume(what: string, by: string, count?: number): void;
  inferred(): Inference[];
  assumed(): Inference[];
}

function startLedger(): Ledger {
  const lists = { inferred: new Map<string, Inference>(), assumed: new Map<string, Inference>() };
  const add = (list: Map<string, Inference>, what: string, from: string, count: number): void => {
    const key = `${what}\u0000${from}`;
    list.set(key, { what, from, count: (list.get(key)?.count ?? 0) + count });
  };
  return {
    infer: (what, from, count = 1) => {
      add(lists.inferred, what, from, count);
    },
    assume: (what, by, count = 1) => {
      add(lists.assumed, what, by, count);
    },
    inferred: () => [...lists.inferred.values()],
    assumed: () => [...lists.assumed.values()],
  };
}

type Gap = (what: string, fill: string, count?: number) => void;

function checkAssumptions(where: string, assume: Assumptions): void {
  for (const key of ['link', 'wideArea', 'access', 'capacityUnit', 'oversubscription'] as const) {
    const value = assume[key];
    if (value !== undefined && !(Number.isFinite(value) && value > 0))
      throw invalidArgument(where, `assume.${key}`, value, key === 'oversubscription' ? 'a ratio above 0' : 'bytes per second above 0');
  }
  if (assume.wideAreaLatency !== undefined && !(Number.isFinite(assume.wideAreaLatency) && assume.wideAreaLatency >= 0))
    throw invalidArgument(where, 'assume.wideAreaLatency', assume.wideAreaLatency, 'seconds of 0 or more');
}

function findGeneration(where: string, name: string): GenerationAssumption {
  const found = GENERATIONS.find((one) => one.name === name);
  if (found === undefined)
    throw unknownName(
      where,
      'generation',
      name,
      GENERATIONS.map((one) => one.name),
    );
  return found;
}

/** A node preset as the inside of a host. */
export function insideOfPreset(name: string): Topology {
  const { nodesPerDomain: _domain, ...shape } = nodePreset(name);
  const { devices, links } = buildNode(shape, 'x', ['x']);
  const local = (id: string): string => id.slice(2);
  return {
    format: 'preset',
    name,
    scope: 'node',
    levels: ['host'],
    devices: devices.map((device): TopologyDevice => ({
      ...device,
      id: local(device.id),
      ...(device.kind === 'nic' ? { portBandwidth: shape.nic.bandwidth } : {}),
    })),
    links: links.map((link) => ({ ...link, id: link.id.replaceAll('x/', ''), source: local(link.source), target: local(link.target) })),
    contents: {},
    coverage: coverageOf([], []),
    warnings: [],
  };
}

/** One switch for every group of hosts that have no link at all, and one above the groups. */
function joinGroups(topology: Topology, ledger: Ledger): Topology {
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

/** Coordinates of sites; a meeting point of links without a place is put in the middle of its neighbours. */
function placeSites(topology: Topology, ledger: Ledger): Map<string, readonly [number, number]> {
  const places = new Map<string, readonly [number, number]>();
  for (const { id, coordinates } of topology.devices) if (coordinates !== undefined) places.set(id, coordinates);
  const around = new Map<string, string[]>();
  for (const { source, target } of topology.links) {
    appendTo(around, source, target);
    appendTo(around, target, source);
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

function deviceOf(
  device: TopologyDevice,
  places: ReadonlyMap<string, readonly [number, number]>,
  generation: GenerationAssumption | undefined,
  ledger: Ledger,
  gap: Gap,
): DeviceSpec {
  const { attributes, label: _label, gpus, portBandwidth: _port, kind, ...rest } = device;
  const place = places.get(device.id);
  const placed = place === undefined ? {} : { coordinates: place };
  if (kind === 'site') return { ...rest, ...placed, kind: 'gateway' };
  if (kind === 'host') {
    if (gpus !== undefined && gpus > 0)
      gap('hosts have GPUs and no file shows their inside', 'node=dgx-h100 or another node preset, or compose a node file');
    return { ...rest, ...placed, kind: 'cpu' };
  }
  if (kind !== 'gpu' || device.memory !== undefined) return { ...rest, ...placed, kind };
  const product = [device.model, attributes?.['product']].find((one) => typeof one === 'string' && gpuOfProduct(one) !== undefined) as
    string | undefined;
  const preset = product === undefined ? generation?.gpu : gpuOfProduct(product);
  if (preset === undefined) return { ...rest, ...placed, kind };
  if (product === undefined) ledger.assume(`GPU ${preset}`, 'generation');
  else ledger.infer(`memory and peaks of ${preset}`, `the product "${product}"`);
  const { source: _source, ...known } = GPUS.find(({ model }) => model === preset)!;
  return { ...rest, ...placed, kind, ...known };
}

interface RateContext {
  readonly assume: Assumptions;
  readonly generation: GenerationAssumption | undefined;
  readonly ledger: Ledger;
  readonly gap: Gap;
  readonly sums: ReadonlyMap<string, number>;
}

/** Rate, and efficiency where an assumption brings it, of a link. */
function rateOf(
  link: TopologyLink,
  source: TopologyDevice,
  target: TopologyDevice,
  { assume, generation, ledger, gap, sums }: RateContext,
): Pick<LinkSpec, 'bandwidth'> & Partial<LinkSpec> {
  const count = link.count ?? 1;
  if (link.bandwidth !== undefined) return { bandwidth: link.bandwidth };
  const technology = link.technology ?? '';
  const kinds = new Set([source.kind, target.kind]);
  const fromPreset = (shape: LinkShape, what: string): Pick<LinkSpec, 'bandwidth'> & Partial<LinkSpec> => {
    ledger.assume(`${what}: ${shape.technology ?? ''} at ${shape.bandwidth / 1e9} GB/s`, 'generation', count);
    return { bandwidth: shape.bandwidth, ...(shape.efficiency === undefined ? {} : { efficiency: shape.efficiency }) };
  };
  if (/^NVLink|^xGMI/i.test(technology)) {
    if (generation !== undefined)
      return { ...fromPreset({ ...generation.scaleUp, latency: 0 }, 'scale-up links'), technology: generation.scaleUp.technology };
    gap('NVLinks or xGMI links have no rate', 'generation, such as hopper', count);
    return { bandwidth: 1 };
  }
  if (/^PCIe/.test(technology) || technology === 'direct') {
    if (generation !== undefined) return fromPreset(linkNamed(generation.pcie), 'PCIe links');
    gap('PCIe links have no rate', 'generation, such as hopper', count);
    return { bandwidth: 1 };
  }
  if (technology === 'socket') {
    if (generation !== undefined) return fromPreset(linkNamed(generation.socket), 'links between sockets');
    gap('links between sockets have no rate', 'generation, such as hopper', count);
    return { bandwidth: 1 };
  }
  if (technology === 'site access') {
    if (assume.access !== undefined) {
      ledger.assume(`access of sites: ${assume.access / 1e9} GB/s`, 'access', count);
      return { bandwidth: assume.access };
    }
    gap('sites have an access link without a rate', 'access, such as access=200Gb/s', count);
    return { bandwidth: 1 };
  }
  if (kinds.has('site')) {
    const capacity = link.attributes?.['capacity'];
    if (assume.capacityUnit !== undefined && typeof capacity === 'number' && capacity > 0) {
      ledger.assume(`a unit of capacity is ${assume.capacityUnit} bytes per second`, 'capacityUnit', count);
      return { bandwidth: capacity * assume.capacityUnit };
    }
    if (assume.wideArea !== undefined) {
      ledger.assume(`links of the map: ${assume.wideArea / 1e9} GB/s`, 'wideArea', count);
      return { bandwidth: assume.wideArea };
    }
    gap('links of the map have no rate', 'wideArea, such as wideArea=100Gb/s', count);
    return { bandwidth: 1 };
  }
  const below = sums.get(link.id);
  if (below !== undefined && assume.oversubscription !== undefined) {
    ledger.assume(`uplinks carry what is below them over ${assume.oversubscription}`, 'oversubscription', count);
    return { bandwidth: below };
  }
  if (assume.link !== undefined) {
    ledger.assume(`cables of the cluster: ${assume.link / 1e9} GB/s`, 'link', count);
    return { bandwidth: assume.link };
  }
  if (generation !== undefined && kinds.has('nic')) return fromPreset(linkNamed(generation.nic), 'network ports');
  gap(
    'cables between hosts and switches have no rate',
    technology === 'uplink' ? 'link, such as link=400Gb/s, and oversubscription for the switches above' : 'link, such as link=400Gb/s',
    count,
  );
  return { bandwidth: 1 };
}

/**
 * Rates of links that only say "under this switch": for every such link between switches the rate of everything below, shared by the
 * parents, over the oversubscription.
 */
function sumBelow(topology: Topology, ids: ReadonlyMap<string, TopologyDevice>, assume: Assumptions): Map<string, number> {
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

function latencyOf(
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
