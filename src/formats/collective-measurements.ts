import Papa from 'papaparse';
import { FabricPlanError, showValue, throwIssues, type Issue } from '../errors.js';
import { SCALE_UP_KINDS, TRANSPORTS, type HardwareRecord, type ScaleUpKind, type Transport } from '../prediction/hardware.js';

/** Operations by the names that nccl-tests tables use. */
export const OPERATION_NAMES: Readonly<Record<string, 'all-reduce' | 'all-gather' | 'reduce-scatter' | 'all-to-all'>> = {
  all_reduce: 'all-reduce',
  all_gather: 'all-gather',
  reduce_scatter: 'reduce-scatter',
  alltoall: 'all-to-all',
  'all-reduce': 'all-reduce',
  'all-gather': 'all-gather',
  'reduce-scatter': 'reduce-scatter',
  'all-to-all': 'all-to-all',
};

/** One row of a table of measured collectives, as it stood, with the line it came from. */
export interface MeasurementRow {
  readonly columns: Readonly<Record<string, string>>;
  readonly line: number;
}

/** One system and setting that rows refer to. */
export interface MeasuredSet {
  readonly id: string;
  readonly system: string;
  readonly hardware: HardwareRecord;
  readonly ringOnly: boolean;
  /** The publisher's or collector's judgement, such as `good`; empty where none is given. */
  readonly group: string;
}

const REQUIRED = ['set_id', 'collective', 'nranks', 'nodes', 'size_bytes', 'time_us'];
const MOST_ROWS = 1_000_000;
const MOST_CHARACTERS = 128 * 1024 * 1024;

/**
 * Reads a table of measured collectives: columns set_id, collective, nranks, nodes, size_bytes, time_us, and any others, which are kept.
 *
 * @throws FabricPlanError `parse` naming every missing column, or the line of a malformed row; `too-large` beyond a million rows
 */
export function parseMeasurements(text: string): MeasurementRow[] {
  return parseTable(text, 'parseMeasurements', REQUIRED);
}

/** Rows of a CSV table with a header; missing columns are listed at once. */
export function parseTable(text: string, where: string, required: readonly string[]): MeasurementRow[] {
  if (text.length > MOST_CHARACTERS)
    throw new FabricPlanError('too-large', `${where}: the text has ${text.length} characters; expected at most ${MOST_CHARACTERS}`);
  const parsed = Papa.parse<string[]>(text.replace(/^\uFEFF/, ''), { skipEmptyLines: 'greedy', delimiter: ',' });
  const [header, ...body] = parsed.data as (string[] | undefined)[];
  const names = (header ?? []).map((name) => name.trim());
  const issues: Issue[] = required
    .filter((name) => !names.includes(name))
    .map((name) => ({ path: 'line 1', message: `column "${name}" is missing; found ${showValue(names.join(','))}` }));
  for (const error of parsed.errors.slice(0, 20))
    issues.push({ path: `line ${(error.row ?? 0) + 1}`, message: `line ${(error.row ?? 0) + 1}: ${error.message}` });
  if (body.length > MOST_ROWS) throw new FabricPlanError('too-large', `${where}: ${body.length} rows; expected at most ${MOST_ROWS}`);
  body.forEach((cells, i) => {
    if (issues.length < 20 && cells !== undefined && cells.length !== names.length)
      issues.push({ path: `line ${i + 2}`, message: `line ${i + 2} has ${cells.length} cells; expected ${names.length}` });
  });
  throwIssues('parse', where, issues);
  return body.map((cells, i) => {
    const columns = Object.create(null) as Record<string, string>;
    names.forEach((name, c) => (columns[name] = (cells?.[c] ?? '').trim()));
    return { columns, line: i + 2 };
  });
}

/**
 * Reads the systems that a table refers to: a JSON list of objects with set_id, system and hardware (gpu, gpusPerNode, scaleUp, scaleOut).
 * Unknown link kinds and transports become `unknown`.
 *
 * @throws FabricPlanError `parse` with every problem and the index of its set
 */
export function parseMeasuredSets(text: string): MeasuredSet[] {
  const where = 'parseMeasuredSets';
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new FabricPlanError('parse', `${where}: ${(cause as Error).message}`, [], { cause });
  }
  if (!Array.isArray(value)) throw new FabricPlanError('parse', `${where}: the text is ${showValue(value)}; expected a list of systems`);
  const issues: Issue[] = [];
  const sets = value.map((item: unknown, i): MeasuredSet => {
    const object = asObject(item);
    const hardware = asObject(object['hardware']);
    const up = asObject(hardware['scaleUp']);
    const out = asObject(hardware['scaleOut']);
    const number = (from: Record<string, unknown>, key: string, scale: number): number | undefined => {
      const raw = from[key];
      if (raw === undefined || raw === null || raw === '') return undefined;
      if (typeof raw === 'number' && Number.isFinite(raw) && raw >= 0) return raw === 0 ? undefined : raw * scale;
      issues.push({ path: `[${i}].hardware`, message: `[${i}].hardware: ${key} is ${showValue(raw)}; expected a number of at least 0` });
      return undefined;
    };
    const id = object['set_id'] ?? object['id'];
    if (typeof id !== 'string' || id === '')
      issues.push({ path: `[${i}].set_id`, message: `[${i}].set_id is ${showValue(id)}; expected a name` });
    if (object['hardware'] === undefined)
      issues.push({ path: `[${i}].hardware`, message: `[${i}].hardware is missing; expected an object` });
    const known = <T extends string>(raw: unknown, names: readonly T[]): T | 'unknown' => names.find((name) => name === raw) ?? 'unknown';
    return {
      id: String(id),
      system: asText(object['system']) || String(id),
      ringOnly: /^ring/i.test(asText(object['algo'])),
      group: asText(object['group']),
      hardware: {
        gpu: asText(hardware['gpu']) || asText(object['gpu']),
        gpusPerNode: number(hardware, 'gpusPerNode', 1) ?? number(object, 'gpus_per_node', 1) ?? 1,
        scaleUp: {
          kind: known<ScaleUpKind>(up['kind'], SCALE_UP_KINDS),
          ...optional('bandwidthPerGpu', number(up, 'GBpsPerGpu', 1e9)),
          inSwitchReduction: up['inSwitchReduction'] === true,
        },
        scaleOut: {
          transport: known<Transport>(out['transport'], TRANSPORTS),
          ...optional('bandwidthPerNode', number(out, 'GBpsPerNode', 1e9)),
          ...optional('nicsPerNode', number(out, 'nicsPerNode', 1)),
          ...optional('bandwidthPerNic', number(out, 'nicGbps', 1e9 / 8)),
        },
      },
    };
  });
  throwIssues('parse', where, issues);
  return sets;
}

const asObject = (value: unknown): Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
const asText = (value: unknown): string => (typeof value === 'string' ? value : '');
const optional = <K extends string>(key: K, value: number | undefined): Partial<Record<K, number>> =>
  value === undefined ? {} : ({ [key]: value } as Record<K, number>);
