import { throwIssues, type Issue } from '../errors.js';
import type { NcclCpu, NcclGpu, NcclNet, NcclNvlink, NcclPci, NcclTopology } from '../nccl/types.js';
import { parseXml, type XmlElement } from './xml.js';

/** Rate of one PCIe lane, GB/s, by the text of `link_speed`: GT/s less encoding, as NCCL counts (0.1 Gb/s units ÷ 80). */
const LANE_GBPS: Readonly<Record<string, number>> = {
  '2.5': 15 / 80,
  '5': 30 / 80,
  '8': 60 / 80,
  '16': 120 / 80,
  '32': 240 / 80,
  '64': 480 / 80,
};

/**
 * Reads the topology XML of NCCL or RCCL (`NCCL_TOPO_DUMP_FILE`): CPUs, PCI tree, GPUs with their NVLinks or xGMI links, NICs.
 *
 * An absent PCIe speed counts as generation 3 and an absent width as 16 lanes, as NCCL takes it. Lists every problem with its line.
 *
 * @param name what the topology is to be called, such as the base name of the file
 * @throws FabricPlanError `parse` for malformed XML, another root than `<system>`, no GPU, or values that are no numbers
 * @complexity O(characters)
 * @example
 * parseNcclTopology('<system version="1"><cpu numaid="0" arch="x86_64" vendor="GenuineIntel" familyid="6" modelid="143"><pci busid="0000:01:00.0" class="0x030200" link_speed="32.0 GT/s PCIe" link_width="16"><gpu dev="0" sm="90" rank="0" gdr="1"/></pci></cpu></system>', 'one').cpus[0].pci[0].bandwidth // 48000000000
 */
export function parseNcclTopology(text: string, name: string): NcclTopology {
  const root = parseXml(text, 'parseNcclTopology');
  const issues: Issue[] = [];
  const refuse = (element: XmlElement, message: string): void => {
    issues.push({ path: `line ${element.line}`, message: `line ${element.line}: ${message}` });
  };
  if (root.name !== 'system') {
    refuse(root, `the root element is <${root.name}>; expected <system>`);
    throwIssues('parse', 'parseNcclTopology', issues);
  }
  const number = (element: XmlElement, key: string, fallback: number): number => {
    const raw = element.attributes[key] as string | undefined;
    if (raw === undefined || raw === '') return fallback;
    const value = Number(raw);
    if (Number.isFinite(value) && value >= -1) return value;
    refuse(element, `${key} of <${element.name}> is "${raw}"; expected a number`);
    return fallback;
  };
  const isOne = (element: XmlElement, key: string): boolean => element.attributes[key] === '1';
  let gpuCount = 0;
  const bare: XmlElement[] = [];
  const buses = new Set<string>();
  const readNet = (element: XmlElement): NcclNet => ({
    name: element.attributes['name'] ?? '',
    device: number(element, 'dev', 0),
    port: number(element, 'port', 0),
    guid: element.attributes['guid'] ?? '',
    megabitsPerSecond: number(element, 'speed', 0),
    latency: number(element, 'latency', 0) * 1e-6,
    gpuDirect: isOne(element, 'gdr'),
    collNet: isOne(element, 'coll'),
  });
  const readNvlink = (element: XmlElement): NcclNvlink => {
    const target = element.attributes['target'] as string | undefined;
    if (target === undefined) refuse(element, `<${element.name}> has no target; expected a PCI bus id`);
    return { target: target ?? '', count: number(element, 'count', 1), targetClass: element.attributes['tclass'] ?? '0x030200' };
  };
  const readGpu = (element: XmlElement): NcclGpu => {
    gpuCount++;
    const amd = element.attributes['gcn'] !== undefined || element.children.some((child) => child.name === 'xgmi');
    return {
      device: number(element, 'dev', 0),
      rank: number(element, 'rank', gpuCount - 1),
      computeCapability: number(element, 'sm', 0),
      gpuDirect: isOne(element, 'gdr'),
      nvlinks: element.children.filter((child) => child.name === 'nvlink' || child.name === 'xgmi').map(readNvlink),
      vendor: amd ? 'amd' : 'nvidia',
      ...(amd ? { architecture: element.attributes['gcn'] ?? '' } : {}),
    };
  };
  const netsOf = (element: XmlElement): NcclNet[] =>
    element.children
      .filter((child) => child.name === 'nic')
      .flatMap((nic) => nic.children.filter((child) => child.name === 'net').map(readNet));
  const readPci = (element: XmlElement): NcclPci => {
    const busId = element.attributes['busid'] ?? '';
    const deviceClass = element.attributes['class'] ?? '';
    if (busId === '') refuse(element, '<pci> has no busid; expected a PCI bus id');
    else if (buses.has(busId)) refuse(element, `PCI bus id ${busId} occurs twice; expected unique ids`);
    buses.add(busId);
    const gpu = element.children.find((child) => child.name === 'gpu');
    if (gpu === undefined && deviceClass.startsWith('0x0302')) bare.push(element);
    const lanes = number(element, 'link_width', 16);
    return {
      busId,
      deviceClass,
      bandwidth: (lanes === 0 ? 16 : lanes) * laneRate(element.attributes['link_speed'] ?? '') * 1e9,
      ...(gpu === undefined ? {} : { gpu: readGpu(gpu) }),
      nets: netsOf(element),
      children: element.children.filter((child) => child.name === 'pci').map(readPci),
    };
  };
  const cpus = root.children
    .filter((child) => child.name === 'cpu')
    .map((element): NcclCpu => {
      const arch = element.attributes['arch'] ?? 'x86_64';
      const vendor = (element.attributes['vendor'] ?? '').trim();
      return {
        numa: number(element, 'numaid', 0),
        architecture: arch === 'arm64' || arch === 'aarch64' ? 'arm' : arch.startsWith('ppc64') ? 'power' : 'x86',
        vendor:
          vendor === 'GenuineIntel'
            ? 'intel'
            : vendor === 'AuthenticAMD'
              ? 'amd'
              : /CentaurHauls|Shanghai/.test(vendor)
                ? 'zhaoxin'
                : 'other',
        family: number(element, 'familyid', 0),
        model: number(element, 'modelid', 0),
        pci: element.children.filter((child) => child.name === 'pci').map(readPci),
        nets: netsOf(element),
      };
    });
  if (cpus.length === 0) refuse(root, '<system> holds no <cpu>; expected at least one');
  else if (gpuCount === 0) {
    if (bare.length > 0)
      refuse(
        bare[0],
        `${bare.length} PCI devices of class 0x0302 have no <gpu> with sm and NVLinks (NCCL adds them when it runs); expected a dump of a running job`,
      );
    else refuse(root, 'there is no <gpu>; expected at least one');
  }
  throwIssues('parse', 'parseNcclTopology', issues);
  return { name, cpus };
}

function laneRate(linkSpeed: string): number {
  const speed = /^\s*([\d.]+)\s*GT/.exec(linkSpeed)?.[1];
  return (speed === undefined ? undefined : LANE_GBPS[String(Number(speed))]) ?? 60 / 80;
}
