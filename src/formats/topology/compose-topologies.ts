import { invalidArgument } from '../../errors.js';
import { appendTo } from './append-to.js';
import { expandHostlist } from '../../fabric/expand-hostlist.js';
import { coverageOf } from './coverage.js';
import { expandHosts, ownName, type HostTemplate } from './expand-hosts.js';
import { standAtSites } from './stand-at-sites.js';
import { unite } from './unite.js';
import type { Topology, TopologyDevice } from './types.js';

/** A topology with the place where it belongs. */
export interface PlacedTopology {
  readonly topology: Topology;
  /**
   * Where: for the inside of a node the hosts that have it, as a hostlist (`n[1-4]`) or a pattern between slashes; for a cluster the site
   * it stands at, by id or label. Default: every host; the site of the cluster's name.
   */
  readonly at?: string;
}

/**
 * Joins topologies into one: node files give the inside of hosts, clusters that name the same hosts or switches are laid over each other,
 * clusters stand at sites of a map behind a gateway and an access link, whose rate no file says. Everything else stands side by side.
 *
 * Conflicts (a value that two files give differently) and leftovers (a node file that no host takes, a cluster at no site) are warnings.
 * The order of the parts matters only where they conflict: the first wins. Composing in steps gives the same as at once, where no two
 * parts say different things of the same device.
 *
 * @throws FabricPlanError `invalid-argument` for nothing to compose, or a site or hosts that are not there
 * @complexity O(devices + links)
 * @example
 * composeTopologies([readTopology('SwitchName=s0 Nodes=n[1-2]'), insideOfPreset('dgx-h100')]).devices.filter(({ kind }) => kind === 'gpu').length // 16
 */
export function composeTopologies(parts: readonly (Topology | PlacedTopology)[], options: { readonly name?: string } = {}): Topology {
  const where = 'composeTopologies';
  const placed = parts.map((part): PlacedTopology => ('topology' in part ? part : { topology: part }));
  if (placed.length === 0) throw invalidArgument(where, 'parts', placed, 'at least one topology');
  const ofScope = (scope: Topology['scope']): PlacedTopology[] => placed.filter(({ topology }) => topology.scope === scope);
  const nodes = mergeInsides(ofScope('node'));
  const clusters = ofScope('cluster');
  const maps = ofScope('wide-area').map(({ topology }) => topology);
  const names = options.name ?? (maps[0] ?? clusters[0]?.topology ?? nodes[0].topology).name;
  if (clusters.length === 0 && maps.length === 0 && nodes.length === 1) return { ...nodes[0].topology, name: names };
  const templates = nodes.map(({ topology, at }): HostTemplate => ({ inside: topology, matches: hostMatcher(topology, at, nodes.length) }));
  // Node files beside a map alone are hosts of their own; each stands at its site.
  const hasHosts = [...clusters.map(({ topology }) => topology), ...maps].some(({ devices }) =>
    devices.some(({ kind }) => kind === 'host'),
  );
  const lone: PlacedTopology[] = hasHosts
    ? []
    : nodes.map(({ topology, at }, i) => ({
        topology: hostOf(
          topology,
          nodes.findIndex((other) => other.topology.name === topology.name) === i ? topology.name : `${topology.name}-${i + 1}`,
        ),
        ...(at === undefined ? {} : { at }),
      }));
  let whole: Topology;
  if (maps.length === 0) {
    const stray = clusters.find(({ at }) => at !== undefined);
    if (stray !== undefined)
      throw invalidArgument(where, `place of "${stray.topology.name}"`, stray.at, 'a site, and there is no map among the parts');
    whole = unite([...clusters, ...lone].map(({ topology }) => topology));
  } else whole = standAtSites(unite(maps), [...clusters, ...lone]);
  if (hasHosts) whole = expandHosts(whole, templates);
  return { ...whole, name: names, format: placed.length === 1 ? whole.format : 'composed' };
}

/**
 * Node files of one place and of different formats that show the same number of GPUs are views of one host, and are laid over each other;
 * two of one format are two hosts.
 */
function mergeInsides(nodes: readonly PlacedTopology[]): PlacedTopology[] {
  const byPlace = new Map<string, PlacedTopology[]>();
  for (const node of nodes) appendTo(byPlace, node.at ?? '', node);
  return [...byPlace.values()].flatMap((list) => {
    const formats = new Set(list.map(({ topology }) => topology.format));
    const counts = new Set(list.map(({ topology }) => topology.devices.filter(({ kind }) => kind === 'gpu').length));
    if (list.length === 1 || formats.size < list.length || counts.size > 1) return list;
    return [{ ...list[0], topology: fillNvlinkRates(unite(list.map(({ topology }) => topology))) }];
  });
}

/** Rates that nvidia-smi nvlink gives per GPU, on the links that a matrix of the same host draws. */
function fillNvlinkRates(topology: Topology): Topology {
  const rates = new Map(
    topology.devices.flatMap(({ id, attributes }) =>
      typeof attributes?.['nvlink rate'] === 'number' ? [[id, attributes['nvlink rate']] as const] : [],
    ),
  );
  let filled = 0;
  const links = topology.links.map((link) => {
    const rate = rates.get(link.source) ?? rates.get(link.target);
    if (link.technology !== 'NVLink' || link.bandwidth !== undefined || rate === undefined) return link;
    filled += link.count ?? 1;
    return { ...link, bandwidth: rate };
  });
  if (filled === 0) return topology;
  return {
    ...topology,
    links,
    coverage: coverageOf(topology.devices, links, [
      ...topology.coverage.inferred,
      { what: 'NVLink rates', from: 'nvidia-smi nvlink --status of the same GPU', count: filled },
    ]),
  };
}

function hostMatcher(inside: Topology, at: string | undefined, count: number): HostTemplate['matches'] {
  if (at === undefined) {
    // One node file is for every host that may have GPUs; of several each is for the host of its name.
    return count === 1 ? ({ gpus }) => gpus !== 0 : ({ id }) => ownName(id) === inside.name || id === inside.name;
  }
  const pattern = /^\/(.*)\/$/.exec(at)?.[1];
  if (pattern !== undefined) {
    let expression: RegExp;
    try {
      expression = new RegExp(pattern, 'u');
    } catch {
      throw invalidArgument('composeTopologies', `hosts of "${inside.name}"`, at, 'a hostlist, or a regular expression between slashes');
    }
    return ({ id }) => expression.test(id) || expression.test(ownName(id));
  }
  const hosts = new Set(expandHostlist(at));
  return ({ id }) => hosts.has(id) || hosts.has(ownName(id));
}

/** A node file as a cluster of one host. */
function hostOf(inside: Topology, name: string): Topology {
  const host: TopologyDevice = { id: name, kind: 'host', location: [name] };
  const bare: Topology = { ...inside, scope: 'cluster', levels: ['host'], devices: [host], links: [], coverage: { inferred: [] } };
  return expandHosts(bare, [{ inside, matches: () => true }]);
}
