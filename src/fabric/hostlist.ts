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

/**
 * Hosts as a hostlist expression that names them in the order given: only neighbours in the list share a bracket.
 *
 * @complexity O(n)
 * @example
 * listHosts(['n3', 'n1', 'n2', 'login']) // 'n[3,1-2],login'
 */
export function listHosts(hosts: readonly string[]): string {
  const parts: string[] = [];
  let at = 0;
  while (at < hosts.length) {
    const first = splitHost(hosts[at]);
    if (first === undefined) {
      parts.push(hosts[at++]);
      continue;
    }
    const ranges: string[] = [];
    let members = 0;
    for (let next: ReturnType<typeof splitHost> = first; next?.prefix === first.prefix && next.width === first.width;) {
      let last = next.number;
      const start = next.number;
      members++;
      at++;
      for (;;) {
        next = at < hosts.length ? splitHost(hosts[at]) : undefined;
        if (next?.prefix !== first.prefix || next.width !== first.width || next.number !== last + 1) break;
        last++;
        members++;
        at++;
      }
      const show = (n: number): string => String(n).padStart(first.width, '0');
      ranges.push(start === last ? show(start) : `${show(start)}-${show(last)}`);
    }
    parts.push(members === 1 ? `${first.prefix}${ranges[0]}` : `${first.prefix}[${ranges.join(',')}]`);
  }
  return parts.join(',');
}

/** A host as prefix and trailing number; width is 0 for a number without leading zeros. */
function splitHost(host: string): { prefix: string; number: number; width: number } | undefined {
  const found = /^(.*?)(\d{1,9})$/.exec(host);
  if (found === null || /[[\],]/.test(found[1])) return undefined;
  const [, prefix, digits] = found;
  return { prefix, number: Number(digits), width: digits.length > 1 && digits.startsWith('0') ? digits.length : 0 };
}
