import { FabricPlanError, invalidArgument, throwIssues, type Issue } from '../../errors.js';
import type { BytesPerSecond, Metres, Seconds } from '../../quantities.js';
import type { DeviceSpec, FabricSpec, LinkSpec } from '../types.js';
import { CLUSTER_LEVELS, type ClusterSpec } from './network.js';
import type { LinkShape } from './node.js';

/** A site: clusters behind one access link to the wide area. */
export interface SiteOptions {
  readonly id: string;
  readonly clusters: readonly ClusterSpec[];
  /** The site's own link to the wide area, shared by all its wide-area links. */
  readonly access: LinkShape & { readonly confidence?: string; readonly backgroundLoad?: number };
  readonly coordinates?: readonly [number, number];
}

/** A wide-area link between the access points of two sites. */
export interface WideAreaLink {
  readonly from: string;
  readonly to: string;
  /** Rate of one wave in one direction. */
  readonly bandwidth: BytesPerSecond;
  /** One-way latency. Default: distance × 4.9 µs/km. */
  readonly latency?: Seconds;
  /** Length of the fibre. */
  readonly distance?: Metres;
  readonly count?: number;
  readonly efficiency?: number;
  readonly backgroundLoad?: number;
  readonly technology?: string;
  readonly confidence?: string;
}

export interface MultiSiteOptions {
  readonly name: string;
  readonly sites: readonly SiteOptions[];
  readonly links: readonly WideAreaLink[];
}

/** Gateways serve the wide area only: traffic between switches of one site must not take them as a short cut. */
const BORDER_COST: Seconds = 1;
/** Far above any access link, which is the one that limits. */
const BORDER_BANDWIDTH: BytesPerSecond = 1e13;

/** Light in fibre: group index 1.468 over the speed of light, 4.9 µs a kilometre (ITU-T G.652 fibre). */
export const FIBRE_LATENCY_PER_METRE = 4.9e-9;

/**
 * Joins clusters into sites and sites by wide-area links: every site gets a `gateway` and a wide-area router (`wan`) with the access
 * link between them, so that all traffic of the site shares it. The top switches of a cluster reach the gateway without a limit of
 * their own.
 *
 * @throws FabricPlanError `invalid-argument`, listing unknown sites, missing distances and a network that does not hang together
 * @complexity O(devices + links)
 * @example
 * buildMultiSite({ name: 'x', sites: [], links: [] }).devices.length // 0
 */
export function buildMultiSite(options: MultiSiteOptions): FabricSpec {
  const where = 'buildMultiSite';
  const issues: Issue[] = [];
  const ids = new Set<string>();
  for (const [i, site] of options.sites.entries()) {
    if (ids.has(site.id)) issues.push({ path: `sites[${i}].id`, message: `site "${site.id}" is listed twice; expected unique ids` });
    ids.add(site.id);
  }
  const devices: DeviceSpec[] = [];
  const links: LinkSpec[] = [];
  for (const site of options.sites) addSite(site, devices, links);
  options.links.forEach((wide, i) => {
    for (const end of ['from', 'to'] as const)
      if (!ids.has(wide[end]))
        issues.push({
          path: `links[${i}].${end}`,
          message: `wide-area link ${i} has ${end} "${wide[end]}"; expected one of the sites ${[...ids].join(', ')}`,
        });
    if (wide.from === wide.to)
      issues.push({ path: `links[${i}].to`, message: `wide-area link ${i} joins "${wide.from}" to itself; expected two sites` });
    const latency = wide.latency ?? (wide.distance === undefined ? undefined : wide.distance * FIBRE_LATENCY_PER_METRE);
    if (latency === undefined)
      issues.push({
        path: `links[${i}]`,
        message: `wide-area link "${wide.from}"–"${wide.to}" has neither latency nor distance; expected one of them`,
      });
    const { from, to, ...rest } = wide;
    links.push({
      ...rest,
      id: `wan:${from}–${to}${i === options.links.findIndex((other) => other.from === from && other.to === to) ? '' : `:${i}`}`,
      source: `${from}/wan`,
      target: `${to}/wan`,
      latency: latency ?? 0,
      technology: wide.technology ?? 'wide-area',
    });
  });
  throwIssues('invalid-argument', where, issues);
  for (const cluster of options.sites.flatMap((site) => site.clusters)) {
    if (cluster.levels.join() !== CLUSTER_LEVELS.join())
      throw invalidArgument(where, `levels of "${cluster.name}"`, cluster.levels.join(), CLUSTER_LEVELS.join());
  }
  if (options.sites.length > 1 && options.links.length === 0)
    throw new FabricPlanError(
      'invalid-argument',
      `${where}: ${options.sites.length} sites and no wide-area link; expected links that join them`,
    );
  return { name: options.name, levels: CLUSTER_LEVELS, devices, links };
}

function addSite(site: SiteOptions, devices: DeviceSpec[], links: LinkSpec[]): void {
  const place = site.coordinates === undefined ? {} : { coordinates: site.coordinates };
  const gateway = `${site.id}/gateway`;
  const wan = `${site.id}/wan`;
  devices.push(
    { id: gateway, kind: 'gateway', location: [site.id], ...place },
    { id: wan, kind: 'gateway', location: [site.id], ...place },
  );
  links.push({ id: `access:${site.id}`, source: gateway, target: wan, technology: 'site access', ...site.access });
  for (const cluster of site.clusters) {
    for (const device of cluster.devices) devices.push(device);
    for (const one of cluster.links) links.push(one);
    for (const uplink of cluster.uplinks)
      links.push({
        id: `${uplink}–${gateway}`,
        source: uplink,
        target: gateway,
        bandwidth: BORDER_BANDWIDTH,
        latency: 1e-6,
        technology: 'border',
        routingCost: BORDER_COST,
      });
  }
}
