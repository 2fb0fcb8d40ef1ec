import { FabricPlanError } from '../errors.js';

/** Hosts of one expression at most. */
const MOST_HOSTS = 1_000_000;
/** Hosts of one range at most, the limit of Slurm's own hostlists. */
const MOST_RANGE = 65_536;
const MOST_LENGTH = 4 * 1024 * 1024;

/**
 * Hosts of a Slurm hostlist expression, in the order in which it names them: `n[1-3,07],login`, several brackets allowed, zero padding kept.
 *
 * @throws FabricPlanError `parse` for open brackets, reversed or malformed ranges; `too-large` beyond 65,536 hosts in a range or a million in all, before any is made
 * @complexity O(hosts)
 * @example
 * expandHostlist('n[08-10]x[1,2]') // ['n08x1', 'n08x2', 'n09x1', 'n09x2', 'n10x1', 'n10x2']
 */
export function expandHostlist(text: string, most = MOST_HOSTS): string[] {
  const fail = (message: string): never => {
    throw new FabricPlanError('parse', `expandHostlist: ${message}`, [{ path: 'hostlist', message }]);
  };
  const shown = `"${text.length > 60 ? `${text.slice(0, 57)}…` : text}"`;
  if (text.length > MOST_LENGTH) fail(`the hostlist has ${text.length} characters; expected at most ${MOST_LENGTH}`);
  const hosts: string[] = [];
  let at = 0;
  while (at < text.length) {
    // One name: plain parts and brackets up to a comma outside brackets.
    let names = [''];
    const start = at;
    while (at < text.length && text[at] !== ',') {
      if (text[at] === ']') fail(`hostlist ${shown} has a "]" without "[" at character ${at + 1}; expected pairs`);
      if (text[at] === '[') {
        const end = text.indexOf(']', at);
        if (end < 0) fail(`hostlist ${shown} has an open "[" at character ${at + 1}; expected a closing "]"`);
        const ranges = text
          .slice(at + 1, end)
          .split(',')
          .map((part) => parseRange(part, shown, fail));
        const count = ranges.reduce((sum, { first, last }) => sum + (last - first + 1), 0);
        if (count * names.length + hosts.length > most)
          throw new FabricPlanError('too-large', `expandHostlist: hostlist ${shown} names more than ${most} hosts; expected fewer`);
        const next: string[] = [];
        for (const name of names)
          for (const { first, last, width } of ranges) for (let n = first; n <= last; n++) next.push(name + String(n).padStart(width, '0'));
        names = next;
        at = end + 1;
      } else {
        let end = at;
        while (end < text.length && text[end] !== ',' && text[end] !== '[' && text[end] !== ']') end++;
        const part = text.slice(at, end);
        names = names.map((name) => name + part);
        at = end;
      }
    }
    for (const name of names) {
      const host = name.trim();
      if (host === '') fail(`hostlist ${shown} has an empty name at character ${start + 1}; expected names separated by commas`);
      if (/\s/.test(host)) fail(`hostlist ${shown} holds "${host.slice(0, 40)}"; expected names without blanks`);
      hosts.push(host);
    }
    if (hosts.length > most)
      throw new FabricPlanError('too-large', `expandHostlist: hostlist ${shown} names more than ${most} hosts; expected fewer`);
    if (at < text.length) {
      at++;
      if (at === text.length) fail(`hostlist ${shown} ends in a comma; expected a name`);
    }
  }
  return hosts;
}

function parseRange(text: string, shown: string, fail: (message: string) => never): { first: number; last: number; width: number } {
  const found = /^\s*(\d{1,15})\s*(?:-\s*(\d{1,15})\s*)?$/.exec(text);
  if (found === null) return fail(`hostlist ${shown} has the range "${text.slice(0, 40)}"; expected numbers such as 1-16`);
  const [, from, to = from] = found;
  const width = from.length > 1 && from.startsWith('0') ? from.length : to.startsWith('0') && to.length > 1 ? to.length : 0;
  if (Number(to) < Number(from)) return fail(`hostlist ${shown} has the range "${text.trim()}"; expected its end not below its start`);
  if (Number(to) - Number(from) >= MOST_RANGE)
    throw new FabricPlanError(
      'too-large',
      `expandHostlist: hostlist ${shown} has the range "${text.trim()}", which names more than ${MOST_RANGE} hosts; expected fewer`,
    );
  return { first: Number(from), last: Number(to), width };
}
