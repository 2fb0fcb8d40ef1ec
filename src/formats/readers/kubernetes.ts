import { showValue } from '../../errors.js';
import { draftTopology, type Draft } from '../topology/draft.js';
import { drawLabelledHosts, type LabelledHost } from '../topology/labelled-hosts.js';
import { isRecord, listOf, numberOf, own, textOf } from '../topology/plain-text.js';
import type { StructuredText } from '../topology/structured-text.js';
import type { Scalar, Topology } from '../topology/types.js';
import { drawDiktyo, drawNodeResources } from './diktyo.js';
import { drawHyperNodes } from './volcano.js';

const WHERE = 'readKubernetes';
const MOST_NODES = 1_000_000;
const GPU_RESOURCES = ['nvidia.com/gpu', 'amd.com/gpu', 'gpu.intel.com/xe', 'gpu.intel.com/i915', 'habana.ai/gaudi'];

/** Format by the kind that says most, first match. */
const FORMATS: readonly (readonly [string, RegExp])[] = [
  ['diktyo', /^(NetworkTopology|NodeResourceTopology|AppGroup)$/],
  ['volcano', /^HyperNode$/],
  ['koordinator', /^ClusterNetworkTopology$/],
  ['grove', /^(ClusterTopology|ClusterTopologyBinding|PodCliqueSet)$/],
];

/** Whether a parsed document is an object of Kubernetes, or a list of them. */
export const isKubernetes = (value: unknown): boolean =>
  (typeof own(value, 'kind') === 'string' &&
    (typeof own(value, 'apiVersion') === 'string' || Array.isArray(own(value, 'items')) || own(value, 'kind') === 'Cluster')) ||
  isDiscovery(value);

/** Configuration of Volcano's topology discovery: which labels make HyperNodes. */
const isDiscovery = (value: unknown): boolean => Array.isArray(own(value, 'networkTopologyDiscovery'));

/**
 * Objects of Kubernetes: Nodes with the labels of Topograph (three generations), AWS, GKE and OCI, or with keys of your own; Topology of
 * Kueue and KAI, ClusterNetworkTopology of Koordinator, ClusterTopology of Grove (which say what keys mean); HyperNodes of Volcano;
 * NetworkTopology and NodeResourceTopology of Diktyo; nodes of kind and pools of KWOK. Workloads and definitions are counted.
 *
 * @param labels label keys broad to narrow, instead of those found
 */
export function readKubernetes(text: StructuredText, name: string, labels?: readonly string[]): Topology {
  const objects = text.documents.flatMap(itemsOf);
  const kinds = new Map<string, number>();
  for (const object of objects) {
    const kind = textOf(own(object, 'kind')) ?? (isDiscovery(object) ? 'TopologyDiscovery' : 'unknown');
    kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
  }
  const ofKind = (...wanted: string[]): Record<string, unknown>[] =>
    objects.filter((object) => wanted.includes(textOf(own(object, 'kind')) ?? ''));
  const format =
    FORMATS.find(([, pattern]) => [...kinds.keys()].some((kind) => pattern.test(kind)))?.[0] ?? formatOfGroup(objects) ?? 'kubernetes';
  const draft = draftTopology(WHERE, format, name, format === 'diktyo' && kinds.has('NetworkTopology') ? 'wide-area' : 'cluster');
  const hosts = hostsOf(draft, objects);
  const keys = labels ?? keysOf(draft, objects);
  draft.check();
  const hyperNodes = ofKind('HyperNode');
  let levels: string[];
  if (hyperNodes.length > 0) levels = drawHyperNodes(draft, hyperNodes, hosts);
  else if (kinds.has('NetworkTopology')) levels = drawDiktyo(draft, ofKind('NetworkTopology'));
  else if (kinds.has('NodeResourceTopology')) levels = drawNodeResources(draft, ofKind('NodeResourceTopology'));
  else if (hosts.length > 0) levels = drawLabelledHosts(draft, hosts, keys);
  else if (kinds.has('ClusterNetworkTopology')) levels = drawKoordinator(draft, ofKind('ClusterNetworkTopology'));
  else {
    levels = ['host'];
    draft.warn(
      kinds.has('CustomResourceDefinition')
        ? 'the file defines a kind of object and holds none of it'
        : keys === undefined
          ? 'the file holds no nodes'
          : `the file says which labels make the topology (${keys.join(', ')}) and holds no nodes: add the Node objects`,
    );
  }
  noteRequests(draft, objects);
  return draft.finish({
    levels,
    contents: {
      documents: text.documents.length,
      objects: objects.length,
      ...Object.fromEntries([...kinds].map(([kind, count]) => [`kind ${kind}`, count])),
    },
    ...(keys === undefined ? {} : { attributes: { levels: keys.join(',') } }),
  });
}

