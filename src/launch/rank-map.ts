import { FabricPlanError } from '../errors.js';
import type { DeviceSpec, Fabric } from '../fabric/types.js';
import { AXES, type Axis, type Mapping } from '../training/types.js';
import { completeParallelism } from '../training/validate-job.js';

/** One rank as a framework numbers it. */
export interface LaunchRank {
  readonly rank: number;
  readonly gpu: string;
  readonly host: string;
  /** Number of the GPU on its host. */
  readonly device: number;
}

/** Where every rank of a framework runs. */
export interface RankMap {
  readonly ranks: readonly LaunchRank[];
  /** Hosts in the order of their first rank. */
  readonly hosts: readonly string[];
  /** Ranks of each host, where all have as many; 0 where they differ. */
  readonly perHost: number;
  /** Whether consecutive ranks fill host after host: then a launcher that numbers ranks by host needs no map. */
  readonly isByHost: boolean;
  /** Whether on every host its ranks are on GPUs 0, 1, 2, …, in order. */
  readonly isInDeviceOrder: boolean;
}

/** Names the host of a GPU. */
export type HostNamer = (gpu: DeviceSpec) => string;

/** The id without its last part, with dashes for slashes: `alps/g0/r0/node3/gpu1` is on `alps-g0-r0-node3`. */
export const hostOfId: HostNamer = ({ id }) => (id.includes('/') ? id.slice(0, id.lastIndexOf('/')).replaceAll('/', '-') : id);

/**
 * Ranks in the order in which a framework numbers them, fastest axis first, each on the GPU that the mapping gives it.
 *
 * @param order the framework's order of axes; Megatron-LM, DeepSpeed and torchtitan number tensor, context, data, pipeline
 * @throws FabricPlanError `invalid-argument` for GPUs that the fabric does not have, or names of hosts that are no host names
 * @complexity O(GPUs of the fabric)
 */
export function rankMap(fabric: Fabric, mapping: Mapping, order: readonly Axis[] = AXES, hostName: HostNamer = hostOfId): RankMap {
  const where = 'rankMap';
  const parallelism = completeParallelism(where, mapping.parallelism);
  const from = strides(parallelism, mapping.order ?? AXES);
  const to = strides(parallelism, order);
  const count = mapping.gpus.length;
  const ids = new Array<string>(count);
  for (let rank = 0; rank < count; rank++) {
    let own = 0;
    for (const axis of AXES) own += (Math.floor(rank / to[axis]) % parallelism[axis]) * from[axis];
    ids[rank] = mapping.gpus[own];
  }
  const hostOf = new Map<string, string>();
  const members = new Map<string, string[]>();
  for (const id of fabric.gpuIds) {
    const host = hostName(fabric.devices[fabric.indexOf(id)!]);
    if (!HOST.test(host))
      throw new FabricPlanError(
        'invalid-argument',
        `${where}: the host of GPU "${id}" is "${host.slice(0, 60)}"; expected letters, digits, dots, dashes and underscores`,
      );
    hostOf.set(id, host);
    members.set(host, [...(members.get(host) ?? []), id]);
  }
  const deviceOf = new Map<string, number>();
  // GPUs of a fabric are in natural order of their ids.
  for (const own of members.values()) own.forEach((id, i) => deviceOf.set(id, i));
  const ranks = ids.map((gpu, rank): LaunchRank => {
    const host = hostOf.get(gpu);
    if (host === undefined) throw new FabricPlanError('invalid-argument', `${where}: GPU "${gpu}" of the mapping is not in the fabric`);
    return { rank, gpu, host, device: deviceOf.get(gpu)! };
  });
  const hosts = [...new Set(ranks.map(({ host }) => host))];
  const counts = new Map<string, number>();
  for (const { host } of ranks) counts.set(host, (counts.get(host) ?? 0) + 1);
  const perHost = new Set(counts.values()).size === 1 ? counts.get(hosts[0])! : 0;
  const runs = ranks.filter(({ host }, i) => i === 0 || ranks[i - 1].host !== host).length;
  const next = new Map<string, number>();
  const isInDeviceOrder = ranks.every(({ host, device }) => {
    const expected = next.get(host) ?? 0;
    next.set(host, expected + 1);
    return device === expected;
  });
  return { ranks, hosts, perHost, isByHost: runs === hosts.length, isInDeviceOrder };
}

/** What a host may be called in a launcher's files. */
const HOST = /^[A-Za-z0-9][A-Za-z0-9._-]{0,252}$/;

function strides(parallelism: Readonly<Record<Axis, number>>, order: readonly Axis[]): Record<Axis, number> {
  const found: Record<Axis, number> = { tensor: 0, context: 0, data: 0, pipeline: 0 };
  let stride = 1;
  for (const axis of order) {
    found[axis] = stride;
    stride *= parallelism[axis];
  }
  return found;
}
