import { showValue } from '../../errors.js';
import { appendTo } from '../topology/append-to.js';
import { draftTopology, type Draft } from '../topology/draft.js';
import { drawHostTree, type TreeSwitch } from '../topology/host-tree.js';
import { isRecord, listOf, own, textOf } from '../topology/plain-text.js';
import type { StructuredText } from '../topology/structured-text.js';
import type { Scalar, Topology } from '../topology/types.js';
import { hostsOf } from './slurm-conf.js';

const WHERE = 'readTopograph';

export const isTopographModel = (value: unknown): boolean =>
  isRecord(value) &&
  own(value, 'apiVersion') === undefined &&
  ((isRecord(own(value, 'switches')) && (own(value, 'blocks') !== undefined || own(value, 'nodes') !== undefined)) ||
    (Array.isArray(own(value, 'blocks')) && listOf(own(value, 'blocks')).every((block) => own(block, 'nodes') !== undefined)));
export const isTopographPayload = (value: unknown): boolean =>
  (isRecord(own(value, 'provider')) || typeof own(value, 'provider') === 'string') &&
  (isRecord(own(value, 'engine')) || typeof own(value, 'engine') === 'string');
export const isTopographGraph = (value: unknown): boolean =>
  Array.isArray(own(value, 'instances')) &&
  listOf(own(value, 'instances')).every((one) => own(one, 'network_layers') !== undefined || own(one, 'id') !== undefined);

/** A model of Topograph: switches with their children, and blocks of nodes under a switch and in an accelerator domain. */
export function readTopographModel(text: StructuredText, name: string): Topology {
  const draft = draftTopology(WHERE, 'topograph-model', name, 'cluster');
  const root = text.documents[0];
  const switches = new Map<string, { children: string[]; hosts: string[]; attributes: Record<string, Scalar>; line: number | undefined }>();
  const raw = own(root, 'switches');
  if (isRecord(raw))
    for (const [id, body] of Object.entries(raw)) {
      const children = listOf(own(body, 'switches')).flatMap((child) => textOf(child) ?? []);
      switches.set(id, { children, hosts: [], attributes: notes(body), line: text.lineOf(0, ['switches', id]) });
    }
  for (const { children } of [...switches.values()])
    for (const child of children)
      if (!switches.has(child)) switches.set(child, { children: [], hosts: [], attributes: {}, line: undefined });
  const domains = new Map<string, string>();
  const details = new Map<string, Record<string, Scalar>>();
  const loose: string[] = [];
  const blocks = listOf(own(root, 'blocks'));
  blocks.forEach((block, i) => {
    const line = text.lineOf(0, ['blocks', i]);
    const hosts = listOf(own(block, 'nodes')).flatMap((list) => hostsOf(draft, textOf(list) ?? '', line));
    const own_ = notes(block);
    const domain =
      textOf(own(own(block, 'annotations'), 'accelerator.topology.test/domain')) ??
      textOf(own(own(block, 'labels'), 'accelerator.topograph.run/domain'));
    for (const host of hosts) {
      if (details.has(host)) draft.refuse(`node "${host}" is in two blocks; expected one`, line);
      details.set(host, own_);
      if (domain !== undefined) domains.set(host, domain);
    }
    const leaf = textOf(own(block, 'switch'));
    if (leaf === undefined) loose.push(...hosts);
    else {
      const known = switches.get(leaf);
      if (known === undefined) switches.set(leaf, { children: [], hosts, attributes: {}, line });
      else known.hosts.push(...hosts);
    }
  });
  draft.check();
  const tree = [...switches].map(([id, { children, hosts, attributes, line }]): TreeSwitch => ({
    id,
    children,
    hosts,
    attributes,
    ...(line === undefined ? {} : { line }),
  }));
  const levels = drawHostTree(draft, tree, 'uplink');
  for (const host of loose) draft.device({ id: host, kind: 'host', location: [...levels.slice(0, -1).map(() => host), host] });
  const isInDomains = domains.size > 0 && domains.size === details.size;
  for (const [host, attributes] of details) {
    const device = draft.deviceOf(host);
    const domain = domains.get(host);
    draft.amend(host, {
      ...(isInDomains && device !== undefined && domain !== undefined ? { location: [...device.location.slice(0, -1), domain, host] } : {}),
      ...(Object.keys(attributes).length > 0 ? { attributes } : {}),
    });
  }
  if (domains.size > 0 && !isInDomains)
    draft.warn(`${details.size - domains.size} nodes are in no accelerator domain; domains are kept as attributes only`);
  draft.warn('the model carries no rates: links have none');
  return draft.finish({
    levels: isInDomains ? [...levels.slice(0, -1), 'domain', 'host'] : levels,
    contents: { switches: switches.size, blocks: blocks.length, nodes: details.size, domains: new Set(domains.values()).size },
  });
}

