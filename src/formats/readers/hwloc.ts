import { draftTopology, type Draft } from '../topology/draft.js';
import type { Topology } from '../topology/types.js';
import { parseXml, type XmlElement } from '../xml.js';

const WHERE = 'readHwloc';

/**
 * hwloc XML (`lstopo --of xml`), versions 1 to 3: packages, bridges, PCI devices with their link rates, GPUs, NICs, and NVLink or xGMI
 * bandwidth matrices. `pci_link_speed` of 0 (asleep, or not read as root) stays unknown.
 */
export function readHwloc(text: string, name: string): Topology {
  const root = parseXml(text, WHERE);
  const draft = draftTopology(WHERE, 'hwloc', name, 'node');
  if (root.name !== 'topology') draft.refuse(`the root element is <${root.name}>; expected <topology>`, root.line);
  draft.check();
  const objects = new Map<string, number>();
  count(root, objects);
  const machine = root.children.find((child) => child.name === 'object' && /^(Machine|System)$/.test(child.attributes['type'] ?? ''));
  if (machine === undefined) draft.refuse('<topology> holds no Machine object; expected the output of lstopo --of xml', root.line);
  draft.check();
  const host =
    machine?.children.find((child) => child.name === 'info' && child.attributes['name'] === 'HostName')?.attributes['value'] ?? name;
  const reading: Reading = { draft, host, byObject: new Map(), packages: 0, nics: 0, asleep: 0 };
  if (machine !== undefined) visit(machine, undefined, reading);
  if (draft.devices.every(({ kind }) => kind !== 'cpu')) draft.device({ id: 'cpu0', kind: 'cpu', location: [host] });
  const cpus = draft.devices.filter(({ kind }) => kind === 'cpu').map(({ id }) => id);
  for (let i = 1; i < cpus.length; i++) draft.link({ source: cpus[0], target: cpus[i], technology: 'socket' });
  if (cpus.length > 1) draft.infer('links between packages', 'packages of one machine reach each other', cpus.length - 1);
  const nested = [...root.children, ...(machine === undefined ? [] : machine.children)].filter((child) =>
    child.name.startsWith('distances'),
  );
  for (const matrix of nested) readBandwidths(matrix, reading);
  if (reading.asleep > 0) draft.warn(`${reading.asleep} PCI links have no speed (asleep, or lstopo not run as root)`);
  const io = (objects.get('PCIDev') ?? 0) + (objects.get('Bridge') ?? 0);
  if (io === 0) draft.warn('the file holds no PCI devices; export with lstopo --filter io:all');
  const get = (type: string): number => objects.get(type) ?? 0;
  return draft.finish({
    levels: ['host'],
    contents: {
      PU: get('PU'),
      NUMA: get('NUMANode'),
      Bridge: get('Bridge'),
      PCI: get('PCIDev'),
      OSDev: get('OSDev'),
      distances: nested.filter((one) => one.name !== 'distances2hetero').length,
      'distances hetero': nested.filter((one) => one.name === 'distances2hetero').length,
    },
    attributes: { version: root.attributes['version'] ?? '1' },
  });
}

interface Reading {
  readonly draft: Draft;
  readonly host: string;
  /** Device of every object that may stand in a matrix, by gp_index and by type:os_index. */
  readonly byObject: Map<string, string>;
  packages: number;
  nics: number;
  asleep: number;
}

function count(element: XmlElement, into: Map<string, number>): void {
  if (element.name === 'object') {
    const type = element.attributes['type'] ?? '';
    into.set(type, (into.get(type) ?? 0) + 1);
  }
  for (const child of element.children) count(child, into);
}

function visit(object: XmlElement, parent: string | undefined, reading: Reading): void {
  const { draft, host, byObject } = reading;
  let id = parent;
  const type = object.attributes['type'] ?? '';
  if (type === 'Package' || type === 'Socket') {
    id = `cpu${reading.packages++}`;
    draft.device({ id, kind: 'cpu', location: [host], attributes: { os_index: object.attributes['os_index'] ?? '' } });
  } else if (type === 'Bridge' || type === 'PCIDev') {
    if (parent === undefined) {
      // Machines whose bridges hang off no package: hwloc could not tell which.
      parent = 'cpu0';
      if (!draft.has('cpu0')) {
        reading.packages = Math.max(reading.packages, 1);
        draft.device({ id: 'cpu0', kind: 'cpu', location: [host] });
      }
    }
    id = object.attributes['bridge_type'] === '0-1' ? parent : addPci(object, parent, reading);
  }
  if (id !== undefined) {
    const gp = object.attributes['gp_index'] as string | undefined;
    if (gp !== undefined) byObject.set(gp, id);
    byObject.set(`${type}:${object.attributes['os_index'] ?? ''}`, id);
  }
  for (const child of object.children) if (child.name === 'object') visit(child, id, reading);
}

