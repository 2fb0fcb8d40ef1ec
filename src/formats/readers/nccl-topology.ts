import { appendTo } from '../topology/append-to.js';
import type { Attributes, Scalar, Topology } from '../topology/types.js';
import { draftTopology, type Draft } from '../topology/draft.js';
import { nvlinkOfCapability, pcieRate, xgmiOfArchitecture, type KnownRate } from '../topology/rates.js';
import { parseXml, type XmlElement } from '../xml.js';

const WHERE = 'readNcclTopology';
const KNOWN_ELEMENTS = new Set(['cpu', 'pci', 'gpu', 'nic', 'net', 'nvlink', 'xgmi', 'c2c', 'pcilink', 'system']);

/**
 * Topology XML of NCCL and RCCL: CPUs, PCI tree, GPUs with NVLinks or xGMI links, NICs with their ports.
 *
 * Cloud files leave out what NCCL finds when it runs: GPUs are then taken from the PCI class, and their NVLinks stay unknown. Every
 * attribute is kept, so that the same file can be written again. NVLink and xGMI rates follow from `sm` and `gcn` and are noted as
 * inferred; PCIe rates from `link_speed` and `link_width`, and absent where those are empty.
 */
export function readNcclTopology(text: string, name: string): Topology {
  const root = parseXml(text, WHERE);
  const draft = draftTopology(WHERE, 'nccl-topology', name, 'node');
  if (root.name !== 'system') draft.refuse(`the root element is <${root.name}>; expected <system>`, root.line);
  draft.check();
  const counts: Record<string, number> = { cpu: 0, 'gpu elements': 0, 'gpu-class pci': 0, 'nic-class pci': 0, net: 0, nvlink: 0, xgmi: 0 };
  countElements(root, counts, draft);
  const reading: Reading = { draft, host: name, counts, hasGpus: counts['gpu elements'] > 0, byBus: new Map(), numbers: {}, pending: [] };
  root.children.forEach((element, i) => {
    readTop(element, i, reading);
  });
  joinGpus(reading);
  joinSockets(reading);
  const gpus = draft.devices.filter(({ kind }) => kind === 'gpu').length;
  if (gpus === 0) draft.warn('the file shows no GPU: neither <gpu> elements nor PCI devices of class 0x03; NCCL adds them when it runs');
  else if (!reading.hasGpus)
    draft.warn(`${gpus} GPUs are taken from their PCI class; NVLinks and compute capability are unknown (NCCL adds them when it runs)`);
  return draft.finish({
    levels: ['host'],
    contents: { version: Number(root.attributes['version'] ?? 1) || 1, ...counts },
    attributes: prefixed('system.', root),
  });
}

interface Reading {
  readonly draft: Draft;
  readonly host: string;
  readonly counts: Readonly<Record<string, number>>;
  readonly hasGpus: boolean;
  /** Device id of every PCI bus id, lower case. */
  readonly byBus: Map<string, string>;
  readonly numbers: Record<string, number>;
  /** NVLinks and their relatives, joined once every device is known. */
  readonly pending: { readonly from: string; readonly element: XmlElement; readonly gpu: XmlElement }[];
}

function countElements(element: XmlElement, counts: Record<string, number>, draft: Draft): void {
  if (!KNOWN_ELEMENTS.has(element.name)) draft.warn(`<${element.name}> is not known and is left out`, element.line);
  if (element.name === 'gpu') counts['gpu elements']++;
  else if (Object.hasOwn(counts, element.name)) counts[element.name]++;
  if (element.name === 'pci') {
    const deviceClass = element.attributes['class'] ?? '';
    if (/^0x(03|12)/.test(deviceClass)) counts['gpu-class pci']++;
    if (deviceClass.startsWith('0x02')) counts['nic-class pci']++;
  }
  for (const child of element.children) countElements(child, counts, draft);
}

/** Attributes of an element under a prefix, numbers and texts alike as texts. */
function prefixed(prefix: string, element: XmlElement): Record<string, Scalar> {
  return Object.fromEntries(Object.entries(element.attributes).map(([key, value]) => [`${prefix}${key}`, value]));
}

