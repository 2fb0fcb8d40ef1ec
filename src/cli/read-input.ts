import { closeSync, fstatSync, openSync, readFileSync, readSync } from 'node:fs';
import { FabricPlanError } from '../errors.js';
import { MOST_TEXT } from '../formats/parse-description.js';

/**
 * Text of a file, or of standard input for `-`. Files beyond the limit are refused before they are read.
 *
 * @throws FabricPlanError `parse` or `too-large`
 */
export function readInput(path: string, most = MOST_TEXT): string {
  if (path === '-') return decode(readStandardInput(most), 'standard input');
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
    return decode(readFileSync(handle), `"${path}"`);
  } finally {
    closeSync(handle);
  }
}

/** Standard input, read in pieces so that an endless one is refused and not held. */
function readStandardInput(most: number): Buffer {
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
  return Buffer.concat(pieces);
}

/** Bytes as text: by byte order mark, by the encoding that an XML declaration names, else UTF-8, which must be valid. */
function decode(bytes: Buffer, what: string): string {
  const marked = bytes[0] === 0xff && bytes[1] === 0xfe ? 'utf-16le' : bytes[0] === 0xfe && bytes[1] === 0xff ? 'utf-16be' : undefined;
  const declared = /^(?:\xef\xbb\xbf)?\s*<\?xml[^>]*encoding=["']([A-Za-z0-9._-]{1,40})["']/.exec(bytes.toString('latin1', 0, 300))?.[1];
  const label = marked ?? declared ?? 'utf-8';
  let decoder: InstanceType<typeof TextDecoder>;
  try {
    decoder = new TextDecoder(label, { fatal: true });
  } catch (cause) {
    throw new FabricPlanError('parse', `${what} is in the encoding "${label}", which is not known; expected UTF-8`, [], { cause });
  }
  let text: string;
  try {
    text = decoder.decode(bytes);
  } catch (cause) {
    const message = `byte ${firstInvalid(bytes, label) + 1} is not valid ${label.toUpperCase()}`;
    throw new FabricPlanError(
      'parse',
      `${what}: ${message}; expected text in UTF-8`,
      [{ path: `byte ${firstInvalid(bytes, label) + 1}`, message }],
      { cause },
    );
  }
  if (text.includes('\u0000')) throw new FabricPlanError('parse', `${what} is no text file; expected text in UTF-8`);
  return text;
}

/** Where bytes stop being valid, by halving. */
function firstInvalid(bytes: Buffer, label: string): number {
  let valid = 0;
  let invalid = bytes.length;
  while (invalid - valid > 1) {
    const middle = (valid + invalid) >> 1;
    try {
      // A character cut in the middle is no error yet.
      new TextDecoder(label, { fatal: true }).decode(bytes.subarray(0, middle), { stream: true });
      valid = middle;
    } catch {
      invalid = middle;
    }
  }
  return valid;
}
