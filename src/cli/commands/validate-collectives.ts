import { basename } from 'node:path';
import { FabricPlanError, invalidArgument } from '../../errors.js';
import { validateMeasurements, summarise, type ErrorSummary, type ValidationRow } from '../../calibration/index.js';
import { looksLikeNcclTests, OPERATION_NAMES, parseMeasuredSets, parseMeasurements, parseNcclTestsLog } from '../../formats/index.js';
import type { MeasuredSet } from '../../formats/collective-measurements.js';
import type { ModelSubject } from '../../prediction/model.js';
import { formatTable } from '../../report/text-report.js';
import { printJson } from '../output.js';
import { readInput } from '../read-input.js';

export interface ValidateCollectivesOptions {
  readonly measurements: string;
  readonly systems?: string;
  readonly calibrate: string;
  readonly json?: boolean;
}

/** A row as it was read: either something to validate, or why not. */
interface InputRow {
  readonly columns: Readonly<Record<string, string>>;
  readonly row?: ValidationRow;
  readonly refused?: string;
}

/** Holds measured collectives against the measured model. */
export function validateCollectives(options: ValidateCollectivesOptions): void {
  const sizesGiven = givenSizes(options.calibrate);
  const text = readInput(options.measurements);
  const sets = options.systems === undefined ? [] : parseMeasuredSets(readInput(options.systems));
  const input = looksLikeNcclTests(text) ? rowsOfLog(text, basename(options.measurements), sets) : rowsOfTable(text, sets, options.systems);
  const validated = validateMeasurements(
    input.flatMap(({ row }) => (row === undefined ? [] : [row])),
    sizesGiven,
  );
  const summary = summarise(validated);
  const byRow = new Map(validated.map((one) => [one.row, one]));
  const warnings = [...new Set(validated.flatMap(({ row, prediction }) => prediction.warnings.map((warning) => `${row.set}: ${warning}`)))];
  if (options.json === true) {
    printJson({
      schema: 'fabricplan/validate-collectives/1',
      rows: input.map(({ columns, row, refused }) => {
        const found = row === undefined ? undefined : byRow.get(row);
        if (found === undefined) return { ...numeric(columns), refused: refused ?? 'not predicted' };
        const { prediction, given } = found;
        return {
          ...numeric(columns),
          predicted_us: prediction.seconds * 1e6,
          low_us: prediction.low * 1e6,
          high_us: prediction.high * 1e6,
          algorithm: prediction.algorithm,
          protocol: prediction.protocol,
          ...(given ? { given: true } : {}),
        };
      }),
      summary,
      warnings,
    });
    return;
  }
  const refused = input.filter((one) => one.refused !== undefined);
  process.stdout.write(
    `${validated.length} rows predicted, ${validated.filter(({ given }) => given).length} of them given for calibration, ${refused.length} refused\n\n`,
  );
  const show = (title: string, slices: readonly ErrorSummary[]): void => {
    process.stdout.write(
      `${formatTable(
        [title, 'rows', 'error', 'bias', 'within range'],
        slices.map(({ name, rows, error, bias, coverage }) => [
          name,
          String(rows),
          `×${error.toFixed(3)}`,
          `×${bias.toFixed(3)}`,
          `${(coverage * 100).toFixed(0)} %`,
        ]),
      )}\n`,
    );
  };
  show('all', [summary.overall]);
  show('collective', summary.byCollective);
  show('size', summary.bySize);
  show('system', summary.bySystem);
  if (summary.apart.rows > 0) show('reported apart', [summary.apart]);
  for (const warning of warnings.slice(0, 20)) process.stdout.write(`note: ${warning}\n`);
  for (const one of refused.slice(0, 5)) process.stdout.write(`refused: ${one.refused ?? ''}\n`);
}

/** Sizes of each curve to give: `none` or `rows:K`. */
function givenSizes(text: string): number {
  if (text === 'none') return 0;
  const count = Number(/^rows:(\d+)$/.exec(text)?.[1]);
  if (!(count >= 1 && count <= 1000)) throw invalidArgument('validate', '--calibrate', text, 'none, or rows: and a number from 1 to 1000');
  return count;
}

