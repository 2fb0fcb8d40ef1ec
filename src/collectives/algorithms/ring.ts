import type { CollectiveAlgorithm, CollectiveOperation, Move, Phase, Trace, Transfers } from '../types.js';
import { adds, copies, modulo } from './transfers.js';

/**
 * Ring: reduce-scatter and all-gather around closed tours of all ranks, several tours (channels) sharing the data.
 *
 * Each of the 2(n − 1) steps of an all-reduce moves bytes / n from every rank to its successor, so on a uniform fabric it costs
 * 2(n − 1)·α + 2(n − 1)/n · bytes·β: bandwidth-optimal, latency linear in n. Broadcast and reduce run as pipelined chains along the
 * tour. For small messages see {@link doubleBinaryTree}.
 *
 * Assumes neighbours in rank order are close and links are full duplex.
 *
 * @complexity O(n × channels)
 * @reference Patarasuk & Yuan, J. Parallel Distrib. Comput. 69(2), 2009
 */
export const ring: CollectiveAlgorithm = {
  name: 'ring',
  operations: ['all-reduce', 'reduce-scatter', 'all-gather', 'broadcast', 'reduce'],
  variants: (shape) => shape.ringSets.length,
  phases(shape, operation, variant): Phase[] {
    const rings = shape.ringSets[variant];
    const n = shape.rankCount;
    const tour = tourTransfers(rings, n, 1 / n);
    const around = (label: string): Phase => ({ label, repeat: n - 1, transfers: tour });
    const chain = (label: string, isReversed: boolean): Phase => ({ label, depth: n - 1, transfers: chainTransfers(rings, n, isReversed) });
    switch (operation) {
      case 'all-reduce':
        return [around('reduce-scatter'), around('all-gather')];
      case 'reduce-scatter':
        return [around('reduce-scatter')];
      case 'all-gather':
        return [around('all-gather')];
      case 'broadcast':
        return [chain('broadcast chain', false)];
      case 'reduce':
        return [chain('reduce chain', true)];
      case 'all-to-all':
      case 'send-receive':
        return [];
    }
  },
  trace(shape, operation, variant): Trace {
    const rings = shape.ringSets[variant];
    const n = shape.rankCount;
    const chunks = n * n * rings.length;
    // Rank r's shard is [r/n, (r+1)/n); each ring takes an equal slice of every shard.
    const slice = (shard: number, c: number): [number, number] => [
      shard * n * rings.length + c * n,
      shard * n * rings.length + (c + 1) * n,
    ];
    const steps: Move[][] = [];
    const around = (shift: number, move: typeof adds): void => {
      for (let k = 0; k < n - 1; k++) {
        steps.push(
          rings.flatMap((order, c) =>
            Array.from(order, (rank, i) => move(rank, order[(i + 1) % n], ...slice(order[modulo(i - k + shift, n)], c))),
          ),
        );
      }
    };
    const chain = (isReversed: boolean): void => {
      for (let k = 0; k < n - 1; k++) {
        steps.push(
          rings.flatMap((order, c) => {
            const at = startOf(order, 0);
            const rank = (i: number): number => order[(at + i) % n];
            const parts = Array.from({ length: n }, (_, shard) => slice(shard, c));
            return parts.map(([start, end]) =>
              isReversed ? adds(rank(n - 1 - k), rank(n - 2 - k), start, end) : copies(rank(k), rank(k + 1), start, end),
            );
          }),
        );
      }
    };
    run(operation, around, chain);
    return { chunks, steps };
  },
};

function run(
  operation: CollectiveOperation,
  around: (shift: number, move: typeof adds) => void,
  chain: (isReversed: boolean) => void,
): void {
  // After the reduce-scatter with shift −1, rank order[i] holds its own shard; the all-gather starts from there with shift 0.
  if (operation === 'all-reduce' || operation === 'reduce-scatter') around(-1, adds);
  if (operation === 'all-reduce' || operation === 'all-gather') around(0, copies);
  if (operation === 'broadcast') chain(false);
  if (operation === 'reduce') chain(true);
}

const startOf = (order: Int32Array, rank: number): number => order.indexOf(rank);

/** Channels side by side: what one node sends stands together, which keeps the evaluator's memory accesses close. */
function tourTransfers(rings: readonly Int32Array[], n: number, share: number): Transfers {
  const source = new Int32Array(n * rings.length);
  const target = new Int32Array(n * rings.length);
  rings.forEach((order, c) => {
    for (let i = 0; i < n; i++) {
      source[i * rings.length + c] = order[i];
      target[i * rings.length + c] = order[i + 1 === n ? 0 : i + 1];
    }
  });
  return { source, target, share: new Float64Array(n * rings.length).fill(share / rings.length) };
}

/** Chains from position 0 along each tour (towards it when reversed); every edge carries the channel's whole part. */
function chainTransfers(rings: readonly Int32Array[], n: number, isReversed: boolean): Transfers {
  const source = new Int32Array((n - 1) * rings.length);
  const target = new Int32Array((n - 1) * rings.length);
  rings.forEach((order, c) => {
    const at = startOf(order, 0);
    for (let i = 0; i < n - 1; i++) {
      const a = order[(at + i) % n];
      const b = order[(at + i + 1) % n];
      source[c * (n - 1) + i] = isReversed ? b : a;
      target[c * (n - 1) + i] = isReversed ? a : b;
    }
  });
  return { source, target, share: new Float64Array((n - 1) * rings.length).fill(1 / rings.length) };
}
