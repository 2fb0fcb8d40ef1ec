import { FabricPlanError } from '../errors.js';

/** What a log of nccl-tests or rccl-tests says: who took part and how long every size took. */
export interface NcclTestsLog {
  /** Name of the test binary without `_perf`, such as `all_reduce`; empty where the log does not say. */
  readonly collective: string;
  readonly gpu: string;
  readonly ranks: number;
  readonly nodes: number;
  readonly hosts: readonly string[];
  readonly rows: readonly {
    readonly bytes: number;
    readonly microseconds: number;
    readonly busBandwidth: number;
    readonly place: 'in' | 'out';
    readonly line: number;
  }[];
}

const MOST_LINES = 1_000_000;
const RANK = /^#\s*Rank\s+\d+.*?\bon\s+(\S+)\s+device\s+\S+\s+\[[^\]]*\]\s+(.+?)\s*$/i;
const NUMBER = String.raw`([\d.]+(?:e[+-]?\d+)?)`;
/** Size, count, type, then optionally operation and root; time, algbw, busbw, wrong for each place. */
const ROW = new RegExp(
  String.raw`^\s*(\d+)\s+\d+\s+[a-z]\w*\s+(?:[a-z]\w*\s+)?(?:-?\d+\s+)?${NUMBER}\s+${NUMBER}\s+${NUMBER}\s+(?:\S+)(?:\s+${NUMBER}\s+${NUMBER}\s+${NUMBER}\s+\S+)?\s*$`,
  'i',
);

/**
 * Reads the text that nccl-tests or rccl-tests print: the list of ranks with host and GPU, and the table of sizes, out of place and in
 * place. Lines of other programs around it are passed over.
 *
 * @param name name of the file, which often says which collective it was
 * @throws FabricPlanError `parse` when no row of a table is found; `too-large` beyond a million lines
 * @complexity O(characters)
 */
export function parseNcclTestsLog(text: string, name = ''): NcclTestsLog {
  const lines = text.split(/\r?\n/);
  if (lines.length > MOST_LINES)
    throw new FabricPlanError('too-large', `parseNcclTestsLog: ${lines.length} lines; expected at most ${MOST_LINES}`);
  const hosts: string[] = [];
  let gpu = '';
  let collective = '';
  const rows: NcclTestsLog['rows'][number][] = [];
  lines.forEach((line, i) => {
    if (line.length > 4096) return;
    const test = /\b(all_reduce|all_gather|reduce_scatter|alltoall|broadcast|reduce|sendrecv)(?:_perf)\b/.exec(line);
    if (test !== null && collective === '') collective = test[1];
    const rank = RANK.exec(line);
    if (rank !== null) {
      hosts.push(rank[1]);
      gpu = rank[2];
      return;
    }
    const row = ROW.exec(line.replace(/^\[[^\]]*\]:?\s*/, ''));
    if (row === null) return;
    const bytes = Number(row[1]);
    for (const [place, at] of [
      ['out', 2],
      ['in', 5],
    ] as const) {
      if ((row[at] as string | undefined) === undefined) continue;
      const microseconds = Number(row[at]);
      if (microseconds > 0 && bytes > 0) rows.push({ bytes, microseconds, busBandwidth: Number(row[at + 2]) * 1e9, place, line: i + 1 });
    }
  });
  if (rows.length === 0)
    throw new FabricPlanError('parse', 'parseNcclTestsLog: no row of sizes and times found; expected the table that nccl-tests prints');
  if (collective === '')
    collective =
      /(all_?reduce|all_?gather|reduce_?scatter|all_?to_?all)/i
        .exec(name)?.[1]
        .toLowerCase()
        .replace(/^all_?(?=r|g)/, 'all_')
        .replace(/all_?to_?all/, 'alltoall')
        .replace(/reduce_?scatter/, 'reduce_scatter') ?? '';
  return { collective, gpu, ranks: hosts.length, nodes: new Set(hosts).size, hosts: [...new Set(hosts)], rows };
}

/** Whether a text looks like the output of nccl-tests. */
export const looksLikeNcclTests = (text: string): boolean =>
  /^#?\s*size\s+count\s+type/im.test(text.slice(0, 200_000)) || /nThread.*nGpus|#\s*Rank\s+\d+/.test(text.slice(0, 200_000));
