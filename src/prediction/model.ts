import { gpuFamily, pcieBandwidth, type HardwareRecord, type Transport } from './hardware.js';
import { groupRange, parameterIndex, PARAMETERS } from './parameters.js';

/** Collectives that the model predicts, named as in nccl-tests. */
export const PREDICTED_OPERATIONS = ['all-reduce', 'all-gather', 'reduce-scatter', 'all-to-all'] as const;
export type PredictedOperation = (typeof PREDICTED_OPERATIONS)[number];

export interface ModelSubject {
  readonly hardware: HardwareRecord;
  readonly operation: PredictedOperation;
  readonly ranks: number;
  readonly nodes: number;
  /** Only rings, as with NCCL_ALGO=RING. */
  readonly ringOnly?: boolean;
}

/** A subject with everything that does not depend on size or fitted values worked out. */
export interface PreparedSubject {
  readonly operation: PredictedOperation;
  readonly n: number;
  readonly nodes: number;
  /** Ranks of a node. */
  readonly g: number;
  readonly index: Readonly<Record<string, number>>;
  readonly isPcie: boolean;
  /** GB/s: nominal scale-up rate of a GPU after the share of its links in use; PCIe rate; NIC sum of a node. */
  readonly up: number;
  readonly pcie: number;
  readonly out: number;
  readonly switchReduces: boolean;
  readonly treesAcross: boolean;
  readonly ringOnly: boolean;
  readonly isAmd: boolean;
  /** GPU family or transport that no data was seen of. */
  readonly unseen: boolean;
  /** Messages between nodes go through a plug-in known to stall at middle sizes. */
  readonly pluginStalls: boolean;
}

export interface ModelTime {
  readonly microseconds: number;
  readonly algorithm: 'ring' | 'tree' | 'in-switch' | 'pairwise';
  /** Share of the time that moves bytes at full rate: large for bulk, near 0 for small messages. */
  readonly wireShare: number;
}

/** NIC rate of a GPU, GB/s, where nothing is said: what nodes of that family are usually built with. */
const USUAL_NIC: Readonly<Record<string, number>> = { volta: 12.5, ampere: 25, hopper: 50, blackwell: 50, cdna: 50, other: 12.5 };
const USUAL_UP: Readonly<Record<string, number>> = { volta: 150, ampere: 300, hopper: 450, blackwell: 900, cdna: 448, other: 300 };
/** µs that each further peer adds to an all-to-all across nodes: a send and a receive posted. Plain physics, not fitted. */
const PEER_SETUP = 0.3;
const AS_TRANSPORT: Readonly<Record<Transport, string>> = {
  none: '',
  nvlink: '',
  infiniband: 'infiniband',
  roce: 'roce',
  slingshot: 'slingshot',
  efa: 'efa',
  'gpudirect-tcpx': 'gpudirect-tcpx',
  'omni-path': 'infiniband',
  tcp: 'tcp',
  unknown: 'roce',
};

export function prepareSubject({ hardware, operation, ranks, nodes, ringOnly }: ModelSubject): PreparedSubject {
  const oneDomain = hardware.scaleOut.transport === 'nvlink';
  const n = ranks;
  const N = oneDomain ? 1 : nodes;
  const g = Math.max(1, Math.round(n / N));
  const family = gpuFamily(hardware.gpu);
  const { kind } = hardware.scaleUp;
  const isPcie = kind === 'pcie';
  let up = (hardware.scaleUp.bandwidthPerGpu ?? 0) / 1e9;
  if (up === 0) up = USUAL_UP[family];
  // A mesh gives a pair one link of seven; a ring over fewer GPUs than the mesh has uses only the links among them.
  if (kind === 'infinity-fabric-mesh' && g < 8) up = (up * Math.max(1, g - 1)) / 7;
  const transport = AS_TRANSPORT[hardware.scaleOut.transport];
  const index: Record<string, number> = {};
  for (const name of ['launch', 'hop', 'ring', 'switchReduce', 'fill']) index[name] = parameterIndex(name, family);
  const hosted = parameterIndex('hostedHop', transport);
  index['netHop'] = hosted === -1 ? parameterIndex('netHop', transport === '' ? 'infiniband' : transport) : hosted;
  for (const name of ['netPacket', 'net', 'netFill', 'netRamp'])
    index[name] = parameterIndex(name, transport === '' ? 'infiniband' : transport);
  for (const { group, class: name } of PARAMETERS) if (name === '') index[group.name] = groupRange(group.name)[0];
  const nics = hardware.scaleOut.nicsPerNode ?? hardware.gpusPerNode;
  const nic = (hardware.scaleOut.bandwidthPerNode ?? 0) / 1e9;
  return {
    operation,
    n,
    nodes: N,
    g,
    index,
    isPcie,
    up,
    pcie: pcieBandwidth(hardware.gpu) / 1e9,
    out: nic > 0 ? nic : ((hardware.scaleOut.bandwidthPerNic ?? USUAL_NIC[family] * 1e9) / 1e9) * nics,
    switchReduces: hardware.scaleUp.inSwitchReduction && g >= (family === 'blackwell' ? 6 : 5),
    // Before Hopper the tuner holds trees back on two nodes; GPUs that share a NIC gain nothing from them.
    treesAcross: (family === 'hopper' || family === 'blackwell') && nics >= g,
    ringOnly: ringOnly === true,
    isAmd: family === 'cdna',
    pluginStalls: N > 1 && transport === 'slingshot',
    unseen: family === 'other' || kind === 'unknown' || (N > 1 && (hardware.scaleOut.transport === 'unknown' || transport === 'tcp')),
  };
}

