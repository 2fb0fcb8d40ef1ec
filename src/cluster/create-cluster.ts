import { orderRanks } from '../collectives/rank-order.js';
import { FabricPlanError, invalidArgument, throwIssues, type Issue } from '../errors.js';
import type { Fabric } from '../fabric/types.js';
import { packGpus } from '../placement/pack-gpus.js';
import { placeJob } from '../placement/place-job.js';
import type { Placement } from '../placement/types.js';
import { computeRoutes } from '../routes/compute-routes.js';
import type { Allocation, Cluster, ClusterDecision, ClusterPolicy, ClusterRequest, ClusterSnapshot, ShareUsage } from './types.js';

/** GPUs of one site and model. */
interface Pool {
  readonly name: string;
  readonly site: string;
  readonly model: string;
  readonly gpus: Int32Array;
  /** Guarantees by audience. */
  readonly shares: Map<string, { guaranteed: number; borrowable: boolean }>;
}

/**
 * A fabric in use: who holds which GPUs, what is broken, and which shares are ring-fenced.
 *
 * A request may use what its audience is guaranteed, what nobody is guaranteed, and what is guaranteed to others as borrowable while
 * idle. After every decision the idle GPUs of a pool still cover what its non-borrowable shares have not used.
 *
 * @throws FabricPlanError `invalid-argument` for policies that promise more than there is, or snapshots of another fabric
 * @complexity O(GPUs) per operation; `place` with a job costs a placeJob
 * @example
 * const cluster = createCluster(fabric, { shares: [{ audience: 'academic', guaranteed: 1 }] });
 * cluster.place({ id: 'j1', audience: 'industry', gpus: 2 }).accepted // false
 */
