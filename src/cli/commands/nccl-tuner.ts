import { basename } from 'node:path';
import { invalidArgument } from '../../errors.js';
import { parseNcclTopology } from '../../formats/nccl-topology-xml.js';
import { allPci } from '../../nccl/system.js';
import { NCCL_2_30, NCCL_SIZES, RCCL, tabulateNccl, type TableRow } from '../../nccl/index.js';
import { formatBytes, parseQuantity } from '../../quantities.js';
import { formatTable } from '../../report/text-report.js';
import { printJson } from '../output.js';
import { readInput } from '../read-input.js';

export interface NcclTunerOptions {
  readonly nodes: string;
  readonly bytes?: string;
  readonly tables?: string;
  readonly json?: boolean;
}

/** Names of the tuner's table sets. */
export const TUNER_TABLES = { nccl: NCCL_2_30, rccl: RCCL } as const;

/** What NCCL's own search and tuner answer for a topology XML on some node counts. */
export function ncclTuner(file: string, options: NcclTunerOptions): void {
  const topology = parseNcclTopology(readInput(file), basename(file).replace(/\.xml$/i, ''));
  const nodes = options.nodes.split(',').map((text) => {
    const count = Number(text);
    if (!(Number.isInteger(count) && count >= 1 && count <= 1e6))
      throw invalidArgument('nccl-tuner', '--nodes', text, 'whole numbers from 1 to 1,000,000, separated by commas');
    return count;
  });
  const bytes = options.bytes === undefined ? NCCL_SIZES : options.bytes.split(',').map((text) => parseQuantity(text, 'bytes'));
  const isAmd = allPci(topology).some(({ gpu }) => gpu?.vendor === 'amd');
  const tables = TUNER_TABLES[(options.tables ?? (isAmd ? 'rccl' : 'nccl')) as keyof typeof TUNER_TABLES];
  const set = tabulateNccl(topology, nodes, { bytes, tables });
  if (options.json === true) {
    printJson(set);
    return;
  }
  const show = (title: string, rows: readonly TableRow[]): void => {
    process.stdout.write(
      `${title}\n${formatTable(
        Object.keys(rows[0] ?? {}).slice(1),
        rows.map((row) => Object.values(row).slice(1).map(String)),
      )}\n`,
    );
  };
  show(`${topology.name}: result of the search`, set.graphs);
  show('latency and bandwidth', set.latbw);
  const chosen = set.times.filter((row) => row['chosen'] === 1);
  process.stdout.write(
    `choice by size\n${formatTable(
      ['nodes', 'collective', 'size', 'algorithm', 'protocol', 'time'],
      chosen.map((row) => [
        String(row['nodes']),
        String(row['collective']),
        formatBytes(Number(row['bytes'])),
        String(row['algo']),
        String(row['proto']),
        `${Number(row['time_us']).toPrecision(4)} µs`,
      ]),
    )}\n`,
  );
}
