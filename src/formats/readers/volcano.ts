import { boundedPattern } from '../topology/bounded-pattern.js';
import type { Draft } from '../topology/draft.js';
import { drawHostTree } from '../topology/host-tree.js';
import type { LabelledHost } from '../topology/labelled-hosts.js';
import { isRecord, listOf, numberOf, own, textOf } from '../topology/plain-text.js';

/**
 * HyperNodes of Volcano: domains of nodes and of further HyperNodes, members by name, pattern or label. Each becomes a switch of the
 * tree; a lower tier is closer. Members by pattern or label need the nodes in the same file.
 *
 * @param hosts nodes of the same file
 */
export function drawHyperNodes(draft: Draft, objects: readonly Record<string, unknown>[], hosts: readonly LabelledHost[]): string[] {
  const names = new Set(objects.map((object) => textOf(own(own(object, 'metadata'), 'name')) ?? ''));
  const known = new Map(hosts.map((host) => [host.id, host]));
  let unresolved = 0;
  const switches = objects.map((object) => {
    const id = textOf(own(own(object, 'metadata'), 'name')) ?? '';
    if (id === '') draft.refuse('a HyperNode has no metadata.name; expected one');
    const spec = own(object, 'spec');
    const tier = numberOf(own(spec, 'tier'));
    if (tier === undefined || !Number.isInteger(tier) || tier < 0)
      draft.refuse(`HyperNode "${id}" has tier ${String(own(spec, 'tier')).slice(0, 20)}; expected a whole number of at least 0`);
    const children: string[] = [];
    const members: string[] = [];
    for (const member of listOf(own(spec, 'members'))) {
      const isNode = own(member, 'type') === 'Node';
      if (!isNode && own(member, 'type') !== 'HyperNode')
        draft.refuse(`HyperNode "${id}" has a member of type ${String(own(member, 'type')).slice(0, 20)}; expected Node or HyperNode`);
      const selector = own(member, 'selector');
      const exact = textOf(own(own(selector, 'exactMatch'), 'name'));
      const regex = textOf(own(own(selector, 'regexMatch'), 'pattern'));
      const label = own(selector, 'labelMatch');
      if ([exact, regex, label].filter((one) => one !== undefined).length !== 1) {
        draft.refuse(`HyperNode "${id}" has a member without exactly one of exactMatch, regexMatch and labelMatch`);
        continue;
      }
      const pool = isNode ? known.keys() : names;
      if (exact !== undefined) (isNode ? members : children).push(exact);
      else if (regex !== undefined) {
        const test = boundedPattern(regex);
        if (test === undefined)
          draft.refuse(
            `HyperNode "${id}" selects by the pattern "${regex.slice(0, 60)}"; expected a plain regular expression without repeated groups, references and more than three repeats`,
          );
        else if (isNode && known.size === 0) unresolved++;
        else for (const name of pool) if (test(name) && name !== id) (isNode ? members : children).push(name);
      } else if (!isNode) draft.refuse(`HyperNode "${id}" selects HyperNodes by label; expected exactMatch or regexMatch`);
      else if (known.size === 0) unresolved++;
      else for (const host of hosts) if (matchesLabels(label, host.labels)) members.push(host.id);
    }
    return {
      id,
      children,
      hosts: [...new Set(members)],
      attributes: { tier: tier ?? 0, ...(textOf(own(spec, 'tierName')) === undefined ? {} : { tierName: textOf(own(spec, 'tierName'))! }) },
    };
  });
  draft.check();
  const owners = new Map<string, string>();
  for (const one of switches)
    for (const host of one.hosts) {
      const other = owners.get(host);
      if (other !== undefined && other !== one.id)
        draft.refuse(`node "${host}" is a member of the HyperNodes "${other}" and "${one.id}"; expected one`);
      owners.set(host, one.id);
    }
  if (unresolved > 0)
    draft.warn(`${unresolved} members are selected by pattern or label and the file holds no nodes to select from: add the Node objects`);
  draft.warn('HyperNodes carry no rates: links have none');
  const levels = drawHostTree(draft, switches, 'uplink');
  for (const host of hosts) {
    const { gpus, model, attributes } = host;
    const detail = { gpus, ...(model === undefined ? {} : { model }), ...(attributes === undefined ? {} : { attributes }) };
    if (draft.has(host.id)) draft.amend(host.id, detail);
    else
      draft.device({
        id: host.id,
        kind: 'host',
        location: [...Array.from({ length: levels.length - 1 }, () => host.id), host.id],
        ...detail,
      });
  }
  return levels;
}

function matchesLabels(selector: unknown, labels: ReadonlyMap<string, string>): boolean {
  const wanted = own(selector, 'matchLabels');
  if (isRecord(wanted)) for (const [key, value] of Object.entries(wanted)) if (labels.get(key) !== String(value)) return false;
  for (const expression of listOf(own(selector, 'matchExpressions'))) {
    const value = labels.get(textOf(own(expression, 'key')) ?? '');
    const values = listOf(own(expression, 'values')).map(String);
    const operator = own(expression, 'operator');
    const holds =
      operator === 'In'
        ? value !== undefined && values.includes(value)
        : operator === 'NotIn'
          ? value === undefined || !values.includes(value)
          : operator === 'Exists'
            ? value !== undefined
            : operator === 'DoesNotExist'
              ? value === undefined
              : false;
    if (!holds) return false;
  }
  return true;
}
