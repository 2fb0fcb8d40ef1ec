import type { Axis } from '../../training/types.js';
import type { PlacementStrategy, Selection } from '../types.js';

/** Most arrangements that are examined at all, and up to which a search examines them unasked. */
const MOST_ARRANGEMENTS = 2000;
export const MOST_UNASKED = 400;

/** Every choice and order of GPUs under two orders of axes: the yardstick on small fabrics (at most 2,000 arrangements). */
export const exhaustive: PlacementStrategy = {
  name: 'exhaustive',
  propose({ free, count }) {
    if (free.length < count) return { selections: [], reason: `only ${free.length} GPUs are free` };
    const size = arrangementCount(free.length, count);
    if (size > MOST_ARRANGEMENTS)
      return { selections: [], reason: `exhaustive search is for at most ${MOST_ARRANGEMENTS} arrangements, here are more` };
    const orders: Axis[][] = [
      ['tensor', 'context', 'data', 'pipeline'],
      ['tensor', 'context', 'pipeline', 'data'],
    ];
    const selections = arrangements(Array.from(free), count).flatMap((list) => {
      const gpus = Int32Array.from(list);
      return orders.map((order): Selection => ({ strategy: 'exhaustive', gpus, order, sites: [count], unit: 'none', outerEvery: 1 }));
    });
    return { selections };
  },
};

/** Ways to put so many of some GPUs in a row: n·(n − 1)·…; stops counting beyond what is examined. */
export function arrangementCount(free: number, count: number): number {
  let product = 1;
  for (let i = 0; i < count && product <= MOST_ARRANGEMENTS; i++) product *= free - i;
  return product;
}

function arrangements(items: readonly number[], count: number): number[][] {
  if (count === 0) return [[]];
  return items.flatMap((item, i) => arrangements([...items.slice(0, i), ...items.slice(i + 1)], count - 1).map((rest) => [item, ...rest]));
}
