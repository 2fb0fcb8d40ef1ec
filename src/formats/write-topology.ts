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
  write(topology: Topology): Written;
}

/** Our own fabric as JSON: everything that a topology says, rates or not. */
function writeFabric({ name, scope, levels, devices, links, demands, offers, attributes }: Topology): Written {
  return { text: `${JSON.stringify({ name, scope, levels, devices, links, demands, offers, attributes }, null, 1)}\n`, lost: [] };
}

/** Formats that can be written. */
export const TOPOLOGY_WRITERS: readonly TopologyWriter[] = [
  { name: 'fabric', title: 'our fabric, JSON', write: writeFabric },
  { name: 'slurm-conf', title: 'Slurm topology.conf', write: writeSlurmConf },
  { name: 'slurm-yaml', title: 'Slurm topology.yaml', write: writeSlurmYaml },
  { name: 'kubernetes', title: 'Kubernetes nodes with topology labels', write: writeKubernetes },
  { name: 'kueue', title: 'Kueue Topology', write: writeKueue },
  { name: 'volcano', title: 'Volcano HyperNodes', write: writeVolcano },
  { name: 'nccl-topology', title: 'NCCL topology XML', write: writeNcclTopology },
  { name: 'graphml', title: 'GraphML', write: writeGraphml },
  { name: 'gexf', title: 'GEXF', write: writeGexf },
  { name: 'dot', title: 'Graphviz DOT', write: writeDot },
  { name: 'mermaid', title: 'Mermaid flowchart', write: writeMermaid },
  { name: 'svg', title: 'SVG picture', write: writeSvg },
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