function readTop(element: XmlElement, index: number, reading: Reading): void {
  const { draft, host } = reading;
  if (element.name === 'cpu') {
    const numa = element.attributes['numaid'] ?? '';
    let id = /^\d+$/.test(numa) ? `cpu${Number(numa)}` : `cpu${index}`;
    while (draft.has(id)) id += 'x';
    draft.device({ id, kind: 'cpu', location: [element.attributes['host_hash'] ?? host], attributes: prefixed('cpu.', element) });
    readChildren(element, id, reading);
  } else if (element.name === 'pci' || element.name === 'nic') readChildren({ ...element, children: [element] }, undefined, reading);
}

function readChildren(element: XmlElement, parent: string | undefined, reading: Reading): void {
  for (const child of element.children) {
    if (child.name === 'pci') readPci(child, parent, reading);
    else if (child.name === 'nic') readNics(child, parent, reading, {});
  }
}

/** Next free id of a series: nic0, nic1, … */
function nextId(reading: Reading, prefix: string): string {
  let id: string;
  do id = `${prefix}${(reading.numbers[prefix] = (reading.numbers[prefix] ?? -1) + 1)}`;
  while (reading.draft.has(id));
  return id;
}

function readPci(element: XmlElement, parent: string | undefined, reading: Reading): void {
  const { draft, host, byBus, hasGpus } = reading;
  const bus = (element.attributes['busid'] ?? '').toLowerCase();
  const deviceClass = element.attributes['class'] ?? '';
  if (bus === '') draft.refuse('<pci> has no busid; expected a PCI bus id', element.line);
  else if (byBus.has(bus)) draft.warn(`PCI bus id ${bus} occurs twice; links to it end at the first`, element.line);
  const gpu = element.children.find(({ name }) => name === 'gpu');
  const nics = element.children.filter(({ name }) => name === 'nic');
  const own = prefixed('pci.', element);
  const location = [parentHost(parent, reading) ?? host];
  let id: string;
  if (gpu !== undefined || (!hasGpus && /^0x(03|12)/.test(deviceClass))) {
    id = gpu === undefined ? nextId(reading, 'gpu') : `gpu${gpu.attributes['dev'] ?? ''}`;
    if (!/^gpu\d+$/.test(id) || draft.has(id)) id = nextId(reading, 'gpu');
    draft.device({ id, kind: 'gpu', location, attributes: { ...own, ...(gpu === undefined ? {} : prefixed('gpu.', gpu)) } });
    for (const link of gpu?.children ?? []) if (gpu !== undefined) reading.pending.push({ from: id, element: link, gpu });
  } else if (nics.length > 0 || deviceClass.startsWith('0x02')) {
    id = addNic(
      nics.flatMap((nic) => nic.children).filter(({ name }) => name === 'net'),
      location,
      own,
      reading,
    );
    for (const nic of nics)
      if (Object.keys(nic.attributes).length > 0)
        draft.amend(id, { attributes: { ...draft.deviceOf(id)?.attributes, ...prefixed('nic.', nic) } });
  } else if (deviceClass.startsWith('0x0680') && !deviceClass.startsWith('0x068001')) {
    id = nextId(reading, 'nvswitch');
    draft.device({ id, kind: 'nvswitch', location, attributes: own });
  } else {
    id = `pci:${bus}`;
    while (draft.has(id)) id += 'x';
    draft.device({ id, kind: 'pcie', location, attributes: own });
  }
  if (!byBus.has(bus)) byBus.set(bus, id);
  if (parent !== undefined) draft.link({ source: parent, target: id, ...pcieOf(element, draft) });
  for (const child of element.children) {
    if (child.name === 'pci') readPci(child, id, reading);
    else if (child.name === 'pcilink') reading.pending.push({ from: id, element: child, gpu: element });
  }
}

const parentHost = (parent: string | undefined, { draft }: Reading): string | undefined =>
  parent === undefined ? undefined : draft.deviceOf(parent)?.location[0];

