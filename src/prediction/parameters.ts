/**
 * Parameters of the measured model. Every one has a meaning and a unit; values are fitted in logarithms. Classes of one quantity
 * (GPU families, transports) are tied to their common mean, so a class with little data, or none, falls back on its relatives.
 */
export interface ParameterGroup {
  readonly name: string;
  readonly unit: string;
  readonly meaning: string;
  /** Classes that have their own value; one nameless class where the quantity is common to all. */
  readonly classes: readonly string[];
  /** Value before any data, from published constants or plain physics, and how far (natural log) data may pull the mean from it. */
  readonly prior: number;
  readonly priorSpread: number;
  /** How far classes differ from their mean, natural log. */
  readonly classSpread: number;
  /** How far one system differs from its class, natural log; what calibration to a system may move. */
  readonly systemSpread: number;
}

const FAMILIES = ['volta', 'ampere', 'hopper', 'blackwell', 'cdna', 'other'];
const NETS = ['infiniband', 'roce', 'slingshot', 'efa', 'gpudirect-tcpx', 'tcp'];
/** Transports whose NIC reads and writes remote memory itself, and those where software on the host takes part. */
const DIRECT = ['infiniband', 'roce', 'slingshot'];
const HOSTED = ['efa', 'gpudirect-tcpx', 'tcp'];

const group = (
  name: string,
  unit: string,
  meaning: string,
  classes: readonly string[],
  prior: number,
  priorSpread: number,
  classSpread: number,
  systemSpread: number,
): ParameterGroup => ({ name, unit, meaning, classes, prior, priorSpread, classSpread, systemSpread });

export const PARAMETER_GROUPS: readonly ParameterGroup[] = [
  group('launch', 'µs', 'cost of a call before any step', FAMILIES, 6.6, 0.5, 0.28, 0.4),
  group('hop', 'µs', 'step between GPUs of a node over the scale-up links, small messages', FAMILIES, 0.8, 0.5, 0.21, 0.3),
  group('pcieHop', 'factor', 'a step over PCIe and host memory, in steps over scale-up links', [''], 1.5, 0.5, 0, 0.3),
  group('packet', 'factor', 'growth of a step when it carries more than a cache line: protocol LL to LL128', [''], 0.5, 0.7, 0, 0.6),
  group('packetSize', 'KiB', 'buffer at which half of that growth is reached', [''], 16, 1, 0, 0.5),
  group('ring', 'share', 'share of the nominal scale-up rate that a ring reaches', FAMILIES, 0.78, 0.15, 0.056, 0.08),
  group('pcie', 'share', 'share of the PCIe rate that a ring reaches', [''], 0.7, 0.3, 0, 0.3),
  group('crossing', 'share', 'loss of PCIe rate for every further GPU that shares bridges and sockets', [''], 0.05, 1, 0, 0.6),
  group('exchange', 'factor', 'rate of an all-to-all in rates of a ring', [''], 0.9, 0.2, 0, 0.15),
  group('exchangeHop', 'steps', 'steps that an all-to-all waits for, per doubling of the ranks', [''], 1, 0.7, 0, 0.4),
  group(
    'switchReduce',
    'share',
    'algorithm bandwidth of in-switch reduction, share of the nominal rate of a GPU',
    FAMILIES,
    0.58,
    0.15,
    0.056,
    0.08,
  ),
  group('switchLaunch', 'µs', 'extra cost of in-switch reduction', [''], 12, 0.5, 0, 0.3),
  group('fill', 'µs', 'time to fill the pipeline with full-size chunks, two ranks', FAMILIES, 40, 0.7, 0.21, 0.3),
  group('fillRank', 'share', 'growth of that time with every further rank of a node', [''], 0.15, 0.7, 0, 0.4),
  group('switchFill', 'µs', 'the same for in-switch reduction', [''], 55, 0.5, 0, 0.3),
  group('netHop', 'µs', 'step between nodes, small messages, over RDMA', DIRECT, 6, 0.5, 0.28, 0.5),
  group('hostedHop', 'µs', 'step between nodes, small messages, where host software takes part', HOSTED, 30, 0.7, 0.42, 0.6),
  group('amdHop', 'factor', 'a step between nodes under RCCL, in steps under NCCL', [''], 3, 0.3, 0, 0.3),
  group('netPacket', 'factor', 'growth of a step between nodes when messages leave the smallest protocol', NETS, 1, 0.7, 0.35, 0.5),
  group('netPacketSize', 'KiB', 'buffer at which half of that growth is reached', [''], 8, 1, 0, 0.7),
  group('net', 'share', 'share of the nominal NIC sum that a ring over few nodes reaches', NETS, 0.9, 0.1, 0.056, 0.1),
  group('netFill', 'µs', 'time to fill the pipeline over the network, per rank of a ring', NETS, 9, 0.5, 0.28, 0.5),
  group('netRamp', 'µs', 'A in the pipelining term 2√(A·wire time): cost of cutting messages into chunks', NETS, 4, 1, 0.28, 0.5),
  group('tree', 'share', 'rate of trees over more than two nodes, in rates of a ring', [''], 0.55, 0.3, 0, 0.2),
  group('treeFill', 'µs', 'time to fill the pipeline of a tree, per level', [''], 60, 1, 0, 0.5),
  group('pair', 'share', 'rate of a tree over two nodes, in the lesser of NIC sum and node rate', [''], 0.92, 0.15, 0, 0.1),
  group('congestion', 'nodes', 'number of nodes at which bulk traffic loses half its rate', [''], 2000, 1.5, 0, 1),
];

export interface Parameter {
  readonly group: ParameterGroup;
  readonly class: string;
}

/** Parameters in the order of every vector. */
export const PARAMETERS: readonly Parameter[] = PARAMETER_GROUPS.flatMap((one) => one.classes.map((name) => ({ group: one, class: name })));

const OFFSETS = new Map<string, number>();
{
  let next = 0;
  for (const one of PARAMETER_GROUPS) {
    OFFSETS.set(one.name, next);
    next += one.classes.length;
  }
}

/** Index of a class of a group in a parameter vector; an unknown class is −1 and means the mean of its group. */
export function parameterIndex(groupName: string, className = ''): number {
  const found = PARAMETER_GROUPS.find(({ name }) => name === groupName);
  const place = found?.classes.indexOf(className) ?? -1;
  return place === -1 ? -1 : (OFFSETS.get(groupName) ?? 0) + place;
}

/** First index and number of classes of a group. */
export function groupRange(groupName: string): readonly [number, number] {
  const found = PARAMETER_GROUPS.find(({ name }) => name === groupName);
  return [OFFSETS.get(groupName) ?? 0, found?.classes.length ?? 0];
}
