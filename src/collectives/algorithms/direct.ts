import type { CollectiveAlgorithm, Move, Phase, Trace, Transfers } from '../types.js';
import { adds, copies } from './transfers.js';

/**
 * Direct: every rank sends each other rank its part at once. Two steps for an all-reduce, one for the rest.
 *
 * On a full mesh of links this is optimal in latency and bandwidth; through one NIC the n − 1 messages share it, and the step overheads
 * of large n, which this model leaves out, come on top.
 *
 * @complexity O(n) where all pairs are equal and O(n²) on irregular fabrics
 */
export const direct: CollectiveAlgorithm = {
  name: 'direct',
  operations: ['all-reduce', 'reduce-scatter', 'all-gather', 'broadcast', 'reduce', 'all-to-all', 'send-receive'],
  refusal: (shape, operation) =>
    shape.rankCount > 256 && operation !== 'all-to-all' && operation !== 'send-receive'
      ? 'direct exchange is for at most 256 ranks'
      : undefined,
  phases(shape, operation): Phase[] {
    const n = shape.rankCount;
    const scatter: Phase = { label: 'reduce-scatter', transfers: { everyPair: 1 / n } };
    const gather: Phase = { label: 'all-gather', transfers: { everyPair: 1 / n } };
    switch (operation) {
      case 'all-reduce':
        return [scatter, gather];
      case 'reduce-scatter':
        return [scatter];
      case 'all-gather':
        return [gather];
      case 'all-to-all':
        return [{ label: 'exchange', transfers: { everyPair: 1 / n } }];
      case 'broadcast':
        return [{ label: 'broadcast', transfers: star(n, (i) => [0, i]) }];
      case 'reduce':
        return [{ label: 'reduce', transfers: star(n, (i) => [i, 0]) }];
      case 'send-receive':
        return [
          {
            label: 'shift by one',
            transfers: {
              source: Int32Array.from({ length: n }, (_, i) => i),
              target: Int32Array.from({ length: n }, (_, i) => (i + 1) % n),
              share: new Float64Array(n).fill(1),
            },
          },
        ];
    }
  },
  trace(shape, operation): Trace {
    const n = shape.rankCount;
    const others = (rank: number): number[] => Array.from({ length: n }, (_, i) => i).filter((i) => i !== rank);
    const pairs = (move: (a: number, b: number) => Move): Move[] =>
      Array.from({ length: n }, (_, a) => others(a).map((b) => move(a, b))).flat();
    const scatter = pairs((a, b) => adds(a, b, b, b + 1));
    const gather = pairs((a, b) => copies(a, b, a, a + 1));
    switch (operation) {
      case 'all-reduce':
        return { chunks: n, steps: [scatter, gather] };
      case 'reduce-scatter':
        return { chunks: n, steps: [scatter] };
      case 'all-gather':
        return { chunks: n, steps: [gather] };
      case 'all-to-all':
        return { chunks: n, steps: [pairs((a, b) => copies(a, b, a * n + b, a * n + b + 1))] };
      case 'broadcast':
        return { chunks: 1, steps: [others(0).map((i) => copies(0, i, 0, 1))] };
      case 'reduce':
        return { chunks: 1, steps: [others(0).map((i) => adds(i, 0, 0, 1))] };
      case 'send-receive':
        return { chunks: 1, steps: [Array.from({ length: n }, (_, i) => copies(i, (i + 1) % n, i, i + 1))] };
    }
  },
};

function star(n: number, ends: (i: number) => [number, number]): Transfers {
  const pairs = Array.from({ length: n - 1 }, (_, i) => ends(i + 1));
  return {
    source: Int32Array.from(pairs, ([a]) => a),
    target: Int32Array.from(pairs, ([, b]) => b),
    share: new Float64Array(n - 1).fill(1),
  };
}
