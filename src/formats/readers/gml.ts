import { FabricPlanError } from '../../errors.js';
import { draftTopology } from '../topology/draft.js';
import { drawGraph, type GraphEdge, type GraphNode } from '../topology/graph-parts.js';
import type { Scalar, Topology } from '../topology/types.js';
import { finishGraph } from './graphml.js';

const WHERE = 'readGml';
const MOST_DEPTH = 100;

/** A list of GML: keys in order, each with a value or a list of its own. */
interface GmlList {
  readonly entries: { readonly key: string; readonly value: Scalar | GmlList; readonly line: number }[];
}

/**
 * GML, as the Topology Zoo and NetworkX write it. A directed graph that gives every link in both directions has each link once.
 */
export function readGml(text: string, name: string): Topology {
  const draft = draftTopology(WHERE, 'gml', name, 'wide-area');
  const root = parseGml(text);
  const graphs = root.entries.filter(({ key }) => key === 'graph');
  if (graphs.length !== 1) draft.refuse(`the file holds ${graphs.length} graphs; expected one`, graphs[1]?.line ?? 1);
  draft.check();
  const graph = graphs[0].value;
  if (!isList(graph)) draft.refuse('graph is no list; expected graph [ … ]', graphs[0].line);
  draft.check();
  const own = (list: GmlList, key: string): Scalar | GmlList | undefined => list.entries.find((entry) => entry.key === key)?.value;
  const scalars = (list: GmlList, without: readonly string[]): Record<string, Scalar> => {
    const found: Record<string, Scalar> = {};
    for (const { key, value } of list.entries) if (!isList(value) && !without.includes(key) && key !== '__proto__') found[key] = value;
    return found;
  };
  const nodes: GraphNode[] = [];
  const edges: GraphEdge[] = [];
  const list = graph as GmlList;
  const isDirected = Number(own(list, 'directed') ?? 0) === 1;
  for (const { key, value, line } of list.entries) {
    if (key === 'node' && isList(value)) {
      const id = own(value, 'id');
      const label = own(value, 'label');
      if (id === undefined || isList(id)) draft.refuse('a node has no id; expected a number', line);
      else
        nodes.push({
          id: String(id),
          ...(typeof label === 'string' || typeof label === 'number' ? { label: String(label) } : {}),
          attributes: scalars(value, ['id', 'label']),
          line,
        });
    } else if (key === 'edge' && isList(value)) {
      const [source, target] = [own(value, 'source'), own(value, 'target')];
      if (source === undefined || target === undefined || isList(source) || isList(target))
        draft.refuse('an edge has no source or target; expected both', line);
      else
        edges.push({ source: String(source), target: String(target), isDirected, attributes: scalars(value, ['source', 'target']), line });
    }
  }
  const levels = drawGraph(draft, nodes, edges, { isStrict: true });
  return finishGraph(draft, name, levels, scalars(list, ['directed', 'multigraph']), nodes, edges);
}

const isList = (value: Scalar | GmlList): value is GmlList => typeof value === 'object';

const TOKEN = /[ \t\n]+|#[^\n]*(?:\n|$)|([A-Za-z_][\w]*)|([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)(?=[\s\][]|$)|"([^"]*)"|([[\]])/y;

function parseGml(text: string): GmlList {
  const root: GmlList = { entries: [] };
  const stack = [root];
  let key: string | undefined;
  let line = 1;
  let counted = 0;
  const fail = (message: string): never => {
    throw new FabricPlanError('parse', `${WHERE}: line ${line}: ${message}`, [{ path: `line ${line}`, message }]);
  };
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < text.length) {
    const at = TOKEN.lastIndex;
    const token = TOKEN.exec(text);
    for (let next = text.indexOf('\n', counted); next >= 0 && next < at; next = text.indexOf('\n', counted)) {
      line++;
      counted = next + 1;
    }
    if (token === null)
      return fail(`"${text.slice(at, at + 20).split('\n')[0]}" is not understood; expected a key, a number, a text or a bracket`);
    const [, word, number, quoted, bracket] = token as (string | undefined)[];
    if (word !== undefined) {
      if (key !== undefined) {
        // NetworkX writes NAN and INF bare.
        if (/^(NAN|INF)$/i.test(word)) fail(`${key} is ${word}; expected a finite number`);
        fail(`"${word.slice(0, 40)}" follows "${key}"; expected its value`);
      }
      key = word;
    } else if (bracket === '[') {
      if (key === undefined) return fail('a list has no key');
      if (stack.length > MOST_DEPTH) fail(`lists nest deeper than ${MOST_DEPTH}; expected less`);
      const list: GmlList = { entries: [] };
      stack.at(-1)!.entries.push({ key, value: list, line });
      stack.push(list);
      key = undefined;
    } else if (bracket === ']') {
      if (key !== undefined) fail(`"${key}" has no value`);
      if (stack.length === 1) fail('a "]" without "["');
      stack.pop();
    } else if (number !== undefined || quoted !== undefined) {
      if (key === undefined) return fail(`the value ${(number ?? `"${quoted ?? ''}"`).slice(0, 40)} has no key`);
      if (number !== undefined && !Number.isFinite(Number(number))) fail(`${key} is ${number.slice(0, 40)}; expected a finite number`);
      stack.at(-1)!.entries.push({ key, value: number === undefined ? decode(quoted ?? '') : Number(number), line });
      key = undefined;
    }
  }
  if (stack.length > 1 || key !== undefined)
    fail(key === undefined ? `${stack.length - 1} lists are not closed (was the file cut off?)` : `"${key}" has no value`);
  return root;
}

/** Character references, which GML has for everything beyond ASCII. */
const decode = (text: string): string =>
  text.includes('&')
    ? text.replace(/&#(\d{1,7});|&(amp|lt|gt|quot|apos);/g, (whole, code: string | undefined, named: string | undefined) =>
        code !== undefined
          ? Number(code) <= 0x10ffff
            ? String.fromCodePoint(Number(code))
            : whole
          : { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" }[named!]!,
      )
    : text;
