/** Items ordered by time; equal times leave in the order in which they came, so runs are repeatable. */
export interface TimeHeap {
  push(time: number, item: number): void;
  /** Earliest time; Infinity when empty. */
  peek(): number;
  /** Removes the earliest item. */
  pop(): number;
}

/** Items of one time, in order of arrival. */
interface Bucket {
  readonly time: number;
  /** Buckets of equal time leave in this order. */
  readonly order: number;
  readonly items: number[];
  next: number;
}

/** A binary heap of buckets: regular collectives start many transfers at the same instant, which then cost one place in the heap. */
export function createTimeHeap(): TimeHeap {
  const heap: Bucket[] = [];
  let last: Bucket | undefined;
  let count = 0;
  const before = (a: Bucket, b: Bucket): boolean => a.time < b.time || (a.time === b.time && a.order < b.order);
  const removeFirst = (): void => {
    const moved = heap.pop();
    if (moved === undefined || heap.length === 0) return;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && before(heap[child + 1], heap[child])) child++;
      if (!before(heap[child], moved)) break;
      heap[at] = heap[child];
      at = child;
    }
    heap[at] = moved;
  };
  return {
    push(time, item) {
      if (last !== undefined && last.time === time && last.next < last.items.length) {
        last.items.push(item);
        return;
      }
      last = { time, order: count++, items: [item], next: 0 };
      let at = heap.length;
      heap.push(last);
      while (at > 0) {
        const up = (at - 1) >> 1;
        if (!before(last, heap[up])) break;
        heap[at] = heap[up];
        at = up;
      }
      heap[at] = last;
    },
    peek: () => (heap.length === 0 ? Infinity : heap[0].time),
    pop() {
      const first = heap[0];
      const item = first.items[first.next++];
      if (first.next === first.items.length) removeFirst();
      return item;
    },
  };
}
