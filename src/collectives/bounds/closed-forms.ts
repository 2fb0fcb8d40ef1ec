import type { Bytes, Seconds } from '../../quantities.js';

/** A uniform network: every rank has its own full-duplex port of inverse bandwidth β and every message pays α. */
export interface UniformNetwork {
  /** α: seconds per message. */
  readonly latency: Seconds;
  /** β: seconds per byte through a port. */
  readonly inverseBandwidth: number;
}

/**
 * Textbook time of an all-reduce of n bytes over p ranks on a uniform network; the oracle of the evaluator, and a quick answer for a
 * notebook. Reduction arithmetic is left out (γ = 0).
 *
 * ```text
 * ring                        2(p − 1)·α + 2(p − 1)/p · n·β
 * recursive-doubling          log₂p · (α + n·β)                               powers of two
 * recursive-halving-doubling  2·log₂p·α + 2(p − 1)/p · n·β                    powers of two
 *                             (2⌊log₂p⌋ + 2)·α + (2(q − 1)/q + 2) · n·β       else, q = 2^⌊log₂p⌋
 * direct                      2α + 2(p − 1)/p · n·β
 * in-network                  2α + n·β, pipelined: (k + 1)(α + n·β/k)         least over k pieces
 * ```
 *
 * @reference Thakur, Rabenseifner & Gropp, Int. J. High Perform. Comput. Appl. 19(1), 2005
 * @example
 * closedFormAllReduce('ring', 4, 1e6, { latency: 1e-6, inverseBandwidth: 1e-9 }) // 0.001506
 */
export function closedFormAllReduce(
  algorithm: 'ring' | 'recursive-doubling' | 'recursive-halving-doubling' | 'direct',
  p: number,
  n: Bytes,
  network: UniformNetwork,
): Seconds {
  const { latency: α, inverseBandwidth: β } = network;
  if (p < 2) return 0;
  const q = 2 ** Math.floor(Math.log2(p));
  const lg = Math.log2(q);
  const fold = q === p ? 0 : 2;
  switch (algorithm) {
    case 'ring':
      return 2 * (p - 1) * α + ((2 * (p - 1)) / p) * n * β;
    case 'recursive-doubling':
      return (lg + fold) * (α + n * β);
    case 'recursive-halving-doubling':
      return (2 * lg + fold) * α + ((2 * (q - 1)) / q + fold) * n * β;
    case 'direct':
      return 2 * α + ((2 * (p - 1)) / p) * n * β;
  }
}
