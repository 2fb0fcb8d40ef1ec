import { draftTopology } from '../topology/draft.js';
import { drawGraph, type GraphEdge, type GraphNode } from '../topology/graph-parts.js';
import type { Scalar, Topology } from '../topology/types.js';
import { parseXml, type XmlElement } from '../xml.js';
import { cast, finishGraph } from './graphml.js';

const WHERE = 'readGexf';

/**
 * GEXF 1.1 to 1.3. `weight` has no unit and is kept as an attribute, never read as a rate; attribute values are named by the title of
 * their declaration. Edges to nodes that are not declared are kept and carry nothing.
 */
export function readGexf(text: string, name: string): Topology {
  const root = parseXml(text, WHERE);
  const draft = draftTopology(WHERE, 'gexf', name, 'wide-area');
  if (root.name !== 'gexf') draft.refuse(`the root element is <${root.name}>; expected <gexf>`, root.line);
  const graph = root.children.find((child) => child.name === 'graph');
  if (root.name === 'gexf' && graph === undefined) draft.refuse('<gexf> holds no <graph>; expected one', root.line);
  draft.check();
  const titles = { node: new Map<string, Declared>(), edge: new Map<string, Declared>(), graph: new Map<string, Declared>() };
  for (const list of graph?.children.filter((child) => child.name === 'attributes') ?? []) {
    const scope = list.attributes['class'] === 'edge' ? 'edge' : 'node';
    for (const one of list.children.filter((child) => child.name === 'attribute'))
      titles[scope].set(one.attributes['id'] ?? '', { title: one.attributes['title'] ?? '', type: one.attributes['type'] ?? 'string' });
  }
  let undeclared = 0;
  const valuesOf = (element: XmlElement, scope: 'node' | 'edge'): Record<string, Scalar> => {
    const values: Record<string, Scalar> = {};
    for (const list of element.children.filter((child) => child.name === 'attvalues'))
      for (const one of list.children) {
        const id = one.attributes['for'] ?? one.attributes['id'] ?? '';
        const declared = titles[scope].get(id);
        if (declared === undefined) undeclared++;
        const key = declared?.title === undefined || declared.title === '' ? id : declared.title;
        if (key !== '' && key !== '__proto__') values[key] = cast(one.attributes['value'] ?? '', declared?.type ?? 'string');
      }
    return values;
  };
  const nodes: GraphNode[] = [];
  const edges: GraphEdge[] = [];
  const kind = graph?.attributes['defaultedgetype'] ?? 'undirected';
  const visit = (element: XmlElement): void => {
    for (const child of element.children) {
      if (child.name === 'nodes' || child.name === 'edges') visit(child);
      else if (child.name === 'node') {
        const label = child.attributes['label'] as string | undefined;
        nodes.push({
          id: child.attributes['id'] ?? '',
          ...(label === undefined ? {} : { label }),
          attributes: valuesOf(child, 'node'),
          line: child.line,
        });
        visit(child);
      } else if (child.name === 'edge') {
        const { source, target, type = kind, weight, label, id } = child.attributes as Record<string, string | undefined>;
        if (source === undefined || target === undefined) {
          draft.refuse('<edge> has no source or target; expected both', child.line);
          continue;
        }
        if (weight !== undefined && !Number.isFinite(Number(weight)))
          draft.refuse(`weight of <edge> is "${weight.slice(0, 40)}"; expected a number`, child.line);
        edges.push({
          ...(id === undefined ? {} : { id }),
          source,
          target,
          isDirected: type === 'directed',
          attributes: {
            ...valuesOf(child, 'edge'),
            ...(weight === undefined ? {} : { weight: Number(weight) }),
            ...(label === undefined ? {} : { edgeLabel: label }),
          },
          line: child.line,
        });
      }
    }
  };
  if (graph !== undefined) visit(graph);
  if (undeclared > 0) draft.warn(`${undeclared} attribute values are not declared; their ids are taken as names`);
  const meta: Record<string, Scalar> = {};
  for (const one of root.children.find((child) => child.name === 'meta')?.children ?? [])
    if (one.text.trim() !== '' && one.name !== '__proto__') meta[one.name] = one.text.trim();
  const levels = drawGraph(draft, nodes, edges);
  const described =
    typeof meta['description'] === 'string' && meta['description'].startsWith('{') ? ownMeta(meta['description']) : undefined;
  return finishGraph(draft, name, levels, described ?? meta, nodes, edges);
}

interface Declared {
  readonly title: string;
  readonly type: string;
}

/** What our own exports say of the whole graph, as JSON in the description. */
function ownMeta(text: string): Record<string, Scalar> | undefined {
  try {
    const value = JSON.parse(text) as Record<string, unknown>;
    return Object.fromEntries(
      Object.entries(value).filter((entry): entry is [string, Scalar] => ['string', 'number', 'boolean'].includes(typeof entry[1])),
    );
  } catch {
    return undefined;
  }
}
