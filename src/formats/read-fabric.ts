import { createFabric } from '../fabric/create-fabric.js';
import type { Fabric } from '../fabric/types.js';
import type { Description } from './description-schema.js';
import { parseDescription } from './parse-description.js';
import { readTopology, type ReadTopologyOptions } from './read-topology.js';
import type { Assumptions } from './topology/assumptions.js';
import { fabricOfTopology } from './topology/fabric-of-topology.js';

export interface ReadFabricOptions extends ReadTopologyOptions {
  /** What to take where the file does not say. Default: nothing. */
  readonly assume?: Assumptions;
}

/**
 * Reads a fabric from text of any known format, recognised by content: {@link readTopology}, then {@link fabricOfTopology}.
 *
 * @throws FabricPlanError of the format; `invalid-argument` for what a fabric needs and the file does not say
 * @example
 * readFabric('name: x\nsites: [{ id: a, clusters: [{ node: dgx-h100, nodes: 2 }] }]').fabric.gpuIds.length // 16
 */
export function readFabric(
  text: string,
  options: ReadFabricOptions = {},
): { readonly format: string; readonly fabric: Fabric; readonly description?: Description } {
  const topology = readTopology(text, options);
  const fabric = createFabric(fabricOfTopology(topology, options.assume).fabric);
  return { format: topology.format, fabric, ...(topology.format === 'description' ? { description: parseDescription(text) } : {}) };
}
