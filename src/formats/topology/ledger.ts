import type { Inference } from './types.js';

/** What was concluded and what was assumed on the way to a fabric. */
export interface Ledger {
  infer(what: string, from: string, count?: number): void;
  assume(what: string, by: string, count?: number): void;
  inferred(): Inference[];
  assumed(): Inference[];
}

export function startLedger(): Ledger {
  const lists = { inferred: new Map<string, Inference>(), assumed: new Map<string, Inference>() };
  const add = (list: Map<string, Inference>, what: string, from: string, count: number): void => {
    const key = `${what}\u0000${from}`;
    list.set(key, { what, from, count: (list.get(key)?.count ?? 0) + count });
  };
  return {
    infer: (what, from, count = 1) => {
      add(lists.inferred, what, from, count);
    },
    assume: (what, by, count = 1) => {
      add(lists.assumed, what, by, count);
    },
    inferred: () => [...lists.inferred.values()],
    assumed: () => [...lists.assumed.values()],
  };
}

/** Notes something that is missing, and what would fill it. */
export type Gap = (what: string, fill: string, count?: number) => void;
