import { showValue } from '../../errors.js';
import { draftTopology, type Draft } from '../topology/draft.js';
import { drawHostTree, type TreeSwitch } from '../topology/host-tree.js';
import { isRecord, numberOf, own, textOf } from '../topology/plain-text.js';
import { drawBlocks, type SlurmBlock } from '../topology/slurm-blocks.js';
import type { StructuredText } from '../topology/structured-text.js';
import type { Topology } from '../topology/types.js';
import { drawRings, hostsOf, MOST_RING } from './slurm-conf.js';

const WHERE = 'readSlurmYaml';
const PLUGINS = ['block', 'flat', 'ring', 'torus3d', 'tree'] as const;
type Plugin = (typeof PLUGINS)[number];
const MOST_CELLS = 1_000_000;

/** Whether a parsed value is Slurm's topology.yaml: a list of topologies, or one. */
export const isSlurmYaml = (value: unknown): boolean => {
  const one = Array.isArray(value) ? (value[0] as unknown) : value;
  return (
    own(one, 'topology') !== undefined &&
    (PLUGINS.some((plugin) => own(one, plugin) !== undefined) || own(one, 'cluster_default') !== undefined)
  );
};

/** One reading: the draft and how to find a line. */
interface Reading {
  readonly draft: Draft;
  lineOf(path: readonly (string | number)[]): number | undefined;
}

/**
 * Slurm's `topology.yaml` (25.05 and newer): tree, block, ring, torus3d or flat. Of several topologies the cluster's default is read.
 */
export function readSlurmYaml(text: StructuredText, name: string): Topology {
  const draft = draftTopology(WHERE, 'slurm-yaml', name, 'cluster');
  const root = text.documents[0];
  const isList = Array.isArray(root);
  if (!isList && !isRecord(root))
    draft.refuse(
      `the document is ${typeof root === 'string' ? `the text "${root.slice(0, 40)}"` : 'no mapping'}; expected a list of topologies`,
      text.lineOf(0, []),
    );
  if (text.documents.length > 1) draft.warn(`only the first of ${text.documents.length} documents is read`);
  draft.check();
  const items: readonly unknown[] = isList ? (root as readonly unknown[]) : [root];
  const place = (index: number, path: readonly (string | number)[]): number | undefined => text.lineOf(0, isList ? [index, ...path] : path);
  const seen = new Set<string>();
  const found = items.map((item, i): { plugin: Plugin; body: unknown; isDefault: boolean; id: string; index: number } | undefined => {
    if (!isRecord(item)) {
      draft.refuse(`topology ${i + 1} is no mapping; expected {topology, cluster_default, ${PLUGINS.join(' | ')}}`, place(i, []));
      return undefined;
    }
    const id = textOf(own(item, 'topology'));
    if (id === undefined || id === '') draft.refuse(`topology ${i + 1} has no name under "topology"; expected a text`, place(i, []));
    else if (seen.has(id)) draft.refuse(`topology "${id}" occurs twice; expected unique names`, place(i, ['topology']));
    seen.add(id ?? '');
    for (const key of Object.keys(item))
      if (key !== 'topology' && key !== 'cluster_default' && !PLUGINS.includes(key as Plugin))
        draft.refuse(
          `topology "${id ?? i}" has the key "${key.slice(0, 40)}"; expected topology, cluster_default or one of ${PLUGINS.join(', ')}`,
          place(i, [key]),
        );
    const plugins = PLUGINS.filter((plugin) => own(item, plugin) !== undefined && !(plugin === 'flat' && own(item, plugin) === false));
    if (plugins.length !== 1) {
      draft.refuse(
        `topology "${id ?? i}" has ${plugins.length === 0 ? 'no plug-in' : plugins.join(' and ')}; expected exactly one of ${PLUGINS.join(', ')}, which exclude each other`,
        place(i, [plugins[1] ?? 'topology']),
      );
      return undefined;
    }
    const [plugin] = plugins;
    const body = own(item, plugin);
    if (plugin !== 'flat' && !isRecord(body)) {
      draft.refuse(
        `${plugin} of topology "${id ?? i}" is ${Array.isArray(body) ? 'a list' : `"${String(body).slice(0, 40)}"`}; expected a mapping`,
        place(i, [plugin]),
      );
      return undefined;
    }
    return { plugin, body, isDefault: own(item, 'cluster_default') === true, id: id ?? '', index: i };
  });
  if (items.length === 0) draft.refuse('the list of topologies is empty; expected at least one', 1);
  draft.check();
  const chosen = found.find((one) => one?.isDefault === true) ?? found[0]!;
  if (found.length > 1)
    draft.warn(
      `${found.length} topologies are defined; "${chosen.id}" is read, ${chosen.isDefault ? 'the default of the cluster' : 'the first'}`,
    );
  // The others are read as well, so that their mistakes are found.
  for (const other of found)
    if (other !== undefined && other !== chosen)
      readPlugin(
        { draft: draftTopology(WHERE, 'slurm-yaml', name, 'cluster'), lineOf: (path) => place(other.index, path) },
        other.plugin,
        other.body,
      ).check();
  const reading: Reading = { draft, lineOf: (path) => place(chosen.index, path) };
  const { levels, contents, attributes } = readPlugin(reading, chosen.plugin, chosen.body);
  return draft.finish({
    levels,
    contents: { topologies: items.length, ...contents },
    attributes: { plugin: chosen.plugin, topology: chosen.id, ...attributes },
  });
}

