import { FabricPlanError, invalidArgument, unknownName, type Issue } from '../../errors.js';
import { buildNode, type LinkShape } from '../../fabric/builders/node.js';
import type { DeviceSpec, FabricSpec, LinkSpec } from '../../fabric/types.js';
import { GPUS } from '../../presets/gpus.js';
import { linkNamed } from '../../presets/nodes.js';
import { nodePreset } from '../../presets/lookups.js';
import { GENERATIONS, gpuOfProduct, type Assumptions, type GenerationAssumption } from './assumptions.js';
import { joinGroups, sumBelow } from './assumed-switches.js';
import { coverageOf } from './coverage.js';
import { startLedger, type Gap, type Ledger } from './ledger.js';
import { latencyOf, placeSites } from './link-latency.js';
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
  if (isWhole(topology) && assume.node === undefined && assume.groups !== true)
    return { fabric: asIs(topology), inferred: topology.coverage.inferred, assumed: [], dropped: [] };
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

/** Whether a topology lacks nothing of a fabric: it was written or described as one. */
function isWhole({ devices, links }: Topology): boolean {
  return (
    devices.every(({ kind, attributes }) => kind !== 'host' && kind !== 'site' && attributes === undefined) &&
    links.every(({ bandwidth, latency, source, target }) => bandwidth !== undefined && latency !== undefined && source !== target)
  );
}

/** A whole topology without what a fabric has no place for. */
function asIs({ name, levels, devices, links }: Topology): FabricSpec {
  const isPlain = devices.every(
    ({ label, gpus, portBandwidth }) => label === undefined && gpus === undefined && portBandwidth === undefined,
  );
  const isBare = links.every(
    ({ attributes, sourcePort, targetPort }) => attributes === undefined && sourcePort === undefined && targetPort === undefined,
  );
  return {
    name,
    levels,
    devices: (isPlain
      ? devices
      : devices.map(({ label: _label, gpus: _gpus, portBandwidth: _port, ...rest }) => rest)) as readonly DeviceSpec[],
    links: (isBare
      ? links
      : links.map(({ attributes: _attributes, sourcePort: _source, targetPort: _target, ...rest }) => rest)) as readonly LinkSpec[],
  };
}

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
