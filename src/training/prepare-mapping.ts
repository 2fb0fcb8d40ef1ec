import { priceGroups, bestOf, describeArc, type PricedCandidate } from '../collectives/prepare-collective.js';
import { DEFAULT_PHYSICS } from '../collectives/physics.js';
import { COLLECTIVE_ALGORITHMS } from '../collectives/registry.js';
import type { CollectiveAlgorithm, CollectiveOperation, LinkDirection } from '../collectives/types.js';
import type { Bytes, Seconds } from '../quantities.js';
import type { Routes } from '../routes/compute-routes.js';
import { axisGroups } from './axis-groups.js';
import type { Axis } from './types.js';
import { shardRanks, type CompleteParallelism } from './validate-job.js';

/** One axis of a mapping on the fabric: any size of message, all groups at once. */
export interface PreparedAxis {
  readonly groupSize: number;
  readonly groups: number;
  /** Scale-up domains that a group spans, at most. */
  readonly domains: number;
  cost(
    operation: CollectiveOperation,
    bytes: Bytes,
  ): { readonly seconds: Seconds; readonly algorithm: string; readonly bottleneck?: LinkDirection };
}

/** All axes of a mapping. Independent of model and micro-batch, so that a search prices them once. */
export interface PreparedMapping {
  readonly tensor: PreparedAxis;
  readonly context: PreparedAxis;
  /** Data and context ranks together: they hold the same weights. */
  readonly data: PreparedAxis;
  /** Parts of the data groups that lie within one site. */
  readonly dataInSite: PreparedAxis;
  /** Data ranks that share one sharded copy of the states, and those that hold the same shard of different copies. */
  readonly shard: PreparedAxis;
  readonly shardReplicas: PreparedAxis;
  readonly expert: PreparedAxis;
  /** Neighbouring stages. */
  readonly pipeline: PreparedAxis;
}

/** Algorithms that libraries use for each kind of group. */
const GROUP_ALGORITHMS = COLLECTIVE_ALGORITHMS.filter(({ name }) =>
  ['ring', 'double-binary-tree', 'hierarchical', 'in-network', 'direct'].includes(name),
);
/** Groups larger than this do not exchange directly: libraries use rings and trees there. */
const MANY_RANKS = 16;
/** Pairs of all groups together beyond which groups over several nodes are not tried pair by pair. */
const VERY_MANY_PAIRS = 20_000;
/** Ranks of all groups together beyond which two algorithms are tried: rings, and what suits the groups. */
const VERY_MANY_RANKS = 2048;

/** What neighbouring pipeline stages do: activations go forward while gradients go back. */
const neighbourExchange: CollectiveAlgorithm = {
  name: 'point-to-point',
  operations: ['send-receive'],
  phases({ rankCount }) {
    const pairs = rankCount - 1;
    const source = Int32Array.from({ length: 2 * pairs }, (_, i) => (i < pairs ? i : i - pairs + 1));
    const target = source.map((rank, i) => (i < pairs ? rank + 1 : rank - 1));
    return [{ label: 'forward and back', transfers: { source, target, share: new Float64Array(2 * pairs).fill(1) } }];
  },
  trace: ({ rankCount }) => ({
    chunks: 1,
    steps: [Array.from({ length: rankCount - 1 }, (_, i) => ({ source: i, target: i + 1, start: i, end: i + 1, reduces: false }))],
  }),
};

/** Prepared axes of one list of GPUs by the groups they make: degrees that share a group structure share its price. */
export type AxisCache = Map<string, PreparedAxis>;

/**
 * Prepares the collectives of every axis for GPUs in rank order.
 *
 * @param gpus GPU indices in rank order; groups keep that order, so it should follow locality
 * @param cache prepared axes of the same GPUs in the same order
 * @complexity O(GPUs) per algorithm and axis, when an axis is first asked for
 */