/** Time of a collective of `bytes` (total buffer) under a parameter vector `p` (natural logs). */
export function modelTime(s: PreparedSubject, p: Float64Array, bytes: number): ModelTime {
  if (s.n <= 1) return { microseconds: 0, algorithm: 'ring', wireShare: 0 };
  const v = (name: string): number => Math.exp(p[s.index[name]]);
  const kilobytes = bytes / 1e3; // kB / (GB/s) = µs
  const { n, nodes: N, g } = s;
  const launch = v('launch');
  const hop = v('hop') * (s.isPcie ? v('pcieHop') : 1);
  const packet = 1 + (v('packet') * bytes) / (bytes + v('packetSize') * 1024);
  const inside = s.isPcie ? (s.pcie * v('pcie')) / (1 + v('crossing') * Math.max(0, g - 2)) : s.up * v('ring');
  const fill = v('fill') * (1 + v('fillRank') * (g - 2 > 0 ? g - 2 : 0)) * (g > 1 ? 1 : 0);
  const half = s.operation === 'all-reduce' ? 1 : 0.5 + 0.5 / Math.max(1, g - 1);
  const rounds = s.operation === 'all-reduce' ? 2 : 1;
  if (N === 1) {
    if (s.operation === 'all-to-all') {
      const wire = (kilobytes * (n - 1)) / n / (inside * v('exchange'));
      return timed('pairwise', launch + hop * packet * v('exchangeHop') * Math.log2(n), wire, fill * half, 0);
    }
    const wire = (kilobytes * rounds * (n - 1)) / n / inside;
    const ring = timed('ring', launch + rounds * (n - 1) * hop * packet, wire, fill * half, 0);
    if (s.operation !== 'all-reduce' || !s.switchReduces || s.ringOnly) return ring;
    const reduce = timed('in-switch', launch + v('switchLaunch'), kilobytes / (s.up * v('switchReduce')), v('switchFill'), 0);
    return faster(ring, reduce);
  }
  const netHop = v('netHop') * (s.isAmd ? v('amdHop') : 1);
  const netPacket = 1 + (v('netPacket') * bytes) / (bytes + v('netPacketSize') * 1024);
  const crowd = 1 + N / v('congestion');
  const outside = (s.out * v('net')) / crowd;
  const ramp = v('netRamp');
  if (s.operation === 'all-to-all') {
    const within = (kilobytes * (g - 1)) / n / inside;
    const across = ((kilobytes * (n - g)) / n) * (g / (outside * v('exchange')));
    const start = launch + netHop * netPacket * v('exchangeHop') * Math.log2(n) + (n - 1) * PEER_SETUP;
    return timed('pairwise', start, Math.max(within, across), v('netFill'), ramp);
  }
  const rate = Math.min(outside, g > 1 ? (inside * (n - 1)) / Math.max(1, n - N) : outside);
  const ringStart = launch + rounds * ((n - N) * hop * packet + (N - 1) * netHop * netPacket);
  const ringFill = fill * half + v('netFill') * n * half;
  const ring = timed('ring', ringStart, (kilobytes * rounds * (n - 1)) / n / rate, ringFill, ramp);
  if (s.operation !== 'all-reduce' || s.ringOnly) return ring;
  const levels = Math.log2(N);
  const treeStart = launch + 2 * (g - 1) * hop * packet + 2 * levels * netHop * netPacket;
  const treeFill = fill + v('treeFill') * levels;
  let treeRate: number;
  if (N === 2 && s.treesAcross) {
    const node = s.switchReduces ? s.up * v('switchReduce') : g > 1 ? (inside * g) / (2 * (g - 1)) : Infinity;
    treeRate = Math.min(outside, node) * v('pair');
  } else treeRate = (Math.min(outside, g > 1 ? inside : Infinity) / 2) * v('tree');
  const tree = timed('tree', treeStart, kilobytes / treeRate, treeFill, ramp);
  return faster(ring, tree);
}

const faster = (a: ModelTime, b: ModelTime): ModelTime => (b.microseconds < a.microseconds ? b : a);

/**
 * start + wire + what chunking costs. The pipeline fills with chunks that grow with the message up to full size: fill·(1 − e^(−wire/fill)).
 * Over a network, cutting into chunks costs 2√(ramp·wire) more, as in the classical optimum of a pipeline.
 */
function timed(algorithm: ModelTime['algorithm'], start: number, wire: number, fill: number, ramp: number): ModelTime {
  const filling = fill > 0 ? fill * (1 - Math.exp(-wire / fill)) : 0;
  const microseconds = start + wire + filling + 2 * Math.sqrt(ramp * wire);
  return { microseconds, algorithm, wireShare: wire / microseconds };
}