/** Objects of a document: lists of objects are opened. */
function itemsOf(document: unknown): Record<string, unknown>[] {
  if (Array.isArray(document)) return document.flatMap(itemsOf);
  if (!isRecord(document)) return [];
  const items = own(document, 'items');
  return Array.isArray(items) && /List$/.test(textOf(own(document, 'kind')) ?? 'List')
    ? items
        .filter(isRecord)
        .map((item) => (own(item, 'kind') === undefined && own(document, 'kind') === 'NodeList' ? { ...item, kind: 'Node' } : item))
    : [document];
}

function formatOfGroup(objects: readonly Record<string, unknown>[]): string | undefined {
  for (const object of objects) {
    const version = textOf(own(object, 'apiVersion')) ?? '';
    const group = `${version} ${textOf(own(own(object, 'metadata'), 'name')) ?? ''} ${JSON.stringify(own(own(object, 'metadata'), 'labels') ?? {}).slice(0, 4000)} ${textOf(own(own(object, 'spec'), 'group')) ?? ''}`;
    if (isDiscovery(object) || group.includes('volcano.sh')) return 'volcano';
    if (group.includes('koordinator.sh')) return 'koordinator';
    if (version.startsWith('kueue.x-k8s.io') || group.includes('kueue.x-k8s.io')) return 'kueue';
    if (version.startsWith('kai.scheduler') || version.startsWith('scheduling.run.ai') || version.includes('run-ai')) return 'kai';
  }
  return undefined;
}

/** Nodes of all kinds of objects that have some. */
function hostsOf(draft: Draft, objects: readonly Record<string, unknown>[]): LabelledHost[] {
  const hosts: LabelledHost[] = [];
  let idle = 0;
  for (const object of objects) {
    const kind = own(object, 'kind');
    if (kind === 'Node') {
      const host = hostOf(draft, object, textOf(own(own(object, 'metadata'), 'name')) ?? '');
      if (host.attributes?.['unschedulable'] === true || host.attributes?.['ready'] === false) idle++;
      hosts.push(host);
    } else if (kind === 'Cluster' && Array.isArray(own(object, 'nodes'))) {
      // kind names its nodes by role and number.
      const cluster = textOf(own(object, 'name')) ?? 'kind';
      const seen = new Map<string, number>();
      for (const node of listOf(own(object, 'nodes'))) {
        const role = textOf(own(node, 'role')) ?? 'control-plane';
        const number = (seen.get(role) ?? 0) + 1;
        seen.set(role, number);
        hosts.push({
          id: `${cluster}-${role}${number === 1 ? '' : number}`,
          labels: labelsOf(own(node, 'labels')),
          gpus: 0,
          attributes: { role, ...labelAttributes(labelsOf(own(node, 'labels'))) },
        });
      }
    } else if (kind === 'NodePool' && numberOf(own(own(object, 'spec'), 'nodeCount')) !== undefined) {
      const count = numberOf(own(own(object, 'spec'), 'nodeCount'))!;
      if (!Number.isInteger(count) || count < 0 || count > MOST_NODES)
        draft.refuse(`NodePool has nodeCount ${count}; expected a whole number up to ${MOST_NODES}`);
      else {
        const pool = textOf(own(own(object, 'metadata'), 'name')) ?? 'pool';
        const template = own(own(object, 'spec'), 'nodeTemplate');
        for (let i = 0; i < count; i++) hosts.push(hostOf(draft, isRecord(template) ? template : {}, `${pool}-${i}`));
      }
    }
  }
  if (idle > 0) draft.warn(`${idle} of ${hosts.length} nodes are not ready or closed for new pods`);
  return hosts;
}

