import { draftTopology } from '../topology/draft.js';
import type { Topology } from '../topology/types.js';
import { parseXml, type XmlElement } from '../xml.js';

const WHERE = 'readNcclGraph';
/** Names of the graphs by id, as NCCL numbers them. */
const GRAPHS: Readonly<Record<string, string>> = { 0: 'ring', 1: 'tree', 2: 'collnet', 3: 'nvls', 4: 'collnet-direct' };
const PATHS = new Set(['LOC', 'NVL', 'NVB', 'C2C', 'PIX', 'PXB', 'P2C', 'PXN', 'PHB', 'SYS', 'NET', 'DIS']);

/**
 * Graph XML of NCCL: what its search found. The GPUs and NICs that it names, and for every pair of neighbours in a channel a link with
 * the rate of the channels between them. That is the capacity that NCCL uses, not the one that the hardware has.
 */
export function readNcclGraph(text: string, name: string): Topology {
  const root = parseXml(text, WHERE);
  const draft = draftTopology(WHERE, 'nccl-graph', name, 'node');
  if (root.name !== 'graphs') draft.refuse(`the root element is <${root.name}>; expected <graphs>`, root.line);
  draft.check();
  const contents = { graphs: 0, channels: 0, 'gpu refs': 0, 'net refs': 0 };
  const rates = new Map<string, number>();
  const device = (element: XmlElement): string | undefined => {
    const raw = element.attributes['dev'] ?? '';
    const number = /^(0x[0-9a-f]+|\d+)$/i.test(raw) ? Number(raw) : NaN;
    if (!Number.isSafeInteger(number)) {
      draft.refuse(`dev of <${element.name}> is "${raw.slice(0, 40)}"; expected a decimal or hexadecimal number`, element.line);
      return undefined;
    }
    const id = `${element.name === 'gpu' ? 'gpu' : 'net'}${number}`;
    if (!draft.has(id)) draft.device({ id, kind: element.name === 'gpu' ? 'gpu' : 'nic', location: [name] });
    return id;
  };
  for (const graph of root.children.filter((child) => child.name === 'graph')) {
    contents.graphs++;
    const channels = graph.children.filter((child) => child.name === 'channel');
    contents.channels += channels.length;
    const speed = Number(graph.attributes['speedintra'] ?? 0);
    if (!Number.isFinite(speed) || speed < 0)
      draft.refuse(`speedintra of <graph> is "${graph.attributes['speedintra']}"; expected GB/s of a channel`, graph.line);
    for (const key of ['typeintra', 'typeinter'])
      if (graph.attributes[key] !== undefined && !PATHS.has(graph.attributes[key]) && !/^\d+$/.test(graph.attributes[key]))
        draft.refuse(`${key} of <graph> is "${graph.attributes[key]}"; expected one of ${[...PATHS].join(', ')}`, graph.line);
    const label = GRAPHS[graph.attributes['id'] ?? ''] ?? `graph ${graph.attributes['id'] ?? '?'}`;
    if (channels.length === 0) draft.warn(`${label} has no channels: NCCL would not use it`, graph.line);
    const sums = new Map<string, number>();
    for (const channel of channels) {
      let last: string | undefined;
      for (const element of channel.children) {
        if (element.name !== 'gpu' && element.name !== 'net') continue;
        contents[element.name === 'gpu' ? 'gpu refs' : 'net refs']++;
        const id = device(element);
        if (id !== undefined && last !== undefined && last !== id) {
          const key = JSON.stringify([last, id]);
          sums.set(key, (sums.get(key) ?? 0) + speed * 1e9);
        }
        last = id;
      }
    }
    for (const [key, rate] of sums) rates.set(key, Math.max(rates.get(key) ?? 0, rate));
  }
  for (const [key, rate] of rates) {
    const [source, target] = JSON.parse(key) as [string, string];
    draft.link({ source, target, duplex: false, technology: 'channels', ...(rate > 0 ? { bandwidth: rate } : {}) });
  }
  if (contents.graphs === 0) draft.refuse('<graphs> holds no <graph>; expected at least one', root.line);
  else draft.warn('a graph shows the channels that NCCL chose, not the hardware: rates are those of the channels');
  return draft.finish({ levels: ['host'], contents });
}