function addPci(object: XmlElement, parent: string, reading: Reading): string {
  const { draft, host } = reading;
  const bus = object.attributes['pci_busid'] ?? `#${draft.devices.length}`;
  const pciClass = /^\s*([0-9a-f]{4})/i.exec(object.attributes['pci_type'] ?? '')?.[1] ?? '';
  const vendor = /\[([0-9a-f]{4}):/i.exec(object.attributes['pci_type'] ?? '')?.[1] ?? '';
  const software = object.children.filter((child) => child.attributes['type'] === 'OSDev');
  const info = (key: string): string | undefined =>
    [object, ...software].flatMap((one) => one.children).find((one) => one.name === 'info' && one.attributes['name'] === key)?.attributes[
      'value'
    ];
  const backends = software.map((one) => one.attributes['subtype'] ?? '');
  // Display adapters of servers (class 0300) are no accelerators; a 3D controller, or what CUDA, ROCm or Level Zero sees, is.
  const isGpu =
    pciClass === '0302' ||
    pciClass === '1200' ||
    pciClass === '0380' ||
    (pciClass === '0300' && vendor === '10de') ||
    backends.some((one) => /^(CUDA|NVML|RSMI|LevelZero|OpenCL)$/.test(one) && pciClass.startsWith('03'));
  const isNic = pciClass.startsWith('02');
  const model = info('GPUModel');
  let id = isGpu ? `gpu${draft.devices.filter(({ kind }) => kind === 'gpu').length}` : isNic ? `nic${reading.nics++}` : `pci:${bus}`;
  while (draft.has(id)) id += 'x';
  const ports = software.map((one) => one.attributes['name'] ?? '').filter((one) => one !== '');
  draft.device({
    id,
    kind: isGpu ? 'gpu' : isNic ? 'nic' : 'pcie',
    location: [host],
    ...(model === undefined ? {} : { label: model }),
    attributes: {
      'pci.busid': bus,
      'pci.type': object.attributes['pci_type'] ?? '',
      ...(ports.length > 0 ? { names: ports.join(',') } : {}),
      ...(model === undefined ? {} : { product: model }),
    },
  });
  const raw = object.attributes['pci_link_speed'] as string | undefined;
  const rate = Number(raw ?? 0);
  if (!Number.isFinite(rate) || rate < 0 || rate > 10_000)
    draft.refuse(`pci_link_speed is "${(raw ?? '').slice(0, 40)}"; expected GB/s`, object.line);
  else if (!(rate > 0)) reading.asleep++;
  draft.link({ source: parent, target: id, technology: 'PCIe', ...(rate > 0 ? { bandwidth: rate * 1e9 } : {}) });
  return id;
}

/** Matrices of NVLink or xGMI bandwidth in MB/s, between GPUs, or GPUs and CPUs or switches. */
function readBandwidths(matrix: XmlElement, { draft, byObject, host }: Reading): void {
  const name = matrix.attributes['name'] ?? '';
  if (!/^(NVLink|XGMI)Bandwidth$/.test(name)) return;
  const list = (element: string): string[] =>
    matrix.children.filter((child) => child.name === element).flatMap((child) => child.text.trim().split(/\s+/));
  const indexes = list('indexes').filter((one) => one !== '');
  const values = list('u64values')
    .filter((one) => one !== '')
    .map(Number);
  if (indexes.length > 4096 || values.length !== indexes.length ** 2 || values.some((value) => !Number.isFinite(value) || value < 0)) {
    draft.refuse(`matrix ${name} has ${values.length} values for ${indexes.length} objects; expected one per pair, MB/s`, matrix.line);
    return;
  }
  const ids = indexes.map((index) => {
    const key = index.includes(':') ? index.slice(index.indexOf(':') + 1) : index;
    return byObject.get(key) ?? byObject.get(`${matrix.attributes['type'] ?? ''}:${key}`);
  });
  const technology = name.startsWith('NV') ? 'NVLink' : 'xGMI';
  for (let a = 0; a < ids.length; a++)
    for (let b = 0; b < a; b++) {
      const rate = Math.min(values[a * ids.length + b], values[b * ids.length + a]);
      const [source, target] = [ids[b], ids[a]];
      if (!(rate > 0) || source === undefined || target === undefined || source === target) continue;
      draft.link({ source, target, technology, bandwidth: rate * 1e6 });
    }
  if (ids.some((id) => id === undefined)) draft.warn(`matrix ${name} names objects that the file of ${host} does not hold`, matrix.line);
}