export function createCluster(fabric: Fabric, policy: ClusterPolicy = {}, snapshot?: ClusterSnapshot): Cluster {
  const routes = computeRoutes(fabric);
  const pools = createPools(fabric, policy);
  const poolOf = new Map<number, Pool>();
  for (const pool of pools) for (const gpu of pool.gpus) poolOf.set(gpu, pool);
  const gpuIndex = new Map(fabric.gpuIds.map((id, i) => [id, i]));
  const holder = new Map<number, string>();
  const allocations = new Map<string, Allocation>();
  const failed = new Set<string>();

  const isFree = (gpu: number): boolean => !holder.has(gpu) && !failed.has(fabric.gpuIds[gpu]);
  const freeIn = (pool: Pool): Int32Array => pool.gpus.filter(isFree);
  const usedBy = (pool: Pool, audience: string): number => {
    let used = 0;
    for (const allocation of allocations.values())
      if (allocation.audience === audience) for (const id of allocation.gpus) if (poolOf.get(gpuIndex.get(id)!) === pool) used++;
    return used;
  };
  /** GPUs that must stay idle for others than this audience. */
  const fenced = (pool: Pool, audience: string): number => {
    let sum = 0;
    for (const [owner, { guaranteed, borrowable }] of pool.shares)
      if (owner !== audience && !borrowable) sum += Math.max(0, guaranteed - usedBy(pool, owner));
    return sum;
  };
  /** GPUs that must stay idle for this audience itself to be served are none; what it may take now. */
  const allowance = (pool: Pool, audience: string): number => Math.max(0, freeIn(pool).length - fenced(pool, audience));

  const apply = (allocation: Allocation): void => {
    allocations.set(allocation.id, allocation);
    for (const id of allocation.gpus) holder.set(gpuIndex.get(id)!, allocation.id);
  };
  const release = (id: string): void => {
    const allocation = allocations.get(id);
    if (allocation === undefined) throw invalidArgument('release', 'id', id, 'the id of an allocation');
    for (const gpu of allocation.gpus) holder.delete(gpuIndex.get(gpu)!);
    allocations.delete(id);
  };
  /** Releases some allocations; the function returned puts everything back, in the old order. */
  const lift = (ids: readonly string[]): (() => void) => {
    const before = [...allocations.values()];
    for (const id of ids) release(id);
    return () => {
      allocations.clear();
      holder.clear();
      for (const allocation of before) apply(allocation);
    };
  };
  if (snapshot !== undefined) restoreSnapshot(fabric, snapshot, gpuIndex, apply, failed);

  const choose = (request: ClusterRequest, able: readonly Pool[]): { gpus: readonly string[]; placement?: Placement } | string => {
    const offer = able.map((pool) => ({ pool, free: freeIn(pool), most: allowance(pool, request.audience) }));
    const single = offer.filter(({ most }) => most >= request.gpus);
    const sets =
      single.length > 0
        ? single.map(({ free }) => free)
        : [Int32Array.from(offer.flatMap(({ free, most }) => [...(packGpus(routes, orderRanks(routes, free), most) ?? [])]))];
    let best: { gpus: readonly string[]; placement?: Placement } | undefined;
    let reason = '';
    for (const free of sets) {
      const ordered = orderRanks(routes, free);
      if (request.job === undefined)
        return { gpus: Array.from(packGpus(routes, ordered, request.gpus) ?? [], (gpu) => fabric.gpuIds[gpu]) };
      const { placements, explanation } = placeJob(routes, request.job, {
        gpus: request.gpus,
        free: Array.from(ordered, (gpu) => fabric.gpuIds[gpu]),
        limit: 1,
      });
      const [placement] = placements as readonly (Placement | undefined)[];
      if (placement === undefined) reason = explanation;
      else if (best?.placement === undefined || placement.step.seconds < best.placement.step.seconds)
        best = { gpus: placement.mapping.gpus, placement };
    }
    return best ?? reason;
  };

  const place = (request: ClusterRequest): ClusterDecision => {
    checkRequest(request);
    const able = pools.filter(({ site, model }) => (request.site ?? site) === site && (request.model ?? model) === model);
    const refuse = (reason: string): ClusterDecision => ({
      request,
      accepted: false,
      gpus: [],
      preempts: [],
      reason,
      excluded: exclusions(request, able),
    });
    if (allocations.has(request.id)) return refuse(`an allocation named "${request.id}" exists`);
    if (able.length === 0) return refuse('no pool has that site and GPU model');
    const allowed = able.reduce((sum, pool) => sum + allowance(pool, request.audience), 0);
    if (allowed >= request.gpus) {
      const chosen = choose(request, able);
      if (typeof chosen === 'string') return refuse(chosen);
      return { request, accepted: true, ...chosen, preempts: [], reason: 'fits within what the audience may use', excluded: [] };
    }
    const preempts = reclaim(request, able, request.gpus - allowed);
    if (preempts === undefined) return refuse(`${request.gpus} GPUs wanted, ${allowed} may be used by "${request.audience}"`);
    // Decide as if the borrowers had left; commit releases them.
    const undo = lift(preempts);
    const chosen = choose(request, able);
    undo();
    if (typeof chosen === 'string') return refuse(chosen);
    return { request, accepted: true, ...chosen, preempts, reason: `takes back borrowed GPUs from ${preempts.join(', ')}`, excluded: [] };
  };

  /** Borrowers whose release lets the owner have its guarantee; latest first. Undefined where that does not help. */
  const reclaim = (request: ClusterRequest, able: readonly Pool[], missing: number): string[] | undefined => {
    const owed = able.reduce(
      (sum, pool) => sum + Math.max(0, (pool.shares.get(request.audience)?.guaranteed ?? 0) - usedBy(pool, request.audience)),
      0,
    );
    if (owed < request.gpus) return undefined;
    const victims: string[] = [];
    let gained = 0;
    for (const { id, audience, gpus } of [...allocations.values()].reverse()) {
      if (gained >= missing) break;
      if (audience === request.audience) continue;
      const useful = gpus.filter((gpu) => {
        const pool = poolOf.get(gpuIndex.get(gpu)!)!;
        return able.includes(pool) && usedBy(pool, audience) > (pool.shares.get(audience)?.guaranteed ?? 0);
      }).length;
      if (useful === 0) continue;
      victims.push(id);
      gained += useful;
    }
    return gained >= missing ? victims : undefined;
  };

  const exclusions = (request: ClusterRequest, able: readonly Pool[]): ClusterDecision['excluded'] => {
    const gpus = able.flatMap((pool) => [...pool.gpus]);
    const count = (reason: string, n: number): { reason: string; gpus: number }[] => (n > 0 ? [{ reason, gpus: n }] : []);
    return [
      ...count('another site or GPU model', fabric.gpuIds.length - gpus.length),
      ...count('failed', gpus.filter((gpu) => failed.has(fabric.gpuIds[gpu])).length),
      ...count('allocated', gpus.filter((gpu) => holder.has(gpu)).length),
      ...count(
        'kept for other audiences',
        able.reduce((sum, pool) => sum + Math.min(freeIn(pool).length, fenced(pool, request.audience)), 0),
      ),
    ];
  };

  return {
    place,
    commit(decision) {
      const { request, gpus, preempts } = decision;
      if (!decision.accepted)
        throw new FabricPlanError('conflict', `commit: the decision on "${request.id}" is a refusal; expected an accepted one`);
      if (allocations.has(request.id)) throw new FabricPlanError('conflict', `commit: an allocation named "${request.id}" exists`);
      const gone = preempts.filter((id) => !allocations.has(id));
      const taken = gpus.filter((id) => {
        const gpu = gpuIndex.get(id);
        return gpu === undefined || failed.has(id) || (holder.has(gpu) && !preempts.includes(holder.get(gpu)!));
      });
      if (taken.length > 0 || gone.length > 0)
        throw new FabricPlanError(
          'conflict',
          `commit: since the decision on "${request.id}", ${taken.length} of its GPUs were taken or failed and ${gone.length} of its victims left; decide again`,
        );
      const undo = lift(preempts);
      const invaded = pools.find((pool) => {
        const wanted = gpus.filter((id) => poolOf.get(gpuIndex.get(id)!) === pool).length;
        return wanted > 0 && wanted > allowance(pool, request.audience);
      });
      if (invaded !== undefined) {
        undo();
        throw new FabricPlanError(
          'conflict',
          `commit: since the decision on "${request.id}", pool ${invaded.name} has less to give; decide again`,
        );
      }
      const allocation: Allocation = Object.freeze({ id: request.id, audience: request.audience, gpus });
      apply(allocation);
      return allocation;
    },
    release,
    fail(devices) {
      for (const id of devices) {
        if (fabric.indexOf(id) === undefined) throw invalidArgument('fail', 'device', id, 'the id of a device of the fabric');
        failed.add(id);
      }
      return [...new Set(devices.flatMap((id) => holder.get(gpuIndex.get(id) ?? -1) ?? []))];
    },
    restore(devices) {
      for (const id of devices) if (!failed.delete(id)) throw invalidArgument('restore', 'device', id, 'a device that has failed');
    },
    snapshot: () => ({ fabric: fabric.name, allocations: [...allocations.values()], failed: [...failed] }),
    free: () => fabric.gpuIds.filter((_, gpu) => isFree(gpu)),
    allocations: () => [...allocations.values()],
    usage: () =>
      pools.flatMap((pool) =>
        [...pool.shares].map(([audience, { guaranteed, borrowable }]): ShareUsage => ({
          audience,
          pool: pool.name,
          guaranteed,
          used: usedBy(pool, audience),
          borrowable,
        })),
      ),
  };
}

