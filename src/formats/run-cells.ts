import { FabricPlanError } from '../errors.js';

/** Columns of a table of training runs as text; an absent column reads as empty. */
export type RunColumns = Readonly<Record<string, string>>;

/** Numbers of a row, each named in what is wrong with it. */
export class RunCells {
  readonly inferred: string[] = [];
  constructor(readonly columns: RunColumns) {}

  text(name: string): string {
    return Object.hasOwn(this.columns, name) ? this.columns[name] : '';
  }

  /** A number above zero; undefined where the cell is empty. */
  number(name: string): number | undefined {
    const text = this.text(name);
    if (text === '' || text === '-') return undefined;
    const value = Number(text);
    if (!(Number.isFinite(value) && value > 0 && value <= 1e15))
      throw new FabricPlanError('parse', `${name} is "${text.slice(0, 40)}"; expected a number above 0`);
    return value;
  }

  whole(name: string): number | undefined {
    const value = this.number(name);
    if (value !== undefined && !Number.isInteger(value))
      throw new FabricPlanError('parse', `${name} is "${this.text(name)}"; expected a whole number`);
    return value;
  }

  infer<T>(name: string, value: T, why: string): T {
    this.inferred.push(`${name}: ${String(value)} (${why})`);
    return value;
  }
}