interface Read {
  readonly levels: string[];
  readonly contents: Record<string, number>;
  readonly attributes: Record<string, string>;
  check(): void;
}

function readPlugin(reading: Reading, plugin: Plugin, body: unknown): Read {
  const { draft } = reading;
  const result = (levels: string[], contents: Record<string, number>, attributes: Record<string, string> = {}): Read => ({
    levels,
    contents,
    attributes,
    check: draft.check.bind(draft),
  });
  switch (plugin) {
    case 'flat':
      draft.warn('a flat topology says nothing of how nodes are joined');
      return result(['host'], {});
    case 'tree': {
      const switches = readItems(reading, plugin, body, 'switches', ['switch', 'children', 'nodes', 'link_speed']).map(
        ({ item, path }): TreeSwitch => {
          const line = reading.lineOf(path);
          const children = hostsAt(reading, item, 'children', path);
          const hosts = hostsAt(reading, item, 'nodes', path);
          if (children.length > 0 && hosts.length > 0)
            draft.refuse(`switch "${nameAt(reading, item, 'switch', path)}" has children and nodes; expected one of the two`, line);
          return { id: nameAt(reading, item, 'switch', path), children, hosts, ...(line === undefined ? {} : { line }) };
        },
      );
      draft.check();
      if (switches.length > 0) draft.warn('Slurm knows no rates: links have none');
      return result(drawHostTree(draft, switches, 'uplink'), { switches: switches.length });
    }
    case 'block': {
      const raw = own(body, 'block_sizes');
      const sizes = (Array.isArray(raw) ? raw : raw === undefined ? [] : [raw]).map((size, i) => {
        const value = numberOf(size);
        if (value === undefined) draft.refuse(`block_sizes[${i}] is no number`, reading.lineOf([plugin, 'block_sizes', i]));
        return value ?? 1;
      });
      const blocks = readItems(reading, plugin, body, 'blocks', ['block', 'nodes']).map(({ item, path }): SlurmBlock => {
        const line = reading.lineOf(path);
        return {
          id: nameAt(reading, item, 'block', path),
          hosts: hostsAt(reading, item, 'nodes', path),
          ...(line === undefined ? {} : { line }),
        };
      });
      draft.check();
      return result(
        drawBlocks(draft, blocks, sizes, reading.lineOf([plugin, 'block_sizes'])),
        { blocks: blocks.length },
        { ...(sizes.length > 0 ? { BlockSizes: sizes.join(',') } : {}), blocks: blocks.map(({ id }) => id).join(',') },
      );
    }
    case 'ring': {
      const rings = readItems(reading, plugin, body, 'rings', ['ring', 'nodes']).map(({ item, path }): SlurmBlock => {
        const hosts = hostsAt(reading, item, 'nodes', path);
        const line = reading.lineOf(path);
        if (hosts.length > MOST_RING)
          draft.refuse(`ring "${nameAt(reading, item, 'ring', path)}" has ${hosts.length} nodes; expected at most ${MOST_RING}`, line);
        return { id: nameAt(reading, item, 'ring', path), hosts, ...(line === undefined ? {} : { line }) };
      });
      draft.check();
      return result(drawRings(draft, rings), { rings: rings.length });
    }
    case 'torus3d':
      return result(...readToruses(reading, body));
  }
}

