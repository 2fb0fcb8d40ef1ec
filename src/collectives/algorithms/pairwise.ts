import type { CollectiveAlgorithm, Phase, Trace } from '../types.js';
import { copies } from './transfers.js';

/**
 * Pairwise exchange: all-to-all in n − 1 steps; in step k rank i sends to rank i + k. Every step loads each port once, at the price of
 * n − 1 latencies.
 *
 * @complexity O(n²)
 * @reference Thakur, Rabenseifner & Gropp, Int. J. High Perform. Comput. Appl. 19(1), 2005
 */
export const pairwise: CollectiveAlgorithm = {
  name: 'pairwise',
  operations: ['all-to-all'],
  refusal: (shape) => (shape.rankCount > 128 ? 'pairwise exchange is for at most 128 ranks' : undefined),
  phases(shape): Phase[] {
    const n = shape.rankCount;
    return Array.from({ length: n - 1 }, (_, k) => ({
      label: `shift by ${k + 1}`,
      transfers: {
        source: Int32Array.from({ length: n }, (_, i) => i),
        target: Int32Array.from({ length: n }, (_, i) => (i + k + 1) % n),
        share: new Float64Array(n).fill(1 / n),
      },
    }));
  },
  trace(shape): Trace {
    const n = shape.rankCount;
    const step = (k: number): Trace['steps'][number] =>
      Array.from({ length: n }, (_, i) => copies(i, (i + k) % n, i * n + ((i + k) % n), i * n + ((i + k) % n) + 1));
    return { chunks: n, steps: Array.from({ length: n - 1 }, (_, k) => step(k + 1)) };
  },
};
