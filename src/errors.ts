/** What kind of mistake a {@link FabricPlanError} reports. */
export type ErrorCode =
  'invalid-fabric' | 'invalid-argument' | 'unknown-name' | 'unreachable' | 'unsupported' | 'parse' | 'too-large' | 'conflict' | 'aborted';

/** One problem in an input: where, what was found, what was expected. */
export interface Issue {
  /** Where, as a path into the input: `links[3].bandwidth`, `line 12`. */
  readonly path: string;
  /** One sentence naming the culprit, the value and the expectation. */
  readonly message: string;
}

/**
 * The one error of this library, thrown for the caller's mistakes only; "does not fit" is a result, not an error.
 *
 * `issues` lists every problem found, not just the first; `code` is stable and safe to switch on.
 */
export class FabricPlanError extends Error {
  readonly code: ErrorCode;
  readonly issues: readonly Issue[];

  constructor(code: ErrorCode, message: string, issues: readonly Issue[] = [], options?: ErrorOptions) {
    super(message, options);
    this.name = 'FabricPlanError';
    this.code = code;
    this.issues = issues;
  }
}

const SHOWN_ISSUES = 20;

/** Throws one error for all issues collected at a door; does nothing when there are none. */
export function throwIssues(code: ErrorCode, where: string, issues: readonly Issue[]): void {
  if (issues.length === 0) return;
  const shown = issues.slice(0, SHOWN_ISSUES).map((issue) => `${where}: ${issue.message}`);
  if (issues.length > SHOWN_ISSUES) shown.push(`${where}: … and ${issues.length - SHOWN_ISSUES} more`);
  throw new FabricPlanError(code, shown.join('\n'), issues);
}

/** Error for an argument that is not what the function takes. */
export function invalidArgument(where: string, culprit: string, value: unknown, expected: string): FabricPlanError {
  const message = `${where}: ${culprit} is ${showValue(value)}; expected ${expected}`;
  return new FabricPlanError('invalid-argument', message, [{ path: culprit, message }]);
}

/** Error for a name that is not registered: lists the closest names first. */
export function unknownName(where: string, what: string, name: string, known: Iterable<string>): FabricPlanError {
  const names = [...known];
  const near = closestNames(name, names);
  const hint = near.length > 0 ? `did you mean ${near.map((n) => `"${n}"`).join(' or ')}? ` : '';
  const list = names.length > 30 ? `${names.slice(0, 30).join(', ')}, … (${names.length} in all)` : names.join(', ');
  const message = `${where}: unknown ${what} "${name}"; ${hint}known: ${list}`;
  return new FabricPlanError('unknown-name', message, [{ path: what, message }]);
}

/** Shows a value in a message: short, quoted when a string, never `[object Object]`. */
export function showValue(value: unknown): string {
  if (typeof value === 'string') return `"${value.length > 60 ? `${value.slice(0, 57)}…` : value}"`;
  if (typeof value === 'number' || typeof value === 'boolean' || value == null) return String(value);
  if (typeof value === 'bigint') return `${value}n`;
  if (Array.isArray(value)) return `a list of ${value.length}`;
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}

/** Names within a small edit distance of a misspelt one, nearest first, at most two. */
export function closestNames(name: string, known: readonly string[]): string[] {
  const limit = Math.max(1, Math.floor(name.length / 3));
  return known
    .map((candidate) => ({ candidate, distance: editDistance(name.toLowerCase(), candidate.toLowerCase(), limit + 1) }))
    .filter(({ distance }) => distance <= limit)
    .sort((a, b) => a.distance - b.distance || (a.candidate < b.candidate ? -1 : 1))
    .slice(0, 2)
    .map(({ candidate }) => candidate);
}

function editDistance(a: string, b: string, cap: number): number {
  if (Math.abs(a.length - b.length) >= cap || a.length > 200) return cap;
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      next.push(Math.min(row[j] + 1, next[j - 1] + 1, row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1)));
    }
    row = next;
  }
  return row[b.length];
}
