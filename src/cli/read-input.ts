import { closeSync, fstatSync, openSync, readFileSync, readSync } from 'node:fs';
import { FabricPlanError } from '../errors.js';
import { MOST_TEXT } from '../formats/parse-description.js';

/**
 * Text of a file, or of standard input for `-`. Files beyond the limit are refused before they are read.
 *
 * @throws FabricPlanError `parse` or `too-large`
 */
export function readInput(path: string, most = MOST_TEXT): string {
  if (path === '-') return limited(readStandardInput(most), 'standard input');
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
    if (info.size > most) throw new FabricPlanError('too-large', `"${path}" has ${info.size} bytes; expected at most ${most}`);
    return limited(readFileSync(handle, 'utf8'), `"${path}"`);
  } finally {
    closeSync(handle);
  }
}

/** Standard input, read in pieces so that an endless one is refused and not held. */
function readStandardInput(most: number): string {
  const pieces: Buffer[] = [];
  let size = 0;
  try {
    for (;;) {
      const piece = Buffer.allocUnsafe(1 << 20);
      let count: number;
      try {
        count = readSync(0, piece, 0, piece.length, null);
      } catch (cause) {
        const { code } = cause as NodeJS.ErrnoException;
        if (code === 'EOF') break;
        // A terminal or pipe without data yet.
        if (code !== 'EAGAIN') throw cause;
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10);
        continue;
      }
      if (count === 0) break;
      pieces.push(piece.subarray(0, count));
      size += count;
      if (size > most) throw new FabricPlanError('too-large', `standard input has more than ${most} bytes; expected fewer`);
    }
  } catch (cause) {
    if (cause instanceof FabricPlanError) throw cause;
    throw new FabricPlanError('parse', `cannot read standard input: ${(cause as Error).message}`, [], { cause });
  }
  return Buffer.concat(pieces).toString('utf8');
}

function limited(text: string, what: string): string {
  if (text.includes('\u0000')) throw new FabricPlanError('parse', `${what} is no text file; expected text in UTF-8`);
  return text;
}
