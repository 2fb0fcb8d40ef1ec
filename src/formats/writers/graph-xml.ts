import { FabricPlanError } from '../../errors.js';
import { describeRate } from './labels.js';
import type { Scalar, Topology, TopologyDevice, TopologyLink } from '../topology/types.js';
import type { Written } from './types.js';

/** A node or edge as a graph file holds it. */
interface Part {
  readonly id: string;
  readonly ends?: readonly [string, string];
  readonly isDirected?: boolean;
  readonly label?: string;
  readonly values: Readonly<Record<string, Scalar>>;
}

const MAP_SITE = new Set(['id', 'kind', 'location', 'label', 'coordinates', 'attributes']);
const MAP_LINK = new Set(['id', 'source', 'target', 'bandwidth', 'duplex', 'technology', 'attributes']);

/** A map in the words of the Topology Zoo can be written as it was read; everything else with a kind for every node. */
const isPlainMap = ({ scope, levels, devices, links }: Topology): boolean =>
  scope === 'wide-area' &&
  levels.join() === 'site' &&
  devices.every(
    (device) =>
      device.kind === 'site' &&
      Object.keys(device).every((key) => MAP_SITE.has(key)) &&
      (device.coordinates === undefined || (device.attributes?.['Latitude'] !== undefined && device.attributes['Longitude'] !== undefined)),
  ) &&
  links.every(
    (link) =>
      Object.keys(link).every((key) => MAP_LINK.has(key)) &&
      (link.bandwidth === undefined || link.attributes?.['LinkSpeedRaw'] !== undefined) &&
      (link.technology === undefined || link.technology === link.attributes?.['LinkType']),
  );

function partsOf(topology: Topology): { nodes: Part[]; edges: Part[]; graph: Record<string, Scalar>; lost: string[] } {
  if (topology.devices.length === 0)
    throw new FabricPlanError('unsupported', 'writeTopology: the topology holds no devices; a graph needs some');
  const lost: string[] = [];
  if (topology.demands !== undefined) lost.push(`${topology.demands.length} demands`);
  if (topology.offers !== undefined) lost.push(`${topology.offers.length} offers of capacity`);
  if (isPlainMap(topology))
    return {
      nodes: topology.devices.map(({ id, label, attributes }) => ({
        id,
        ...(label === undefined ? {} : { label }),
        values: { ...attributes, ...(label === undefined ? {} : { label }) },
      })),
      edges: topology.links.map((link) => ({
        id: link.id,
        ends: [link.source, link.target],
        isDirected: link.duplex === false,
        values: link.attributes ?? {},
      })),
      graph: { ...topology.attributes },
      lost,
    };
  return {
    nodes: topology.devices.map((device) => ({ id: device.id, label: device.label ?? device.id, values: deviceValues(device) })),
    edges: topology.links.map((link) => ({
      id: link.id,
      ends: [link.source, link.target],
      isDirected: link.duplex === false,
      values: linkValues(link),
    })),
    graph: { network: topology.name, scope: topology.scope, levels: topology.levels.join(','), ...marked(topology.attributes) },
    lost: [...lost, ...(topology.levels.some((level) => level.includes(',')) ? ['level names with commas'] : [])],
  };
}

/** Attributes of the file under names that cannot be taken for fields. */
const marked = (attributes: Readonly<Record<string, Scalar>> | undefined): Record<string, Scalar> =>
  Object.fromEntries(Object.entries(attributes ?? {}).map(([key, value]) => [`@${key}`, value]));

function deviceValues({ id: _id, location, coordinates, peak, attributes, ...rest }: TopologyDevice): Record<string, Scalar> {
  return {
    ...(rest as Record<string, Scalar>),
    location: JSON.stringify(location),
    ...(coordinates === undefined ? {} : { Latitude: coordinates[0], Longitude: coordinates[1] }),
    ...(peak === undefined ? {} : { peak: JSON.stringify(peak) }),
    ...marked(attributes),
  };
}

function linkValues({ id: _id, source: _source, target: _target, attributes, ...rest }: TopologyLink): Record<string, Scalar> {
  return { ...(rest as Record<string, Scalar>), ...marked(attributes) };
}

/** Declared keys by name and type of value: a name with values of two types is declared twice. */
function declare(parts: readonly Part[], prefix: string): Map<string, { id: string; name: string; type: string }> {
  const keys = new Map<string, { id: string; name: string; type: string }>();
  for (const { values } of parts)
    for (const [name, value] of Object.entries(values)) {
      const type = typeof value === 'number' ? 'double' : typeof value === 'boolean' ? 'boolean' : 'string';
      const key = `${type} ${name}`;
      if (!keys.has(key)) keys.set(key, { id: `${prefix}${keys.size}`, name, type });
    }
  return keys;
}

const typeOf = (value: Scalar): string => (typeof value === 'number' ? 'double' : typeof value === 'boolean' ? 'boolean' : 'string');

/** Text for XML; characters that XML cannot hold are replaced. */
export function escapeXml(text: string): string {
  return (
    text
      // eslint-disable-next-line no-control-regex -- these are what is to go
      .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, '\ufffd')
      .replace(/[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g, '\ufffd')
      .replaceAll('&', '&amp;')
      .replaceAll('<', '&lt;')
      .replaceAll('>', '&gt;')
      .replaceAll('"', '&quot;')
      .replace(/[\t\n\r]/g, (code) => `&#${code.charCodeAt(0)};`)
  );
}

