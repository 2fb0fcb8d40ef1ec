import { draftTopology } from '../topology/draft.js';
import { drawGraph, unmarked, type GraphEdge, type GraphNode } from '../topology/graph-parts.js';
import type { Scalar, Topology } from '../topology/types.js';
import { parseXml, type XmlElement } from '../xml.js';

const WHERE = 'readGraphml';

/**
 * GraphML: maps of the Topology Zoo (`Latitude`, `Longitude`, `LinkSpeedRaw` in bit/s), drawings of yEd (no coordinates, no speeds), and
 * fabrics that this library exported. Keys are resolved by what they are for and their name, never by their id alone.
 */
export function readGraphml(text: string, name: string): Topology {
  const root = parseXml(text, WHERE);
  const draft = draftTopology(WHERE, 'graphml', name, 'wide-area');
  if (root.name !== 'graphml') draft.refuse(`the root element is <${root.name}>; expected <graphml>`, root.line);
  draft.check();
  const keys = new Map<string, { readonly name: string; readonly type: string; readonly fallback?: string; readonly scope: string }>();
  let isDrawing = false;
  for (const key of root.children.filter((child) => child.name === 'key')) {
    const id = key.attributes['id'] ?? '';
    if (key.attributes['yfiles.type'] !== undefined) isDrawing = true;
    const fallback = key.children.find((child) => child.name === 'default')?.text;
    keys.set(id, {
      name: key.attributes['attr.name'] ?? '',
      type: key.attributes['attr.type'] ?? 'string',
      scope: key.attributes['for'] ?? 'all',
      ...(fallback === undefined ? {} : { fallback }),
    });
  }
  const graphs = root.children.filter((child) => child.name === 'graph');
  if (graphs.length === 0) draft.refuse('<graphml> holds no <graph>; expected one', root.line);
  if (graphs.length > 1) draft.warn(`only the first of ${graphs.length} graphs is read`, graphs[1].line);
  draft.check();
  const [graph] = graphs;
  const undeclared = new Set<string>();
  const dataOf = (element: XmlElement, scope: string): Record<string, Scalar> => {
    const values: Record<string, Scalar> = {};
    for (const [, key] of keys)
      if (key.fallback !== undefined && key.name !== '' && (key.scope === scope || key.scope === 'all'))
        values[key.name] = cast(key.fallback, key.type);
    for (const data of element.children) {
      if (data.name !== 'data') continue;
      const id = data.attributes['key'] ?? '';
      const key = keys.get(id);
      if (key === undefined) undeclared.add(id);
      else if (key.name !== '' && key.name !== '__proto__') values[key.name] = cast(data.text, key.type);
    }
    return values;
  };
  const directed = graph.attributes['edgedefault'] === 'directed';
  const nodes: GraphNode[] = [];
  const edges: GraphEdge[] = [];
  let hyperedges = 0;
  // Graphs nested in nodes (groups of yEd) hold nodes and edges too.
  const visit = (element: XmlElement): void => {
    for (const child of element.children) {
      if (child.name === 'node') {
        const attributes = dataOf(child, 'node');
        const inner = child.children.filter((one) => one.name === 'graph');
        const label = drawnLabel(child) ?? (typeof attributes['label'] === 'string' ? attributes['label'] : undefined);
        if (inner.length === 0)
          nodes.push({ id: child.attributes['id'] ?? '', ...(label === undefined ? {} : { label }), attributes, line: child.line });
        inner.forEach(visit);
      } else if (child.name === 'edge') {
        const { source, target, directed: own } = child.attributes as Record<string, string | undefined>;
        if (source === undefined || target === undefined) draft.refuse('<edge> has no source or target; expected both', child.line);
        else
          edges.push({
            ...((child.attributes['id'] as string | undefined) === undefined ? {} : { id: child.attributes['id'] }),
            source,
            target,
            isDirected: own === undefined ? directed : own === 'true',
            attributes: dataOf(child, 'edge'),
            line: child.line,
          });
      } else if (child.name === 'hyperedge') hyperedges++;
    }
  };
  visit(graph);
  if (undeclared.size > 0) draft.warn(`${undeclared.size} data keys are not declared and left out`);
  if (hyperedges > 0) draft.warn(`${hyperedges} hyperedges are left out`);
  const attributes = dataOf(graph, 'graph');
  const levels = drawGraph(draft, nodes, edges, { isStrict: true, isDrawing });
  if (isDrawing) draft.warn('the file is a drawing of yEd: coordinates and speeds are at best its colours and labels, and are not read');
  return finishGraph(draft, name, levels, attributes, nodes, edges);
}

/** Finishes a graph: name, counts, and the levels that an own export carries. */
export function finishGraph(
  draft: ReturnType<typeof draftTopology>,
  name: string,
  levels: string[],
  attributes: Readonly<Record<string, Scalar>>,
  nodes: readonly GraphNode[],
  edges: readonly GraphEdge[],
): Topology {
  const isOwn = nodes.length > 0 && !(levels.length === 1 && levels[0] === 'site');
  const named = typeof attributes['levels'] === 'string' ? attributes['levels'].split(',').filter((one) => one !== '') : undefined;
  const scope = attributes['scope'];
  const network = isOwn ? attributes['network'] : attributes['Network'];
  const kept = isOwn ? unmarked(attributes, ['levels', 'scope', 'network']) : attributes;
  return draft.finish({
    levels: isOwn && named !== undefined && named.length >= levels.length ? named : levels,
    contents: {
      nodes: nodes.length,
      edges: edges.length,
      LinkSpeedRaw: edges.filter((edge) => Object.hasOwn(edge.attributes, 'LinkSpeedRaw')).length,
    },
    ...(isOwn && (scope === 'node' || scope === 'cluster' || scope === 'wide-area') ? { scope } : {}),
    name: typeof network === 'string' && network !== '' ? network : name,
    ...(Object.keys(kept).length > 0 ? { attributes: kept } : {}),
  });
}

/** A value in the type that its key declares; what does not fit stays text. */
export function cast(text: string, type: string): Scalar {
  if (/^(int|integer|long|float|double)$/.test(type) && text.trim() !== '' && Number.isFinite(Number(text))) return Number(text);
  if (type === 'boolean' && /^(true|false|0|1)$/i.test(text.trim())) return /^(true|1)$/i.test(text.trim());
  return text;
}

/** Label that yEd drew beside a node. */
function drawnLabel(node: XmlElement): string | undefined {
  const find = (element: XmlElement): string | undefined => {
    if (element.name.endsWith('NodeLabel')) return element.text.trim() === '' ? undefined : element.text.trim();
    for (const child of element.children) {
      if (child.name === 'graph') continue;
      const label = find(child);
      if (label !== undefined) return label;
    }
    return undefined;
  };
  for (const data of node.children) {
    const label = data.name === 'data' ? find(data) : undefined;
    if (label !== undefined) return label;
  }
  return undefined;
}