function readNics(element: XmlElement, parent: string | undefined, reading: Reading, own: Attributes): void {
  const nets = element.children.filter(({ name }) => name === 'net');
  const id = addNic(
    nets,
    [parentHost(parent, reading) ?? reading.host],
    { ...own, ...prefixed('nic.', element), 'nic.direct': true },
    reading,
  );
  if (parent !== undefined) reading.draft.link({ source: parent, target: id, technology: 'direct' });
}

/** A NIC with its ports; named after its only port where that is free. */
function addNic(nets: readonly XmlElement[], location: readonly string[], own: Attributes, reading: Reading): string {
  const { draft } = reading;
  const named = nets.length === 1 ? (nets[0].attributes['name'] ?? '') : '';
  const id = named !== '' && !draft.has(named) ? named : nextId(reading, 'nic');
  const ports = nets.flatMap((net, i) => Object.entries(prefixed(`net${i}.`, net)));
  let megabits = 0;
  for (const net of nets) {
    const speed = Number(net.attributes['speed'] ?? 0);
    if (!Number.isFinite(speed)) draft.refuse(`speed of <net> is "${net.attributes['speed']}"; expected Mb/s`, net.line);
    else if (speed <= 0) draft.warn(`port ${net.attributes['name'] ?? id} has no speed (NCCL would take 10 Gb/s)`, net.line);
    else megabits += speed;
  }
  draft.device({
    id,
    kind: 'nic',
    location,
    ...(megabits > 0 ? { portBandwidth: (megabits * 1e6) / 8 } : {}),
    attributes: { ...own, ...Object.fromEntries(ports) },
  });
  return id;
}

/** The link of a PCI device upwards. */
function pcieOf(element: XmlElement, draft: Draft): Partial<KnownRate> {
  const speed = element.attributes['link_speed'] ?? '';
  const width = element.attributes['link_width'] ?? '';
  const transfers = /^\s*([\d.]+)\s*GT/.exec(speed)?.[1];
  if (transfers === undefined) {
    if (speed.trim() !== '' && !/unknown/i.test(speed)) draft.warn(`link_speed "${speed.slice(0, 40)}" is not known`, element.line);
    return { technology: 'PCIe' };
  }
  const lanes = Number(width === '' ? 0 : width);
  if (!Number.isInteger(lanes) || lanes < 0 || lanes > 64) {
    draft.refuse(`link_width of <pci> is "${width}"; expected lanes from 0 to 32`, element.line);
    return {};
  }
  if (lanes === 0) return { technology: 'PCIe' };
  return pcieRate(Number(transfers), lanes) ?? { technology: 'PCIe' };
}

