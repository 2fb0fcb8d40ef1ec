/**
 * Order of ids in which runs of digits compare by value: `gpu2` before `gpu10`. Total and the same on every machine.
 *
 * @returns the permutation that sorts `ids`, as indices
 * @complexity O(n) when already sorted, else O(n log n)
 */
export function naturalOrder(ids: readonly string[]): Int32Array {
  const order = Int32Array.from(ids, (_, i) => i);
  const keys = ids.map(naturalKey);
  if (keys.every((key, i) => i === 0 || keys[i - 1] < key)) return order;
  return order.sort((a, b) => (keys[a] < keys[b] ? -1 : keys[a] > keys[b] ? 1 : ids[a] < ids[b] ? -1 : 1));
}

/** A key whose plain string order is the natural order: each run of digits is led by its length. */
function naturalKey(id: string): string {
  let key = '';
  let copied = 0;
  for (let i = 0; i < id.length;) {
    if (!isDigit(id.charCodeAt(i))) {
      i++;
      continue;
    }
    const first = i;
    let start = i;
    while (i < id.length && isDigit(id.charCodeAt(i))) i++;
    while (start < i - 1 && id.charCodeAt(start) === ZERO) start++;
    // What stands before the run, the length of the run without leading zeros, and the run.
    key += id.slice(copied, first) + String.fromCharCode(ZERO + Math.min(i - start, 60)) + id.slice(start, i);
    copied = i;
  }
  return key + id.slice(copied);
}

const ZERO = 48;
const isDigit = (code: number): boolean => code >= ZERO && code <= ZERO + 9;
