import type { CollectiveAlgorithm, Phase, Trace } from '../types.js';
import { adds, copies } from './transfers.js';

/**
 * In-network reduction (SHARP, NVLink SHARP): every rank sends its data once towards the switches, which add it up on the way, and
 * receives the result once. Latency does not grow with the ranks, and each port carries bytes once per direction instead of
 * 2(n − 1)/n times.
 *
 * Position n is the switch at the top. Needs switches that can reduce on every path (`reduces` of the device).
 *
 * @complexity O(n)
 * @reference Graham et al., COM-HPC 2016 (SHARP); Klenk et al., ISCA 2020
 */
export const inNetwork: CollectiveAlgorithm = {
  name: 'in-network',
  operations: ['all-reduce', 'broadcast', 'reduce'],
  refusal: (shape) => (shape.switchReduces ? undefined : 'a switch between the ranks cannot reduce'),
  phases(shape, operation): Phase[] {
    const n = shape.rankCount;
    const sends = Int32Array.from({ length: operation === 'broadcast' ? 1 : n }, (_, i) => i);
    const receives = Int32Array.from({ length: operation === 'reduce' ? 1 : n }, (_, i) => i);
    const all = sends.length + receives.length;
    return [
      {
        label: 'through the switches',
        depth: 2,
        transfers: {
          source: Int32Array.from([...sends, ...receives.map(() => n)]),
          target: Int32Array.from([...sends.map(() => n), ...receives]),
          share: new Float64Array(all).fill(1),
        },
      },
    ];
  },
  trace(shape, operation): Trace {
    const n = shape.rankCount;
    const ranks = Array.from({ length: n }, (_, i) => i);
    return {
      chunks: 1,
      steps: [
        (operation === 'broadcast' ? [0] : ranks).map((rank) => adds(rank, n, 0, 1)),
        (operation === 'reduce' ? [0] : ranks).map((rank) => copies(n, rank, 0, 1)),
      ],
    };
  },
};
