import { FabricPlanError } from '../../errors.js';
import { expandHostlist } from '../../fabric/expand-hostlist.js';
import { draftTopology, type Draft } from '../topology/draft.js';
import { drawHostTree, type TreeSwitch } from '../topology/host-tree.js';
import { drawBlocks, type SlurmBlock } from '../topology/slurm-blocks.js';
import { linesOf } from '../topology/plain-text.js';
import type { Topology } from '../topology/types.js';

const WHERE = 'readSlurmConf';
/** Most nodes of a ring, as Slurm has it. */
export const MOST_RING = 16;
const KEYS: Readonly<Record<string, readonly string[]>> = {
  switchname: ['switches', 'nodes', 'linkspeed', 'level'],
  blockname: ['nodes', 'blocksize', 'blockindex'],
  ringname: ['nodes'],
};

/** Whether a line is one of Slurm's topology.conf, or of `scontrol show topology`. */
export const isSlurmLine = (line: string): boolean => /^\s*(SwitchName|BlockName|BlockSizes|RingName|TopologyName)\s*=/i.test(line);

/** A hostlist of a file, with its problems noted there. */
export function hostsOf(draft: Draft, text: string, line: number | undefined, most = 1_000_000): string[] {
  try {
    return expandHostlist(text, most);
  } catch (error) {
    if (!(error instanceof FabricPlanError)) throw error;
    if (error.code === 'too-large')
      throw new FabricPlanError('too-large', line === undefined ? error.message : `line ${line}: ${error.message}`, [], { cause: error });
    draft.refuse(error.message.replace('expandHostlist: ', ''), line);
    return [];
  }
}

/**
 * Slurm's `topology.conf` for the tree, block and ring plug-ins, and what `scontrol show topology` prints. Trees may be forests, or
 * several trees over the same leaves. `LinkSpeed` has no unit and no effect in Slurm: it is kept as text, never read as a rate.
 */