function createPools(fabric: Fabric, policy: ClusterPolicy): Pool[] {
  const groups = new Map<string, { site: string; model: string; gpus: number[] }>();
  fabric.compiled.gpus.forEach((device, gpu) => {
    const { location, model = 'unknown' } = fabric.devices[device];
    const site = location[0] ?? fabric.name;
    const key = `${site}/${model}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, { site, model, gpus: [gpu] });
    else group.gpus.push(gpu);
  });
  const pools = [...groups].map(([name, { site, model, gpus }]): Pool => ({
    name,
    site,
    model,
    gpus: Int32Array.from(gpus),
    shares: new Map(),
  }));
  const issues: Issue[] = [];
  (policy.shares ?? []).forEach((share, i) => {
    const matching = pools.filter(({ site, model }) => (share.site ?? site) === site && (share.model ?? model) === model);
    if (matching.length === 0)
      issues.push({
        path: `shares[${i}]`,
        message: `shares[${i}] names site "${share.site ?? '*'}" and model "${share.model ?? '*'}"; expected a pool of the fabric: ${pools.map(({ name }) => name).join(', ')}`,
      });
    if (!(Number.isFinite(share.guaranteed) && share.guaranteed >= 0))
      issues.push({
        path: `shares[${i}].guaranteed`,
        message: `shares[${i}].guaranteed is ${share.guaranteed}; expected a number of GPUs, or a share of the pool below 1`,
      });
    for (const pool of matching) {
      if (pool.shares.has(share.audience))
        issues.push({ path: `shares[${i}]`, message: `pool ${pool.name} has two shares for "${share.audience}"; expected one` });
      const guaranteed = share.guaranteed < 1 ? Math.floor(share.guaranteed * pool.gpus.length) : Math.floor(share.guaranteed);
      pool.shares.set(share.audience, { guaranteed, borrowable: share.borrowable ?? false });
    }
  });
  for (const pool of pools) {
    const promised = [...pool.shares.values()].reduce((sum, { guaranteed }) => sum + guaranteed, 0);
    if (promised > pool.gpus.length)
      issues.push({
        path: 'shares',
        message: `pool ${pool.name} has ${pool.gpus.length} GPUs and ${promised} are guaranteed; expected no more than there are`,
      });
  }
  throwIssues('invalid-argument', 'createCluster', issues);
  return pools;
}

function restoreSnapshot(
  fabric: Fabric,
  snapshot: ClusterSnapshot,
  gpuIndex: ReadonlyMap<string, number>,
  apply: (allocation: Allocation) => void,
  failed: Set<string>,
): void {
  const issues: Issue[] = [];
  if (snapshot.fabric !== fabric.name)
    issues.push({ path: 'fabric', message: `the snapshot is of fabric "${snapshot.fabric}"; expected "${fabric.name}"` });
  const seen = new Set<string>();
  for (const { id, gpus } of snapshot.allocations) {
    for (const gpu of gpus) {
      if (!gpuIndex.has(gpu))
        issues.push({ path: `allocations.${id}`, message: `allocation "${id}" holds "${gpu}"; expected a GPU of the fabric` });
      if (seen.has(gpu)) issues.push({ path: `allocations.${id}`, message: `GPU "${gpu}" is held twice; expected once` });
      seen.add(gpu);
    }
  }
  throwIssues('invalid-argument', 'createCluster', issues);
  for (const allocation of snapshot.allocations) apply(allocation);
  for (const id of snapshot.failed) failed.add(id);
}

function checkRequest(request: ClusterRequest): void {
  if (typeof request.id !== 'string' || request.id === '') throw invalidArgument('place', 'id', request.id, 'a non-empty string');
  if (typeof request.audience !== 'string' || request.audience === '')
    throw invalidArgument('place', 'audience', request.audience, 'a non-empty string');
  if (!(Number.isInteger(request.gpus) && request.gpus >= 1))
    throw invalidArgument('place', 'gpus', request.gpus, 'a whole number of at least 1');
}
