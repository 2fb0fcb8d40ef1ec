import { AXES, type Axis } from './types.js';
import type { CompleteParallelism } from './validate-job.js';

/** Groups of ranks along one axis: positions into the rank order of a mapping. */
export function axisGroups(parallelism: CompleteParallelism, order: readonly Axis[], axes: readonly Axis[]): Int32Array[] {
  const strides = new Map<Axis, number>();
  let stride = 1;
  for (const axis of order) {
    strides.set(axis, stride);
    stride *= parallelism[axis];
  }
  const total = stride;
  // Along the wanted axes, in the order in which ranks are numbered; starting at every rank whose number along them is 0.
  const wanted = order.filter((axis) => axes.includes(axis));
  const offsets = wanted.reduce<number[]>(
    (list, axis) => Array.from({ length: parallelism[axis] }, (_, i) => list.map((offset) => offset + i * strides.get(axis)!)).flat(),
    [0],
  );
  const groups: Int32Array[] = [];
  for (let rank = 0; rank < total; rank++) {
    if (wanted.some((axis) => Math.floor(rank / strides.get(axis)!) % parallelism[axis] !== 0)) continue;
    groups.push(Int32Array.from(offsets, (offset) => rank + offset));
  }
  return groups;
}

/** Whether a list names each axis once. */
export const isAxisOrder = (order: readonly string[]): order is readonly Axis[] =>
  order.length === AXES.length && AXES.every((axis) => order.includes(axis));
