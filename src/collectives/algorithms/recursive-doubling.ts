import type { CollectiveAlgorithm, Move, Phase, Trace } from '../types.js';
import { adds, copies, listTransfers } from './transfers.js';

/**
 * Recursive doubling: in step i every rank exchanges with the rank whose number differs in bit i. All-reduce sends the whole buffer
 * each time; all-gather sends all that is held, which doubles.
 *
 * All-reduce over a power of two costs log2(n)·(α + bytes·β): few steps, many bytes; for short messages. Other rank counts fold the
 * surplus ranks onto partners first and unfold them at the end: two more steps.
 *
 * @complexity O(n log n)
 * @reference Thakur, Rabenseifner & Gropp, Int. J. High Perform. Comput. Appl. 19(1), 2005
 */
export const recursiveDoubling: CollectiveAlgorithm = {
  name: 'recursive-doubling',
  operations: ['all-reduce', 'all-gather'],
  refusal: (shape, operation) =>
    operation === 'all-gather' && !isPowerOfTwo(shape.rankCount)
      ? 'all-gather by recursive doubling needs a power of two of ranks'
      : undefined,
  phases(shape, operation): Phase[] {
    const n = shape.rankCount;
    const { core, surplus, rankOf } = fold(n);
    const phases: Phase[] = [];
    const foldPhase = (label: string, isOut: boolean): Phase => {
      const list = listTransfers();
      for (let s = 0; s < surplus; s++) list.add(isOut ? 2 * s : 2 * s + 1, isOut ? 2 * s + 1 : 2 * s, 1);
      return { label, transfers: list.finish() };
    };
    if (surplus > 0) phases.push(foldPhase('fold surplus ranks', false));
    for (let bit = 1; bit < core; bit <<= 1) {
      const list = listTransfers();
      for (let i = 0; i < core; i++) list.add(rankOf(i), rankOf(i ^ bit), operation === 'all-gather' ? bit / n : 1);
      phases.push({ label: `exchange at distance ${bit}`, transfers: list.finish() });
    }
    if (surplus > 0) phases.push(foldPhase('unfold surplus ranks', true));
    return phases;
  },
  trace(shape, operation): Trace {
    const n = shape.rankCount;
    const { core, surplus, rankOf } = fold(n);
    const steps: Move[][] = [];
    if (operation === 'all-gather') {
      for (let bit = 1; bit < n; bit <<= 1) {
        // Rank i holds the aligned block of size `bit` around i.
        steps.push(Array.from({ length: n }, (_, i) => copies(i, i ^ bit, i & ~(bit - 1), (i & ~(bit - 1)) + bit)));
      }
      return { chunks: n, steps };
    }
    if (surplus > 0) steps.push(Array.from({ length: surplus }, (_, s) => adds(2 * s + 1, 2 * s, 0, 1)));
    for (let bit = 1; bit < core; bit <<= 1) steps.push(Array.from({ length: core }, (_, i) => adds(rankOf(i), rankOf(i ^ bit), 0, 1)));
    if (surplus > 0) steps.push(Array.from({ length: surplus }, (_, s) => copies(2 * s, 2 * s + 1, 0, 1)));
    return { chunks: 1, steps };
  },
};

/** The largest power of two, how many ranks are over, and which rank plays core rank i: of the first 2·surplus ranks the even ones. */
export function fold(n: number): { core: number; surplus: number; rankOf: (i: number) => number } {
  const core = 2 ** Math.floor(Math.log2(n));
  const surplus = n - core;
  return { core, surplus, rankOf: (i) => (i < surplus ? 2 * i : i + surplus) };
}

export const isPowerOfTwo = (n: number): boolean => n >= 1 && (n & (n - 1)) === 0;
