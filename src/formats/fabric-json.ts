import { createFabric, describeFabric } from '../fabric/create-fabric.js';
import type { Fabric, FabricSpec } from '../fabric/types.js';
import { FabricPlanError } from '../errors.js';
import { parseText } from './parse-description.js';

/**
 * Reads a full fabric (`{ name, levels, devices, links }`) from JSON or YAML.
 *
 * @throws FabricPlanError `parse` or `invalid-fabric`
 */
export function parseFabricJson(text: string): Fabric {
  const value = parseText(text, 'parseFabricJson');
  if (typeof value !== 'object' || value === null || !('devices' in value))
    throw new FabricPlanError('parse', 'parseFabricJson: the text has no list of devices; expected { name, levels, devices, links }');
  return createFabric(value as FabricSpec);
}

/** Writes a full fabric as JSON; parseFabricJson of it gives the same fabric. */
export function formatFabricJson(fabric: Fabric): string {
  return JSON.stringify(describeFabric(fabric));
}
