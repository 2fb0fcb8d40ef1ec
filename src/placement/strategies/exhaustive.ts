import type { Axis } from '../../training/types.js';
import type { PlacementStrategy, Selection } from '../types.js';

const MOST_GPUS = 6;
/** Free GPUs up to which a search arranges them all unasked: at most 120 arrangements. */
export const MOST_ARRANGED = 5;

/** Every choice and order of GPUs under every order of axes: the yardstick on tiny fabrics (at most six free GPUs). */
export const exhaustive: PlacementStrategy = {
  name: 'exhaustive',
  propose({ free, count }) {
    if (free.length > MOST_GPUS)
      return { selections: [], reason: `exhaustive search is for at most ${MOST_GPUS} free GPUs, here are ${free.length}` };
    if (free.length < count) return { selections: [], reason: `only ${free.length} GPUs are free` };
    const orders: Axis[][] = [
      ['tensor', 'context', 'data', 'pipeline'],
      ['tensor', 'context', 'pipeline', 'data'],
    ];
    const selections = arrangements(Array.from(free), count).flatMap((gpus) =>
      orders.map((order): Selection => ({
        strategy: 'exhaustive',
        gpus: Int32Array.from(gpus),
        order,
        sites: [count],
        unit: 'none',
        outerEvery: 1,
      })),
    );
    return { selections };
  },
};

function arrangements(items: readonly number[], count: number): number[][] {
  if (count === 0) return [[]];
  return items.flatMap((item, i) => arrangements([...items.slice(0, i), ...items.slice(i + 1)], count - 1).map((rest) => [item, ...rest]));
}
