import { FabricPlanError, unknownName } from '../errors.js';
import { readBareGraph, isBareGraph, isDescription, isFabricJson, readDescription, readFabricJson } from './readers/own-formats.js';
import { readGexf } from './readers/gexf.js';
import { readGml } from './readers/gml.js';
import { readGraphml } from './readers/graphml.js';
import { isHived, readHived } from './readers/hived.js';
import { readHwloc } from './readers/hwloc.js';
import { isLinkLine, readIblinkinfo } from './readers/iblinkinfo.js';
import { isPortsLine, isSubnetHeader, readIbnetdiscover } from './readers/ibnetdiscover.js';
import { isIbsimHeader, readIbsim } from './readers/ibsim.js';
import { isKubernetes, readKubernetes } from './readers/kubernetes.js';
import { readNcclGraph } from './readers/nccl-graph.js';
import { readNcclTopology } from './readers/nccl-topology.js';
import { isNetbox, isNetboxCsv, readNetbox, readNetboxCsv } from './readers/netbox.js';
import { isNetqGraph, isNetqNodes, readNetqGraph, readNetqNodes } from './readers/netq.js';
import { isMatrixHeader, readNvidiaSmiTopo } from './readers/nvidia-smi-topo.js';
import { readNvidiaSmiNvlink } from './readers/nvidia-smi-nvlink.js';
import { readRocmSmi } from './readers/rocm-smi.js';
import { readScontrolNodes } from './readers/scontrol-nodes.js';
import { isSlurmLine, readSlurmConf } from './readers/slurm-conf.js';
import { isSlurmYaml, readSlurmYaml } from './readers/slurm-yaml.js';
import { isSndlibNative, readSndlibNative } from './readers/sndlib-native.js';
import { readSndlibXml } from './readers/sndlib-xml.js';
import {
  isTopographGraph,
  isTopographModel,
  isTopographPayload,
  readTopographGraph,
  readTopographModel,
  readTopographPayload,
} from './readers/topograph.js';
import { cleanText } from './topology/plain-text.js';
import { parseStructured, type StructuredText } from './topology/structured-text.js';
import { summarizeTopology } from './topology/summarize-topology.js';
import type { Topology, TopologyScope } from './topology/types.js';

export interface ReadTopologyOptions {
  /** Format by name, instead of by content. */
  readonly from?: string;
  /** Name of the topology and, for a file of one host, of the host. Default `node` for files of one host, else the format's name. */
  readonly name?: string;
  /** Node label keys of Kubernetes that make the topology, broad to narrow. Default: the known set that most nodes carry. */
  readonly labels?: readonly string[];
}

interface ReaderInput {
  readonly text: string;
  readonly name: string;
  /** The text as YAML or JSON; throws where it is neither. */
  structured(): StructuredText;
  readonly labels?: readonly string[];
}

/** A format that topologies are read from. */
export interface TopologyFormat {
  readonly name: string;
  readonly title: string;
  readonly scope: TopologyScope;
  /** Root element of an XML format. */
  readonly root?: string;
  /** Whether a text, or the value it holds, is of this format. */
  readonly matchesText?: (head: string) => boolean;
  readonly matchesValue?: (value: unknown) => boolean;
  read(input: ReaderInput): Topology;
}

const someLine = (head: string, test: (line: string) => boolean): boolean => head.split('\n', 400).some(test);