export function prepareMapping(
  routes: Routes,
  gpus: Int32Array,
  parallelism: CompleteParallelism,
  order: readonly Axis[],
  cache: AxisCache = new Map(),
): PreparedMapping {
  const pick = (axes: readonly Axis[]): Int32Array[] =>
    axisGroups(parallelism, order, axes).map((group) => group.map((rank) => gpus[rank]));
  const { expert, data, context } = parallelism;
  const prepared = (axes: readonly Axis[], kind: string, split: (groups: Int32Array[]) => Int32Array[]): PreparedAxis => {
    const key = `${kind}:${groupKey(parallelism, order, axes)}`;
    let found = cache.get(key);
    if (found === undefined) {
      found = prepareAxis(
        routes,
        lazily(() => split(pick(axes))),
      );
      cache.set(key, found);
    }
    return found;
  };
  const whole = (groups: Int32Array[]): Int32Array[] => groups;
  const replicas: readonly Axis[] = ['data', 'context'];
  const shard = shardRanks(parallelism);
  return {
    tensor: prepared(['tensor'], '', whole),
    context: prepared(['context'], '', whole),
    data: prepared(replicas, '', whole),
    dataInSite: prepared(replicas, 'site', (groups) => groups.flatMap((group) => splitBySite(routes, group))),
    shard: prepared(replicas, shard === data * context ? '' : `chunks of ${shard}`, (groups) =>
      shard === data * context ? groups : groups.flatMap((group) => chunksOf(group, shard)),
    ),
    shardReplicas: prepared(replicas, `combs of ${shard}`, (groups) => groups.flatMap((group) => combsOf(group, shard))),
    expert: prepared((data * context) % expert === 0 ? replicas : ['tensor', ...replicas], `chunks of ${expert}`, (groups) =>
      groups.flatMap((group) => chunksOf(group, expert)),
    ),
    pipeline: prepared(['pipeline'], '', whole),
  };
}

/** Strides and degrees of some axes: what their groups are made of. */
function groupKey(parallelism: CompleteParallelism, order: readonly Axis[], axes: readonly Axis[]): string {
  let stride = 1;
  let key = '';
  for (const axis of order) {
    if (axes.includes(axis) && parallelism[axis] > 1) key += `${stride}x${parallelism[axis]},`;
    stride *= parallelism[axis];
  }
  return key;
}

/** Groups of an axis, those that need pricing, their largest size, and the scale-up domains and sites that one spans at most. */
interface AxisGroups {
  readonly groups: readonly Int32Array[];
  readonly distinct: Int32Array[];
  readonly size: number;
  readonly domains: number;
  readonly sites: number;
}

/** Algorithms worth pricing for groups: fewer the more ranks there are. */
function algorithmsFor(operation: CollectiveOperation, { distinct, size, domains, sites }: AxisGroups): readonly CollectiveAlgorithm[] {
  if (operation === 'send-receive') return [neighbourExchange];
  if (operation === 'all-to-all') return GROUP_ALGORITHMS;
  const isLarge = size > MANY_RANKS || (domains > 1 && distinct.length * size * size > VERY_MANY_PAIRS);
  // Levels pay where several ranks share a node or a site; trees where they do not.
  const suits = domains < size || sites > 1 ? 'hierarchical' : 'double-binary-tree';
  const isVeryLarge = distinct.length * size > VERY_MANY_RANKS;
  return GROUP_ALGORITHMS.filter(
    ({ name }) => !(isLarge && name === 'direct') && !(isVeryLarge && name !== 'ring' && name !== suits && name !== 'in-network'),
  );
}

/** Whether every link of a fabric is the same both ways. */
const isSymmetric = ({ scratch, fabric }: Routes): boolean =>
  (scratch.isSymmetric ??= fabric.links.every(({ duplex, reverseBandwidth }) => duplex !== false && reverseBandwidth === undefined));

function lazily<T>(create: () => T): () => T {
  let value: { readonly it: T } | undefined;
  return () => (value ??= { it: create() }).it;
}

