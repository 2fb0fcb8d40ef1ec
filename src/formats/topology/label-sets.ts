/** What a label value names: a switch, a group of hosts that are close, or a place. */
export type LabelMeaning = 'switch' | 'group' | 'place';

/** One level of a set of node labels. */
export interface LabelLevel {
  readonly key: string;
  readonly level: string;
  readonly meaning: LabelMeaning;
}

/** A convention of node labels, its levels broad to narrow. */
export interface LabelSet {
  readonly name: string;
  readonly levels: readonly LabelLevel[];
  readonly source: string;
}

const level = (key: string, name: string, meaning: LabelMeaning): LabelLevel => ({ key, level: name, meaning });

/** Region and zone, broad to narrow; above every other set. */
export const PLACES: readonly LabelLevel[] = [
  level('topology.kubernetes.io/region', 'region', 'place'),
  level('topology.kubernetes.io/zone', 'zone', 'place'),
];

/** Labels of scale-up domains; below every other set. */
export const DOMAINS: readonly LabelLevel[] = [
  level('accelerator.topograph.run/domain', 'domain', 'group'),
  level('accelerator.topograph.run/sub-domain', 'sub-domain', 'group'),
  level('network.topology.nvidia.com/accelerator', 'domain', 'group'),
  level('nvidia.com/gpu.clique', 'domain', 'group'),
  level('topology.k8s.aws/capacity-block-id', 'domain', 'group'),
  level('topology.k8s.aws/ultraserver-id', 'domain', 'group'),
];

const TOPOGRAPH = 'NVIDIA/topograph repository, 2026-08';

/** Sets of labels that tell where a node hangs in the network. */
export const LABEL_SETS: readonly LabelSet[] = [
  {
    name: 'topograph',
    // Tier 0 is nearest to the node; there is no fixed depth.
    levels: Array.from({ length: 8 }, (_, i) => level(`fabric.topograph.run/tier-${7 - i}`, `tier${7 - i}`, 'switch')),
    source: TOPOGRAPH,
  },
  {
    name: 'topograph-2025',
    levels: [
      level('network.topology.nvidia.com/core', 'core', 'switch'),
      level('network.topology.nvidia.com/spine', 'spine', 'switch'),
      level('network.topology.nvidia.com/leaf', 'leaf', 'switch'),
    ],
    source: TOPOGRAPH,
  },
  {
    name: 'topograph-early-2025',
    levels: [
      level('network.topology.nvidia.com/datacenter', 'datacenter', 'switch'),
      level('network.topology.nvidia.com/spine', 'spine', 'switch'),
      level('network.topology.nvidia.com/block', 'block', 'switch'),
    ],
    source: `${TOPOGRAPH}; still in the documentation of Koordinator`,
  },
  {
    name: 'aws',
    // Layer 1 is the broadest here, the reverse of Topograph's tiers.
    levels: [1, 2, 3, 4].map((n) => level(`topology.k8s.aws/network-node-layer-${n}`, `layer${n}`, 'switch')),
    source: 'AWS EC2 instance topology documentation',
  },
  {
    name: 'gke',
    levels: [
      level('cloud.google.com/gce-topology-block', 'block', 'group'),
      level('cloud.google.com/gce-topology-subblock', 'subblock', 'group'),
      level('cloud.google.com/gce-topology-host', 'machine', 'group'),
    ],
    source: 'GKE documentation of compact placement',
  },
  {
    name: 'oci',
    levels: [
      level('oci.oraclecloud.com/host.network_block_id', 'network-block', 'group'),
      level('oci.oraclecloud.com/host.rack_id', 'rack', 'group'),
    ],
    source: 'OCI documentation of RDMA cluster networks',
  },
  {
    name: 'kueue',
    levels: [level('cloud.provider.com/topology-block', 'block', 'group'), level('cloud.provider.com/topology-rack', 'rack', 'group')],
    source: 'example labels of the Kueue documentation',
  },
];

const ALL: readonly LabelLevel[] = [...PLACES, ...LABEL_SETS.flatMap(({ levels }) => levels), ...DOMAINS];

/** A level for a key that a topology object or the caller names. */
export function levelOfKey(key: string): LabelLevel {
  return ALL.find((one) => one.key === key) ?? level(key, key.slice(key.lastIndexOf('/') + 1), 'group');
}

/** Levels that a collection of label maps uses: places, the set that most nodes carry, domains. */
export function chooseLevels(nodes: readonly ReadonlyMap<string, string>[]): {
  readonly levels: LabelLevel[];
  readonly set?: LabelSet;
  readonly others: string[];
} {
  const used = new Map<string, number>();
  for (const labels of nodes) for (const { key } of ALL) if (labels.has(key)) used.set(key, (used.get(key) ?? 0) + 1);
  const weight = (set: LabelSet): number => set.levels.reduce((sum, { key }) => sum + (used.get(key) ?? 0), 0);
  const sets = LABEL_SETS.filter((set) => weight(set) > 0).sort((a, b) => weight(b) - weight(a));
  const best = sets[0] as LabelSet | undefined;
  const isUsed = ({ key }: LabelLevel): boolean => used.has(key);
  const domain = DOMAINS.filter(isUsed);
  return {
    levels: [
      ...PLACES.filter(isUsed),
      ...(best?.levels.filter(isUsed) ?? []),
      ...domain.filter((one, i) => domain.findIndex((other) => other.level === one.level) === i),
    ],
    ...(best === undefined ? {} : { set: best }),
    // Sets that share a key with the one chosen are the same labels read another way.
    others: sets
      .slice(1)
      .filter((set) => set.levels.some((one) => isUsed(one) && best?.levels.every(({ key }) => key !== one.key) === true))
      .map(({ name }) => name),
  };
}
