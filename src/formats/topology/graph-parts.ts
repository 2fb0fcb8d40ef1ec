import { DEVICE_KINDS } from '../../fabric/types.js';
import type { Draft } from './draft.js';
import type { Scalar, TopologyDevice, TopologyDeviceKind, TopologyLink } from './types.js';

/** A node of a graph file, before it is known what it stands for. */
export interface GraphNode {
  readonly id: string;
  readonly label?: string;
  readonly attributes: Readonly<Record<string, Scalar>>;
  readonly line?: number;
}

/** An edge of a graph file. */
export interface GraphEdge {
  readonly id?: string;
  readonly source: string;
  readonly target: string;
  readonly isDirected: boolean;
  readonly attributes: Readonly<Record<string, Scalar>>;
  readonly line?: number;
}

const KINDS: ReadonlySet<unknown> = new Set<TopologyDeviceKind>([...DEVICE_KINDS, 'host', 'site']);
/** Fields of devices and links that our own exports write as attributes. */
export const DEVICE_FIELDS = [
  'kind',
  'location',
  'label',
  'model',
  'gpus',
  'memory',
  'memoryBandwidth',
  'computeEfficiency',
  'power',
  'reduces',
  'portBandwidth',
  'Latitude',
  'Longitude',
  'peak',
] as const;
export const LINK_FIELDS = [
  'bandwidth',
  'latency',
  'count',
  'duplex',
  'reverseBandwidth',
  'technology',
  'distance',
  'backgroundLoad',
  'efficiency',
  'routingCost',
  'confidence',
  'sourcePort',
  'targetPort',
] as const;
const UNITS: Readonly<Record<string, number>> = { '': 1, K: 1e3, M: 1e6, G: 1e9, T: 1e12 };

/**
 * Draws a graph: a map of sites in the words of the Topology Zoo, or a fabric that this library exported (every node has a `kind`).
 *
 * @param options.isStrict refuse edges to nodes that are not there; else they are kept, and the warning says so
 * @param options.isDrawing edges are drawn lines: their direction means nothing
 * @returns the levels
 */
export function drawGraph(
  draft: Draft,
  nodes: readonly GraphNode[],
  edges: readonly GraphEdge[],
  options: { readonly isStrict?: boolean; readonly isDrawing?: boolean } = {},
): string[] {
  const isOwn = nodes.length > 0 && nodes.every(({ attributes }) => KINDS.has(attributes['kind']));
  // People know a place by its name, where only one place has it.
  const labels = new Map<string, number>();
  for (const { id, label = '' } of nodes) {
    labels.set(label, (labels.get(label) ?? 0) + 1);
    if (id !== label) labels.set(id, (labels.get(id) ?? 0) + 1);
  }
  const placeOf = ({ id, label }: GraphNode): string =>
    label !== undefined && label.trim() !== '' && labels.get(label) === 1 ? label : id;
  let depth = 0;
  for (const node of nodes) {
    if (node.id === '') draft.refuse('a node has no id; expected a unique text', node.line);
    else if (draft.has(node.id)) draft.refuse(`node "${node.id}" occurs twice; expected unique ids`, node.line);
    else {
      const device = isOwn ? ownDevice(draft, node) : { ...siteOf(draft, node), location: [placeOf(node)] };
      depth = Math.max(depth, device.location.length);
      draft.device(device);
    }
  }
  let loops = 0;
  let dangling = 0;
  const oneWay = new Map<string, { at: number; link: Omit<TopologyLink, 'id'> & { id?: string } }[]>();
  const links: ((Omit<TopologyLink, 'id'> & { id?: string }) | undefined)[] = [];
  for (const edge of edges) {
    const missing = [edge.source, edge.target].find((end) => !draft.has(end));
    if (missing !== undefined) {
      if (options.isStrict === true) draft.refuse(`an edge ends at "${missing.slice(0, 60)}", which is no node`, edge.line);
      else dangling++;
    }
    if (edge.source === edge.target) loops++;
    const isOneWay = edge.isDirected && options.isDrawing !== true;
    const link = {
      ...(edge.id === undefined || !isOwn ? {} : { id: edge.id }),
      source: edge.source,
      target: edge.target,
      ...(isOwn ? ownLink(draft, edge) : mapLink(draft, edge)),
      ...(isOneWay ? { duplex: false } : {}),
    };
    if (isOneWay && !isOwn) {
      // A cable may be given as two directed edges of the same rate.
      const back = oneWay
        .get(JSON.stringify([edge.target, edge.source]))
        ?.find((one) => one.link.bandwidth === link.bandwidth && links[one.at]?.duplex === false);
      if (back !== undefined && edge.source !== edge.target) {
        const { duplex: _duplex, ...both } = links[back.at]!;
        links[back.at] = both;
        continue;
      }
      const key = JSON.stringify([edge.source, edge.target]);
      const list = oneWay.get(key) ?? [];
      list.push({ at: links.length, link });
      oneWay.set(key, list);
    }
    links.push(link);
  }
  for (const link of links) if (link !== undefined) draft.link(link);
  if (loops > 0) draft.warn(`${loops} edges join a node to itself; they carry nothing`);
  if (dangling > 0) draft.warn(`${dangling} of ${edges.length} edges end at nodes that the file does not declare; they carry nothing`);
  if (!isOwn) warnAboutMap(draft, nodes, links.filter((link) => link?.bandwidth !== undefined).length, links.length);
  return isOwn ? Array.from({ length: depth }, (_, i) => `level${i}`) : ['site'];
}