function prepareAxis(routes: Routes, groupsOf: () => Int32Array[]): PreparedAxis {
  const prepared = lazily((): AxisGroups => {
    const groups = groupsOf().filter((group) => group.length > 1);
    const distinct = distinctGroups(routes, groups);
    const siteOf = routes.fabric.compiled.gpuLevel[0] as Int32Array | undefined;
    const { zones, fabric } = routes;
    let [size, domains, sites] = [1, 1, 1];
    for (const group of distinct) {
      size = Math.max(size, group.length);
      // Ranks lie in order of place: a change of place is a new one.
      let [ownDomains, ownSites] = [1, 1];
      for (let i = 1; i < group.length; i++) {
        if (zones.zoneOf[fabric.compiled.gpus[group[i]]] !== zones.zoneOf[fabric.compiled.gpus[group[i - 1]]]) ownDomains++;
        if (siteOf !== undefined && siteOf[group[i]] !== siteOf[group[i - 1]]) ownSites++;
      }
      domains = Math.max(domains, ownDomains);
      sites = Math.max(sites, ownSites);
    }
    return {
      groups,
      distinct,
      size,
      domains,
      sites,
    };
  });
  const candidates = new Map<CollectiveOperation, PricedCandidate[]>();
  const priced = (operation: CollectiveOperation): PricedCandidate[] => {
    let found = candidates.get(operation);
    if (found === undefined) {
      found = priceGroups(routes, prepared().distinct, operation, algorithmsFor(operation, prepared())).candidates;
      candidates.set(operation, found);
    }
    return found;
  };
  return {
    get groupSize() {
      return prepared().size;
    },
    get groups() {
      return prepared().groups.length;
    },
    get domains() {
      return prepared().domains;
    },
    cost(asked, bytes) {
      // Where every link is the same both ways a reduce-scatter is an all-gather backwards.
      const operation = asked === 'reduce-scatter' && isSymmetric(routes) ? 'all-gather' : asked;
      if (prepared().groups.length === 0 || bytes === 0) return { seconds: 0, algorithm: 'none' };
      const { best } = bestOf(priced(operation), bytes, DEFAULT_PHYSICS);
      if (best === undefined) return { seconds: 0, algorithm: 'none' };
      const worst = best.candidate.phases.reduce((a, b) => (b.secondsPerByte * b.repeat > a.secondsPerByte * a.repeat ? b : a));
      return {
        seconds: best.seconds,
        algorithm: best.candidate.algorithm,
        ...(worst.arc < 0 ? {} : { bottleneck: describeArc(routes, worst.arc) }),
      };
    },
  };
}

/**
 * Groups that need pricing. Groups inside one zone load only that zone, so zones of the same class with the same GPUs in use cost the
 * same: one zone of each kind stands for all.
 */
function distinctGroups(routes: Routes, groups: readonly Int32Array[]): Int32Array[] {
  const { zones, fabric } = routes;
  const zoneOf = (gpu: number): number => zones.zoneOf[fabric.compiled.gpus[gpu]];
  const byZone = new Map<number, Int32Array[]>();
  for (const group of groups) {
    const zone = zoneOf(group[0]);
    if (group.some((gpu) => zoneOf(gpu) !== zone)) return [...groups];
    const list = byZone.get(zone);
    if (list === undefined) byZone.set(zone, [group]);
    else list.push(group);
  }
  const kinds = new Map<string, Int32Array[]>();
  for (const [zone, list] of byZone) {
    const key = `${zones.zones[zone].classIndex}:${list.map((group) => group.map((gpu) => zones.localOf[fabric.compiled.gpus[gpu]]).join()).join(';')}`;
    if (!kinds.has(key)) kinds.set(key, list);
  }
  return [...kinds.values()].flat();
}

function splitBySite(routes: Routes, group: Int32Array): Int32Array[] {
  const sites = routes.fabric.compiled.gpuLevel[0] as Int32Array | undefined;
  if (sites === undefined) return [group];
  const parts = new Map<number, number[]>();
  for (const gpu of group) {
    const list = parts.get(sites[gpu]);
    if (list === undefined) parts.set(sites[gpu], [gpu]);
    else list.push(gpu);
  }
  return [...parts.values()].map((part) => Int32Array.from(part));
}

const chunksOf = (group: Int32Array, size: number): Int32Array[] =>
  size <= 1 ? [] : Array.from({ length: Math.floor(group.length / size) }, (_, i) => group.subarray(i * size, (i + 1) * size));

/** Ranks at the same place in every chunk of a size. */
const combsOf = (group: Int32Array, size: number): Int32Array[] =>
  Array.from({ length: size }, (_, i) => group.filter((_rank, at) => at % size === i)).filter((comb) => comb.length > 1);
