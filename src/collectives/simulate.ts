import { FabricPlanError, unknownName } from '../errors.js';
import { gpuIndices } from '../fabric/edit-fabric.js';
import type { Bytes, Seconds } from '../quantities.js';
import { expandRoute, type Routes } from '../routes/compute-routes.js';
import { fillProgressively, type ArcFlow } from '../routes/max-min-share.js';
import { completePhysics } from './physics.js';
import { orderRanks } from './rank-order.js';
import { COLLECTIVE_ALGORITHMS } from './registry.js';
import { describeShape } from './shape.js';
import type { CollectiveAlgorithm, CollectiveOperation, CollectivePhysics, Trace } from './types.js';

export interface SimulationSubject {
  readonly operation: CollectiveOperation;
  readonly ranks: readonly string[];
  readonly bytes: Bytes;
  readonly algorithm: string | CollectiveAlgorithm;
  readonly variant?: number;
}

export interface SimulationResult {
  readonly seconds: Seconds;
  /** Transfers that ran. */
  readonly transfers: number;
  /** Times at which the sharing of links was worked out afresh. */
  readonly events: number;
}

const MOST_TRANSFERS = 200_000;

/**
 * Runs the trace of an algorithm chunk by chunk: a rank starts its part of a step when it has finished the step before; transfers pay
 * the latency of their route first and then share links max-min fairly with all others in flight.
 *
 * Slower and finer than the evaluator: ranks drift apart instead of waiting for the slowest at every step.
 *
 * @throws FabricPlanError `unsupported` for traces through a reducing switch, `too-large` beyond 200,000 transfers
 * @complexity O(events × transfers in flight × arcs of a route)
 * @example
 * simulateCollective(routes, { operation: 'all-reduce', ranks: ['a', 'b'], bytes: 1e9, algorithm: 'ring' }).transfers // 4
 */
export function simulateCollective(
  routes: Routes,
  subject: SimulationSubject,
  options: { readonly physics?: Partial<CollectivePhysics> } = {},
): SimulationResult {
  const where = 'simulateCollective';
  const physics = completePhysics(where, options.physics);
  const gpus = orderRanks(routes, gpuIndices(routes.fabric, subject.ranks, where));
  if (gpus.length < 2) return { seconds: 0, transfers: 0, events: 0 };
  const algorithm =
    typeof subject.algorithm === 'string' ? COLLECTIVE_ALGORITHMS.find(({ name }) => name === subject.algorithm) : subject.algorithm;
  if (algorithm === undefined)
    throw unknownName(
      where,
      'algorithm',
      subject.algorithm as string,
      COLLECTIVE_ALGORITHMS.map(({ name }) => name),
    );
  const shape = describeShape(routes, gpus);
  const refusal = algorithm.refusal?.(shape, subject.operation);
  if (refusal !== undefined) throw new FabricPlanError('unsupported', `${where}: ${algorithm.name}: ${refusal}`);
  const transfers = mergeMoves(algorithm.trace(shape, subject.operation, subject.variant ?? 0), subject.bytes);
  if (transfers.length > MOST_TRANSFERS)
    throw new FabricPlanError('too-large', `${where}: ${transfers.length} transfers; expected at most ${MOST_TRANSFERS}`);
  if (transfers.some(({ source, target }) => source >= gpus.length || target >= gpus.length))
    throw new FabricPlanError('unsupported', `${where}: ${algorithm.name} reduces in switches, which are not simulated`);
  return runTransfers(routes, gpus, transfers, physics);
}

interface StepTransfer {
  readonly step: number;
  readonly source: number;
  readonly target: number;
  readonly bytes: number;
}

/** Moves of one step between the same two ranks travel as one transfer. */
function mergeMoves(trace: Trace, bytes: Bytes): StepTransfer[] {
  return trace.steps.flatMap((moves, step) => {
    const pairs = new Map<string, StepTransfer>();
    for (const { source, target, start, end } of moves) {
      const key = `${source},${target}`;
      const size = ((end - start) / trace.chunks) * bytes;
      pairs.set(key, { step, source, target, bytes: (pairs.get(key)?.bytes ?? 0) + size });
    }
    return [...pairs.values()];
  });
}

function runTransfers(routes: Routes, gpus: Int32Array, transfers: readonly StepTransfer[], physics: CollectivePhysics): SimulationResult {
  // A rank's step is done when all of its transfers of that step, in and out, are done.
  const steps = Math.max(...transfers.map(({ step }) => step)) + 1;
  const n = gpus.length;
  const open = new Int32Array(n * steps);
  const byStart = new Map<number, number[]>();
  transfers.forEach(({ step, source, target }, i) => {
    open[source * steps + step]++;
    if (target !== source) open[target * steps + step]++;
    for (const rank of new Set([source, target])) {
      const key = rank * steps + step;
      const list = byStart.get(key);
      if (list === undefined) byStart.set(key, [i]);
      else list.push(i);
    }
  });
  const waiting = transfers.map(({ source, target }) => new Set([source, target]).size);
  const flows = transfers.map(({ source, target }): ArcFlow & { latency: number } => {
    const { arcs, shares, latency } = expandRoute(routes, gpus[source], gpus[target]);
    return { arcs, shares, weight: 1, cap: Infinity, latency };
  });
  const starting: { time: number; transfer: number }[] = [];
  const active = new Map<number, number>();
  const at = new Int32Array(n).fill(-1);
  let now = physics.launch;
  let events = 0;
  const advance = (rank: number): void => {
    do at[rank]++;
    while (at[rank] < steps && open[rank * steps + at[rank]] === 0);
    if (at[rank] === steps) return;
    for (const transfer of byStart.get(rank * steps + at[rank]) ?? [])
      if (--waiting[transfer] === 0) starting.push({ time: now + flows[transfer].latency + physics.step, transfer });
  };
  for (let rank = 0; rank < n; rank++) advance(rank);
  while (starting.length > 0 || active.size > 0) {
    events++;
    const ids = [...active.keys()];
    const rates = fillProgressively(
      routes.fabric.compiled.arcBandwidth,
      ids.map((id) => flows[id]),
    );
    const nextStart = starting.reduce((least, { time }) => Math.min(least, time), Infinity);
    const nextEnd = ids.reduce((least, id, i) => Math.min(least, now + active.get(id)! / rates[i]), Infinity);
    const next = Math.min(nextStart, nextEnd);
    const done: number[] = [];
    ids.forEach((id, i) => {
      const left = active.get(id)! - rates[i] * (next - now);
      if (now + active.get(id)! / rates[i] <= next * (1 + 1e-12)) done.push(id);
      else active.set(id, left);
    });
    now = next;
    for (const id of done) active.delete(id);
    for (let i = starting.length - 1; i >= 0; i--) {
      if (starting[i].time > now * (1 + 1e-12)) continue;
      const [{ transfer }] = starting.splice(i, 1);
      if (transfers[transfer].bytes > 0) active.set(transfer, transfers[transfer].bytes);
      else done.push(transfer);
    }
    for (const id of done) {
      const { source, target, step } = transfers[id];
      for (const rank of new Set([source, target])) if (--open[rank * steps + step] === 0) advance(rank);
    }
  }
  return { seconds: now, transfers: transfers.length, events };
}
