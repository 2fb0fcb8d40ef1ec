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
import type { StructuredText } from './topology/structured-text.js';
import type { Topology, TopologyScope } from './topology/types.js';

/** A text on its way into a reader. */
export interface ReaderInput {
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
  /** What a file of it can say, and what it cannot. */
  readonly carries: string;
  readonly lacks: string;
  /** Root element of an XML format. */
  readonly root?: string;
  /** Whether a text, or the value it holds, is of this format. */
  readonly matchesText?: (head: string) => boolean;
  readonly matchesValue?: (value: unknown) => boolean;
  read(input: ReaderInput): Topology;
}

const someLine = (head: string, test: (line: string) => boolean): boolean => head.split('\n', 400).some(test);

/** What the objects of schedulers carry and lack. */
const SCHEDULERS = {
  kueue: ['which labels make the topology, nodes in the same file', 'rates; without nodes there is nothing to place'],
  kai: ['the same as Kueue', 'the same as Kueue'],
  volcano: ['the tree of HyperNodes; members by name, pattern or label', 'rates'],
  koordinator: ['layers and their labels, the tree of the status', 'rates; the status does not name nodes'],
  grove: ['which labels make the topology', 'rates; nodes'],
  diktyo: ['costs and bandwidth between regions and zones; NUMA zones of nodes', 'the unit of bandwidth (read as bit/s)'],
} as const;

