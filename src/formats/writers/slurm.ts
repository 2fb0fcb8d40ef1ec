import { appendTo } from '../topology/append-to.js';
import { dump } from 'js-yaml';
import { FabricPlanError } from '../../errors.js';
import { listHosts } from '../../fabric/hostlist.js';
import { hostHierarchy, type HostHierarchy } from '../topology/host-hierarchy.js';
import type { Topology } from '../topology/types.js';
import type { Written } from './types.js';

/** The plug-in that fits: the one the file was read for, blocks where the last level is one, else a tree. */
function pluginOf(topology: Topology): 'tree' | 'block' | 'ring' | 'torus3d' {
  const read = topology.attributes?.['plugin'];
  if (read === 'block' || read === 'ring' || read === 'torus3d') return read;
  return topology.links.length === 0 && topology.levels.at(-2) === 'block' ? 'block' : 'tree';
}

/** Names that Slurm takes: no blanks, commas, brackets, equal signs. */
const clean = (name: string): string => name.replace(/[^A-Za-z0-9._:@-]/g, '_');

/** Slurm's topology.conf: tree, block or ring. */
export function writeSlurmConf(topology: Topology): Written {
  const plugin = pluginOf(topology);
  const hierarchy = hostHierarchy(topology);
  needHosts(hierarchy, 'slurm-conf');
  const lost = [...hierarchy.lost];
  const lines: string[] = [];
  if (plugin === 'tree') {
    if (hierarchy.groups.length === 0) throw noTree('slurm-conf');
    for (const { name, children, hosts, attributes } of hierarchy.groups) {
      const speed = attributes['LinkSpeed'] as string | undefined;
      if (children.length > 0 && hosts.length > 0) lost.push(`nodes directly under the inner switch ${name}`);
      const below =
        children.length > 0
          ? ` Switches=${listHosts(children.map(clean))}`
          : hosts.length > 0
            ? ` Nodes=${listHosts(hosts.map(clean))}`
            : '';
      lines.push(`SwitchName=${clean(name)}${below}${speed === undefined ? '' : ` LinkSpeed=${speed}`}`);
    }
  } else if (plugin === 'torus3d')
    throw new FabricPlanError('unsupported', 'writeTopology: topology.conf has no torus; expected slurm-yaml as the target');
  else {
    for (const { name, hosts } of blocksOf(topology, hierarchy))
      lines.push(
        `${plugin === 'block' ? 'BlockName' : 'RingName'}=${clean(name)}${hosts.length > 0 ? ` Nodes=${listHosts(hosts.map(clean))}` : ''}`,
      );
    const sizes = topology.attributes?.['BlockSizes'];
    if (sizes !== undefined) lines.push(`BlockSizes=${String(sizes)}`);
    if (topology.levels.length > 2) lost.push('levels above the blocks');
  }
  return { text: `${lines.join('\n')}\n`, lost };
}

/** Slurm's topology.yaml: tree, block, ring, torus or flat. */
export function writeSlurmYaml(topology: Topology): Written {
  const plugin = pluginOf(topology);
  const hierarchy = hostHierarchy(topology);
  needHosts(hierarchy, 'slurm-yaml');
  const lost = [...hierarchy.lost];
  let body: object | boolean;
  if (plugin === 'tree' && hierarchy.groups.length === 0) {
    body = true;
    lost.push('nodes: a flat topology names none');
  } else if (plugin === 'tree')
    body = {
      switches: hierarchy.groups.map(({ name, children, hosts }) => ({
        switch: clean(name),
        ...(children.length > 0
          ? { children: listHosts(children.map(clean)) }
          : hosts.length > 0
            ? { nodes: listHosts(hosts.map(clean)) }
            : {}),
      })),
    };
  else if (plugin === 'torus3d') {
    const shapes = new Map(
      String(topology.attributes?.['toruses'] ?? '')
        .split(',')
        .map(
          (one) =>
            [
              one.slice(0, one.lastIndexOf('=')),
              one
                .slice(one.lastIndexOf('=') + 1)
                .split('x')
                .map(Number),
            ] as const,
        ),
    );
    body = {
      toruses: blocksOf(topology, hierarchy).map(({ name, hosts }) => ({
        name,
        dims: { x: shapes.get(name)?.[0] ?? hosts.length, y: shapes.get(name)?.[1] ?? 1, z: shapes.get(name)?.[2] ?? 1 },
        nodes: listHosts(hosts),
      })),
    };
    lost.push('placements that the administrator allows');
  } else {
    const list = blocksOf(topology, hierarchy).map(({ name, hosts }) => ({
      [plugin]: clean(name),
      ...(hosts.length > 0 ? { nodes: listHosts(hosts.map(clean)) } : {}),
    }));
    const sizes = topology.attributes?.['BlockSizes'];
    body =
      plugin === 'ring'
        ? { rings: list }
        : { ...(sizes === undefined ? {} : { block_sizes: String(sizes).split(',').map(Number) }), blocks: list };
  }
  const name = topology.attributes?.['topology'] ?? (topology.name.replace(/[^A-Za-z0-9._-]/g, '-') || 'cluster');
  const key = body === true ? 'flat' : plugin;
  if (topology.devices.some(({ attributes }) => attributes?.['LinkSpeed'] !== undefined)) lost.push('LinkSpeed texts');
  return { text: dump([{ topology: String(name), cluster_default: true, [key]: body }], { lineWidth: -1 }), lost };
}

/** Hosts by the group right above them, in the order of the file; groups that only hold a position are kept. */
function blocksOf(topology: Topology, { hosts }: HostHierarchy): { name: string; hosts: string[] }[] {
  const names = String(topology.attributes?.['blocks'] ?? '')
    .split(',')
    .filter((one) => one !== '');
  const blocks = new Map<string, string[]>(names.map((name) => [name, []]));
  for (const { name, path } of hosts) {
    const block = path.at(-1) ?? 'block';
    appendTo(blocks, block, name);
  }
  return [...blocks].map(([name, list]) => ({ name, hosts: list }));
}

function needHosts({ hosts }: HostHierarchy, format: string): void {
  if (hosts.length === 0) throw new FabricPlanError('unsupported', `writeTopology: the topology holds no hosts; ${format} needs some`);
}

const noTree = (format: string): FabricPlanError =>
  new FabricPlanError('unsupported', `writeTopology: neither links nor levels say how the hosts hang together; ${format} needs a tree`);
