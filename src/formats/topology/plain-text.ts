import { FabricPlanError } from '../../errors.js';

/** Longest topology text that is read; a dump of ten thousand Kubernetes nodes has some 150 MB. */
export const MOST_TOPOLOGY_TEXT = 256 * 1024 * 1024;
/** Longest line; a hostlist of a million names has some ten megabytes. */
const MOST_LINE = 16 * 1024 * 1024;

export interface TextLine {
  readonly text: string;
  /** Counted from 1. */
  readonly number: number;
}

/**
 * Text as it was before terminals and editors touched it: no byte order mark, no colour codes, line ends as one character.
 *
 * @throws FabricPlanError `too-large`; `parse` for text with zero bytes, which is no text
 */
export function cleanText(text: string, where: string): string {
  if (text.length > MOST_TOPOLOGY_TEXT)
    throw new FabricPlanError('too-large', `${where}: the text has ${text.length} characters; expected at most ${MOST_TOPOLOGY_TEXT}`);
  const zero = text.indexOf('\u0000');
  if (zero >= 0) {
    const message = `the text has a zero byte at character ${zero + 1}: it is binary, or UTF-16; expected UTF-8 text`;
    throw new FabricPlanError('parse', `${where}: ${message}`, [{ path: `character ${zero + 1}`, message }]);
  }
  let clean = text.charCodeAt(0) === 0xfeff ? text.slice(1) : text;
  if (clean.includes('\r')) clean = clean.replace(/\r\n?/g, '\n');
  // eslint-disable-next-line no-control-regex -- the escape character is what is to go
  if (clean.includes('\u001b')) clean = clean.replace(/\u001b\[[\d;]*[A-Za-z]/g, '');
  return clean;
}

/** Lines with their numbers. */
export function* linesOf(text: string, where: string): Generator<TextLine> {
  let start = 0;
  for (let number = 1; start <= text.length; number++) {
    let end = text.indexOf('\n', start);
    if (end < 0) end = text.length;
    if (end - start > MOST_LINE)
      throw new FabricPlanError('too-large', `${where}: line ${number} has ${end - start} characters; expected at most ${MOST_LINE}`);
    yield { text: text.slice(start, end), number };
    start = end + 1;
  }
}

/** Line of a place in a text, counted from 1. */
export function lineAt(text: string, offset: number): number {
  let line = 1;
  for (let at = text.indexOf('\n'); at >= 0 && at < offset; at = text.indexOf('\n', at + 1)) line++;
  return line;
}

/** Value of an own key of a plain object; undefined for everything else. */
export function own(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, key) ? (value as Record<string, unknown>)[key] : undefined;
}
export const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
export const textOf = (value: unknown): string | undefined =>
  typeof value === 'string' ? value : typeof value === 'number' && Number.isFinite(value) ? String(value) : undefined;
/** A finite number, also where the file quotes it. */
export function numberOf(value: unknown): number | undefined {
  const number = typeof value === 'number' ? value : typeof value === 'string' && value.trim() !== '' ? Number(value) : NaN;
  return Number.isFinite(number) ? number : undefined;
}
export const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