function hostOf(draft: Draft, node: Record<string, unknown>, id: string): LabelledHost {
  if (id === '') draft.refuse('a Node has no metadata.name; expected one');
  const labels = labelsOf(own(own(node, 'metadata'), 'labels'));
  const resources = own(own(node, 'status'), 'allocatable') ?? own(own(node, 'status'), 'capacity');
  let gpus = 0;
  let slices = 0;
  for (const resource of GPU_RESOURCES) {
    const raw = own(resources, resource);
    if (raw === undefined) continue;
    const count = numberOf(raw);
    if (count === undefined || !Number.isInteger(count) || count < 0 || count > 4096)
      draft.refuse(`node "${id}" has ${showValue(raw)} of ${resource}; expected a whole number`);
    else gpus += count;
  }
  if (isRecord(resources))
    for (const key of Object.keys(resources)) if (key.startsWith('nvidia.com/mig-')) slices += numberOf(resources[key]) ?? 0;
  const ready = listOf(own(own(node, 'status'), 'conditions')).find((one) => own(one, 'type') === 'Ready');
  const model =
    labels.get('nvidia.com/gpu.product') ?? labels.get('amd.com/gpu.product-name') ?? labels.get('cloud.google.com/gke-accelerator');
  return {
    id,
    labels,
    gpus,
    ...(model === undefined ? {} : { model }),
    attributes: {
      ...labelAttributes(labels),
      ...(slices > 0 ? { 'MIG slices': slices } : {}),
      ...(own(own(node, 'spec'), 'unschedulable') === true ? { unschedulable: true } : {}),
      ...(ready !== undefined && own(ready, 'status') !== 'True' ? { ready: false } : {}),
    },
  };
}

function labelsOf(value: unknown): Map<string, string> {
  return new Map(
    isRecord(value)
      ? Object.entries(value).flatMap(([key, label]) =>
          textOf(label) === undefined && typeof label !== 'boolean' ? [] : [[key, String(label)] as const],
        )
      : [],
  );
}

const labelAttributes = (labels: ReadonlyMap<string, string>): Record<string, Scalar> =>
  Object.fromEntries([...labels].map(([key, value]) => [`label:${key}`, value]));

/** Label keys broad to narrow that topology objects name; undefined where there are none. */
function keysOf(draft: Draft, objects: readonly Record<string, unknown>[]): string[] | undefined {
  const found: { readonly name: string; readonly keys: string[] }[] = [];
  for (const object of objects) {
    const kind = textOf(own(object, 'kind'));
    const name = textOf(own(own(object, 'metadata'), 'name')) ?? '';
    const spec = own(object, 'spec');
    if (kind === 'Topology' || kind === 'ClusterTopology' || kind === 'ClusterTopologyBinding') {
      const keys = listOf(own(spec, 'levels')).map((one) => textOf(own(one, 'nodeLabel')) ?? textOf(own(one, 'key')));
      if (keys.length === 0 || keys.some((key) => key === undefined || key === ''))
        draft.refuse(`${kind} "${name}" has levels without a label; expected spec.levels[].${kind === 'Topology' ? 'nodeLabel' : 'key'}`);
      else found.push({ name, keys: keys as string[] });
    } else if (kind === 'ClusterNetworkTopology') {
      const keys = koordinatorKeys(draft, object);
      if (keys.length > 0) found.push({ name, keys });
    } else if (isDiscovery(object))
      for (const source of listOf(own(object, 'networkTopologyDiscovery'))) {
        const types = own(own(source, 'config'), 'networkTopologyTypes');
        if (isRecord(types))
          for (const [type, list] of Object.entries(types))
            found.push({ name: type, keys: listOf(list).flatMap((one) => textOf(own(one, 'nodeLabel')) ?? []) });
      }
  }
  // Volcano lists its labels narrow to broad.
  const isNarrowFirst = (keys: readonly string[]): boolean => keys.length > 1 && keys[0] === 'kubernetes.io/hostname';
  const distinct = found.filter((one, i) => found.findIndex((other) => other.keys.join() === one.keys.join()) === i);
  if (distinct.length > 1)
    draft.warn(
      `${distinct.length} topologies are defined; nodes are placed by "${distinct[0].name}", not by ${distinct
        .slice(1)
        .map((one) => `"${one.name}"`)
        .join(', ')}`,
    );
  const keys = distinct[0]?.keys as string[] | undefined;
  return keys !== undefined && isNarrowFirst(keys) ? [...keys].reverse() : keys;
}