/** NVLinks, xGMI links, C2C and PCIe peer links; a link that both ends list is one. */
function joinGpus({ draft, pending, byBus, host }: Reading): void {
  const listed = new Map<string, Map<string, number>>();
  for (const [i, { from, element }] of pending.entries()) {
    const target = byBus.get((element.attributes['target'] ?? '').toLowerCase());
    if (target === undefined) continue;
    const peers = listed.get(from) ?? new Map<string, number>();
    if (!peers.has(target)) peers.set(target, i);
    listed.set(from, peers);
  }
  for (const { from, element, gpu } of pending) {
    const attributes = prefixed('', element);
    if (element.name === 'c2c') {
      const cpu = draft.devices.find(({ kind, location }) => kind === 'cpu' && location[0] === draft.deviceOf(from)?.location[0]);
      const rate = Number(element.attributes['bw'] ?? 0) * 1e9;
      if (cpu !== undefined)
        draft.link({
          source: cpu.id,
          target: from,
          technology: 'NVLink-C2C',
          ...(rate > 0 ? { bandwidth: rate } : {}),
          attributes: { ...attributes, element: 'c2c' },
        });
      continue;
    }
    if (element.name === 'pcilink') {
      const target = byBus.get((element.attributes['busid'] ?? element.attributes['target'] ?? '').toLowerCase());
      if (target !== undefined && target !== from)
        draft.link({ source: from, target, technology: 'PCIe', attributes: { ...attributes, element: 'pcilink' } });
      continue;
    }
    if (element.name !== 'nvlink' && element.name !== 'xgmi') continue;
    const targetClass = element.attributes['tclass'] ?? '0x030200';
    const count = Number(element.attributes['count'] ?? 1);
    if (!Number.isInteger(count) || count < 1 || count > 1024) {
      draft.refuse(`count of <${element.name}> is "${element.attributes['count']}"; expected whole links of at least 1`, element.line);
      continue;
    }
    const bus = (element.attributes['target'] ?? '').toLowerCase();
    if (bus === '') {
      draft.refuse(`<${element.name}> has no target; expected a PCI bus id`, element.line);
      continue;
    }
    const isSwitched = targetClass.startsWith('0x0680') && !targetClass.startsWith('0x068001');
    let target = byBus.get(bus);
    if (target === undefined) {
      // The far end is no device of the file: an NVSwitch, of which NCCL sees one, or a switch hidden from a virtual machine.
      const isHidden = bus.startsWith('fffffff');
      if (!isSwitched && !isHidden && targetClass.startsWith('0x03')) {
        draft.warn(`GPU ${from} has links to ${bus}, which the file does not hold`, element.line);
        continue;
      }
      target = isSwitched || isHidden ? 'nvswitch' : `far:${bus}`;
      if (!draft.has(target)) {
        draft.device({
          id: target,
          kind: isSwitched || isHidden ? 'nvswitch' : 'cpu',
          location: draft.deviceOf(from)?.location ?? [host],
          attributes: { 'far.busid': bus },
        });
        if (isHidden)
          draft.warn(`the far end of the NVLinks of ${from} is hidden (virtual machine); it is taken as one switch`, element.line);
      }
      if (isSwitched) draft.infer('one NVSwitch for all switch links', 'tclass 0x0680, as NCCL counts');
    }
    const capability = Number(gpu.attributes['sm'] ?? 0);
    const rate = element.name === 'xgmi' ? xgmiOfArchitecture(gpu.attributes['gcn'] ?? '') : nvlinkOfCapability(capability);
    if (rate !== undefined)
      draft.infer(
        `${rate.technology} at ${rate.bandwidth / 1e9} GB/s a link and direction`,
        element.name === 'xgmi' ? `gcn ${gpu.attributes['gcn']}` : `sm ${capability}`,
        count,
      );
    const isPair = draft.deviceOf(target)?.kind === 'gpu' && target !== from;
    const back = isPair ? listed.get(target)?.get(from) : undefined;
    // Of the two entries of a pair the first makes the link; its partner only confirms it.
    if (back !== undefined && back < (listed.get(from)?.get(target) ?? 0)) {
      if (Number(pending[back].element.attributes['count'] ?? 1) !== count)
        draft.warn(`${from} and ${target} list different numbers of links to each other`, element.line);
      continue;
    }
    if (target === from) {
      draft.warn(`GPU ${from} links to itself; left out`, element.line);
      continue;
    }
    draft.link({
      source: from,
      target,
      count,
      technology: element.name === 'xgmi' ? 'xGMI' : 'NVLink',
      ...rate,
      ...(isPair && back === undefined ? { duplex: false } : {}),
      attributes: { ...attributes, element: element.name },
    });
  }
}

/** CPUs of one host reach each other over sockets, which the file does not list; NCCL assumes the same. */
function joinSockets({ draft }: Reading): void {
  const cpus = draft.devices.filter(({ kind, id }) => kind === 'cpu' && !id.startsWith('far:'));
  const byHost = new Map<string, string[]>();
  for (const { id, location } of cpus) {
    appendTo(byHost, location[0], id);
  }
  for (const ids of byHost.values()) {
    for (let i = 1; i < ids.length; i++)
      for (let j = 0; j < i && j < 64; j++)
        draft.link({ source: ids[j], target: ids[i], technology: 'socket', attributes: { inferred: true } });
    if (ids.length > 1) draft.infer('links between NUMA nodes', 'CPUs of one host reach each other', (ids.length * (ids.length - 1)) / 2);
  }
}
