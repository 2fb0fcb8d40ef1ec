import type { CollectiveAlgorithm, Move, Phase, Trace } from '../types.js';
import { fold, isPowerOfTwo } from './recursive-doubling.js';
import { adds, copies, listTransfers } from './transfers.js';

/**
 * Recursive halving and doubling (Rabenseifner): a reduce-scatter that exchanges halves, quarters, …, then an all-gather that runs it
 * backwards.
 *
 * Over a power of two: 2 log2(n)·α + 2(n − 1)/n · bytes·β: as few bytes as the ring in logarithmic time, but with partners far apart,
 * which loads oversubscribed fabrics. Other rank counts fold the surplus ranks first: two more steps of the whole buffer.
 *
 * @complexity O(n log n)
 * @reference Thakur, Rabenseifner & Gropp, Int. J. High Perform. Comput. Appl. 19(1), 2005
 */
export const recursiveHalvingDoubling: CollectiveAlgorithm = {
  name: 'recursive-halving-doubling',
  operations: ['all-reduce', 'reduce-scatter', 'all-gather'],
  refusal: (shape, operation) =>
    operation !== 'all-reduce' && !isPowerOfTwo(shape.rankCount)
      ? `${operation} by halving and doubling needs a power of two of ranks`
      : undefined,
  phases(shape, operation): Phase[] {
    const { core, surplus, rankOf } = fold(shape.rankCount);
    const known = new Map<number, Phase['transfers']>();
    const exchange = (distance: number, label: string): Phase => {
      const list = listTransfers();
      if (!known.has(distance)) for (let i = 0; i < core; i++) list.add(rankOf(i), rankOf(i ^ distance), distance / core);
      const transfers = known.get(distance) ?? list.finish();
      known.set(distance, transfers);
      return { label: `${label} at distance ${distance}`, transfers };
    };
    const whole = (label: string, isOut: boolean): Phase => {
      const list = listTransfers();
      for (let s = 0; s < surplus; s++) list.add(isOut ? 2 * s : 2 * s + 1, isOut ? 2 * s + 1 : 2 * s, 1);
      return { label, transfers: list.finish() };
    };
    const distances = Array.from({ length: Math.log2(core) }, (_, i) => 2 ** i);
    return [
      ...(surplus > 0 ? [whole('fold surplus ranks', false)] : []),
      ...(operation === 'all-gather' ? [] : [...distances].reverse().map((distance) => exchange(distance, 'halve'))),
      ...(operation === 'reduce-scatter' ? [] : distances.map((distance) => exchange(distance, 'double'))),
      ...(surplus > 0 ? [whole('unfold surplus ranks', true)] : []),
    ];
  },
  trace(shape, operation): Trace {
    const { core, surplus, rankOf } = fold(shape.rankCount);
    const steps: Move[][] = [];
    const each = (distance: number, move: (i: number, partner: number) => Move): void => {
      steps.push(Array.from({ length: core }, (_, i) => move(i, i ^ distance)));
    };
    if (surplus > 0) steps.push(Array.from({ length: surplus }, (_, s) => adds(2 * s + 1, 2 * s, 0, core)));
    if (operation !== 'all-gather') {
      for (let distance = core >> 1; distance >= 1; distance >>= 1) {
        // The partner keeps the aligned block of `distance` chunks that holds its own number: send it that.
        each(distance, (i, partner) => adds(rankOf(i), rankOf(partner), partner & ~(distance - 1), (partner & ~(distance - 1)) + distance));
      }
    }
    if (operation !== 'reduce-scatter') {
      for (let distance = 1; distance < core; distance <<= 1) {
        each(distance, (i, partner) => copies(rankOf(i), rankOf(partner), i & ~(distance - 1), (i & ~(distance - 1)) + distance));
      }
    }
    if (surplus > 0) steps.push(Array.from({ length: surplus }, (_, s) => copies(2 * s, 2 * s + 1, 0, core)));
    return { chunks: core, steps };
  },
};
