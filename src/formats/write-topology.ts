import { unknownName } from '../errors.js';
import type { Topology } from './topology/types.js';
import { writeDot, writeGexf, writeGraphml } from './writers/graph-xml.js';
import { writeKubernetes, writeKueue, writeVolcano } from './writers/kubernetes.js';
import { writeNcclTopology } from './writers/nccl-topology.js';
import { writeMermaid, writeSvg } from './writers/pictures.js';
import { writeSlurmConf, writeSlurmYaml } from './writers/slurm.js';
import type { Written } from './writers/types.js';

/** A format that topologies are written in. */
export interface TopologyWriter {
  readonly name: string;
  readonly title: string;
  /** What it can hold of a topology, and what it cannot. */
  readonly carries: string;
  readonly loses: string;
  write(topology: Topology): Written;
}

/** Our own fabric as JSON: everything that a topology says, rates or not. */
function writeFabric({ name, scope, levels, devices, links, demands, offers, attributes }: Topology): Written {
  return { text: `${JSON.stringify({ name, scope, levels, devices, links, demands, offers, attributes }, null, 1)}\n`, lost: [] };
}

/** Formats that can be written. */
export const TOPOLOGY_WRITERS: readonly TopologyWriter[] = [
  { name: 'fabric', title: 'our fabric, JSON', carries: 'everything', loses: '', write: writeFabric },
  {
    name: 'slurm-conf',
    title: 'Slurm topology.conf',
    carries: 'the tree of switches or groups, blocks, rings',
    loses: 'rates, sites, the inside of hosts; several switches side by side become one group',
    write: writeSlurmConf,
  },
  {
    name: 'slurm-yaml',
    title: 'Slurm topology.yaml',
    carries: 'the same, and 3-D tori',
    loses: 'the same, and LinkSpeed texts',
    write: writeSlurmYaml,
  },
  {
    name: 'kubernetes',
    title: 'Kubernetes nodes with topology labels',
    carries: 'hosts, GPUs, the path of switches as labels, or the labels that were read',
    loses: 'rates; a second switch above a node',
    write: writeKubernetes,
  },
  {
    name: 'kueue',
    title: 'Kueue Topology',
    carries: 'the label keys of the levels',
    loses: 'the nodes: write them as kubernetes',
    write: writeKueue,
  },
  {
    name: 'volcano',
    title: 'Volcano HyperNodes',
    carries: 'the tree of switches or groups, by exact names',
    loses: 'rates, GPUs',
    write: writeVolcano,
  },
  {
    name: 'nccl-topology',
    title: 'NCCL topology XML',
    carries: 'the inside of one host; everything of a file that was read',
    loses: 'all other hosts',
    write: writeNcclTopology,
  },
  {
    name: 'graphml',
    title: 'GraphML',
    carries: 'every field of devices and links; maps as they were read',
    loses: 'demands, offers, edges to nodes that are not there',
    write: writeGraphml,
  },
  { name: 'gexf', title: 'GEXF', carries: 'the same as GraphML', loses: 'demands, offers', write: writeGexf },
  { name: 'dot', title: 'Graphviz DOT', carries: 'names, kinds, rates', loses: 'everything else: a picture', write: writeDot },
  {
    name: 'mermaid',
    title: 'Mermaid flowchart',
    carries: 'names, rates',
    loses: 'everything else; at most 300 devices',
    write: writeMermaid,
  },
  {
    name: 'svg',
    title: 'SVG picture',
    carries: 'a map or rows, names, rates',
    loses: 'everything else; at most 300 devices',
    write: writeSvg,
  },
];

/**
 * Writes a topology in a format of {@link TOPOLOGY_WRITERS}. What the format cannot carry is listed.
 *
 * @throws FabricPlanError `unknown-name`; `unsupported` where the format needs what the topology does not hold; `too-large` for pictures
 * @complexity O(devices + links)
 * @example
 * writeTopology(readTopology('SwitchName=s0 Nodes=n[1-3]'), 'slurm-conf').text // 'SwitchName=s0 Nodes=n[1-3]\n'
 */
export function writeTopology(topology: Topology, format: string): Written {
  const writer = TOPOLOGY_WRITERS.find(({ name }) => name === format);
  if (writer === undefined)
    throw unknownName(
      'writeTopology',
      'format to write',
      format,
      TOPOLOGY_WRITERS.map(({ name }) => name),
    );
  return writer.write(topology);
}
