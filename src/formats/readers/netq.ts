import { draftTopology } from '../topology/draft.js';
import { listOf, numberOf, own, textOf } from '../topology/plain-text.js';
import type { StructuredText } from '../topology/structured-text.js';
import type { Topology } from '../topology/types.js';

const WHERE = 'readNetq';

export const isNetqGraph = (value: unknown): boolean =>
  listOf(Array.isArray(value) ? value : [value]).some(
    (one) =>
      Array.isArray(own(one, 'links')) &&
      Array.isArray(own(one, 'nodes')) &&
      listOf(own(one, 'nodes')).some((node) => own(node, 'compounded_nodes') !== undefined || own(node, 'node_type') !== undefined),
  );
export const isNetqNodes = (value: unknown): boolean =>
  Array.isArray(value) && value.length > 0 && value.every((one) => Array.isArray(own(one, 'GpuIDList')) && own(one, 'Name') !== undefined);

/** NetQ's topology graph: devices by tier and the cables between their interfaces; no rates. */
export function readNetqGraph(text: StructuredText, name: string): Topology {
  const draft = draftTopology(WHERE, 'netq', name, 'cluster');
  const names = new Map<string, string>();
  const contents = { tiers: 0, devices: 0, 'link groups': 0, links: 0 };
  const root = text.documents[0];
  const graphs = listOf(Array.isArray(root) ? root : [root]);
  const addNode = (node: unknown): void => {
    const inner = own(node, 'compounded_nodes');
    if (Array.isArray(inner)) {
      contents.tiers++;
      inner.forEach(addNode);
      return;
    }
    const key = textOf(own(node, 'id')) ?? '';
    const label = textOf(own(node, 'name')) ?? key;
    if (names.has(key)) {
      draft.refuse(`node "${key}" occurs twice; expected unique ids`);
      return;
    }
    contents.devices++;
    const tier = numberOf(own(node, 'tier')) ?? numberOf(own(node, 'default_tier')) ?? -1;
    const type = textOf(own(node, 'device_type')) ?? '';
    const id = draft.has(label) ? `${label} (${key})` : label;
    names.set(key, id);
    const isHost = type === 'host' || type === 'server' || (type !== 'switch' && tier < 1);
    draft.device({ id, kind: isHost ? 'host' : 'switch', location: isHost ? [id] : [], attributes: { tier, type } });
    if (isHost && type !== 'host' && type !== 'server') draft.infer('hosts', `device type "${type}" outside the tiers of switches`);
  };
  for (const graph of graphs) listOf(own(graph, 'nodes')).forEach(addNode);
  for (const graph of graphs)
    for (const group of listOf(own(graph, 'links'))) {
      contents['link groups']++;
      const single = own(group, 'compounded_links');
      for (const link of Array.isArray(single) ? single : [group]) {
        const [a, b] = listOf(own(link, 'interfaces'));
        const source = names.get(textOf(own(a, 'node')) ?? '');
        const target = names.get(textOf(own(b, 'node')) ?? '');
        if (source === undefined || target === undefined) {
          draft.refuse(`link "${String(own(link, 'id')).slice(0, 60)}" ends at a node that the file does not hold`);
          continue;
        }
        contents.links++;
        const ports = [textOf(own(a, 'interface')), textOf(own(b, 'interface'))];
        draft.link({
          source,
          target,
          technology: 'Ethernet',
          ...(ports[0] === undefined ? {} : { sourcePort: ports[0] }),
          ...(ports[1] === undefined ? {} : { targetPort: ports[1] }),
        });
      }
    }
  if (contents.devices === 0) draft.refuse('the graph holds no devices; expected nodes with compounded_nodes');
  draft.warn('NetQ shows no rates: links have none');
  return draft.finish({ levels: ['host'], contents });
}

/** NetQ's list of compute nodes: hosts with their GPUs and NVLink domain. */
export function readNetqNodes(text: StructuredText, name: string): Topology {
  const draft = draftTopology(WHERE, 'netq', name, 'cluster');
  let gpus = 0;
  listOf(text.documents[0]).forEach((node, i) => {
    const id = textOf(own(node, 'Name')) ?? '';
    if (id === '' || draft.has(id))
      draft.refuse(`node ${i + 1} ${id === '' ? 'has no Name' : `"${id}" occurs twice`}; expected unique names`, text.lineOf(0, [i]));
    const count = listOf(own(node, 'GpuIDList')).length;
    gpus += count;
    const domain = textOf(own(node, 'DomainUUID')) ?? id;
    const place = own(node, 'LocationInfo');
    draft.device({
      id,
      kind: 'host',
      location: [domain, id],
      gpus: count,
      attributes: {
        ...(textOf(own(node, 'Health')) === undefined ? {} : { health: textOf(own(node, 'Health'))! }),
        ...(numberOf(own(place, 'SlotID')) === undefined ? {} : { slot: numberOf(own(place, 'SlotID'))! }),
        ...(numberOf(own(place, 'TrayIndex')) === undefined ? {} : { tray: numberOf(own(place, 'TrayIndex'))! }),
      },
    });
  });
  draft.warn('the list says which nodes share an NVLink domain, not how they are joined: there are no links');
  return draft.finish({ levels: ['domain', 'host'], contents: { nodes: draft.devices.length, gpus } });
}