/** Formats in the order in which they are tried. */
export const TOPOLOGY_FORMATS: readonly TopologyFormat[] = [
  {
    name: 'nccl-topology',
    title: 'NCCL or RCCL topology XML',
    scope: 'node',
    root: 'system',
    read: ({ text, name }) => readNcclTopology(text, name),
  },
  { name: 'nccl-graph', title: 'NCCL graph XML', scope: 'node', root: 'graphs', read: ({ text, name }) => readNcclGraph(text, name) },
  { name: 'hwloc', title: 'hwloc XML', scope: 'node', root: 'topology', read: ({ text, name }) => readHwloc(text, name) },
  {
    name: 'graphml',
    title: 'GraphML (Topology Zoo, yEd)',
    scope: 'wide-area',
    root: 'graphml',
    read: ({ text, name }) => readGraphml(text, name),
  },
  { name: 'gexf', title: 'GEXF', scope: 'wide-area', root: 'gexf', read: ({ text, name }) => readGexf(text, name) },
  { name: 'sndlib-xml', title: 'SNDlib XML', scope: 'wide-area', root: 'network', read: ({ text, name }) => readSndlibXml(text, name) },
  {
    name: 'sndlib-native',
    title: 'SNDlib native',
    scope: 'wide-area',
    matchesText: isSndlibNative,
    read: ({ text, name }) => readSndlibNative(text, name),
  },
  {
    name: 'gml',
    title: 'GML',
    scope: 'wide-area',
    matchesText: (head) => /^\s*(?:(?:#[^\n]*|Creator[^\n]*|Version[^\n]*|comment[^\n]*)\n\s*)*graph\s*\[/i.test(head),
    read: ({ text, name }) => readGml(text, name),
  },
  {
    name: 'rocm-smi',
    title: 'rocm-smi --showtopo',
    scope: 'node',
    matchesText: (head) => /^=+\s*ROCm System Management Interface|^=+\s*(?:Weight|Hops|Link Type) between two GPUs/m.test(head),
    read: ({ text, name }) => readRocmSmi(text, name),
  },
  {
    name: 'nvidia-smi-nvlink',
    title: 'nvidia-smi nvlink --status',
    scope: 'node',
    matchesText: (head) => /^GPU \d+: .*\(UUID: /m.test(head),
    read: ({ text, name }) => readNvidiaSmiNvlink(text, name),
  },
  {
    name: 'nvidia-smi-topo',
    title: 'nvidia-smi topo -m',
    scope: 'node',
    matchesText: (head) => someLine(head, isMatrixHeader),
    read: ({ text, name }) => readNvidiaSmiTopo(text, name),
  },
  {
    name: 'iblinkinfo',
    title: 'iblinkinfo',
    scope: 'cluster',
    matchesText: (head) => someLine(head, isLinkLine),
    read: ({ text, name }) => readIblinkinfo(text, name),
  },
  {
    name: 'ibnetdiscover',
    title: 'ibnetdiscover',
    scope: 'cluster',
    matchesText: (head) => someLine(head, (line) => isSubnetHeader(line) || isPortsLine(line)),
    read: ({ text, name }) => readIbnetdiscover(text, name),
  },
  {
    name: 'ibsim',
    title: 'ibsim network',
    scope: 'cluster',
    matchesText: (head) => someLine(head, isIbsimHeader),
    read: ({ text, name }) => readIbsim(text, name),
  },
  {
    name: 'slurm-conf',
    title: 'Slurm topology.conf',
    scope: 'cluster',
    matchesText: (head) => someLine(head, isSlurmLine),
    read: ({ text, name }) => readSlurmConf(text, name),
  },
  {
    name: 'scontrol-nodes',
    title: 'scontrol show nodes',
    scope: 'cluster',
    matchesText: (head) => /^NodeName=\S/im.test(head),
    read: ({ text, name }) => readScontrolNodes(text, name),
  },
  {
    name: 'netbox',
    title: 'NetBox export',
    scope: 'cluster',
    matchesText: isNetboxCsv,
    matchesValue: isNetbox,
    read: (input) => (isNetboxCsv(input.text) ? readNetboxCsv(input.text, input.name) : readNetbox(input.structured(), input.name)),
  },
  {
    name: 'slurm-yaml',
    title: 'Slurm topology.yaml',
    scope: 'cluster',
    matchesText: (head) => /^(?:\s*(?:#.*|---)?\n)*topology\/\w+\s*$/.test(head),
    matchesValue: isSlurmYaml,
    read: (input) => readSlurmYaml(input.structured(), input.name),
  },
  {
    name: 'kubernetes',
    title: 'Kubernetes nodes',
    scope: 'cluster',
    matchesValue: isKubernetes,
    read: (input) => readKubernetes(input.structured(), input.name, input.labels),
  },
  ...(['kueue', 'kai', 'volcano', 'koordinator', 'grove', 'diktyo'] as const).map((name): TopologyFormat => ({
    name,
    title: {
      kueue: 'Kueue Topology',
      kai: 'KAI Topology',
      volcano: 'Volcano HyperNode',
      koordinator: 'Koordinator ClusterNetworkTopology',
      grove: 'Grove ClusterTopology',
      diktyo: 'Diktyo NetworkTopology',
    }[name],
    scope: name === 'diktyo' ? 'wide-area' : 'cluster',
    read: (input) => readKubernetes(input.structured(), input.name, input.labels),
  })),
  {
    name: 'hived',
    title: 'HiveD configuration',
    scope: 'cluster',
    matchesValue: isHived,
    read: (input) => readHived(input.structured(), input.name),
  },
  {
    name: 'topograph-model',
    title: 'Topograph model',
    scope: 'cluster',
    matchesValue: isTopographModel,
    read: (input) => readTopographModel(input.structured(), input.name),
  },
  {
    name: 'topograph-payload',
    title: 'Topograph request',
    scope: 'cluster',
    matchesValue: isTopographPayload,
    read: (input) => readTopographPayload(input.structured(), input.name),
  },
  {
    name: 'topograph-graph',
    title: 'Topograph graph',
    scope: 'cluster',
    matchesValue: isTopographGraph,
    read: (input) => readTopographGraph(input.structured(), input.name),
  },
  {
    name: 'netq',
    title: 'NetQ',
    scope: 'cluster',
    matchesValue: (value) => isNetqGraph(value) || isNetqNodes(value),
    read: (input) =>
      isNetqNodes(input.structured().documents[0])
        ? readNetqNodes(input.structured(), input.name)
        : readNetqGraph(input.structured(), input.name),
  },
  {
    name: 'fabric',
    title: 'our fabric',
    scope: 'cluster',
    matchesValue: isFabricJson,
    read: (input) => readFabricJson(input.structured()),
  },
  {
    name: 'description',
    title: 'our description',
    scope: 'wide-area',
    matchesValue: isDescription,
    read: ({ text }) => readDescription(text),
  },
  {
    name: 'graph',
    title: 'our bare graph',
    scope: 'cluster',
    matchesValue: isBareGraph,
    read: (input) => readBareGraph(input.structured()),
  },
];

/** Texts that are known and hold no topology: what they are, by a key of their own. */
const NO_TOPOLOGY: readonly (readonly [string, string])[] = [
  ['cohorts', "a generator of workloads for Kueue's performance tests"],
  ['clusterQueueClassesMinUsage', "thresholds of Kueue's performance tests"],
  ['jobTemplate', "a workload of Volcano's benchmarks"],
  ['SuiteDescription', 'a test report'],
  ['kai_scheduler_ref', "results of KAI's scale tests"],
  ['metadata', 'results or metadata without a kind'],
];

const HEAD = 64 * 1024;

/**
 * Reads a topology file of any known format, recognised by its content. What the file does not say is absent: see `coverage` and
 * `warnings`; {@link fabricOfTopology} makes a fabric of it.
 *
 * @throws FabricPlanError `parse` with lines for a broken file, `too-large` beyond the bounds, `unsupported` for a file that is known
 *   and holds no topology, `unknown-name` for a format that is not known
 * @complexity O(characters)
 * @example
 * readTopology('SwitchName=s0 Nodes=n[1-3]').devices.length // 4
 */
export function readTopology(text: string, options: ReadTopologyOptions = {}): Topology {
  const where = 'readTopology';
  const clean = cleanText(text, where);
  let parsed: StructuredText | undefined;
  const structured = (): StructuredText => (parsed ??= parseStructured(clean, where));
  const format = options.from === undefined ? detectFormat(clean, structured) : TOPOLOGY_FORMATS.find(({ name }) => name === options.from);
  if (format === undefined)
    throw unknownName(
      where,
      'format',
      options.from ?? '',
      TOPOLOGY_FORMATS.map(({ name }) => name),
    );
  const name = options.name ?? (format.scope === 'node' ? 'node' : format.name);
  try {
    return warnOfPieces(
      format.read({ text: clean, name, structured, ...(options.labels === undefined ? {} : { labels: options.labels }) }),
    );
  } catch (error) {
    if (error instanceof FabricPlanError) throw error;
    // Parsers recurse: what overflows the stack is nested too deep.
    if (error instanceof RangeError)
      throw new FabricPlanError('parse', `${where}: the file nests too deep for a ${format.title}; expected less`, [], { cause: error });
    throw error;
  }
}

/** A network in several pieces is read, and said to be. */
function warnOfPieces(topology: Topology): Topology {
  if (topology.links.length === 0) return topology;
  const { components } = summarizeTopology(topology);
  if (components < 2) return topology;
  const message = `the network is in ${components} pieces that no link joins`;
  return { ...topology, warnings: [...topology.warnings, { message }] };
}

/**
 * The format of a text.
 *
 * @throws FabricPlanError `parse` or `unsupported`, saying what the text looks like
 */
function detectFormat(text: string, structured: () => StructuredText): TopologyFormat {
  const where = 'readTopology';
  const head = text.slice(0, HEAD);
  if (head.trim() === '')
    throw new FabricPlanError('parse', `${where}: the text is empty; expected a topology file`, [
      { path: 'line 1', message: 'the text is empty' },
    ]);
  const root = rootElement(head);
  if (root !== undefined) {
    const format = TOPOLOGY_FORMATS.find((one) => one.root === root);
    if (format !== undefined) return format;
    throw new FabricPlanError(
      /^\s*<!(ELEMENT|ATTLIST)/m.test(head) ? 'unsupported' : 'parse',
      `${where}: line 1: the XML root element is <${root}>; expected one of ${TOPOLOGY_FORMATS.flatMap((one) => (one.root === undefined ? [] : [`<${one.root}>`])).join(', ')}`,
      [{ path: 'line 1', message: `root element <${root}>` }],
    );
  }
  if (/^\s*(?:<\?xml[^>]*\?>\s*)?(?:<!--[\s\S]*?-->\s*)*<!(ELEMENT|ATTLIST|ENTITY)/.test(head))
    throw new FabricPlanError('unsupported', `${where}: the text is a document type definition and holds no topology`, [
      { path: 'line 1', message: 'a document type definition' },
    ]);
  if (/^\s*</.test(head))
    throw new FabricPlanError('parse', `${where}: line 1: the XML text has no root element; expected one`, [
      { path: 'line 1', message: 'no root element' },
    ]);
  const byText = TOPOLOGY_FORMATS.find((one) => one.matchesText?.(head) === true);
  if (byText !== undefined) return byText;
  const { documents } = structured();
  for (const value of documents) {
    const byValue = TOPOLOGY_FORMATS.find((one) => one.matchesValue?.(value) === true);
    if (byValue !== undefined) return byValue;
  }
  const [first] = documents;
  const item = Array.isArray(first) ? (first[0] as unknown) : first;
  const keys = typeof item === 'object' && item !== null ? Object.keys(item) : [];
  const known = NO_TOPOLOGY.find(([key]) => keys.includes(key));
  const isText = keys.length === 0;
  const what =
    known !== undefined
      ? `is ${known[1]} and holds no topology`
      : isText
        ? 'is of no known format'
        : `has the keys ${keys
            .slice(0, 8)
            .map((key) => key.slice(0, 40))
            .join(', ')}, which no known format has`;
  throw new FabricPlanError(
    known !== undefined ? 'unsupported' : 'parse',
    `${where}: the file ${what}; expected one of ${TOPOLOGY_FORMATS.map(({ name }) => name).join(', ')}`,
    [{ path: 'line 1', message: `the file ${what}` }],
  );
}

/** Name of the first element of an XML text, without parsing it. */
function rootElement(head: string): string | undefined {
  let at = 0;
  const skip = (pattern: RegExp): boolean => {
    pattern.lastIndex = at;
    const found = pattern.exec(head);
    if (found === null) return false;
    at = pattern.lastIndex;
    return true;
  };
  while (skip(/\s+/y) || skip(/<\?[^>]*\?>/y) || skip(/<!--[\s\S]*?-->/y) || skip(/<!DOCTYPE(?:[^>[]|\[[^\]]*\])*>/y)) continue;
  const tag = /<([A-Za-z_][\w.:-]*)/y;
  tag.lastIndex = at;
  return tag.exec(head)?.[1];
}