/** The items of a plug-in's list; a single one may stand without the list. */
function readItems(
  { draft, lineOf }: Reading,
  plugin: string,
  body: unknown,
  key: string,
  keys: readonly string[],
): { item: Record<string, unknown>; path: (string | number)[] }[] {
  const raw = own(body, key);
  for (const other of Object.keys(body as object))
    if (other !== key && other !== 'block_sizes')
      draft.refuse(`${plugin} has the key "${other.slice(0, 40)}"; expected ${key}`, lineOf([plugin, other]));
  const list = Array.isArray(raw) ? (raw as readonly unknown[]) : isRecord(raw) ? [raw] : undefined;
  if (list === undefined) {
    draft.refuse(
      `${plugin}.${key} is ${raw === undefined ? 'missing' : showValue(raw)}; expected a list of mappings`,
      lineOf([plugin, key]),
    );
    return [];
  }
  return list.flatMap((item, i) => {
    const path = Array.isArray(raw) ? [plugin, key, i] : [plugin, key];
    if (!isRecord(item)) {
      draft.refuse(`${plugin}.${key}[${i}] is no mapping; expected {${keys.join(', ')}}`, lineOf(path));
      return [];
    }
    for (const other of Object.keys(item))
      if (!keys.includes(other))
        draft.refuse(`${plugin}.${key}[${i}] has the key "${other.slice(0, 40)}"; expected ${keys.join(', ')}`, lineOf([...path, other]));
    return [{ item, path }];
  });
}

function nameAt({ draft, lineOf }: Reading, item: Record<string, unknown>, key: string, path: readonly (string | number)[]): string {
  const name = textOf(own(item, key));
  if (name === undefined || name === '') draft.refuse(`${path.join('.')} has no "${key}"; expected a name`, lineOf(path));
  return name ?? '';
}

function hostsAt({ draft, lineOf }: Reading, item: Record<string, unknown>, key: string, path: readonly (string | number)[]): string[] {
  const raw = own(item, key);
  if (raw === undefined || raw === null || raw === '') return [];
  const text = Array.isArray(raw) ? raw.map(String).join(',') : textOf(raw);
  if (text === undefined) {
    draft.refuse(`${path.join('.')}.${key} is no hostlist; expected a text such as n[1-16]`, lineOf([...path, key]));
    return [];
  }
  return hostsOf(draft, text, lineOf([...path, key]));
}

/** Tori: nodes in order, x fastest, each joined to the next in the three directions, around the ends. */
function readToruses(reading: Reading, body: unknown): [string[], Record<string, number>, Record<string, string>] {
  const { draft, lineOf } = reading;
  const toruses = readItems(reading, 'torus3d', body, 'toruses', ['name', 'dims', 'nodes', 'regions', 'placements']);
  const shapes: string[] = [];
  for (const { item, path } of toruses) {
    const id = nameAt(reading, item, 'name', path);
    const axis = (key: string): number => {
      const value = numberOf(own(own(item, 'dims'), key));
      if (value === undefined || !Number.isInteger(value) || value < 1 || value > MOST_CELLS)
        draft.refuse(
          `torus "${id}" has ${key} ${String(own(own(item, 'dims'), key)).slice(0, 20)}; expected a whole number of at least 1`,
          lineOf([...path, 'dims', key]),
        );
      return value ?? 1;
    };
    const [x, y, z] = [axis('x'), axis('y'), axis('z')];
    const regions = own(item, 'regions');
    const hosts = Array.isArray(regions)
      ? regions.flatMap((region, i) => (isRecord(region) ? hostsAt(reading, region, 'nodes', [...path, 'regions', i]) : []))
      : hostsAt(reading, item, 'nodes', path);
    if (hosts.length !== x * y * z)
      draft.refuse(
        `torus "${id}" has ${x} × ${y} × ${z} = ${x * y * z} cells and ${hosts.length} nodes; expected every cell filled`,
        lineOf([...path, 'nodes']),
      );
    draft.check();
    for (const host of hosts) {
      if (draft.has(host)) draft.refuse(`node "${host}" is named twice; expected each once`, lineOf([...path, 'nodes']));
      draft.device({ id: host, kind: 'host', location: [id, host] });
    }
    draft.check();
    const at = (i: number, j: number, k: number): string => hosts[(i % x) + x * (j % y) + x * y * (k % z)];
    for (let k = 0; k < z; k++)
      for (let j = 0; j < y; j++)
        for (let i = 0; i < x; i++) {
          // Around an axis of two both ways are the same neighbour: one cable is drawn.
          if (x > 2 || i + 1 < x) if (x > 1) draft.link({ source: at(i, j, k), target: at(i + 1, j, k), technology: 'torus' });
          if (y > 2 || j + 1 < y) if (y > 1) draft.link({ source: at(i, j, k), target: at(i, j + 1, k), technology: 'torus' });
          if (z > 2 || k + 1 < z) if (z > 1) draft.link({ source: at(i, j, k), target: at(i, j, k + 1), technology: 'torus' });
        }
    shapes.push(`${id}=${x}x${y}x${z}`);
  }
  return [['torus', 'host'], { toruses: toruses.length }, { toruses: shapes.join(',') }];
}
