import type { Move, Transfers } from '../types.js';

/** Collects transfers of a phase. */
export interface TransferList {
  add(source: number, target: number, share: number): void;
  finish(): Transfers;
}

export function listTransfers(): TransferList {
  const source: number[] = [];
  const target: number[] = [];
  const share: number[] = [];
  return {
    add(from, to, part) {
      source.push(from);
      target.push(to);
      share.push(part);
    },
    finish: () => ({ source: Int32Array.from(source), target: Int32Array.from(target), share: Float64Array.from(share) }),
  };
}

/** One movement of chunks that the target adds to its own. */
export const adds = (source: number, target: number, start: number, end: number): Move => ({ source, target, start, end, reduces: true });
/** One movement of chunks that the target takes over. */
export const copies = (source: number, target: number, start: number, end: number): Move => ({
  source,
  target,
  start,
  end,
  reduces: false,
});

export const modulo = (value: number, n: number): number => ((value % n) + n) % n;
