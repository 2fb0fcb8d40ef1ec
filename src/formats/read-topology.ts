import { FabricPlanError, unknownName } from '../errors.js';
import { TOPOLOGY_FORMATS, type TopologyFormat } from './topology-formats.js';
import { cleanText } from './topology/plain-text.js';
import { parseStructured, type StructuredText } from './topology/structured-text.js';
import { summarizeTopology } from './topology/summarize-topology.js';
import type { Topology } from './topology/types.js';

export interface ReadTopologyOptions {
  /** Format by name, instead of by content. */
  readonly from?: string;
  /** Name of the topology and, for a file of one host, of the host. Default `node` for files of one host, else the format's name. */
  readonly name?: string;
  /** Node label keys of Kubernetes that make the topology, broad to narrow. Default: the known set that most nodes carry. */
  readonly labels?: readonly string[];
}

/** Texts that are known and hold no topology: what they are, by a key of their own. */
const NO_TOPOLOGY: readonly (readonly [string, string])[] = [
  ['cohorts', "a generator of workloads for Kueue's performance tests"],
  ['clusterQueueClassesMinUsage', "thresholds of Kueue's performance tests"],
  ['jobTemplate', "a workload of Volcano's benchmarks"],
  ['SuiteDescription', 'a test report'],
  ['kai_scheduler_ref', "results of KAI's scale tests"],
  ['metadata', 'results or metadata without a kind'],
];

const HEAD = 64 * 1024;

/**
 * Reads a topology file of any known format, recognised by its content. What the file does not say is absent: see `coverage` and
 * `warnings`; {@link fabricOfTopology} makes a fabric of it.
 *
 * @throws FabricPlanError `parse` with lines for a broken file, `too-large` beyond the bounds, `unsupported` for a file that is known
 *   and holds no topology, `unknown-name` for a format that is not known
 * @complexity O(characters)
 * @example
 * readTopology('SwitchName=s0 Nodes=n[1-3]').devices.length // 4
 */
export function readTopology(text: string, options: ReadTopologyOptions = {}): Topology {
  const where = 'readTopology';
  const clean = cleanText(text, where);
  let parsed: StructuredText | undefined;
  const structured = (): StructuredText => (parsed ??= parseStructured(clean, where));
  const format = options.from === undefined ? detectFormat(clean, structured) : TOPOLOGY_FORMATS.find(({ name }) => name === options.from);
  if (format === undefined)
    throw unknownName(
      where,
      'format',
      options.from ?? '',
      TOPOLOGY_FORMATS.map(({ name }) => name),
    );
  const name = options.name ?? (format.scope === 'node' ? 'node' : format.name);
  try {
    return warnOfPieces(
      format.read({ text: clean, name, structured, ...(options.labels === undefined ? {} : { labels: options.labels }) }),
    );
  } catch (error) {
    if (error instanceof FabricPlanError) throw error;
    // Parsers recurse: what overflows the stack is nested too deep.
    if (error instanceof RangeError)
      throw new FabricPlanError('parse', `${where}: the file nests too deep for a ${format.title}; expected less`, [], { cause: error });
    throw error;
  }
}

/** A network in several pieces is read, and said to be. */
function warnOfPieces(topology: Topology): Topology {
  if (topology.links.length === 0) return topology;
  const { components } = summarizeTopology(topology);
  if (components < 2) return topology;
  const message = `the network is in ${components} pieces that no link joins`;
  return { ...topology, warnings: [...topology.warnings, { message }] };
}

/**
 * The format of a text.
 *
 * @throws FabricPlanError `parse` or `unsupported`, saying what the text looks like
 */
function detectFormat(text: string, structured: () => StructuredText): TopologyFormat {
  const where = 'readTopology';
  const head = text.slice(0, HEAD);
  if (head.trim() === '')
    throw new FabricPlanError('parse', `${where}: the text is empty; expected a topology file`, [
      { path: 'line 1', message: 'the text is empty' },
    ]);
  const root = rootElement(head);
  if (root !== undefined) {
    const format = TOPOLOGY_FORMATS.find((one) => one.root === root);
    if (format !== undefined) return format;
    throw new FabricPlanError(
      /^\s*<!(ELEMENT|ATTLIST)/m.test(head) ? 'unsupported' : 'parse',
      `${where}: line 1: the XML root element is <${root}>; expected one of ${TOPOLOGY_FORMATS.flatMap((one) => (one.root === undefined ? [] : [`<${one.root}>`])).join(', ')}`,
      [{ path: 'line 1', message: `root element <${root}>` }],
    );
  }
  if (/^\s*(?:<\?xml[^>]*\?>\s*)?(?:<!--[\s\S]*?-->\s*)*<!(ELEMENT|ATTLIST|ENTITY)/.test(head))
    throw new FabricPlanError('unsupported', `${where}: the text is a document type definition and holds no topology`, [
      { path: 'line 1', message: 'a document type definition' },
    ]);
  if (/^\s*</.test(head))
    throw new FabricPlanError('parse', `${where}: line 1: the XML text has no root element; expected one`, [
      { path: 'line 1', message: 'no root element' },
    ]);
  const byText = TOPOLOGY_FORMATS.find((one) => one.matchesText?.(head) === true);
  if (byText !== undefined) return byText;
  const { documents } = structured();
  for (const value of documents) {
    const byValue = TOPOLOGY_FORMATS.find((one) => one.matchesValue?.(value) === true);
    if (byValue !== undefined) return byValue;
  }
  const [first] = documents;
  const item = Array.isArray(first) ? (first[0] as unknown) : first;
  const keys = typeof item === 'object' && item !== null ? Object.keys(item) : [];
  const known = NO_TOPOLOGY.find(([key]) => keys.includes(key));
  const isText = keys.length === 0;
  const what =
    known !== undefined
      ? `is ${known[1]} and holds no topology`
      : isText
        ? 'is of no known format'
        : `has the keys ${keys
            .slice(0, 8)
            .map((key) => key.slice(0, 40))
            .join(', ')}, which no known format has`;
  throw new FabricPlanError(
    known !== undefined ? 'unsupported' : 'parse',
    `${where}: the file ${what}; expected one of ${TOPOLOGY_FORMATS.map(({ name }) => name).join(', ')}`,
    [{ path: 'line 1', message: `the file ${what}` }],
  );
}

/** Name of the first element of an XML text, without parsing it. */
function rootElement(head: string): string | undefined {
  let at = 0;
  const skip = (pattern: RegExp): boolean => {
    pattern.lastIndex = at;
    const found = pattern.exec(head);
    if (found === null) return false;
    at = pattern.lastIndex;
    return true;
  };
  while (skip(/\s+/y) || skip(/<\?[^>]*\?>/y) || skip(/<!--[\s\S]*?-->/y) || skip(/<!DOCTYPE(?:[^>[]|\[[^\]]*\])*>/y)) continue;
  const tag = /<([A-Za-z_][\w.:-]*)/y;
  tag.lastIndex = at;
  return tag.exec(head)?.[1];
}
