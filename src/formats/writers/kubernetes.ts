import { dump } from 'js-yaml';
import { FabricPlanError } from '../../errors.js';
import { hostHierarchy, type HostHierarchy } from '../topology/host-hierarchy.js';
import { LABEL_SETS, PLACES } from '../topology/label-sets.js';
import type { Topology } from '../topology/types.js';
import type { Written } from './types.js';

const MOST_VALUE = 63;

/** Node objects with topology labels: those that were read, else Topograph's tiers, with region, zone and NVLink domain. */
export function writeKubernetes(topology: Topology): Written {
  const hierarchy = hostHierarchy(topology);
  const labels = labelsOf(topology, hierarchy);
  const objects = hierarchy.hosts.map((host, i) => ({
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name: nodeName(host.name), labels: labels.values[i] },
    ...(host.attributes['unschedulable'] === true ? { spec: { unschedulable: true } } : {}),
    status: {
      ...(host.gpus > 0
        ? { allocatable: { [/^(AMD|MI\d)/i.test(host.model ?? '') ? 'amd.com/gpu' : 'nvidia.com/gpu']: String(host.gpus) } }
        : {}),
      ...(host.attributes['ready'] === false ? { conditions: [{ type: 'Ready', status: 'False' }] } : {}),
    },
  }));
  if (objects.length === 0) throw new FabricPlanError('unsupported', 'writeTopology: the topology holds no hosts; kubernetes needs some');
  return { text: objects.map((object) => dump(object, { lineWidth: -1 })).join('---\n'), lost: [...hierarchy.lost, ...labels.lost] };
}

/** Kueue's Topology with the label keys that {@link writeKubernetes} gives the nodes, and a flavor that uses it. */
export function writeKueue(topology: Topology): Written {
  const hierarchy = hostHierarchy(topology);
  const { keys, lost } = labelsOf(topology, hierarchy);
  const name = kubernetesName(topology.name);
  const objects = [
    {
      apiVersion: 'kueue.x-k8s.io/v1beta2',
      kind: 'Topology',
      metadata: { name },
      spec: { levels: [...keys, 'kubernetes.io/hostname'].map((nodeLabel) => ({ nodeLabel })) },
    },
    {
      apiVersion: 'kueue.x-k8s.io/v1beta2',
      kind: 'ResourceFlavor',
      metadata: { name: `${name}-gpus` },
      spec: { nodeLabels: { 'kubernetes.io/os': 'linux' }, topologyName: name },
    },
  ];
  return {
    text: objects.map((object) => dump(object, { lineWidth: -1 })).join('---\n'),
    lost: ['the nodes themselves: write them as kubernetes', ...hierarchy.lost, ...lost],
  };
}

/** Volcano's HyperNodes: one for every switch or group, tier 1 nearest to the nodes. */
export function writeVolcano(topology: Topology): Written {
  const hierarchy = hostHierarchy(topology);
  if (hierarchy.groups.length === 0)
    throw new FabricPlanError(
      'unsupported',
      'writeTopology: neither links nor levels say how the hosts hang together; volcano needs a tree',
    );
  const member = (type: 'Node' | 'HyperNode') => (name: string) => ({
    type,
    selector: { exactMatch: { name: type === 'Node' ? nodeName(name) : kubernetesName(name) } },
  });
  const objects = hierarchy.groups.map(({ name, children, hosts, height, attributes }) => ({
    apiVersion: 'topology.volcano.sh/v1alpha1',
    kind: 'HyperNode',
    metadata: { name: kubernetesName(name) },
    spec: {
      tier: typeof attributes['tier'] === 'number' && attributes['tier'] >= 0 ? attributes['tier'] : height + 1,
      ...(typeof attributes['tierName'] === 'string' ? { tierName: attributes['tierName'] } : {}),
      members: [...children.map(member('HyperNode')), ...hosts.map(member('Node'))],
    },
  }));
  return {
    text: objects.map((object) => dump(object, { lineWidth: -1 })).join('---\n'),
    lost: [...hierarchy.lost, ...(hierarchy.hosts.some(({ gpus }) => gpus > 0) ? ['GPUs of the nodes'] : [])],
  };
}

