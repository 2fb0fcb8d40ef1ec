import { FabricPlanError, invalidArgument, type Issue } from '../errors.js';
import { createFabric, describeFabric } from './create-fabric.js';
import type { DeviceSpec, Fabric, LinkSpec } from './types.js';

/** A change of a fabric. Changes are applied in the order given; devices and links are named by id. */
export interface FabricEdit {
  readonly addDevices?: readonly DeviceSpec[];
  /** Removing a device removes its links. */
  readonly removeDevices?: readonly string[];
  readonly addLinks?: readonly LinkSpec[];
  readonly removeLinks?: readonly string[];
  /** Fields to change by link id; `id`, `source` and `target` stay. */
  readonly updateLinks?: Readonly<Record<string, Partial<Omit<LinkSpec, 'id' | 'source' | 'target'>>>>;
}

/**
 * A new fabric with the change made; the old one stays as it was.
 *
 * @throws FabricPlanError `invalid-argument` for ids that are not there, `invalid-fabric` where the result is unsound
 * @complexity that of createFabric
 * @example
 * const faster = editFabric(fabric, { updateLinks: { 'a–b': { bandwidth: 100e9 } } });
 * faster.links[0].bandwidth // 100000000000
 */
export function editFabric(fabric: Fabric, edit: FabricEdit): Fabric {
  const issues: Issue[] = [];
  const linkIds = new Set(fabric.links.map((link) => link.id));
  const missing = (path: string, what: string, id: string): void => {
    issues.push({ path, message: `editFabric: ${path} names ${what} "${id}"; expected one of the fabric` });
  };
  for (const id of edit.removeDevices ?? []) if (fabric.indexOf(id) === undefined) missing('removeDevices', 'device', id);
  for (const id of edit.removeLinks ?? []) if (!linkIds.has(id)) missing('removeLinks', 'link', id);
  for (const id of Object.keys(edit.updateLinks ?? {})) if (!linkIds.has(id)) missing('updateLinks', 'link', id);
  if (issues.length > 0) throw new FabricPlanError('invalid-argument', issues.map((issue) => issue.message).join('\n'), issues);

  const goneDevices = new Set(edit.removeDevices);
  const goneLinks = new Set(edit.removeLinks);
  const updates = new Map(Object.entries(edit.updateLinks ?? {}));
  const spec = describeFabric(fabric);
  const links = spec.links
    .filter((link) => !goneLinks.has(link.id) && !goneDevices.has(link.source) && !goneDevices.has(link.target))
    .map((link) =>
      updates.has(link.id) ? { ...link, ...updates.get(link.id), id: link.id, source: link.source, target: link.target } : link,
    );
  return createFabric({
    ...spec,
    devices: [...spec.devices.filter((device) => !goneDevices.has(device.id)), ...(edit.addDevices ?? [])],
    links: [...links, ...(edit.addLinks ?? [])],
  });
}

/** GPU indices of GPU ids; duplicates and ids that are no GPU are refused together. */
export function gpuIndices(fabric: Fabric, ids: readonly string[], where: string): Int32Array {
  const { gpuOfDevice } = fabric.compiled;
  const seen = new Set<string>();
  const issues: Issue[] = [];
  const indices = Int32Array.from(ids, (id, i) => {
    const device = fabric.indexOf(id);
    const gpu = device === undefined ? -1 : gpuOfDevice[device];
    if (gpu < 0)
      issues.push({ path: `ranks[${i}]`, message: invalidArgument(where, `ranks[${i}]`, id, 'the id of a GPU of the fabric').message });
    else if (seen.has(id))
      issues.push({ path: `ranks[${i}]`, message: invalidArgument(where, `ranks[${i}]`, id, 'each GPU at most once').message });
    seen.add(id);
    return gpu;
  });
  if (issues.length > 0)
    throw new FabricPlanError(
      'invalid-argument',
      issues
        .slice(0, 20)
        .map((issue) => issue.message)
        .join('\n'),
      issues,
    );
  return indices;
}
