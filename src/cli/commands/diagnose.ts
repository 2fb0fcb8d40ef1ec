import { basename } from 'node:path';
import { FabricPlanError, throwIssues, type Issue } from '../../errors.js';
import { diagnose, type GroupMeasurement } from '../../calibration/diagnose.js';
import { looksLikeNcclTests, OPERATION_NAMES, parseMeasuredSets, parseNcclTestsLog, parseTable } from '../../formats/index.js';
import { predictCollective } from '../../prediction/index.js';
import { formatBandwidth } from '../../quantities.js';
import { formatTable } from '../../report/text-report.js';
import { printJson } from '../output.js';
import { readInput } from '../read-input.js';

export interface DiagnoseOptions {
  readonly pairs?: string;
  readonly systems?: string;
  readonly json?: boolean;
}

const COLUMNS = ['node_a', 'node_b', 'gpus_per_node', 'bytes', 'busbw_GBps'];
/** Sizes below this measure latency, not links. */
const LEAST_BYTES = 16 * 2 ** 20;

/** Finds slow nodes and links in pair measurements or nccl-tests logs. */
export function diagnoseCommand(logs: readonly string[], options: DiagnoseOptions): void {
  const set = options.systems === undefined ? undefined : parseMeasuredSets(readInput(options.systems))[0];
  const expect = (nodes: number, gpusPerNode: number, bytes: number): { expected?: number } =>
    set === undefined
      ? {}
      : {
          expected: predictCollective({ hardware: set.hardware, operation: 'all-reduce', ranks: nodes * gpusPerNode, nodes }, bytes)
            .busBandwidth,
        };
  const measurements: GroupMeasurement[] = [];
  if (options.pairs !== undefined) {
    const issues: Issue[] = [];
    for (const { columns, line } of parseTable(readInput(options.pairs), 'diagnose', COLUMNS)) {
      const [bytes, bus, gpus] = [Number(columns['bytes']), Number(columns['busbw_GBps']), Number(columns['gpus_per_node'])];
      if (!(bytes > 0 && bus > 0 && gpus >= 1) || columns['node_a'] === '' || !Number.isFinite(bytes * bus * gpus))
        issues.push({
          path: `line ${line}`,
          message: `line ${line}: node_a "${columns['node_a']}", gpus_per_node "${columns['gpus_per_node']}", bytes "${columns['bytes']}", busbw_GBps "${columns['busbw_GBps']}"; expected a name and numbers above 0`,
        });
      else
        measurements.push({
          nodes: [columns['node_a'], columns['node_b']].filter((name) => name !== ''),
          bytes,
          busBandwidth: bus * 1e9,
          ...expect(columns['node_a'] === columns['node_b'] ? 1 : 2, gpus, bytes),
        });
    }
    throwIssues('parse', 'diagnose', issues);
  }
  for (const path of logs) {
    const text = readInput(path);
    if (!looksLikeNcclTests(text))
      throw new FabricPlanError('parse', `diagnose: "${path}" is no nccl-tests log; expected its table of sizes`);
    const log = parseNcclTestsLog(text, basename(path));
    if (log.hosts.length === 0)
      throw new FabricPlanError('parse', `diagnose: "${path}" does not name its hosts; expected lines "# Rank … on host"`);
    if (Object.hasOwn(OPERATION_NAMES, log.collective) || log.collective === '')
      for (const row of log.rows)
        if (row.busBandwidth > 0)
          measurements.push({
            nodes: log.hosts,
            bytes: row.bytes,
            busBandwidth: row.busBandwidth,
            ...expect(log.nodes, Math.round(log.ranks / log.nodes), row.bytes),
          });
  }
  if (measurements.length === 0)
    throw new FabricPlanError('invalid-argument', 'diagnose: nothing to look at; expected --pairs FILE.csv or nccl-tests logs');
  const bulk = measurements.filter(({ bytes }) => bytes >= LEAST_BYTES);
  const result = diagnose(bulk.length > 0 ? bulk : measurements);
  if (options.json === true) {
    printJson({
      schema: 'fabricplan/diagnose/1',
      ...result,
      suspects: result.suspects.map((one) => ({
        ...one,
        [one.kind === 'node' ? 'device' : 'link']: one.id,
        expected_GBps: one.expected / 1e9,
        measured_GBps: one.measured / 1e9,
      })),
    });
    return;
  }
  process.stdout.write(`${result.measurements} measurements, scatter of the healthy ones ${(result.noise * 100).toFixed(1)} %\n`);
  if (result.level !== undefined)
    process.stdout.write(`the fabric as a whole reaches ${(result.level * 100).toFixed(0)} % of the prediction\n`);
  if (result.suspects.length === 0) {
    process.stdout.write('nothing is suspicious\n');
    return;
  }
  process.stdout.write(
    `${formatTable(
      ['suspect', 'kind', 'expected', 'measured', 'confidence', 'measurements'],
      result.suspects.map(({ id, kind, expected, measured, confidence, evidence }) => [
        id,
        kind,
        formatBandwidth(expected),
        formatBandwidth(measured),
        `${(confidence * 100).toFixed(1)} %`,
        String(evidence),
      ]),
    )}\n`,
  );
}