/** Labels and annotations as attributes. */
function notes(body: unknown): Record<string, Scalar> {
  const found: Record<string, Scalar> = {};
  for (const group of ['labels', 'annotations'] as const) {
    const map = own(body, group);
    if (isRecord(map))
      for (const [key, value] of Object.entries(map))
        if (textOf(value) !== undefined) found[`${group === 'labels' ? 'label' : 'annotation'}:${key}`] = textOf(value)!;
  }
  return found;
}

/** A request to Topograph: provider, engine and parameters. It names the topology and does not hold it, unless it lists instances. */
export function readTopographPayload(text: StructuredText, name: string): Topology {
  const draft = draftTopology(WHERE, 'topograph-payload', name, 'cluster');
  const root = text.documents[0];
  const attributes: Record<string, Scalar> = {};
  for (const part of ['provider', 'engine'] as const) {
    const body = own(root, part);
    attributes[part] = textOf(body) ?? textOf(own(body, 'name')) ?? '';
    const params = own(body, 'params');
    if (isRecord(params))
      for (const [key, value] of Object.entries(params))
        attributes[`${part}.${key}`] = Array.isArray(value)
          ? value.map(String).join(',')
          : typeof value === 'object'
            ? ''
            : (textOf(value) ?? showValue(value));
  }
  let hosts = 0;
  for (const region of listOf(own(root, 'nodes'))) {
    const instances = own(region, 'instances');
    if (!isRecord(instances)) continue;
    const place = textOf(own(region, 'region')) ?? '';
    for (const [instance, host] of Object.entries(instances)) {
      const id = textOf(host) ?? instance;
      if (draft.has(id)) draft.refuse(`node "${id}" occurs twice; expected unique names`);
      else draft.device({ id, kind: 'host', location: [place === '' ? 'region' : place, id], attributes: { instance } });
      hosts++;
    }
  }
  const file = attributes['provider.modelFileName'] as Scalar | undefined;
  draft.warn(
    `the file is a request to Topograph: the topology itself is ${file === undefined ? 'with the provider' : `in its model ${String(file)}`}`,
  );
  return draft.finish({ levels: hosts > 0 ? ['region', 'host'] : ['host'], contents: { instances: hosts }, attributes });
}

/** What Topograph's graph engine returns: instances with the switches above each, nearest first. */
export function readTopographGraph(text: StructuredText, name: string): Topology {
  const draft = draftTopology(WHERE, 'topograph-graph', name, 'cluster');
  const parents = new Map<string, Set<string>>();
  const leaves = new Map<string, string[]>();
  const order: string[] = [];
  const labels = new Map<string, Record<string, Scalar>>();
  listOf(own(text.documents[0], 'instances')).forEach((instance, i) => {
    const id = textOf(own(instance, 'id')) ?? textOf(own(instance, 'name')) ?? '';
    if (id === '' || labels.has(id))
      draft.refuse(
        `instance ${i + 1} ${id === '' ? 'has no id' : `"${id}" occurs twice`}; expected unique ids`,
        text.lineOf(0, ['instances', i]),
      );
    labels.set(id, notes(instance));
    const layers = listOf(own(instance, 'network_layers')).flatMap((layer) => textOf(layer) ?? []);
    layers.forEach((layer, l) => {
      if (!parents.has(layer)) {
        parents.set(layer, new Set());
        order.push(layer);
      }
      if (layers[l + 1] !== undefined && layers[l + 1] !== layer) parents.get(layer)!.add(layers[l + 1]);
    });
    const list = leaves.get(layers[0] ?? '') ?? [];
    list.push(id);
    leaves.set(layers[0] ?? '', list);
  });
  draft.check();
  const children = new Map<string, string[]>();
  for (const [id, above] of parents) for (const parent of above) appendTo(children, parent, id);
  const levels = drawHostTree(
    draft,
    order.map((id): TreeSwitch => ({ id, children: children.get(id) ?? [], hosts: leaves.get(id) ?? [] })),
    'uplink',
  );
  for (const host of leaves.get('') ?? []) addLoose(draft, host, levels);
  for (const [id, attributes] of labels) if (Object.keys(attributes).length > 0) draft.amend(id, { attributes });
  draft.warn('the graph carries no rates: links have none');
  return draft.finish({ levels, contents: { instances: labels.size, switches: order.length } });
}

function addLoose(draft: Draft, host: string, levels: readonly string[]): void {
  if (!draft.has(host)) draft.device({ id: host, kind: 'host', location: levels.map(() => host) });
}
