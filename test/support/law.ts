import fc from 'fast-check';
import { it } from 'vitest';

/** Cases of a law: 100 in the tests, up to 10,000 in the long run, where dear laws stop at a time budget. */
const RUNS = Number(process.env['FABRICPLAN_LAW_RUNS'] ?? 100);
const LONG_BUDGET_MS = 30_000;
const SHORT_BUDGET_MS = 15_000;

/** A law: holds for every value of the arbitrary. The predicate fails by throwing. */
export function law<T>(sentence: string, arbitrary: fc.Arbitrary<T>, predicate: (value: T) => void): void {
  it(sentence, () => {
    fc.assert(fc.property(arbitrary, predicate), {
      numRuns: RUNS,
      interruptAfterTimeLimit: RUNS > 100 ? LONG_BUDGET_MS : SHORT_BUDGET_MS,
      markInterruptAsFailure: false,
    });
  });
}