function warnAboutMap(draft: Draft, nodes: readonly GraphNode[], rated: number, total: number): void {
  const hyper = nodes.filter(({ attributes }) => Number(attributes['hyperedge']) === 1).length;
  const external = nodes.filter(
    ({ attributes }) => attributes['Internal'] === 0 || attributes['Internal'] === false || attributes['Internal'] === '0',
  ).length;
  const unplaced = draft.devices.filter(({ coordinates }) => coordinates === undefined).length;
  if (rated < total) draft.warn(`${total - rated} of ${total} links have no speed`);
  if (unplaced > 0) draft.warn(`${unplaced} of ${nodes.length} nodes have no coordinates`);
  if (hyper > 0) draft.warn(`${hyper} nodes are abstract meeting points of several links, no places`);
  if (external > 0) draft.warn(`${external} nodes are external peers`);
}

function siteOf(draft: Draft, { id, label, attributes, line }: GraphNode): TopologyDevice {
  const latitude = coordinate(attributes, ['Latitude', 'latitude', 'lat'], 90);
  const longitude = coordinate(attributes, ['Longitude', 'longitude', 'lon', 'lng'], 180);
  if (latitude === null || longitude === null) draft.refuse(`node "${id}" has coordinates outside the globe; expected degrees`, line);
  // The label has a field of its own.
  const { label: named, ...others } = attributes as Record<string, Scalar | undefined>;
  const rest = (named === undefined || named === '' || named === label ? others : attributes) as Readonly<Record<string, Scalar>>;
  return {
    id,
    kind: 'site',
    location: [id],
    ...(label === undefined || label === '' || label === id ? {} : { label }),
    ...(typeof latitude === 'number' && typeof longitude === 'number' ? { coordinates: [latitude, longitude] as const } : {}),
    ...(Object.keys(rest).length > 0 ? { attributes: rest } : {}),
  };
}

/** A coordinate of a node; undefined where it has none, null where it is no place on the globe. */
function coordinate(attributes: Readonly<Record<string, Scalar>>, keys: readonly string[], bound: number): number | null | undefined {
  for (const key of keys) {
    if (!Object.hasOwn(attributes, key) || attributes[key] === '') continue;
    const value = Number(attributes[key]);
    return Number.isFinite(value) && Math.abs(value) <= bound ? value : null;
  }
  return undefined;
}

/** Rate of an edge as the Topology Zoo gives it: LinkSpeedRaw in bit/s, else LinkSpeed with its unit. */
function mapLink(draft: Draft, { attributes, source, target, line }: GraphEdge): Partial<TopologyLink> {
  const raw = attributes['LinkSpeedRaw'] as Scalar | undefined;
  const speed = attributes['LinkSpeed'] as Scalar | undefined;
  const unit = String(attributes['LinkSpeedUnits'] ?? '')
    .trim()
    .toUpperCase();
  let bits: number | undefined;
  if (raw !== undefined && raw !== '') bits = Number(raw);
  else if (speed !== undefined && speed !== '' && unit !== '' && Object.hasOwn(UNITS, unit) && /^[\d.]+$/.test(String(speed)))
    bits = Number(speed) * UNITS[unit];
  if (bits !== undefined && !(Number.isFinite(bits) && bits >= 0)) {
    draft.refuse(`the link "${source}"–"${target}" has the speed "${String(raw ?? speed).slice(0, 40)}"; expected bit/s`, line);
    bits = undefined;
  }
  const note = Object.hasOwn(attributes, 'LinkType') && attributes['LinkType'] !== '' ? String(attributes['LinkType']) : undefined;
  return {
    ...(bits !== undefined && bits > 0 ? { bandwidth: bits / 8 } : {}),
    ...(note === undefined ? {} : { technology: note }),
    ...(Object.keys(attributes).length > 0 ? { attributes } : {}),
  };
}

