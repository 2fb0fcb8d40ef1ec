/** A seeded source of random numbers: the same seed gives the same sequence on every machine. */
export interface Random {
  /** A number in [0, 1). */
  next(): number;
  /** An integer in [0, bound). */
  integer(bound: number): number;
}

/**
 * Creates a seeded generator (mulberry32: 32 bits of state, period 2³²; enough for search, not for cryptography).
 *
 * @example
 * createRandom(1).integer(1000) === createRandom(1).integer(1000) // true
 */
export function createRandom(seed: number): Random {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
  return { next, integer: (bound) => Math.floor(next() * bound) };
}