export function readSlurmConf(text: string, name: string): Topology {
  const draft = draftTopology(WHERE, 'slurm-conf', name, 'cluster');
  const switches: TreeSwitch[] = [];
  const blocks: SlurmBlock[] = [];
  const rings: SlurmBlock[] = [];
  let sizes: number[] = [];
  let sizesLine: number | undefined;
  let isReport = false;
  let budget = 1_000_000;
  const hosts = (value: string | undefined, line: number): string[] => {
    if (value === undefined || value === '' || value === '(null)') return [];
    const list = hostsOf(draft, value, line, budget);
    budget -= list.length;
    return list;
  };
  for (const { text: raw, number } of joinedLines(text)) {
    const line = raw.replace(/(^|\s)#.*$/, '').trim();
    if (line === '') continue;
    const entries = [...line.matchAll(/([A-Za-z]+)\s*=\s*(\S*)/g)].map(([, key, value]) => [key.toLowerCase(), value] as const);
    const leftover = line.replace(/[A-Za-z]+\s*=\s*\S*/g, '').trim();
    if (leftover !== '' || entries.length === 0) {
      draft.refuse(
        `"${(leftover || line).slice(0, 60)}" is not understood; expected SwitchName=, BlockName=, BlockSizes= or RingName=`,
        number,
      );
      continue;
    }
    const [kind, id] = entries[0];
    const values = new Map(entries);
    if (values.size < entries.length) draft.refuse(`a key occurs twice in "${line.slice(0, 60)}"; expected each once`, number);
    if (kind === 'blocksizes') {
      sizesLine = number;
      sizes = id.split(',').map(Number);
      if (sizes.length > 64 || sizes.some((size) => !Number.isInteger(size) || size < 1))
        draft.refuse(`BlockSizes is "${id.slice(0, 60)}"; expected whole numbers such as 4,8,16`, number);
      continue;
    }
    const allowed = Object.hasOwn(KEYS, kind) ? KEYS[kind] : undefined;
    if (allowed === undefined) {
      draft.refuse(`"${entries[0][0]}" is no key that starts a line; expected SwitchName, BlockName, BlockSizes or RingName`, number);
      continue;
    }
    for (const key of values.keys())
      if (key !== kind && !allowed.includes(key))
        draft.refuse(`${kind} "${id}" has the key "${key}"; expected ${allowed.join(', ')}`, number);
    if (id === '') draft.refuse(`${kind} is empty; expected a name`, number);
    if (kind === 'switchname') {
      if (values.has('level')) isReport = true;
      const children = values.get('switches');
      const nodes = values.get('nodes');
      const isInner = (children ?? '') !== '' && children !== '(null)';
      if (!isReport && isInner && (nodes ?? '') !== '')
        draft.refuse(`switch "${id}" has Switches and Nodes; expected one of the two`, number);
      if (!isInner && ((nodes ?? '') === '' || nodes === '(null)')) draft.warn(`switch "${id}" has neither switches nor nodes`, number);
      const speed = values.get('linkspeed');
      const names = values.has('level') ? [id] : hosts(id, number);
      for (const one of names)
        switches.push({
          id: one,
          children: isInner ? hosts(children, number) : [],
          // A report lists all nodes below an inner switch; only those of leaves are its own.
          hosts: isInner ? [] : hosts(nodes, number),
          line: number,
          ...(speed === undefined ? {} : { attributes: { LinkSpeed: speed } }),
        });
    } else (kind === 'blockname' ? blocks : rings).push({ id, hosts: hosts(values.get('nodes'), number), line: number });
  }
  const kinds = [switches, blocks, rings].filter((list) => list.length > 0).length;
  if (kinds === 0) draft.refuse('there is no SwitchName, BlockName or RingName; expected a topology.conf', 1);
  if (kinds > 1) draft.refuse('the file mixes switches, blocks and rings; expected the lines of one plug-in', 1);
  for (const { id, hosts: own, line } of rings)
    if (own.length > MOST_RING) draft.refuse(`ring "${id}" has ${own.length} nodes; expected at most ${MOST_RING}`, line);
  draft.check();
  const levels =
    switches.length > 0
      ? drawHostTree(draft, switches, 'uplink')
      : blocks.length > 0
        ? drawBlocks(draft, blocks, sizes, sizesLine)
        : drawRings(draft, rings);
  const roots = switches.length - new Set(switches.flatMap(({ children }) => children)).size;
  if (roots > 1) draft.warn(`the tree has ${roots} top switches`);
  if (switches.length > 0) draft.warn('Slurm knows no rates: links have none');
  return draft.finish({
    levels,
    contents: { SwitchName: switches.length, BlockName: blocks.length, RingName: rings.length, 'BlockSizes entries': sizes.length },
    attributes: {
      plugin: switches.length > 0 ? 'tree' : blocks.length > 0 ? 'block' : 'ring',
      ...(sizes.length > 0 ? { BlockSizes: sizes.join(',') } : {}),
      ...(blocks.length > 0 ? { blocks: blocks.map(({ id }) => id).join(',') } : {}),
    },
  });
}

/** Rings: every node joined to the next, the last to the first. */
export function drawRings(draft: Draft, rings: readonly SlurmBlock[]): string[] {
  for (const { id, hosts, line } of rings) {
    for (const host of hosts) {
      if (draft.has(host)) draft.refuse(`node "${host}" is in two rings; expected one`, line);
      draft.device({ id: host, kind: 'host', location: [id, host] });
    }
    hosts.forEach((host, i) => {
      if (hosts.length > 2 || i === 0)
        if (hosts.length > 1) draft.link({ source: host, target: hosts[(i + 1) % hosts.length], technology: 'ring' });
    });
  }
  return ['ring', 'host'];
}

/** Lines, those that end in a backslash joined with the next. */
function* joinedLines(text: string): Generator<{ text: string; number: number }> {
  let open: { text: string; number: number } | undefined;
  for (const { text: line, number } of linesOf(text, WHERE)) {
    const start = open ?? { text: '', number };
    if (line.endsWith('\\')) {
      open = { text: start.text + line.slice(0, -1), number: start.number };
      continue;
    }
    open = undefined;
    yield { text: start.text + line, number: start.number };
  }
  if (open !== undefined) yield open;
}
