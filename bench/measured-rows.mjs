import { isStalled } from '../dist/calibration/index.js';
import { existsSync, readFileSync } from 'node:fs';
import { OPERATION_NAMES, parseMeasuredSets, parseMeasurements } from '../dist/formats/index.js';

/** Folder of the public measurements; not part of this repository. */
export const DATA = new URL('../../shared/data/', import.meta.url);
export const hasData = () => existsSync(new URL('collectives/measurements.csv', DATA));

/** Rows of the public measurements with size and time, each with its machine. */
export function measuredRows() {
  const folder = new URL('collectives/', DATA);
  const sets = new Map(parseMeasuredSets(readFileSync(new URL('systems.json', folder), 'utf8')).map((set) => [set.id, set]));
  const subjects = new Map();
  return parseMeasurements(readFileSync(new URL('measurements.csv', folder), 'utf8')).flatMap(({ columns }) => {
    const set = sets.get(columns.set_id);
    const bytes = Number(columns.size_bytes);
    const seconds = Number(columns.time_us) * 1e-6;
    if (set === undefined || !(bytes > 0) || !(seconds > 0) || set.hardware.gpu.startsWith('n/a')) return [];
    const key = `${columns.set_id} ${columns.collective} ${columns.nranks} ${columns.nodes}`;
    if (!subjects.has(key))
      subjects.set(key, {
        hardware: set.hardware,
        operation: OPERATION_NAMES[columns.collective],
        ranks: Number(columns.nranks),
        nodes: Number(columns.nodes),
        ringOnly: set.ringOnly,
      });
    return [{ system: set.system, set: set.id, group: set.group, subject: subjects.get(key), bytes, seconds }];
  });
}

/** Rows that constants are fitted to: good sets in full, partial ones (few points) at less trust. */
export const isFitted = (row) => (row.group === 'good' || row.group === 'partial') && !isStalled(row);
export const trustOf = (row) => (row.group === 'good' ? 1 : 0.3);
