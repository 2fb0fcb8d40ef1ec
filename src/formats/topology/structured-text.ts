import { loadAll, YAMLException } from 'js-yaml';
import { LineCounter, parseAllDocuments } from 'yaml';
import { FabricPlanError } from '../../errors.js';
import { lineAt } from './plain-text.js';

/** Longest YAML text; its parser needs some thirty times the memory of the text. JSON may be longer. */
const MOST_YAML = 48 * 1024 * 1024;
/** Texts up to here are parsed again to find the line of a value that is refused. */
const MOST_LOCATED = 512 * 1024;
/** Values of a document, aliases counted as often as they are used. */
const MOST_VALUES = 30_000_000;
const MOST_DEPTH = 100;

/** YAML or JSON documents as plain values. */
export interface StructuredText {
  readonly documents: readonly unknown[];
  /** Line of the value at a path into a document, or of the nearest one around it. */
  lineOf(document: number, path: readonly (string | number)[]): number | undefined;
}

/**
 * Reads JSON, or YAML of one or more documents. Nothing is executed; aliases are references, and a text that unfolds beyond
 * 30 million values is refused.
 *
 * @throws FabricPlanError `parse` with the line, or `too-large`
 * @complexity O(characters)
 */
export function parseStructured(text: string, where: string): StructuredText {
  const isBraced = /^\s*[[{]/.test(text.slice(0, 10_000));
  let documents: readonly unknown[] | undefined;
  if (isBraced) {
    try {
      documents = [JSON.parse(text) as unknown];
    } catch (cause) {
      // A YAML flow mapping starts with a brace too: what is no JSON may still be YAML.
      if (text.length > MOST_LOCATED || /^\s*[[{]\s*"/.test(text.slice(0, 10_000))) throw jsonError(text, where, cause as Error);
    }
  }
  documents ??= parseYaml(text, where);
  for (const document of documents) checkSize(document, where);
  return { documents, lineOf: lineFinder(text) };
}

function parseYaml(text: string, where: string): readonly unknown[] {
  if (text.length > MOST_YAML)
    throw new FabricPlanError('too-large', `${where}: the YAML text has ${text.length} characters; expected at most ${MOST_YAML}, or JSON`);
  try {
    return loadAll(text).filter((document) => document !== null && document !== undefined);
  } catch (cause) {
    const line = cause instanceof YAMLException && cause.mark !== undefined ? cause.mark.line + 1 : undefined;
    const message = `not valid YAML: ${cause instanceof YAMLException ? cause.reason : (cause as Error).message}`;
    throw new FabricPlanError(
      'parse',
      `${where}: ${line === undefined ? '' : `line ${line}: `}${message}`,
      line === undefined ? [] : [{ path: `line ${line}`, message }],
      { cause },
    );
  }
}

function jsonError(text: string, where: string, cause: Error): FabricPlanError {
  const offset = /position (\d+)/.exec(cause.message)?.[1];
  const line = lineAt(text, offset === undefined ? text.length : Number(offset));
  const message = `not valid JSON: ${cause.message}`;
  return new FabricPlanError('parse', `${where}: line ${line}: ${message}`, [{ path: `line ${line}`, message }], { cause });
}

/** Refuses what nests too deep or unfolds into too much: an alias bomb is small until it is walked. */
function checkSize(root: unknown, where: string): void {
  let count = 0;
  const visit = (value: unknown, depth: number): void => {
    if (typeof value !== 'object' || value === null) return;
    if (depth > MOST_DEPTH) throw new FabricPlanError('parse', `${where}: the text nests deeper than ${MOST_DEPTH} levels; expected less`);
    const items = Array.isArray(value) ? value : Object.values(value);
    if ((count += items.length) > MOST_VALUES)
      throw new FabricPlanError('too-large', `${where}: the text unfolds into more than ${MOST_VALUES} values; expected fewer aliases`);
    for (const item of items) visit(item, depth + 1);
  };
  visit(root, 0);
}

/** Finds lines in a text that is parsed again for it, once and only when a line is wanted. */
function lineFinder(text: string): StructuredText['lineOf'] {
  let located:
    | { readonly documents: readonly { getIn(path: Iterable<unknown>, keepScalar: boolean): unknown }[]; readonly lines: LineCounter }
    | undefined;
  const locate = (): NonNullable<typeof located> => {
    const lines = new LineCounter();
    try {
      const parsed = parseAllDocuments(text, { lineCounter: lines, logLevel: 'silent', uniqueKeys: false });
      return { documents: Array.isArray(parsed) ? parsed.filter((one) => one.contents !== null) : [], lines };
    } catch {
      // A text that only the other parser takes has no lines to offer.
      return { documents: [], lines };
    }
  };
  return (document, path) => {
    if (text.length > MOST_LOCATED) return undefined;
    located ??= locate();
    for (let length = path.length; length >= 0; length--) {
      try {
        const node = located.documents[document]?.getIn(path.slice(0, length), true) as
          { range?: readonly [number, number, number] } | undefined;
        if (node?.range !== undefined) return located.lines.linePos(node.range[0]).line;
      } catch {
        // A path through a scalar or an alias: the value around it will do.
      }
    }
    return undefined;
  };
}