function ownDevice(draft: Draft, { id, label, attributes, line }: GraphNode): TopologyDevice {
  const site = siteOf(draft, { id, attributes: pick(attributes, ['Latitude', 'Longitude']), ...(line === undefined ? {} : { line }) });
  const rest = unmarked(attributes, DEVICE_FIELDS);
  const number = numbers(attributes, ['gpus', 'memory', 'memoryBandwidth', 'computeEfficiency', 'power', 'portBandwidth']);
  const peak = typeof attributes['peak'] === 'string' ? parseJson(attributes['peak']) : undefined;
  return {
    id,
    kind: attributes['kind'] as TopologyDeviceKind,
    location: stringList(parseJson(String(attributes['location'] ?? '[]'))),
    ...(Object.hasOwn(attributes, 'label') ? { label: String(attributes['label']) } : label === undefined || label === id ? {} : { label }),
    ...(Object.hasOwn(attributes, 'model') ? { model: String(attributes['model']) } : {}),
    ...number,
    ...(peak === undefined ? {} : { peak: peak as NonNullable<TopologyDevice['peak']> }),
    ...(Object.hasOwn(attributes, 'reduces') ? { reduces: isTrue(attributes['reduces']) } : {}),
    ...(site.coordinates === undefined ? {} : { coordinates: site.coordinates }),
    ...(Object.keys(rest).length > 0 ? { attributes: rest } : {}),
  };
}

function ownLink(draft: Draft, { attributes, source, target, line }: GraphEdge): Partial<TopologyLink> {
  const number = numbers(attributes, [
    'bandwidth',
    'latency',
    'count',
    'reverseBandwidth',
    'distance',
    'backgroundLoad',
    'efficiency',
    'routingCost',
  ]);
  for (const [key, value] of Object.entries(number))
    if (!(value >= 0)) draft.refuse(`the link "${source}"–"${target}" has ${key} ${value}; expected 0 or more`, line);
  const rest = unmarked(attributes, LINK_FIELDS);
  const text = (key: string): Record<string, string> => (Object.hasOwn(attributes, key) ? { [key]: String(attributes[key]) } : {});
  return {
    ...number,
    ...(Object.hasOwn(attributes, 'duplex') ? { duplex: isTrue(attributes['duplex']) } : {}),
    ...text('technology'),
    ...text('confidence'),
    ...text('sourcePort'),
    ...text('targetPort'),
    ...(Object.keys(rest).length > 0 ? { attributes: rest } : {}),
  };
}

/** What is no field; attributes of the original file carry a mark in our own exports. */
export function unmarked(attributes: Readonly<Record<string, Scalar>>, fields: readonly string[]): Record<string, Scalar> {
  return Object.fromEntries(
    Object.entries(attributes).flatMap(([key, value]) =>
      key.startsWith('@') ? [[key.slice(1), value]] : fields.includes(key) ? [] : [[key, value]],
    ),
  );
}

const isTrue = (value: Scalar): boolean => value === true || value === 'true' || value === 1;
const pick = (from: Readonly<Record<string, Scalar>>, keys: readonly string[]): Record<string, Scalar> =>
  Object.fromEntries(keys.filter((key) => Object.hasOwn(from, key)).map((key) => [key, from[key]]));
const stringList = (value: unknown): string[] => (Array.isArray(value) ? value.map(String) : []);
function numbers(from: Readonly<Record<string, Scalar>>, keys: readonly string[]): Record<string, number> {
  return Object.fromEntries(
    keys.flatMap((key) =>
      Object.hasOwn(from, key) && from[key] !== '' && Number.isFinite(Number(from[key])) ? [[key, Number(from[key])]] : [],
    ),
  );
}
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
