import { draftTopology } from '../topology/draft.js';
import { linesOf } from '../topology/plain-text.js';
import { topologyOfSndlib, type SndlibDemand, type SndlibLink, type SndlibNode } from '../topology/sndlib-parts.js';
import type { Topology } from '../topology/types.js';

const WHERE = 'readSndlibNative';
const NODE = /^(\S+)(?:\s*\(\s*(\S+)\s+(\S+)\s*\))?$/;
const LINK = /^(\S+)\s*\(\s*(\S+)\s+(\S+)\s*\)\s+(\S+)\s+(\S+)\s+(\S+)\s+(\S+)\s*\(([^)]*)\)$/;
const DEMAND = /^(\S+)\s*\(\s*(\S+)\s+(\S+)\s*\)\s+(\S+)\s+(\S+)\s+(\S+)$/;

export const isSndlibNative = (text: string): boolean => /^\s*\?SNDlib native format/.test(text);

/** SNDlib's native format: sections META, NODES, LINKS, DEMANDS; admissible paths are left out. */
export function readSndlibNative(text: string, name: string): Topology {
  const draft = draftTopology(WHERE, 'sndlib-native', name, 'wide-area');
  const meta: Record<string, string> = {};
  const nodes: SndlibNode[] = [];
  const links: SndlibLink[] = [];
  const demands: SndlibDemand[] = [];
  let section: string | undefined;
  let opened = 0;
  let paths = 0;
  const number = (value: string, what: string, line: number): number => {
    const parsed = Number(value);
    if (!Number.isFinite(parsed)) draft.refuse(`${what} is "${value.slice(0, 40)}"; expected a number`, line);
    return parsed;
  };
  for (const { text: raw, number: line } of linesOf(text, WHERE)) {
    const content = raw.replace(/#.*$/, '').trim();
    if (content === '' || content.startsWith('?')) continue;
    const start = /^([A-Z_]+)\s*\($/.exec(content);
    if (section === undefined) {
      if (start === null) draft.refuse(`"${content.slice(0, 60)}" stands outside a section; expected NODES (, LINKS (, DEMANDS (`, line);
      else {
        section = start[1];
        opened = line;
        if (!['META', 'NODES', 'LINKS', 'DEMANDS', 'ADMISSIBLE_PATHS'].includes(section))
          draft.warn(`section ${section} is not known and left out`, line);
      }
    } else if (section === 'ADMISSIBLE_PATHS') {
      // Each demand has a list of its own.
      paths += /\($/.test(content) ? 1 : 0;
      if (content === ')') {
        if (paths === 0) section = undefined;
        else paths--;
      }
    } else if (content === ')') section = undefined;
    else if (section === 'META') {
      const found = /^(\S+)\s*=\s*(.*)$/.exec(content);
      if (found !== null && found[1] !== '__proto__') meta[found[1]] = found[2];
    } else if (section === 'NODES') {
      const found = NODE.exec(content);
      if (found === null) draft.refuse(`"${content.slice(0, 60)}" is no node; expected name ( longitude latitude )`, line);
      else
        nodes.push({
          id: found[1],
          ...((found[2] as string | undefined) === undefined
            ? {}
            : { x: number(found[2], 'longitude', line), y: number(found[3], 'latitude', line) }),
          line,
        });
    } else if (section === 'LINKS') {
      const found = LINK.exec(content);
      if (found === null) {
        draft.refuse(
          `"${content.slice(0, 60)}" is no link; expected name ( source target ) capacity cost routing setup ( {capacity cost}* )`,
          line,
        );
        continue;
      }
      const [, id, source, target, capacity, capacityCost, routingCost, setupCost, rest] = found;
      const values =
        rest.trim() === ''
          ? []
          : rest
              .trim()
              .split(/\s+/)
              .map((value) => number(value, 'a module', line));
      if (values.length % 2 === 1)
        draft.refuse(`link "${id}" has ${values.length} module values; expected pairs of capacity and cost`, line);
      links.push({
        id,
        source,
        target,
        capacity: number(capacity, 'capacity', line),
        capacityCost: number(capacityCost, 'cost', line),
        routingCost: number(routingCost, 'routing cost', line),
        setupCost: number(setupCost, 'setup cost', line),
        modules: Array.from({ length: Math.floor(values.length / 2) }, (_, i) => ({ capacity: values[2 * i], cost: values[2 * i + 1] })),
        line,
      });
    } else if (section === 'DEMANDS') {
      const found = DEMAND.exec(content);
      if (found === null) draft.refuse(`"${content.slice(0, 60)}" is no demand; expected name ( source target ) unit value paths`, line);
      else demands.push({ id: found[1], source: found[2], target: found[3], value: number(found[5], 'demand value', line), line });
    }
  }
  if (section !== undefined) draft.refuse(`section ${section} is not closed (was the file cut off?)`, opened);
  draft.check();
  // The native form does not say whether coordinates are geographic: those off the globe are pixels.
  const isGeographical = nodes.every(({ x = 0, y = 0 }) => Math.abs(y) <= 90 && Math.abs(x) <= 180);
  return topologyOfSndlib(WHERE, 'sndlib-native', name, { meta, isGeographical, nodes, links, demands });
}
