import { FabricPlanError, invalidArgument } from '../errors.js';
import type { Fabric } from './types.js';

/**
 * The fabric with other numbers of parallel cables: the same as editing `count`, without compiling everything again. For what-if loops.
 *
 * @param counts cables by link id; fractions are allowed, to ask how much would be needed
 * @throws FabricPlanError `invalid-argument` for unknown links or counts that are not above 0
 * @complexity O(links)
 * @example
 * setLinkCounts(fabric, { 'a–b': 2 }).links[0].count // 2
 */
export function setLinkCounts(fabric: Fabric, counts: Readonly<Record<string, number>>): Fabric {
  const where = 'setLinkCounts';
  const wanted = new Map(Object.entries(counts));
  for (const [id, count] of wanted)
    if (!(Number.isFinite(count) && count > 0)) throw invalidArgument(where, `count of link "${id}"`, count, 'a number above 0');
  const scale = new Map<number, number>();
  const links = fabric.links.map((link, i) => {
    const count = wanted.get(link.id);
    if (count === undefined) return link;
    wanted.delete(link.id);
    scale.set(i, count / (link.count ?? 1));
    return { ...link, count };
  });
  if (wanted.size > 0)
    throw new FabricPlanError(
      'invalid-argument',
      `${where}: unknown links ${[...wanted.keys()].map((id) => `"${id}"`).join(', ')}; expected ids of links of the fabric`,
    );
  const { compiled } = fabric;
  const arcBandwidth = compiled.arcBandwidth.map((rate, arc) => rate * (scale.get(compiled.arcLink[arc]) ?? 1));
  return Object.freeze({ ...fabric, links, compiled: { ...compiled, arcBandwidth } });
}