interface Labels {
  /** Keys broad to narrow. */
  readonly keys: readonly string[];
  /** Labels of every host. */
  readonly values: readonly Record<string, string>[];
  readonly lost: readonly string[];
}

function labelsOf(topology: Topology, { hosts, groups }: HostHierarchy): Labels {
  const read = hosts.map(({ attributes }) =>
    Object.fromEntries(
      Object.entries(attributes).flatMap(([key, value]) => (key.startsWith('label:') ? [[key.slice(6), String(value)]] : [])),
    ),
  );
  const named = topology.attributes?.['levels'];
  if (read.some((labels) => Object.keys(labels).length > 0)) {
    const known = [...PLACES, ...LABEL_SETS.flatMap(({ levels }) => levels)]
      .map(({ key }) => key)
      .filter((key) => read.some((labels) => Object.hasOwn(labels, key)));
    return {
      keys: typeof named === 'string' ? named.split(',').filter((key) => key !== 'kubernetes.io/hostname') : known,
      values: read,
      lost: [],
    };
  }
  // Path of groups above every host, nearest first.
  const parent = new Map<string, string>();
  const above = new Map<string, string>();
  let several = 0;
  for (const { name, children, hosts: own } of groups) {
    for (const child of children) parent.set(child, parent.get(child) ?? name);
    for (const host of own) {
      if (above.has(host)) several++;
      above.set(host, above.get(host) ?? name);
    }
  }
  const isPlace = (level: string | undefined): boolean => level === 'region' || level === 'zone';
  let depth = 0;
  let hashed = 0;
  const value = (text: string): string => {
    const { label, isHashed } = labelValue(text);
    if (isHashed) hashed++;
    return label;
  };
  const values = hosts.map((host) => {
    const labels: Record<string, string> = { 'kubernetes.io/hostname': nodeName(host.name) };
    let tier = 0;
    for (let at = above.get(host.name); at !== undefined && tier < 8; at = parent.get(at))
      labels[`fabric.topograph.run/tier-${tier++}`] = value(at);
    depth = Math.max(depth, tier);
    topology.levels.forEach((level, i) => {
      if (isPlace(level) && host.path[i] !== undefined) labels[`topology.kubernetes.io/${level}`] = value(host.path[i]);
      if (level === 'domain' && host.path[i] !== undefined) labels['accelerator.topograph.run/domain'] = value(host.path[i]);
    });
    if (host.model !== undefined) labels['nvidia.com/gpu.product'] = value(host.model);
    return labels;
  });
  return {
    keys: [
      ...PLACES.map(({ key }) => key).filter((key) => values.some((labels) => Object.hasOwn(labels, key))),
      ...Array.from({ length: depth }, (_, i) => `fabric.topograph.run/tier-${depth - 1 - i}`),
    ],
    values,
    lost: [
      ...(several > 0 ? [`${several} further switches above nodes: a label has one value`] : []),
      ...(hashed > 0 ? [`${hashed} names that are no label values, or longer than ${MOST_VALUE} characters, are hashed`] : []),
    ],
  };
}

/** A label value, hashed as Topograph does where the text is none: x and the FNV-1a hash of 64 bits. */
function labelValue(text: string): { label: string; isHashed: boolean } {
  if (text.length <= MOST_VALUE && /^[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?$/.test(text)) return { label: text, isHashed: false };
  const cleaned = text.replace(/[^A-Za-z0-9._-]+/g, '-').replace(/^[^A-Za-z0-9]+|[^A-Za-z0-9]+$/g, '');
  if (cleaned !== '' && cleaned.length <= MOST_VALUE - 10 && cleaned === text.replaceAll('/', '-'))
    return { label: cleaned, isHashed: false };
  return { label: `x${fnv64(text)}`, isHashed: true };
}

function fnv64(text: string): string {
  let hash = 0xcbf29ce484222325n;
  for (const byte of new TextEncoder().encode(text)) hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n);
  return hash.toString(16).padStart(16, '0');
}

/** Name of an object: lower case letters, digits, dots and dashes. */
function kubernetesName(text: string): string {
  return (
    text
      .toLowerCase()
      .replace(/[^a-z0-9.-]+/g, '-')
      .replace(/^[^a-z0-9]+|[^a-z0-9]+$/g, '')
      .slice(0, 253) || 'topology'
  );
}
const nodeName = kubernetesName;
