import { unknownName } from '../errors.js';
import type { Fabric } from './types.js';

/** One group of GPUs that share a location at a level. */
export interface LocationGroup {
  /** Location path of the group, e.g. `['juelich', 'g03']`. */
  readonly path: readonly string[];
  /** GPU indices, ascending. */
  readonly gpus: Int32Array;
}

/**
 * The GPUs of a fabric grouped by one of its levels, in order of first appearance.
 *
 * @throws FabricPlanError `unknown-name` when the fabric has no such level
 * @complexity O(GPUs)
 * @example
 * groupByLevel(fabric, 'node').map((group) => group.gpus.length) // [1, 1]
 */
export function groupByLevel(fabric: Fabric, level: string): LocationGroup[] {
  const at = fabric.levels.indexOf(level);
  if (at < 0) throw unknownName('groupByLevel', 'level', level, fabric.levels);
  const ids = fabric.compiled.gpuLevel[at];
  const members: number[][] = [];
  ids.forEach((id, gpu) => (members[id] ??= []).push(gpu));
  return members.map((gpus) => ({
    path: fabric.devices[fabric.compiled.gpus[gpus[0]]].location.slice(0, at + 1),
    gpus: Int32Array.from(gpus),
  }));
}

/**
 * Nested groups of a list of GPUs, narrow to broad, without the levels that tell nothing (all alone, or the same as the level below).
 *
 * @param gpus GPU indices; positions in this list are what the groups hold
 * @returns one array per useful level, parallel to `gpus`: dense group number, in order of first appearance
 */
export function localityLevels(fabric: Fabric, gpus: ArrayLike<number>): Int32Array[] {
  const { gpuLevel } = fabric.compiled;
  const levels: Int32Array[] = [];
  let lastCount = gpus.length;
  for (let level = gpuLevel.length - 1; level >= 0; level--) {
    const { groups, count } = renumber(gpuLevel[level], gpus);
    if (count < lastCount && count > 1) levels.push(groups);
    if (count < lastCount) lastCount = count;
    if (count <= 1) break;
  }
  return levels;
}

function renumber(ids: Int32Array, gpus: ArrayLike<number>): { groups: Int32Array; count: number } {
  const known = new Map<number, number>();
  const groups = new Int32Array(gpus.length);
  for (let i = 0; i < gpus.length; i++) {
    const id = ids[gpus[i]];
    let group = known.get(id);
    if (group === undefined) known.set(id, (group = known.size));
    groups[i] = group;
  }
  return { groups, count: known.size };
}