/** Formats in the order in which they are tried. */
export const TOPOLOGY_FORMATS: readonly TopologyFormat[] = [
  {
    name: 'nccl-topology',
    carries: 'CPUs, PCI tree, GPUs, NICs with port rates, NVLinks by number; NVLink rates follow from `sm`, xGMI rates from `gcn`',
    lacks: "rates between sockets; in cloud files GPUs' NVLinks",
    title: 'NCCL or RCCL topology XML',
    scope: 'node',
    root: 'system',
    read: ({ text, name }) => readNcclTopology(text, name),
  },
  {
    name: 'nccl-graph',
    carries: "the channels that NCCL's search chose, with their rates",
    lacks: 'the hardware behind them',
    title: 'NCCL graph XML',
    scope: 'node',
    root: 'graphs',
    read: ({ text, name }) => readNcclGraph(text, name),
  },
  {
    name: 'hwloc',
    carries: 'packages, PCI tree with link rates, GPUs, NICs, NVLink and xGMI bandwidth matrices',
    lacks: 'what the network is; rates of links that sleep',
    title: 'hwloc XML',
    scope: 'node',
    root: 'topology',
    read: ({ text, name }) => readHwloc(text, name),
  },
  {
    name: 'graphml',
    carries: 'places, coordinates, link speeds (Topology Zoo); names of yEd drawings; everything of our own exports',
    lacks: 'speeds where the map has none; all of them in drawings',
    title: 'GraphML (Topology Zoo, yEd)',
    scope: 'wide-area',
    root: 'graphml',
    read: ({ text, name }) => readGraphml(text, name),
  },
  {
    name: 'gexf',
    carries: 'nodes, edges, attributes; everything of our own exports',
    lacks: 'rates: `weight` has no unit',
    title: 'GEXF',
    scope: 'wide-area',
    root: 'gexf',
    read: ({ text, name }) => readGexf(text, name),
  },
  {
    name: 'sndlib-xml',
    carries: 'places, installed capacity, step-cost modules, demands',
    lacks: 'the unit of capacity, unless `meta/unit` says it',
    title: 'SNDlib XML',
    scope: 'wide-area',
    root: 'network',
    read: ({ text, name }) => readSndlibXml(text, name),
  },
  {
    name: 'sndlib-native',
    carries: 'the same as SNDlib XML',
    lacks: 'admissible paths are left out',
    title: 'SNDlib native',
    scope: 'wide-area',
    matchesText: isSndlibNative,
    read: ({ text, name }) => readSndlibNative(text, name),
  },
  {
    name: 'gml',
    carries: 'places, coordinates, link speeds',
    lacks: 'the same as GraphML',
    title: 'GML',
    scope: 'wide-area',
    matchesText: (head) => /^\s*(?:(?:#[^\n]*|Creator[^\n]*|Version[^\n]*|comment[^\n]*)\n\s*)*graph\s*\[/i.test(head),
    read: ({ text, name }) => readGml(text, name),
  },
  {
    name: 'rocm-smi',
    carries: 'GPUs, xGMI pairs, NUMA nodes',
    lacks: 'rates, number of parallel links',
    title: 'rocm-smi --showtopo',
    scope: 'node',
    matchesText: (head) => /^=+\s*ROCm System Management Interface|^=+\s*(?:Weight|Hops|Link Type) between two GPUs/m.test(head),
    read: ({ text, name }) => readRocmSmi(text, name),
  },
  {
    name: 'nvidia-smi-nvlink',
    carries: "rate and number of every GPU's NVLinks, product names",
    lacks: 'the far ends',
    title: 'nvidia-smi nvlink --status',
    scope: 'node',
    matchesText: (head) => /^GPU \d+: .*\(UUID: /m.test(head),
    read: ({ text, name }) => readNvidiaSmiNvlink(text, name),
  },
  {
    name: 'nvidia-smi-topo',
    carries: 'GPUs, NICs, path codes, number of NVLinks',
    lacks: 'rates; whether NVLinks meet in a switch, unless their number tells',
    title: 'nvidia-smi topo -m',
    scope: 'node',
    matchesText: (head) => someLine(head, isMatrixHeader),
    read: ({ text, name }) => readNvidiaSmiTopo(text, name),
  },
  {
    name: 'iblinkinfo',
    carries: 'switches, hosts, cables with rates, hints at degraded links',
    lacks: 'cables that are down',
    title: 'iblinkinfo',
    scope: 'cluster',
    matchesText: (head) => someLine(head, isLinkLine),
    read: ({ text, name }) => readIblinkinfo(text, name),
  },
  {
    name: 'ibnetdiscover',
    carries: 'switches, hosts, every cable with its rate and ports, reducing switches',
    lacks: 'GPUs',
    title: 'ibnetdiscover',
    scope: 'cluster',
    matchesText: (head) => someLine(head, (line) => isSubnetHeader(line) || isPortsLine(line)),
    read: ({ text, name }) => readIbnetdiscover(text, name),
  },
  {
    name: 'ibsim',
    carries: 'switches, adapters, cables; rates where the file has them',
    lacks: 'hosts as such: each adapter is one',
    title: 'ibsim network',
    scope: 'cluster',
    matchesText: (head) => someLine(head, isIbsimHeader),
    read: ({ text, name }) => readIbsim(text, name),
  },
  {
    name: 'slurm-conf',
    carries: 'trees, forests, blocks, rings, and reports of `scontrol show topology`',
    lacks: 'rates, GPUs; blocks have no cables',
    title: 'Slurm topology.conf',
    scope: 'cluster',
    matchesText: (head) => someLine(head, isSlurmLine),
    read: ({ text, name }) => readSlurmConf(text, name),
  },
  {
    name: 'scontrol-nodes',
    carries: 'hosts, GPUs from `Gres`, state, features',
    lacks: 'how they are joined',
    title: 'scontrol show nodes',
    scope: 'cluster',
    matchesText: (head) => /^NodeName=\S/im.test(head),
    read: ({ text, name }) => readScontrolNodes(text, name),
  },
  {
    name: 'netbox',
    carries: 'devices, cables with length, rates of interfaces, sites, patch panels followed',
    lacks: 'GPUs',
    title: 'NetBox export',
    scope: 'cluster',
    matchesText: isNetboxCsv,
    matchesValue: isNetbox,
    read: (input) => (isNetboxCsv(input.text) ? readNetboxCsv(input.text, input.name) : readNetbox(input.structured(), input.name)),
  },
  {
    name: 'slurm-yaml',
    carries: 'tree, block, ring, 3-D torus, flat',
    lacks: 'rates, GPUs',
    title: 'Slurm topology.yaml',
    scope: 'cluster',
    matchesText: (head) => /^(?:\s*(?:#.*|---)?\n)*topology\/\w+\s*$/.test(head),
    matchesValue: isSlurmYaml,
    read: (input) => readSlurmYaml(input.structured(), input.name),
  },
  {
    name: 'kubernetes',
    carries: 'hosts, GPUs, product names, labels of Topograph (three generations), AWS, GKE, OCI, or your own keys',
    lacks: 'rates',
    title: 'Kubernetes nodes',
    scope: 'cluster',
    matchesValue: isKubernetes,
    read: (input) => readKubernetes(input.structured(), input.name, input.labels),
  },
  ...(['kueue', 'kai', 'volcano', 'koordinator', 'grove', 'diktyo'] as const).map((name): TopologyFormat => ({
    name,
    carries: SCHEDULERS[name][0],
    lacks: SCHEDULERS[name][1],
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
    carries: 'cells as locations, GPUs per node, virtual clusters as attributes',
    lacks: 'rates, cables',
    title: 'HiveD configuration',
    scope: 'cluster',
    matchesValue: isHived,
    read: (input) => readHived(input.structured(), input.name),
  },
  {
    name: 'topograph-model',
    carries: 'switches, blocks of nodes, accelerator domains, labels',
    lacks: 'rates, GPUs',
    title: 'Topograph model',
    scope: 'cluster',
    matchesValue: isTopographModel,
    read: (input) => readTopographModel(input.structured(), input.name),
  },
  {
    name: 'topograph-payload',
    carries: 'provider, engine, parameters, instances',
    lacks: 'the topology: it is with the provider',
    title: 'Topograph request',
    scope: 'cluster',
    matchesValue: isTopographPayload,
    read: (input) => readTopographPayload(input.structured(), input.name),
  },
  {
    name: 'topograph-graph',
    carries: 'instances with the switches above them',
    lacks: 'rates, GPUs',
    title: 'Topograph graph',
    scope: 'cluster',
    matchesValue: isTopographGraph,
    read: (input) => readTopographGraph(input.structured(), input.name),
  },
  {
    name: 'netq',
    carries: 'devices, cables with ports; hosts with GPUs and NVLink domain',
    lacks: 'rates',
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
    carries: 'everything',
    lacks: '',
    title: 'our fabric',
    scope: 'cluster',
    matchesValue: isFabricJson,
    read: (input) => readFabricJson(input.structured()),
  },
  {
    name: 'description',
    carries: 'sites, clusters, job, expanded from presets',
    lacks: '',
    title: 'our description',
    scope: 'wide-area',
    matchesValue: isDescription,
    read: ({ text }) => readDescription(text),
  },
  {
    name: 'graph',
    carries: 'GPUs, switches, rates',
    lacks: 'latency',
    title: 'our bare graph',
    scope: 'cluster',
    matchesValue: isBareGraph,
    read: (input) => readBareGraph(input.structured()),
  },
];
