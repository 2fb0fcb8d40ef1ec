import { FabricPlanError, throwIssues, type Issue, showValue } from '../../errors.js';
import { DEVICE_KINDS, type FabricSpec } from '../../fabric/types.js';
import { expandGraph } from '../bare-graph.js';
import { expandDescription } from '../expand-description.js';
import { parseDescription } from '../parse-description.js';
import { coverageOf } from '../topology/coverage.js';
import { isRecord, listOf, own } from '../topology/plain-text.js';
import type { StructuredText } from '../topology/structured-text.js';
import type { Topology, TopologyDevice, TopologyLink } from '../topology/types.js';

const WHERE = 'readFabricJson';
const MOST_PARTS = 4_000_000;
const KINDS: ReadonlySet<unknown> = new Set([...DEVICE_KINDS, 'host', 'site']);

export const isDescription = (value: unknown): boolean =>
  isRecord(value) && Array.isArray(own(value, 'sites')) && own(value, 'cables') === undefined;
export const isFabricJson = (value: unknown): boolean =>
  isRecord(value) && Array.isArray(own(value, 'devices')) && Array.isArray(own(value, 'links'));
export const isBareGraph = (value: unknown): boolean =>
  isRecord(value) && Array.isArray(own(value, 'gpus')) && Array.isArray(own(value, 'links'));

/** A description of sites and clusters, expanded. */
export function readDescription(text: string): Topology {
  return topologyOfFabric(expandDescription(parseDescription(text)), 'description');
}

/** A bare graph of GPUs and links. */
export function readBareGraph(text: StructuredText): Topology {
  return topologyOfFabric(expandGraph(text.documents[0]), 'graph');
}

/** A fabric as a topology: everything is known, nothing is lost. */
export function topologyOfFabric(spec: FabricSpec, format = 'fabric'): Topology {
  const hasSites = spec.devices.some(({ kind }) => kind === 'gateway');
  return {
    format,
    name: spec.name,
    scope: hasSites ? 'wide-area' : 'cluster',
    levels: spec.levels,
    devices: spec.devices,
    links: spec.links,
    contents: { devices: spec.devices.length, links: spec.links.length },
    coverage: coverageOf(spec.devices, spec.links),
    warnings: [],
  };
}

/**
 * A topology as this library writes it, in JSON or YAML: a fabric (`name, levels, devices, links`) whose rates and latencies may be
 * absent, and which may hold hosts and sites.
 */
export function readFabricJson(text: StructuredText): Topology {
  const root = text.documents[0];
  const issues: Issue[] = [];
  const report = (path: (string | number)[], message: string): void => {
    if (issues.length >= 1000) return;
    const line = text.lineOf(0, path);
    issues.push({
      path: line === undefined ? path.join('.') : `line ${line}`,
      message: `${line === undefined ? '' : `line ${line}: `}${message}`,
    });
  };
  const devices = listOf(own(root, 'devices'));
  const links = listOf(own(root, 'links'));
  if (devices.length + links.length > MOST_PARTS)
    throw new FabricPlanError('too-large', `${WHERE}: the file holds more than ${MOST_PARTS} devices and links; expected fewer`);
  const ids = new Set<unknown>();
  devices.forEach((device, i) => {
    const id = own(device, 'id');
    if (typeof id !== 'string' || id === '') report(['devices', i], `devices[${i}] has no id; expected a text`);
    else if (ids.has(id)) report(['devices', i, 'id'], `device id "${id}" is used twice; expected unique ids`);
    ids.add(id);
    if (!KINDS.has(own(device, 'kind')))
      report(
        ['devices', i, 'kind'],
        `device "${String(id).slice(0, 60)}" has kind ${JSON.stringify(own(device, 'kind')) ?? 'none'}; expected one of ${[...KINDS].join(', ')}`,
      );
    if (!Array.isArray(own(device, 'location')))
      report(['devices', i, 'location'], `device "${String(id).slice(0, 60)}" has no location; expected a list of names`);
    const gpus = own(device, 'gpus');
    if (gpus !== undefined && !(typeof gpus === 'number' && Number.isInteger(gpus) && gpus >= 0 && gpus <= 4096))
      report(['devices', i, 'gpus'], `device "${String(id).slice(0, 60)}" has ${showValue(gpus)} gpus; expected a whole number`);
  });
  const linkIds = new Set<unknown>();
  links.forEach((link, i) => {
    const id = own(link, 'id');
    if (typeof id !== 'string' || id === '') report(['links', i], `links[${i}] has no id; expected a text`);
    else if (linkIds.has(id)) report(['links', i, 'id'], `link id "${id}" is used twice; expected unique ids`);
    linkIds.add(id);
    for (const end of ['source', 'target'])
      if (typeof own(link, end) !== 'string')
        report(['links', i, end], `link "${String(id).slice(0, 60)}" has no ${end}; expected the id of a device`);
    for (const key of ['bandwidth', 'latency']) {
      const value = own(link, key);
      if (value !== undefined && !(typeof value === 'number' && Number.isFinite(value) && (key === 'bandwidth' ? value > 0 : value >= 0)))
        report(
          ['links', i, key],
          `link "${String(id).slice(0, 60)}" has ${key} ${JSON.stringify(value) ?? 'none'}; expected a number ${key === 'bandwidth' ? 'above 0' : 'of 0 or more'}`,
        );
    }
    const count = own(link, 'count');
    if (count !== undefined && !(typeof count === 'number' && Number.isInteger(count) && count >= 1 && count <= 1e9))
      report(['links', i, 'count'], `link "${String(id).slice(0, 60)}" has count ${showValue(count)}; expected a whole number of cables`);
  });
  throwIssues('parse', WHERE, issues);
  const scope = own(root, 'scope');
  const levels = listOf(own(root, 'levels'));
  const attributes = own(root, 'attributes');
  const optional = (key: 'demands' | 'offers'): object => (Array.isArray(own(root, key)) ? { [key]: own(root, key) } : {});
  const isMap = devices.some((device) => own(device, 'kind') === 'gateway' || own(device, 'kind') === 'site');
  return {
    format: 'fabric',
    name: typeof own(root, 'name') === 'string' ? (own(root, 'name') as string) : 'fabric',
    scope: scope === 'node' || scope === 'cluster' || scope === 'wide-area' ? scope : isMap ? 'wide-area' : 'cluster',
    levels: levels.map(String),
    devices: devices as TopologyDevice[],
    links: links as TopologyLink[],
    ...optional('demands'),
    ...optional('offers'),
    ...(isRecord(attributes) ? { attributes: attributes as NonNullable<Topology['attributes']> } : {}),
    contents: { devices: devices.length, links: links.length },
    coverage: coverageOf(devices as TopologyDevice[], links as TopologyLink[]),
    warnings: [],
  };
}
