import type { Draft } from './draft.js';
import { chooseLevels, levelOfKey, type LabelLevel } from './label-sets.js';
import type { Attributes } from './types.js';

/** A host with its labels. */
export interface LabelledHost {
  readonly id: string;
  readonly labels: ReadonlyMap<string, string>;
  readonly gpus: number;
  readonly model?: string;
  readonly attributes?: Attributes;
}

/**
 * Draws hosts by their labels. Labels that name switches become switches with a link to each host and to the next switch above; all
 * levels become locations. A value is unique only within its parent: rack 1 of block 1 is not rack 1 of block 2.
 *
 * @param keys label keys broad to narrow; default: the known set that most hosts carry
 * @returns the levels of the locations
 * @complexity O(hosts × levels)
 */
export function drawLabelledHosts(draft: Draft, hosts: readonly LabelledHost[], keys?: readonly string[]): string[] {
  let levels: LabelLevel[];
  if (keys === undefined) {
    const chosen = chooseLevels(hosts.map(({ labels }) => labels));
    levels = chosen.levels;
    if (chosen.others.length > 0)
      draft.warn(`labels of several conventions: ${chosen.set!.name} is read, ${chosen.others.join(', ')} left out`);
    if (levels.length > 0) draft.infer('levels', `labels of ${chosen.set?.name ?? 'region, zone or domain'}`, hosts.length);
  } else levels = keys.filter((key) => key !== 'kubernetes.io/hostname').map(levelOfKey);
  levels = distinctNames(levels);
  // A value that stands under two parents is named by its path.
  const parentsOf = levels.map(() => new Map<string, string>());
  const isShared = levels.map(() => new Set<string>());
  for (const { labels } of hosts) {
    let parent = '';
    levels.forEach(({ key }, i) => {
      const value = labels.get(key);
      if (value === undefined) return;
      const known = parentsOf[i].get(value);
      if (known === undefined) parentsOf[i].set(value, parent);
      else if (known !== parent) isShared[i].add(value);
      parent += `/${value}`;
    });
  }
  const hostIds = new Set(hosts.map(({ id }) => id));
  const groupIds = levels.map(() => new Map<string, string>());
  const taken = new Set<string>();
  let missing = 0;
  for (const { id, labels, gpus, model, attributes } of hosts) {
    if (draft.has(id)) {
      draft.refuse(`node "${id}" occurs twice; expected unique names`);
      continue;
    }
    const location: string[] = [];
    let path = '';
    let above: string | undefined;
    const isWhole = levels.every(({ key }) => labels.has(key));
    if (!isWhole) missing++;
    levels.forEach(({ key, meaning }, i) => {
      const value = labels.get(key);
      if (value === undefined) {
        // Alone at this level: a node without the label belongs to no group.
        location.push(id);
        return;
      }
      const whole = path === '' ? value : `${path}/${value}`;
      let group = groupIds[i].get(whole);
      if (group === undefined) {
        group = isShared[i].has(value) ? whole : value;
        if (meaning === 'switch') {
          while (taken.has(group) || hostIds.has(group)) group += `@${levels[i].level}`;
          taken.add(group);
          draft.device({ id: group, kind: 'switch', location: [...location, group], attributes: { [`label:${key}`]: value } });
          if (above !== undefined) draft.link({ source: above, target: group, technology: 'uplink' });
        }
        groupIds[i].set(whole, group);
      }
      path = whole;
      location.push(group);
      if (meaning === 'switch') above = group;
    });
    draft.device({
      id,
      kind: 'host',
      location: [...location, id],
      gpus,
      ...(model === undefined ? {} : { model }),
      ...(attributes === undefined ? {} : { attributes }),
    });
    if (above !== undefined) draft.link({ source: above, target: id, technology: 'uplink' });
  }
  if (levels.length === 0)
    draft.warn('no node carries labels of a known topology: nothing is said of how they are joined (give the keys with --labels)');
  else if (missing > 0) draft.warn(`${missing} of ${hosts.length} nodes lack a label of the topology and stand alone there`);
  if (levels.some(({ meaning }) => meaning === 'switch')) draft.warn('labels carry no rates: links have none');
  else if (levels.length > 0) draft.warn('labels say which nodes are close, not how they are joined: there are no links');
  return [...levels.map(({ level }) => level), 'host'];
}

/** Levels with names of their own: two keys that end alike are told apart by number. */
function distinctNames(levels: readonly LabelLevel[]): LabelLevel[] {
  const seen = new Map<string, number>([['host', 1]]);
  return levels.map((one) => {
    const count = seen.get(one.level) ?? 0;
    seen.set(one.level, count + 1);
    return count === 0 ? one : { ...one, level: `${one.level}-${count + 1}` };
  });
}