function rowsOfTable(text: string, sets: readonly MeasuredSet[], systems: string | undefined): InputRow[] {
  const table = parseMeasurements(text);
  if (systems === undefined)
    throw new FabricPlanError(
      'invalid-argument',
      'validate collectives: a table of measurements needs --systems; expected the JSON that describes its sets',
    );
  const byId = new Map(sets.map((set) => [set.id, set]));
  const subjects = new Map<string, ModelSubject>();
  return table.map(({ columns, line }): InputRow => {
    const refuse = (why: string): InputRow => ({ columns, refused: `line ${line}: ${why}` });
    const set = byId.get(columns['set_id']);
    if (set === undefined) return refuse(`set "${columns['set_id']}" is not among the systems`);
    const operation = Object.hasOwn(OPERATION_NAMES, columns['collective']) ? OPERATION_NAMES[columns['collective']] : undefined;
    if (operation === undefined)
      return refuse(`collective "${columns['collective']}" is none of ${Object.keys(OPERATION_NAMES).slice(0, 4).join(', ')}`);
    const [ranks, nodes] = [Number(columns['nranks']), Number(columns['nodes'])];
    if (!(Number.isInteger(ranks) && ranks >= 1 && Number.isInteger(nodes) && nodes >= 1 && nodes <= ranks))
      return refuse(`nranks "${columns['nranks']}" and nodes "${columns['nodes']}" are no counts of ranks and nodes`);
    const bytes = Number(columns['size_bytes']);
    if (columns['size_bytes'] === '') return refuse('no size: a headline figure cannot be predicted');
    if (!(Number.isFinite(bytes) && bytes > 0)) return refuse(`size_bytes is "${columns['size_bytes']}"; expected a number above 0`);
    const seconds = timeOf(columns, bytes, operation === 'all-reduce' ? 2 : 1, ranks);
    if (!(seconds > 0)) return refuse(`time_us is "${columns['time_us']}"; expected a number above 0`);
    const key = `${set.id} ${operation} ${ranks} ${nodes}`;
    let subject = subjects.get(key);
    if (subject === undefined) subjects.set(key, (subject = { hardware: set.hardware, operation, ranks, nodes, ringOnly: set.ringOnly }));
    return { columns, row: { system: set.system, set: set.id, subject, bytes, seconds } };
  });
}

/** Seconds from the time, or else from a bandwidth. */
function timeOf(columns: Readonly<Record<string, string>>, bytes: number, rounds: number, ranks: number): number {
  const time = Number(columns['time_us']) * 1e-6;
  if (time > 0) return time;
  const algorithm = Number(columns['algbw_GBps']);
  if (algorithm > 0) return bytes / (algorithm * 1e9);
  const bus = Number(columns['busbw_GBps']);
  return bus > 0 && ranks > 1 ? (bytes * rounds * (ranks - 1)) / ranks / (bus * 1e9) : NaN;
}

function rowsOfLog(text: string, name: string, sets: readonly MeasuredSet[]): InputRow[] {
  const log = parseNcclTestsLog(text, name);
  const operation = Object.hasOwn(OPERATION_NAMES, log.collective) ? OPERATION_NAMES[log.collective] : undefined;
  if (operation === undefined)
    throw new FabricPlanError(
      'parse',
      `validate collectives: the log does not say which collective it is; expected a name such as all_reduce_perf in the text or the file name`,
    );
  if (sets.length > 1)
    throw new FabricPlanError('invalid-argument', `validate collectives: ${sets.length} systems for one log; expected one`);
  if (log.ranks === 0 && sets.length === 0)
    throw new FabricPlanError('parse', 'validate collectives: the log lists no ranks; expected lines "# Rank … on host device …"');
  const set = sets.at(0);
  const nodes = Math.max(1, log.nodes);
  const ranks = log.ranks > 0 ? log.ranks : nodes * (set?.hardware.gpusPerNode ?? 1);
  const subject: ModelSubject = {
    operation,
    ranks,
    nodes,
    hardware: set?.hardware ?? hardwareOfLog(log.gpu, Math.round(ranks / nodes), nodes),
  };
  return log.rows.map(({ bytes, microseconds, busBandwidth, place }) => ({
    columns: {
      set_id: name,
      collective: log.collective,
      nranks: String(ranks),
      nodes: String(nodes),
      size_bytes: String(bytes),
      time_us: String(microseconds),
      algbw_GBps: String(bytes / microseconds / 1e3),
      busbw_GBps: String(busBandwidth / 1e9),
      place,
    },
    row: { system: set?.system ?? name, set: name, subject, bytes, seconds: microseconds * 1e-6 },
  }));
}

/** What a log alone says of a machine: the GPU's name. SXM boards have NVSwitches; the network is not known. */
function hardwareOfLog(gpu: string, gpusPerNode: number, nodes: number): ModelSubject['hardware'] {
  const pcie = /PCIe|L40|L4\b|A40|A10\b|RTX|T4\b/i.test(gpu);
  return {
    gpu,
    gpusPerNode,
    scaleUp: {
      kind: pcie ? 'pcie' : /MI\d/.test(gpu) ? 'infinity-fabric-mesh' : 'nvswitch',
      inSwitchReduction: /H100|H200|B[23]00/.test(gpu) && !pcie,
    },
    scaleOut: { transport: nodes > 1 ? 'unknown' : 'none' },
  };
}

/** Cells that are numbers as numbers, empty ones as null. */
function numeric(columns: Readonly<Record<string, string>>): Record<string, string | number | null> {
  const row: Record<string, string | number | null> = {};
  for (const [name, cell] of Object.entries(columns))
    row[name] = name !== 'set_id' && cell !== '' && Number.isFinite(Number(cell)) ? Number(cell) : cell === '' ? null : cell;
  return row;
}
