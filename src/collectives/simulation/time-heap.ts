/** Items ordered by time; equal times leave in the order of their numbers, so runs are repeatable. */
export interface TimeHeap {
  push(time: number, item: number): void;
  /** Earliest time; Infinity when empty. */
  peek(): number;
  /** Removes the earliest item. */
  pop(): number;
}

export function createTimeHeap(): TimeHeap {
  let times = new Float64Array(1024);
  let items = new Int32Array(1024);
  let size = 0;
  const before = (timeA: number, itemA: number, timeB: number, itemB: number): boolean =>
    timeA < timeB || (timeA === timeB && itemA < itemB);
  return {
    push(time, item) {
      if (size === times.length) {
        const [oldTimes, oldItems] = [times, items];
        times = new Float64Array(size * 2);
        items = new Int32Array(size * 2);
        times.set(oldTimes);
        items.set(oldItems);
      }
      let at = size++;
      while (at > 0) {
        const up = (at - 1) >> 1;
        if (!before(time, item, times[up], items[up])) break;
        times[at] = times[up];
        items[at] = items[up];
        at = up;
      }
      times[at] = time;
      items[at] = item;
    },
    peek: () => (size === 0 ? Infinity : times[0]),
    pop() {
      const top = items[0];
      const time = times[--size];
      const item = items[size];
      let at = 0;
      for (;;) {
        let child = 2 * at + 1;
        if (child >= size) break;
        if (child + 1 < size && before(times[child + 1], items[child + 1], times[child], items[child])) child++;
        if (!before(times[child], items[child], time, item)) break;
        times[at] = times[child];
        items[at] = items[child];
        at = child;
      }
      times[at] = time;
      items[at] = item;
      return top;
    },
  };
}
