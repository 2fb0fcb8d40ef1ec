/**
 * Hosts as a Slurm hostlist expression, numbered neighbours as ranges.
 *
 * @complexity O(n log n)
 * @example
 * compressHostlist(['n1', 'n2', 'n3', 'n7', 'login']) // 'login,n[1-3,7]'
 */
export function compressHostlist(hosts: readonly string[]): string {
  const groups = new Map<
    string,
    { readonly prefix: string; readonly width: number; readonly suffix: string; readonly numbers: Set<number> }
  >();
  const plain: string[] = [];
  for (const host of hosts) {
    const found = /^(.*?)(\d{1,9})(\D*)$/.exec(host);
    if (found === null) {
      plain.push(host);
      continue;
    }
    const [, prefix, digits, suffix] = found;
    // Zero-padded numbers keep their width; unpadded ones of any width share a range.
    const width = digits.length > 1 && digits.startsWith('0') ? digits.length : 0;
    const key = JSON.stringify([prefix, width, suffix]);
    const group = groups.get(key) ?? { prefix, width, suffix, numbers: new Set<number>() };
    group.numbers.add(Number(digits));
    groups.set(key, group);
  }
  const written = [...groups.values()].map(({ prefix, width, suffix, numbers }) => {
    const show = (n: number): string => String(n).padStart(width, '0');
    const sorted = [...numbers].sort((a, b) => a - b);
    const ranges: string[] = [];
    for (let i = 0; i < sorted.length;) {
      let end = i;
      // A padded range must not outgrow its width.
      while (end + 1 < sorted.length && sorted[end + 1] === sorted[end] + 1) end++;
      ranges.push(i === end ? show(sorted[i]) : `${show(sorted[i])}-${show(sorted[end])}`);
      i = end + 1;
    }
    return ranges.length === 1 && !ranges[0].includes('-') ? `${prefix}${ranges[0]}${suffix}` : `${prefix}[${ranges.join(',')}]${suffix}`;
  });
  return [...plain, ...written].sort().join(',');
}