/** GraphML: a map as it was read, or every field of devices and links as data. */
export function writeGraphml(topology: Topology): Written {
  const { nodes, edges: all, graph, lost } = partsOf(topology);
  const known = new Set(nodes.map(({ id }) => id));
  const edges = all.filter(({ ends }) => ends!.every((end) => known.has(end)));
  if (edges.length < all.length) lost.push(`${all.length - edges.length} edges to nodes that are not declared`);
  const keys = { node: declare(nodes, 'n'), edge: declare(edges, 'e'), graph: declare([{ id: '', values: graph }], 'g') };
  const data = (values: Readonly<Record<string, Scalar>>, scope: keyof typeof keys): string =>
    Object.entries(values)
      .map(([name, value]) => `<data key="${keys[scope].get(`${typeOf(value)} ${name}`)!.id}">${escapeXml(String(value))}</data>`)
      .join('');
  const lines = [
    '<?xml version="1.0" encoding="UTF-8"?>',
    '<graphml xmlns="http://graphml.graphdrawing.org/xmlns">',
    ...Object.entries(keys).flatMap(([scope, map]) =>
      [...map.values()].map(({ id, name, type }) => `<key id="${id}" for="${scope}" attr.name="${escapeXml(name)}" attr.type="${type}"/>`),
    ),
    `<graph id="G" edgedefault="undirected">`,
    data(graph, 'graph'),
    ...nodes.map(({ id, values }) => `<node id="${escapeXml(id)}">${data(values, 'node')}</node>`),
    ...edges.map(
      ({ id, ends, isDirected, values }) =>
        `<edge id="${escapeXml(id)}" source="${escapeXml(ends![0])}" target="${escapeXml(ends![1])}"${isDirected === true ? ' directed="true"' : ''}>${data(values, 'edge')}</edge>`,
    ),
    '</graph>',
    '</graphml>',
  ];
  return { text: `${lines.filter((line) => line !== '').join('\n')}\n`, lost };
}

/** GEXF 1.2; what is said of the whole graph stands as JSON in the description. */
export function writeGexf(topology: Topology): Written {
  const { nodes, edges, graph, lost } = partsOf(topology);
  const keys = { node: declare(nodes, 'n'), edge: declare(edges, 'e') };
  const values = (part: Part, scope: keyof typeof keys): string => {
    const list = Object.entries(part.values).map(
      ([name, value]) => `<attvalue for="${keys[scope].get(`${typeOf(value)} ${name}`)!.id}" value="${escapeXml(String(value))}"/>`,
    );
    return list.length === 0 ? '' : `<attvalues>${list.join('')}</attvalues>`;
  };
  const lines = [
    '<?xml version="1.0" encoding="UTF-8"?>',
    '<gexf xmlns="http://www.gexf.net/1.2draft" version="1.2">',
    `<meta><creator>fabricplan</creator><description>${escapeXml(JSON.stringify(graph))}</description></meta>`,
    '<graph mode="static" defaultedgetype="undirected">',
    ...Object.entries(keys).flatMap(([scope, map]) => [
      `<attributes class="${scope}">`,
      ...[...map.values()].map(({ id, name, type }) => `<attribute id="${id}" title="${escapeXml(name)}" type="${type}"/>`),
      '</attributes>',
    ]),
    '<nodes>',
    ...nodes.map((node) => `<node id="${escapeXml(node.id)}" label="${escapeXml(node.label ?? node.id)}">${values(node, 'node')}</node>`),
    '</nodes>',
    '<edges>',
    ...edges.map(
      (edge) =>
        `<edge id="${escapeXml(edge.id)}" source="${escapeXml(edge.ends![0])}" target="${escapeXml(edge.ends![1])}"${edge.isDirected === true ? ' type="directed"' : ''}>${values(edge, 'edge')}</edge>`,
    ),
    '</edges>',
    '</graph>',
    '</gexf>',
  ];
  return { text: `${lines.join('\n')}\n`, lost };
}

/** Graphviz DOT: names, kinds and rates, for a picture. */
export function writeDot(topology: Topology): Written {
  const quote = (text: string): string =>
    `"${text
      .replaceAll('\\', '\\\\')
      .replaceAll('"', '\\"')
      .replace(/[\r\n]+/g, ' ')}"`;
  const lines = [
    `graph ${quote(topology.name)} {`,
    ...topology.devices.map(
      ({ id, kind, label }) =>
        `  ${quote(id)} [kind=${quote(kind)}${label === undefined ? '' : ` label=${quote(label)}`}${kind === 'switch' || kind === 'nvswitch' ? ' shape=box' : ''}];`,
    ),
    ...topology.links.map(
      (link) =>
        `  ${quote(link.source)} -- ${quote(link.target)} [label=${quote(describeRate(link))}${link.duplex === false ? ' dir=forward' : ''}];`,
    ),
    '}',
  ];
  return { text: `${lines.join('\n')}\n`, lost: ['everything but names, kinds and rates: DOT is for pictures'] };
}
