import { invalidArgument } from '../errors.js';
import { LL128_LIMITS, NCCL_2_30, type TunerTables } from './tuner-tables.js';
import {
  NCCL_ALGORITHMS,
  NCCL_COLLECTIVES,
  NCCL_PROTOCOLS,
  PATH,
  PATTERN,
  type NcclAlgorithm,
  type NcclCollective,
  type NcclGraph,
  type NcclGraphs,
  type NcclProtocol,
} from './types.js';
import type { Bytes, BytesPerSecond, Seconds } from '../quantities.js';

/** Latency and algorithm bandwidth of one way to run a collective. */
export interface NcclRow {
  readonly collective: NcclCollective;
  readonly algorithm: NcclAlgorithm;
  readonly protocol: NcclProtocol;
  readonly latency: Seconds;
  readonly bandwidth: BytesPerSecond;
}

/** What the tuner knows of a job: rows to choose from, and the inputs that its size corrections need. */
export interface NcclTuning {
  readonly tables: TunerTables;
  readonly graphs: NcclGraphs;
  readonly rows: readonly NcclRow[];
}

/** Time of one row at one size, and whether the tuner picks it. */
export interface NcclTime extends NcclRow {
  readonly bytes: Bytes;
  readonly seconds: Seconds;
  readonly chosen: boolean;
}

/**
 * Latency and bandwidth per collective, algorithm and protocol, as NCCL's tuner computes them from the result of its search.
 *
 * The tuner ranks; across nodes its absolute times can be off by a factor of two. For times use the measured model.
 *
 * @complexity O(1): a few dozen rows
 * @reference NVIDIA/nccl src/graph/tuning.cc (version in the tables)
 */
export function tuneNccl(graphs: NcclGraphs, tables: TunerTables = NCCL_2_30): NcclTuning {
  const rows: NcclRow[] = [];
  for (const collective of NCCL_COLLECTIVES) {
    for (const algorithm of NCCL_ALGORITHMS) {
      if (!exists(collective, algorithm, graphs)) continue;
      const graph = graphOf(graphs, algorithm);
      for (let p = 0; p < 3; p++) {
        if (!hasProtocol(algorithm, p, graph, graphs, tables)) continue;
        const bandwidth = algorithmBandwidth(collective, algorithm, p, graph, graphs, tables);
        if (!(bandwidth > 0)) continue;
        const latency = latencyMicros(collective, algorithm, p, graph, graphs, tables);
        rows.push({ collective, algorithm, protocol: NCCL_PROTOCOLS[p], latency: latency * 1e-6, bandwidth: bandwidth * 1e9 });
      }
    }
  }
  return { tables, graphs, rows };
}

/**
 * Times of every row of a collective at one size; the fastest is marked as chosen.
 *
 * @param bytes total buffer, as nccl-tests counts it
 * @throws FabricPlanError `invalid-argument` for bytes that are negative or no number
 */
export function ncclTimes(tuning: NcclTuning, collective: NcclCollective, bytes: Bytes): NcclTime[] {
  if (!(Number.isFinite(bytes) && bytes >= 0)) throw invalidArgument('ncclTimes', 'bytes', bytes, 'a number of at least 0');
  const times: { -readonly [K in keyof NcclTime]: NcclTime[K] }[] = [];
  let best: (typeof times)[number] | undefined;
  for (const row of tuning.rows) {
    if (row.collective !== collective) continue;
    const seconds = ncclTime(tuning, row, bytes);
    const { algorithm, protocol, latency, bandwidth } = row;
    // Written out instead of spread: a full table is some 250 of these in microseconds.
    const time = { collective, algorithm, protocol, latency, bandwidth, bytes, seconds, chosen: false };
    if (best === undefined || seconds < best.seconds) best = time;
    times.push(time);
  }
  if (best !== undefined) best.chosen = true;
  return times;
}

/** Time of one row at one size: latency + bytes / bandwidth with the tuner's corrections by size. */
export function ncclTime({ tables, graphs }: NcclTuning, row: NcclRow, bytes: Bytes): Seconds {
  const step = Math.floor(Math.log2(Math.max(bytes, 1) / 64));
  let { latency, bandwidth } = row;
  const p = NCCL_PROTOCOLS.indexOf(row.protocol);
  const correction = tables.treeCorrection[p];
  if (row.collective === 'AllReduce') {
    if (row.algorithm === 'TREE' && step >= 0 && step < 23) bandwidth *= correction[step] ?? 1;
    if (row.algorithm === 'NVLS_TREE' && graphs.computeCapability >= 100 && graphs.architecture === 'x86' && step >= 0 && step < 24)
      bandwidth *= correction[step] ?? 1;
    if (
      row.algorithm === 'RING' &&
      row.protocol === 'SIMPLE' &&
      graphs.nodes > 1 &&
      bytes / (graphs.communicatorChannels * graphs.ranks) >= 64
    )
      latency *= graphs.computeCapability < 80 ? 1.9 : 1.4;
  }
  return latency + bytes / bandwidth;
}

