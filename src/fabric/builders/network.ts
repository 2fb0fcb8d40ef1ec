import { invalidArgument } from '../../errors.js';
import type { DeviceSpec, FabricSpec, LinkSpec } from '../types.js';
import { buildNode, checkNodeShape, type LinkShape, type NodeFragment, type NodeShape } from './node.js';

/** Levels of every fabric that the cluster builders make, broad to narrow. */
export const CLUSTER_LEVELS = ['site', 'group', 'rack', 'node', 'host'] as const;

/** What all cluster builders take. */
export interface ClusterOptions {
  readonly node: NodeShape;
  /** Number of nodes (hosts). */
  readonly nodes: number;
  /** Id prefix and name. Default `cluster`. */
  readonly name?: string;
  /** Site of every device. Default: the name. */
  readonly site?: string;
  /** Latitude and longitude of the site. */
  readonly coordinates?: readonly [number, number];
  /** Link between switches. Default: the node's NIC link. */
  readonly trunk?: LinkShape;
  /** Whether switches can add up what passes (SHARP). Default false. */
  readonly reduces?: boolean;
}

/** A cluster described as plain data, and the switches by which it can be joined to a wider network. */
export interface ClusterSpec extends FabricSpec {
  /** Ids of the top switches, sorted. */
  readonly uplinks: readonly string[];
}

/** Collects devices and links of one cluster; shared by the builders. */
export interface Draft {
  readonly devices: DeviceSpec[];
  readonly links: LinkSpec[];
  readonly name: string;
  readonly site: string;
  readonly trunk: LinkShape;
  addSwitch(id: string, location: readonly string[]): string;
  addNode(index: number, location: readonly string[]): NodeFragment;
  finish(uplinks: readonly string[]): ClusterSpec;
}

/** Checks the common options and opens a draft. */
export function startDraft(where: string, options: ClusterOptions): Draft {
  checkNodeShape(options.node, where);
  wholeNumber(where, 'nodes', options.nodes, 1);
  const name = options.name ?? 'cluster';
  const site = options.site ?? name;
  const devices: DeviceSpec[] = [];
  const links: LinkSpec[] = [];
  const trunk = options.trunk ?? options.node.nic;
  const place = options.coordinates === undefined ? {} : { coordinates: options.coordinates };
  return {
    devices,
    links,
    name,
    site,
    trunk,
    addSwitch(id, location) {
      devices.push({
        id: `${name}/${id}`,
        kind: 'switch',
        location: [site, ...location],
        ...place,
        ...(options.reduces === true ? { reduces: true } : {}),
      });
      return `${name}/${id}`;
    },
    addNode(index, location) {
      const fragment = buildNode(options.node, `${name}/${[...location, `node${index}`].join('/')}`, [
        site,
        ...padded(location),
        `node${index}`,
      ]);
      for (const device of fragment.devices) devices.push(options.coordinates === undefined ? device : { ...device, ...place });
      for (const one of fragment.links) links.push(one);
      return fragment;
    },
    finish: (uplinks) => ({ name, levels: CLUSTER_LEVELS, devices, links, uplinks: [...uplinks] }),
  };
}

/**
 * Joins a device to every one of some switches by `total` cables, spread evenly from `offset` on. Fewer cables than switches are broken
 * out: every switch gets one of the same smaller rate, so that the capacity is what was asked for and nothing is left unconnected.
 */
export function connectEvenly(
  draft: Draft,
  source: string,
  switches: readonly string[],
  total: number,
  shape: LinkShape,
  offset = 0,
): void {
  const width = switches.length;
  const cable = total < width ? { ...shape, bandwidth: (shape.bandwidth * total) / width } : shape;
  for (let i = 0; i < width; i++) {
    const surplus = total < width ? 0 : (i - (offset % width) + width) % width < total % width ? 1 : 0;
    const count = Math.max(1, Math.floor(total / width)) + surplus;
    const target = switches[i];
    draft.links.push({ id: `${source}–${target}`, source, target, ...cable, ...(count === 1 ? {} : { count }) });
  }
}

/** Refuses what is no whole number of at least `least`. */
export function wholeNumber(where: string, name: string, value: number, least: number): void {
  if (!Number.isInteger(value) || value < least) throw invalidArgument(where, name, value, `a whole number of at least ${least}`);
  if (value > 4_000_000) throw invalidArgument(where, name, value, 'at most 4,000,000');
}

/** Refuses an oversubscription that is no number above zero. */
export function checkOversubscription(where: string, value: number): void {
  if (!(Number.isFinite(value) && value > 0 && value <= 1000))
    throw invalidArgument(where, 'oversubscription', value, 'a ratio above 0 and at most 1000 (2 means 2:1)');
}

/** Domains that hold the nodes, and how many nodes each. */
export function domainCount(options: ClusterOptions): number {
  return Math.ceil(options.nodes / (options.node.nodesPerDomain ?? 1));
}

const padded = (location: readonly string[]): readonly string[] => [location[0] ?? 'g0', location[1] ?? 'r0'];
