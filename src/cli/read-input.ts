import { closeSync, fstatSync, openSync, readFileSync } from 'node:fs';
import { FabricPlanError } from '../errors.js';
import { MOST_TEXT } from '../formats/parse-description.js';

/**
 * Text of a file, or of standard input for `-`. Files beyond the limit are refused before they are read.
 *
 * @throws FabricPlanError `parse` or `too-large`
 */
export function readInput(path: string): string {
  if (path === '-') return limited(readStandardInput(), 'standard input');
  let handle: number;
  try {
    handle = openSync(path, 'r');
  } catch (cause) {
    throw new FabricPlanError(
      'parse',
      `cannot read "${path}": ${(cause as NodeJS.ErrnoException).code === 'ENOENT' ? 'no such file' : (cause as Error).message}`,
      [],
      { cause },
    );
  }
  try {
    const info = fstatSync(handle);
    if (info.isDirectory()) throw new FabricPlanError('parse', `cannot read "${path}": it is a folder; expected a file`);
    if (info.size > MOST_TEXT) throw new FabricPlanError('too-large', `"${path}" has ${info.size} bytes; expected at most ${MOST_TEXT}`);
    return limited(readFileSync(handle, 'utf8'), `"${path}"`);
  } finally {
    closeSync(handle);
  }
}

function readStandardInput(): string {
  try {
    return readFileSync(0, 'utf8');
  } catch (cause) {
    throw new FabricPlanError('parse', `cannot read standard input: ${(cause as Error).message}`, [], { cause });
  }
}

function limited(text: string, what: string): string {
  if (text.includes('\u0000')) throw new FabricPlanError('parse', `${what} is no text file; expected YAML or JSON`);
  return text;
}