function graphOf(graphs: NcclGraphs, algorithm: NcclAlgorithm): NcclGraph {
  if (algorithm === 'RING' || algorithm === 'PAT') return graphs.ring;
  if (algorithm === 'NVLS' || algorithm === 'NVLS_TREE') return graphs.nvls;
  if (algorithm === 'COLLNET_CHAIN') return graphs.collNet?.chain ?? graphs.tree;
  if (algorithm === 'COLLNET_DIRECT') return graphs.collNet?.direct ?? graphs.tree;
  return graphs.tree;
}

function exists(
  collective: NcclCollective,
  algorithm: NcclAlgorithm,
  { nodes, ranks, nvls, computeCapability, collNet, nvlinkSwitch, nics }: NcclGraphs,
): boolean {
  const perNode = ranks / nodes;
  const isGather = collective === 'AllGather' || collective === 'ReduceScatter';
  switch (algorithm) {
    case 'RING':
      return true;
    case 'TREE':
      return collective === 'AllReduce';
    case 'NVLS':
      if (nvls.channels === 0) return false;
      // Across nodes it needs in-network reduction.
      if (nodes > 1) return collNet !== undefined && collective === 'AllReduce';
      return collective === 'AllReduce' || (isGather && perNode <= 32);
    case 'COLLNET_DIRECT':
      if (collNet === undefined || !nvlinkSwitch || perNode > 8 || collNet.direct.channels === 0) return false;
      return collective === 'AllReduce' || (isGather && perNode <= nics);
    case 'COLLNET_CHAIN':
      return collNet !== undefined && perNode <= 8 && collective === 'AllReduce';
    case 'NVLS_TREE':
      return nodes > 1 && nvls.channels > 0 && collective === 'AllReduce';
    case 'PAT':
      return perNode === 1 && nodes > 1 && computeCapability >= 60 && isGather;
  }
}

function hasProtocol(algorithm: NcclAlgorithm, p: number, graph: NcclGraph, graphs: NcclGraphs, tables: TunerTables): boolean {
  if (p === 2) return true;
  if (algorithm !== 'RING' && algorithm !== 'TREE') return false;
  if (p === 0) return true;
  if (!tables.ll128 || graphs.computeCapability < 70) return false;
  const inter = graphs.computeCapability >= 90 ? LL128_LIMITS.interHopper : LL128_LIMITS.interBefore;
  return graph.typeInter <= inter && graph.typeIntra <= LL128_LIMITS.intra;
}

const generationOf = (cc: number): '70' | '80' | '90' | '100' => (cc >= 100 ? '100' : cc >= 90 ? '90' : cc >= 80 ? '80' : '70');