/** Layers of Koordinator, ordered from the one without a parent down. */
function koordinatorKeys(draft: Draft, object: Record<string, unknown>): string[] {
  const layers = listOf(own(own(object, 'spec'), 'networkTopologySpec')).map((layer) => ({
    name: textOf(own(layer, 'topologyLayer')) ?? '',
    parent: textOf(own(layer, 'parentTopologyLayer')),
    keys: listOf(own(layer, 'labelKey')).flatMap((key) => textOf(key) ?? []),
  }));
  const keys: string[] = [];
  let at = layers.find(({ parent }) => parent === undefined);
  for (let i = 0; at !== undefined && i < layers.length; i++) {
    if (at.keys.length > 0) keys.push(at.keys[0]);
    const above = at.name;
    at = layers.find(({ parent }) => parent === above);
  }
  if (layers.length > 0 && keys.length < layers.filter((layer) => layer.keys.length > 0).length)
    draft.warn('some layers of the ClusterNetworkTopology hang off no parent and are left out');
  return keys;
}

/** The tree of a ClusterNetworkTopology's status, where no nodes are given: groups with the number of their nodes. */
function drawKoordinator(draft: Draft, objects: readonly Record<string, unknown>[]): string[] {
  for (const object of objects)
    for (const entry of listOf(own(own(object, 'status'), 'detailStatus'))) {
      const id = textOf(own(own(entry, 'topologyInfo'), 'topologyName')) ?? '';
      const parent = textOf(own(own(entry, 'parentTopologyInfo'), 'topologyName'));
      if (id === '' || draft.has(id)) {
        draft.refuse(`the status names "${id}" ${id === '' ? 'without a name' : 'twice'}; expected unique names`);
        continue;
      }
      draft.device({
        id,
        kind: 'switch',
        location: [],
        attributes: { layer: textOf(own(own(entry, 'topologyInfo'), 'topologyLayer')) ?? '', nodes: numberOf(own(entry, 'nodeNum')) ?? 0 },
      });
      if (parent !== undefined && draft.has(parent)) draft.link({ source: parent, target: id, technology: 'uplink' });
    }
  draft.warn('the status counts nodes and does not name them: add the Node objects');
  return ['host'];
}

/** Topology that workloads ask for, as warnings: they are no topology themselves. */
function noteRequests(draft: Draft, objects: readonly Record<string, unknown>[]): void {
  const asked = new Map<string, number>();
  const visit = (value: unknown, depth: number): void => {
    if (depth > 12 || typeof value !== 'object' || value === null) return;
    for (const [key, inner] of Object.entries(value)) {
      if (
        /^kueue\.x-k8s\.io\/podset-(required|preferred|unconstrained|slice-required)-topology$/.test(key) ||
        key === 'requiredTopologyLevel' ||
        key === 'preferredTopologyLevel' ||
        key === 'highestTierAllowed'
      )
        asked.set(`${key.replace(/^.*\//, '')} ${String(inner)}`, (asked.get(`${key.replace(/^.*\//, '')} ${String(inner)}`) ?? 0) + 1);
      else if (key === 'pack' && isRecord(inner))
        for (const [how, level] of Object.entries(inner)) asked.set(`pack ${how} ${String(level)}`, 1);
      else visit(inner, depth + 1);
    }
  };
  for (const object of objects) if (!['Node', 'CustomResourceDefinition'].includes(textOf(own(object, 'kind')) ?? '')) visit(object, 0);
  for (const [what, count] of [...asked].slice(0, 20))
    draft.warn(`workloads ask for topology: ${what}${count > 1 ? ` (${count} times)` : ''}`);
}
