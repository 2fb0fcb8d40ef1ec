import type { ArcFlow } from '../../routes/max-min-share.js';

/** Max-min fair rates of changing sets of flows over the same pairs. */
export interface RateSolver {
  /** Rates parallel to `transfers`; `pairOf` gives the pair of a transfer. */
  solve(transfers: readonly number[], pairOf: Int32Array): Float64Array;
}

/**
 * Progressive filling on dense arrays that are reused between calls: all rates rise together until an arc is full or a cap is met.
 *
 * The same rule as `shareFairly`, which is the readable form and its oracle in the tests.
 *
 * @complexity O(rounds × arcs in use + arcs of the flows)
 */
export function createRateSolver(capacity: ArrayLike<number>, pairs: readonly ArcFlow[]): RateSolver {
  // Arcs that any pair uses, numbered densely.
  const dense = new Map<number, number>();
  const start = new Int32Array(pairs.length + 1);
  pairs.forEach(({ arcs }, i) => (start[i + 1] = start[i] + arcs.length));
  const arcOf = new Int32Array(start[pairs.length]);
  const shareOf = new Float64Array(start[pairs.length]);
  pairs.forEach(({ arcs, shares }, i) => {
    for (let k = 0; k < arcs.length; k++) {
      let arc = dense.get(arcs[k]);
      if (arc === undefined) dense.set(arcs[k], (arc = dense.size));
      arcOf[start[i] + k] = arc;
      shareOf[start[i] + k] = shares[k];
    }
  });
  const arcCount = dense.size;
  const room = Float64Array.from(dense.keys(), (arc) => capacity[arc]);
  // Per call: growth of load per unit of level, what is left, and the flows on each arc.
  const slope = new Float64Array(arcCount);
  const left = new Float64Array(arcCount);
  const flows = new Int32Array(arcCount);
  const listStart = new Int32Array(arcCount + 1);
  return {
    solve(transfers, pairOf) {
      const n = transfers.length;
      const rates = new Float64Array(n);
      const active = new Uint8Array(n).fill(1);
      slope.fill(0);
      flows.fill(0);
      let entries = 0;
      for (let f = 0; f < n; f++) {
        const pair = pairOf[transfers[f]];
        for (let k = start[pair]; k < start[pair + 1]; k++) {
          slope[arcOf[k]] += shareOf[k] * pairs[pair].weight;
          flows[arcOf[k]]++;
          entries++;
        }
      }
      const used: number[] = [];
      for (let arc = 0; arc < arcCount; arc++) {
        listStart[arc + 1] = listStart[arc] + flows[arc];
        if (flows[arc] === 0) continue;
        used.push(arc);
        left[arc] = room[arc];
      }
      const list = new Int32Array(entries);
      const cursor = listStart.slice(0, arcCount);
      for (let f = 0; f < n; f++) {
        const pair = pairOf[transfers[f]];
        for (let k = start[pair]; k < start[pair + 1]; k++) list[cursor[arcOf[k]]++] = f;
      }
      let level = 0;
      let open = n;
      const freeze = (f: number): void => {
        if (active[f] === 0) return;
        active[f] = 0;
        open--;
        const pair = pairOf[transfers[f]];
        rates[f] = level * pairs[pair].weight;
        for (let k = start[pair]; k < start[pair + 1]; k++) {
          slope[arcOf[k]] -= shareOf[k] * pairs[pair].weight;
          flows[arcOf[k]]--;
        }
      };
      while (open > 0) {
        let rise = Infinity;
        for (const arc of used) if (flows[arc] > 0) rise = Math.min(rise, Math.max(0, left[arc]) / slope[arc]);
        let capped = false;
        for (let f = 0; f < n; f++) {
          if (active[f] === 0) continue;
          const { cap, weight } = pairs[pairOf[transfers[f]]];
          if (cap / weight - level < rise) {
            rise = cap / weight - level;
            capped = true;
          }
        }
        if (rise === Infinity) {
          for (let f = 0; f < n; f++) if (active[f] === 1) rates[f] = Infinity;
          return rates;
        }
        level += rise;
        for (const arc of used) if (flows[arc] > 0) left[arc] -= slope[arc] * rise;
        let frozen = 0;
        for (const arc of used) {
          if (flows[arc] === 0 || left[arc] > room[arc] * 1e-12) continue;
          for (let i = listStart[arc]; i < listStart[arc + 1]; i++) {
            if (active[list[i]] === 1) frozen++;
            freeze(list[i]);
          }
        }
        if (capped)
          for (let f = 0; f < n; f++) {
            const { cap, weight } = pairs[pairOf[transfers[f]]];
            if (active[f] === 1 && cap / weight <= level * (1 + 1e-12)) {
              frozen++;
              freeze(f);
            }
          }
        // Rounding may leave the fullest arc a hair open: freeze what is on it.
        if (frozen === 0) {
          const fullest = used.filter((arc) => flows[arc] > 0).reduce((a, b) => (left[b] / room[b] < left[a] / room[a] ? b : a));
          for (let i = listStart[fullest]; i < listStart[fullest + 1]; i++) freeze(list[i]);
        }
      }
      return rates;
    },
  };
}
