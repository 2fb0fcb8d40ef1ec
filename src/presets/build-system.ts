import { invalidArgument } from '../errors.js';
import { buildDragonfly, buildDragonflyPlus } from '../fabric/builders/dragonfly.js';
import { buildFatTree } from '../fabric/builders/fat-tree.js';
import { buildLeafSpine } from '../fabric/builders/leaf-spine.js';
import type { ClusterOptions, ClusterSpec } from '../fabric/builders/network.js';
import { buildRailOptimised } from '../fabric/builders/rail-optimised.js';
import { buildTorus } from '../fabric/builders/torus.js';
import { nodePreset, systemPreset } from './lookups.js';
import type { SystemTopology } from './system-topology.js';

export interface SystemOptions {
  /** Use only so many GPUs: the first whole nodes that hold them. Default: all. */
  readonly gpus?: number;
  /** Id prefix. Default: the id of the system. */
  readonly name?: string;
  /** Site of its devices. Default: the system's place in the research network. */
  readonly site?: string;
}

/** Builds a cluster by the name of its topology. */
export function buildTopology(topology: SystemTopology, options: ClusterOptions): ClusterSpec {
  switch (topology.kind) {
    case 'leaf-spine':
      return buildLeafSpine({ ...options, ...topology });
    case 'rail-optimised':
      return buildRailOptimised({ ...options, ...topology });
    case 'fat-tree':
      return buildFatTree({ ...options, ...topology });
    case 'dragonfly':
      return buildDragonfly({ ...options, ...topology });
    case 'dragonfly+':
      return buildDragonflyPlus({ ...options, ...topology });
    case 'torus':
      return buildTorus({ ...options, ...topology });
  }
}

/**
 * The fabric of a known system, or of its first nodes, as plain data for `createFabric` or `buildMultiSite`.
 *
 * @throws FabricPlanError `unknown-name` for systems that are not in the table, `invalid-argument` for more GPUs than it has
 * @complexity O(nodes)
 * @example
 * buildSystem('jean-zay-h100', { gpus: 8 }).devices.filter((device) => device.kind === 'gpu').length // 8
 */
export function buildSystem(id: string, options: SystemOptions = {}): ClusterSpec {
  const system = systemPreset(id);
  const node = nodePreset(system.node);
  const most = system.nodes * node.gpus;
  const gpus = options.gpus ?? most;
  if (!(Number.isInteger(gpus) && gpus >= 1 && gpus <= most)) throw invalidArgument('buildSystem', `gpus of ${id}`, gpus, `a whole number from 1 to ${most}`);
  return buildTopology(system.topology, {
    node,
    nodes: Math.ceil(gpus / node.gpus),
    name: options.name ?? system.id,
    site: options.site ?? system.site ?? system.id,
    ...(system.coordinates === undefined ? {} : { coordinates: system.coordinates }),
  });
}
