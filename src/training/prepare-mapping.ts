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

/**
 * Prepares the collectives of every axis for GPUs in rank order.
 *
 * @param gpus GPU indices in rank order; groups keep that order, so it should follow locality
 * @complexity O(GPUs) per algorithm and axis, when an axis is first asked for
 */
export function prepareMapping(
  routes: Routes,
  gpus: Int32Array,
  parallelism: CompleteParallelism,
  order: readonly Axis[],
): PreparedMapping {
  const pick = (axes: readonly Axis[]): Int32Array[] =>
    axisGroups(parallelism, order, axes).map((group) => group.map((rank) => gpus[rank]));
  const dataGroups = lazily(() => pick(['data', 'context']));
  return {
    tensor: prepareAxis(
      routes,
      lazily(() => pick(['tensor'])),
    ),
    context: prepareAxis(
      routes,
      lazily(() => pick(['context'])),
    ),
    data: prepareAxis(routes, dataGroups),
    dataInSite: prepareAxis(
      routes,
      lazily(() => dataGroups().flatMap((group) => splitBySite(routes, group))),
    ),
    shard: prepareAxis(
      routes,
      lazily(() => dataGroups().flatMap((group) => chunksOf(group, shardRanks(parallelism)))),
    ),
    shardReplicas: prepareAxis(
      routes,
      lazily(() => dataGroups().flatMap((group) => combsOf(group, shardRanks(parallelism)))),
    ),
    expert: prepareAxis(
      routes,
      lazily(() =>
        ((parallelism.data * parallelism.context) % parallelism.expert === 0 ? dataGroups() : pick(['tensor', 'data', 'context'])).flatMap(
          (group) => chunksOf(group, parallelism.expert),
        ),
      ),
    ),
    pipeline: prepareAxis(
      routes,
      lazily(() => pick(['pipeline'])),
    ),
  };
}

function lazily<T>(create: () => T): () => T {
  let value: { readonly it: T } | undefined;
  return () => (value ??= { it: create() }).it;
}

function prepareAxis(routes: Routes, groupsOf: () => Int32Array[]): PreparedAxis {
  const prepared = lazily(() => {
    const groups = groupsOf().filter((group) => group.length > 1);
    const distinct = distinctGroups(routes, groups);
    const domainsOf = (group: Int32Array): number => new Set(Array.from(group, (gpu) => routes.zones.zoneOf[routes.fabric.compiled.gpus[gpu]])).size;
    return { groups, distinct, size: Math.max(1, ...distinct.map((group) => group.length)), domains: Math.max(1, ...distinct.map(domainsOf)) };
  });
  const candidates = new Map<CollectiveOperation, PricedCandidate[]>();
  const priced = (operation: CollectiveOperation): PricedCandidate[] => {
    let found = candidates.get(operation);
    if (found === undefined) {
      const { distinct } = prepared();
      const isLarge = distinct.some((group) => group.length > MANY_RANKS);
      const algorithms =
        operation === 'send-receive'
          ? [neighbourExchange]
          : GROUP_ALGORITHMS.filter(({ name }) => !(isLarge && name === 'direct' && operation !== 'all-to-all'));
      found = priceGroups(routes, distinct, operation, algorithms).candidates;
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
    cost(operation, bytes) {
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
