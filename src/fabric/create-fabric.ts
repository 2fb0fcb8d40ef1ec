import { throwIssues } from '../errors.js';
import { compileFabric } from './compile-fabric.js';
import type { Fabric, FabricSpec } from './types.js';
import { validateFabric } from './validate-fabric.js';

/**
 * Validates a description and compiles it into the form that routes, estimates and placements work on.
 *
 * Devices come back sorted by id (digits by value) and links by their ends, so that the order of the description never matters.
 *
 * @throws FabricPlanError `invalid-fabric`, listing every issue at once
 * @complexity O((devices + links) log)
 * @example
 * const fabric = createFabric({
 *   name: 'pair', levels: ['node'],
 *   devices: [{ id: 'a', kind: 'gpu', location: ['n0'] }, { id: 'b', kind: 'gpu', location: ['n1'] }],
 *   links: [{ id: 'a–b', source: 'a', target: 'b', bandwidth: 50e9, latency: 2e-6 }],
 * });
 * fabric.gpuIds // ['a', 'b']
 */
export function createFabric(spec: FabricSpec): Fabric {
  throwIssues('invalid-fabric', 'createFabric', validateFabric(spec));
  const { devices, links, indexOf, compiled } = compileFabric(spec);
  const fabric: Fabric = {
    name: spec.name,
    levels: spec.levels,
    devices,
    links,
    gpuIds: Array.from(compiled.gpus, (index) => devices[index].id),
    compiled,
    indexOf: (id) => indexOf.get(id),
  };
  return Object.freeze(fabric);
}

/**
 * The plain description of a fabric, as JSON would carry it; `createFabric` of it gives the same fabric.
 *
 * @example
 * createFabric(describeFabric(fabric)).gpuIds.length === fabric.gpuIds.length // true
 */
export function describeFabric(fabric: Fabric): FabricSpec {
  return { name: fabric.name, levels: fabric.levels, devices: fabric.devices, links: fabric.links };
}
