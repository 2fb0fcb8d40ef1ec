import { expect } from 'vitest';
import type { CollectiveAlgorithm, CollectiveOperation, CollectiveShape, Phase, Trace } from '../../src/collectives/types.js';

/** Sets of contributions as bit masks: state[rank][chunk]. The last row is the reducing switch. */
type State = number[][];

/**
 * Runs a trace on sets of contributions and checks the result: every rank that should hold a chunk holds every contribution exactly once.
 */
export function executeTrace(
  algorithm: CollectiveAlgorithm,
  shape: CollectiveShape,
  operation: CollectiveOperation,
  variant: number,
): void {
  const n = shape.rankCount;
  const trace = algorithm.trace(shape, operation, variant);
  const everyone = 2 ** n - 1;
  switch (operation) {
    case 'all-reduce': {
      const state = run(
        trace,
        initial(n, trace.chunks, (rank) => 1 << rank),
        n,
      );
      for (let rank = 0; rank < n; rank++) expect(state[rank], `rank ${rank}`).toEqual(new Array(trace.chunks).fill(everyone));
      return;
    }
    case 'reduce-scatter': {
      const owners = ownersAfterScatter(trace, n, everyone);
      for (let rank = 0; rank < n; rank++)
        expect(owners.filter((owner) => owner === rank).length, `chunks of rank ${rank}`).toBe(trace.chunks / n);
      return;
    }
    case 'all-gather': {
      const owners = algorithm.operations.includes('reduce-scatter')
        ? ownersAfterScatter(algorithm.trace(shape, 'reduce-scatter', variant), n, everyone)
        : Array.from({ length: trace.chunks }, (_, chunk) => Math.floor((chunk * n) / trace.chunks));
      const state = run(
        trace,
        initial(n, trace.chunks, (rank, chunk) => (owners[chunk] === rank ? 1 << rank : 0)),
        n,
      );
      for (let rank = 0; rank < n; rank++) expect(state[rank], `rank ${rank}`).toEqual(owners.map((owner) => 1 << owner));
      return;
    }
    case 'broadcast': {
      const state = run(
        trace,
        initial(n, trace.chunks, (rank) => (rank === 0 ? 1 : 0)),
        n,
      );
      for (let rank = 0; rank < n; rank++) expect(state[rank], `rank ${rank}`).toEqual(new Array(trace.chunks).fill(1));
      return;
    }
    case 'reduce': {
      const state = run(
        trace,
        initial(n, trace.chunks, (rank) => 1 << rank),
        n,
      );
      expect(state[0]).toEqual(new Array(trace.chunks).fill(everyone));
      return;
    }
    case 'all-to-all': {
      const state = run(
        trace,
        initial(n, n * n, (rank, item) => (Math.floor(item / n) === rank ? 1 << rank : 0)),
        n,
      );
      for (let rank = 0; rank < n; rank++)
        for (let from = 0; from < n; from++) expect(state[rank][from * n + rank], `${from} to ${rank}`).toBe(1 << from);
      return;
    }
    case 'send-receive': {
      const state = run(
        trace,
        initial(n, n, (rank, item) => (rank === item ? 1 << rank : 0)),
        n,
      );
      for (let rank = 0; rank < n; rank++) expect(state[(rank + 1) % n][rank]).toBe(1 << rank);
    }
  }
}

function initial(n: number, chunks: number, value: (rank: number, chunk: number) => number): State {
  return [
    ...Array.from({ length: n }, (_, rank) => Array.from({ length: chunks }, (_, chunk) => value(rank, chunk))),
    new Array<number>(chunks).fill(0),
  ];
}

function run(trace: Trace, state: State, n: number): State {
  for (const [s, moves] of trace.steps.entries()) {
    const before = state.map((row) => [...row]);
    for (const { source, target, start, end, reduces } of moves) {
      expect(source, `step ${s}`).toBeLessThanOrEqual(n);
      expect(Number.isInteger(start) && Number.isInteger(end) && start < end, `step ${s}: chunks ${start} to ${end}`).toBe(true);
      for (let chunk = start; chunk < end; chunk++) {
        const sent = before[source][chunk];
        if (sent === 0) expect.fail(`step ${s}: rank ${source} sends chunk ${chunk} that it does not have`);
        if (reduces && (state[target][chunk] & sent) !== 0)
          expect.fail(`step ${s}: rank ${target} would count a contribution to chunk ${chunk} twice`);
        state[target][chunk] = reduces ? state[target][chunk] | sent : sent;
      }
    }
  }
  return state;
}

function ownersAfterScatter(trace: Trace, n: number, everyone: number): number[] {
  const state = run(
    trace,
    initial(n, trace.chunks, (rank) => 1 << rank),
    n,
  );
  return Array.from({ length: trace.chunks }, (_, chunk) => {
    const holders = Array.from({ length: n }, (_, rank) => rank).filter((rank) => state[rank][chunk] === everyone);
    expect(holders.length, `ranks that hold all of chunk ${chunk}`).toBeGreaterThanOrEqual(1);
    return holders[0];
  });
}

/** Share of the bytes that travels from each rank to each other, by a trace. */
export function traceBytes(trace: Trace): Map<string, number> {
  const bytes = new Map<string, number>();
  for (const { source, target, start, end } of trace.steps.flat()) add(bytes, source, target, (end - start) / trace.chunks);
  return bytes;
}

/** The same by the phases. */
export function phaseBytes(phases: readonly Phase[], n: number): Map<string, number> {
  const bytes = new Map<string, number>();
  for (const phase of phases.flatMap((one) => one.stages ?? [one])) {
    const repeat = phase.repeat ?? 1;
    const { transfers } = phase;
    if ('everyPair' in transfers) {
      for (let a = 0; a < n; a++) for (let b = 0; b < n; b++) if (a !== b) add(bytes, a, b, transfers.everyPair * repeat);
    } else
      transfers.source.forEach((source, t) => {
        add(bytes, source, transfers.target[t], transfers.share[t] * repeat);
      });
  }
  return bytes;
}

const add = (bytes: Map<string, number>, source: number, target: number, share: number): void => {
  bytes.set(`${source}>${target}`, (bytes.get(`${source}>${target}`) ?? 0) + share);
};