/** Algorithm bandwidth in GB/s; 0 where the way does not exist. */
function algorithmBandwidth(
  collective: NcclCollective,
  algorithm: NcclAlgorithm,
  p: number,
  graph: NcclGraph,
  graphs: NcclGraphs,
  tables: TunerTables,
): number {
  const { nodes, ranks } = graphs;
  const perNode = ranks / nodes;
  const isAllReduce = collective === 'AllReduce';
  const column = nodes === 1 ? 0 : nodes === 2 ? 1 : 2;
  const generation = generationOf(graphs.computeCapability);
  const caps = tables.caps?.[generation];
  const intra = graph.bandwidthIntra / 1e9;
  const inter = graph.bandwidthInter / 1e9;
  const isCollNet = algorithm === 'COLLNET_DIRECT' || algorithm === 'COLLNET_CHAIN';
  let perChannel = nodes <= 2 || isCollNet ? intra : inter;
  if (algorithm === 'NVLS' || algorithm === 'NVLS_TREE') {
    if (graph.channels < 2) return 0;
    const shared = (intra * tables.switchEfficiency[generation] * (graph.channels - 1)) / graph.channels;
    const inside = isAllReduce ? shared * 2 : (shared * (perNode - 1)) / perNode;
    const between = inter * (algorithm === 'NVLS_TREE' && nodes <= 2 ? 2 : 1);
    perChannel = Math.min(inside, between, algorithm === 'NVLS_TREE' && caps !== undefined ? caps.nvlsTree[column] : Infinity);
    // Inside one node the switch alone limits.
  }
  let bus = graph.channels * perChannel;
  if (tables.ratios !== undefined) {
    const ratio = (nodes <= 2 ? tables.ratios.two : tables.ratios.more)[algorithm]?.[p] ?? 0;
    if (nodes > 1) bus *= ratio;
    else if (p === 0) bus *= algorithm === 'RING' ? 0.5 : 1 / 3.8;
  } else if (caps !== undefined) {
    const llRow = tables.caps?.[nodes === 1 ? generation : graphs.vendor === 'amd' || graphs.vendor === 'mixed' ? '80' : '70'] ?? caps;
    const ll = llRow.ll[column];
    if (algorithm === 'RING') {
      if (p === 0) bus = Math.min(ll, bus * 0.5);
      else if (p === 1) bus = Math.min(bus * 0.92, graph.channels * caps.ringLl128[column]);
    } else if (algorithm === 'TREE' && isAllReduce) {
      bus = Math.min(bus * 0.92, graph.channels * caps.tree[column]);
      if (p === 0) bus = Math.min(bus / 3.8, ll);
      else if (p === 1) bus = Math.min(bus * (nodes === 1 ? 7 / 9 : 120 / 128), graph.channels * caps.treeLl128[column]);
    }
  }
  if (algorithm === 'COLLNET_DIRECT') {
    if (!isAllReduce) return perNode * Math.min(intra, inter * 0.9);
    const crowd = perNode / graph.channels;
    bus = (bus / (crowd - (crowd - 1) / 2)) * (graphs.computeCapability >= 90 ? 0.85 : 1);
  }
  // All traffic of a plain tree enters and leaves by one GPU.
  if (algorithm === 'TREE' && graph.pattern === PATTERN.tree && tables.caps !== undefined) bus *= 0.85;
  if (algorithm === 'PAT') bus *= 0.75;
  if ((collective === 'AllGather' || collective === 'ReduceScatter') && algorithm !== 'RING') return bus;
  const steps = isAllReduce ? 2 * (ranks - 1) : collective === 'AllGather' || collective === 'ReduceScatter' ? ranks - 1 : ranks;
  const ratio = algorithm === 'RING' || algorithm === 'NVLS' || algorithm === 'NVLS_TREE' ? ranks / Math.max(1, steps) : 0.5;
  return bus * ratio;
}

function latencyMicros(
  collective: NcclCollective,
  algorithm: NcclAlgorithm,
  p: number,
  graph: NcclGraph,
  { nodes, ranks, vendor, architecture }: NcclGraphs,
  tables: TunerTables,
): number {
  const { base, steps } = tables;
  const perNode = ranks / nodes;
  const inNode = graph.typeIntra === PATH.NVL ? steps.nvlink : steps.pci;
  let intra = inNode[algorithm]?.[p] ?? 0;
  // With one GPU per node every step of any algorithm costs what a tree step costs.
  let inter = (perNode === 1 ? steps.net.TREE?.[p] : steps.net[algorithm]?.[p]) ?? 0;
  inter += graph.latencyInter * 1e6 * (p === 2 ? 2 : 1);
  const start = base[algorithm]?.[p] ?? 0;
  const levels = Math.floor(Math.log2(nodes));
  switch (algorithm) {
    case 'RING': {
      if (collective === 'Broadcast' || collective === 'Reduce') {
        const hop = nodes > 1 ? (steps.net.RING?.[p] ?? 0) : intra;
        const tree = nodes > 1 ? (steps.net.TREE?.[p] ?? 0) : (inNode.TREE?.[p] ?? 0);
        if (graph.sameChannels) return start + hop;
        return start + ranks * (p === 2 ? tree : hop);
      }
      const stepCount = collective === 'AllReduce' ? 2 * (ranks - 1) : ranks - 1;
      if (nodes > 1) intra = Math.max(intra, (vendor === 'amd' && architecture === 'x86' ? 2 : 1) * (p === 2 ? 3 : 1));
      const interSteps = nodes === 1 ? 0 : collective === 'AllReduce' ? tables.ringInterSteps(nodes) : nodes - 1;
      return start + (stepCount - interSteps) * intra + interSteps * inter;
    }
    case 'TREE':
      return start + 2 * ((perNode - 1) * intra + levels * inter);
    case 'NVLS':
      return intra + (nodes > 1 ? inter : 0);
    case 'NVLS_TREE':
      return start + intra + 2 * levels * inter;
    case 'PAT':
      return start + (levels * inter) / 3.5 + 2.8 * ranks;
    case 'COLLNET_DIRECT':
      return start + 2 * (Math.min(1, perNode - 1) * intra + (perNode - 1) * 0.4) + inter;
    case 'COLLNET_CHAIN':
      return start + 2 * (perNode - 1) * intra + inter;
  }
}
