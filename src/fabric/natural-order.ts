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
  return id.replace(/\d+/g, (digits) => {
    const trimmed = digits.replace(/^0+(?=\d)/, '');
    return String.fromCharCode(48 + Math.min(trimmed.length, 60)) + trimmed;
  });
}
