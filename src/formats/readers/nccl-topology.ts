import type { Attributes, Topology } from '../topology/types.js';
import { draftTopology, type Draft } from '../topology/draft.js';
import { joinGpus, joinSockets, prefixed, type PendingLink } from '../topology/nccl-links.js';
import { pcieRate, type KnownRate } from '../topology/rates.js';
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
  const reading: Reading = { draft, host: name, hasGpus: counts['gpu elements'] > 0, byBus: new Map(), numbers: {}, pending: [] };
  root.children.forEach((element, i) => {
    readTop(element, i, reading);
  });
  joinGpus(draft, reading.pending, reading.byBus, name);
  joinSockets(draft);
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
  readonly hasGpus: boolean;
  /** Device id of every PCI bus id, lower case. */
  readonly byBus: Map<string, string>;
  readonly numbers: Record<string, number>;
  /** NVLinks and their relatives, joined once every device is known. */
  readonly pending: PendingLink[];
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
