import { FabricPlanError } from '../errors.js';
import { createFabric } from '../fabric/create-fabric.js';
import type { Fabric, FabricSpec } from '../fabric/types.js';
import { expandDescription } from './expand-description.js';
import { expandGraph } from './bare-graph.js';
import { parseDescription, parseText } from './parse-description.js';
import type { Description } from './description-schema.js';

/** A file format that holds a fabric. */
export interface FabricFormat {
  readonly name: string;
  /** Whether a parsed value looks like it. */
  matches(value: unknown): boolean;
  read(text: string): { readonly fabric: Fabric; readonly description?: Description };
}

const has = (value: unknown, key: string): boolean => typeof value === 'object' && value !== null && Object.hasOwn(value, key);

/** Formats in the order in which they are tried. */
export const FABRIC_FORMATS: readonly FabricFormat[] = [
  {
    name: 'description',
    matches: (value) => has(value, 'sites'),
    read(text) {
      const description = parseDescription(text);
      return { fabric: createFabric(expandDescription(description)), description };
    },
  },
  {
    name: 'fabric',
    matches: (value) => has(value, 'devices'),
    read: (text) => ({ fabric: createFabric(parseText(text, 'readFabric') as FabricSpec) }),
  },
  {
    name: 'graph',
    matches: (value) => has(value, 'gpus') && has(value, 'links'),
    read: (text) => ({ fabric: createFabric(expandGraph(parseText(text, 'readFabric'))) }),
  },
];

/**
 * Reads a fabric from text of any known format, recognised by content.
 *
 * @throws FabricPlanError `parse` when no format matches, or the error of the format
 * @example
 * readFabric('name: x\nsites: [{ id: a, clusters: [{ node: dgx-h100, nodes: 2 }] }]').fabric.gpuIds.length // 16
 */
export function readFabric(text: string): { readonly format: string; readonly fabric: Fabric; readonly description?: Description } {
  const value = parseText(text, 'readFabric');
  const format = FABRIC_FORMATS.find((one) => one.matches(value));
  if (format === undefined)
    throw new FabricPlanError(
      'parse',
      'readFabric: the text is neither a description (sites, clusters), nor a fabric (devices, links), nor a graph (gpus, links); expected one of them',
    );
  return { format: format.name, ...format.read(text) };
}
