import { FabricPlanError, invalidArgument, unknownName } from '../errors.js';
import { gpuIndices } from '../fabric/edit-fabric.js';
import type { Bytes, Seconds } from '../quantities.js';
import type { Routes } from '../routes/compute-routes.js';
import { completePhysics } from './physics.js';
import { orderRanks } from './rank-order.js';
import { COLLECTIVE_ALGORITHMS } from './registry.js';
import { describeShape } from './shape.js';
import type { TransferList } from './simulation/progress.js';
import { runFlows, runMessages } from './simulation/run-transfers.js';
import type { CollectiveAlgorithm, CollectiveOperation, CollectivePhysics, Phase, Trace } from './types.js';

export { closedFormAllReduce, type UniformNetwork } from './bounds/closed-forms.js';
export { bytesInFlight, connectionRate, type LongLinkTransport } from './long-links.js';

export interface SimulationSubject {
  readonly operation: CollectiveOperation;
  readonly ranks: readonly string[];
  readonly bytes: Bytes;
  readonly algorithm: string | CollectiveAlgorithm;
  readonly variant?: number;
  /**
   * Pieces that the message is cut into, each one step behind the one before, as pipelined algorithms (trees, chains) do. Default 1: the
   * trace as it is.
   */
  readonly pieces?: number;
  /** When it starts. Default 0. */
  readonly start?: Seconds;
  /** Claim on shared links, relative to other jobs. Default 1. */
  readonly weight?: number;
}

export interface SimulationOptions {
  readonly physics?: Partial<CollectivePhysics>;
  /**
   * How transfers use links. `max-min`: all transfers in flight share links max-min fairly, like many small packets. `store-and-forward`:
   * a link sends one whole transfer after the other, each hop waits for all of it. Default `max-min`.
   */
  readonly sharing?: 'max-min' | 'store-and-forward';
  /** Events after which a run is given up: contended fabrics with many ranks drift apart. Default 20,000,000. */
  readonly mostEvents?: number;
}

export interface SimulationResult {
  readonly seconds: Seconds;
  /** Transfers that ran. */
  readonly transfers: number;
  /** Times at which something started or ended. */
  readonly events: number;
}

/** Result of several jobs at once. */
export interface JointSimulationResult extends SimulationResult {
  /** Start, end and duration of each job, in the order given. */
  readonly jobs: readonly { readonly start: Seconds; readonly end: Seconds; readonly seconds: Seconds }[];
}

const MOST_TRANSFERS = 4_000_000;
const MOST_EVENTS = 20_000_000;

/**
 * Runs the trace of an algorithm chunk by chunk: a rank starts its part of a step when it has finished the step before; transfers pay
 * the latency of their route first and then share links with all others in flight.
 *
 * Slower and finer than the evaluator: ranks drift apart instead of waiting for the slowest at every step.
 *
 * @throws FabricPlanError `unsupported` for traces through a reducing switch, `too-large` beyond 4,000,000 transfers
 * @complexity O(events × transfers in flight) where the same sets of transfers meet again, else × arcs of a route
 * @example
 * simulateCollective(routes, { operation: 'all-reduce', ranks: ['a', 'b'], bytes: 1e9, algorithm: 'ring' }).transfers // 4
 */
export function simulateCollective(routes: Routes, subject: SimulationSubject, options: SimulationOptions = {}): SimulationResult {
  const { jobs, transfers, events } = simulateCollectives(routes, [subject], options);
  return { seconds: jobs[0].seconds, transfers, events };
}

/**
 * Runs several collectives at once, each with its own start and weight; they share links as one network does.
 *
 * @throws FabricPlanError as simulateCollective, and `invalid-argument` for negative starts or weights that are not above 0
 * @example
 * const job = { operation: 'all-reduce', ranks: ['a', 'b'], bytes: 1e9, algorithm: 'ring' };
 * simulateCollectives(routes, [job, { ...job, start: 1 }]).jobs.length // 2
 */
export function simulateCollectives(
  routes: Routes,
  subjects: readonly SimulationSubject[],
  options: SimulationOptions = {},
): JointSimulationResult {
  const where = 'simulateCollectives';
  const physics = completePhysics(where, options.physics);
  const lists: TransferList[] = [];
  let total = 0;
  subjects.forEach((subject, i) => {
    const start = subject.start ?? 0;
    const weight = subject.weight ?? 1;
    if (!(Number.isFinite(start) && start >= 0)) throw invalidArgument(where, `jobs[${i}].start`, start, 'seconds of 0 or more');
    if (!(Number.isFinite(weight) && weight > 0)) throw invalidArgument(where, `jobs[${i}].weight`, weight, 'a number above 0');
    const list = transfersOf(routes, subject, start, weight, where);
    total += list.source.length;
    if (total > MOST_TRANSFERS)
      throw new FabricPlanError('too-large', `${where}: more than ${MOST_TRANSFERS} transfers; expected fewer ranks or chunks`);
    lists.push(list);
  });
  const run = options.sharing === 'store-and-forward' ? runMessages : runFlows;
  const mostEvents = options.mostEvents ?? MOST_EVENTS;
  const { ends, events } = run(routes, lists, physics, mostEvents);
  if (events >= mostEvents)
    throw new FabricPlanError('too-large', `${where}: more than ${mostEvents} events; expected fewer ranks, or a higher mostEvents`);
  const jobs = lists.map(({ start, gpus }, i) => {
    const end = gpus.length < 2 ? start : ends[i];
    return { start, end, seconds: end - start };
  });
  return { seconds: jobs.reduce((last, { end }) => Math.max(last, end), 0), transfers: total, events, jobs };
}

function transfersOf(routes: Routes, subject: SimulationSubject, start: Seconds, weight: number, where: string): TransferList {
  const gpus = orderRanks(routes, gpuIndices(routes.fabric, subject.ranks, where));
  const empty = {
    gpus,
    start,
    weight,
    steps: 0,
    step: new Int32Array(0),
    source: new Int32Array(0),
    target: new Int32Array(0),
    bytes: new Float64Array(0),
  };
  if (gpus.length < 2) return empty;
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
  const variant = subject.variant ?? 0;
  const pieces = subject.pieces ?? 1;
  if (!(Number.isInteger(pieces) && pieces >= 1)) throw invalidArgument(where, 'pieces', pieces, 'a whole number of at least 1');
  const plain = pieces === 1 ? repeatedSteps(algorithm.phases(shape, subject.operation, variant), subject.bytes, where) : undefined;
  const merged = plain ?? mergeMoves(algorithm.trace(shape, subject.operation, variant), subject.bytes, gpus.length + 1, pieces, where);
  if (merged.source.some((rank) => rank >= gpus.length) || merged.target.some((rank) => rank >= gpus.length))
    throw new FabricPlanError('unsupported', `${where}: ${algorithm.name} reduces in switches, which are not simulated`);
  return { ...empty, ...merged };
}

type Steps = Pick<TransferList, 'steps' | 'step' | 'source' | 'target' | 'bytes'>;

/**
 * Transfers of phases that repeat one step, without going through every chunk; undefined where a phase is pipelined or staged, which only
 * the trace spells out.
 */
function repeatedSteps(phases: readonly Phase[], bytes: Bytes, where: string): Steps | undefined {
  let count = 0;
  let steps = 0;
  for (const { transfers, depth, stages, repeat = 1 } of phases) {
    if (depth !== undefined || stages !== undefined || 'everyPair' in transfers) return undefined;
    count += transfers.source.length * repeat;
    steps += repeat;
  }
  if (count > MOST_TRANSFERS) throw new FabricPlanError('too-large', `${where}: ${count} transfers; expected at most ${MOST_TRANSFERS}`);
  const step = new Int32Array(count);
  const source = new Int32Array(count);
  const target = new Int32Array(count);
  const sizes = new Float64Array(count);
  let at = 0;
  let s = 0;
  for (const { transfers, repeat = 1 } of phases) {
    if ('everyPair' in transfers) continue;
    const shares = transfers.share.map((share) => share * bytes);
    for (let r = 0; r < repeat; r++, s++) {
      source.set(transfers.source, at);
      target.set(transfers.target, at);
      sizes.set(shares, at);
      step.fill(s, at, (at += shares.length));
    }
  }
  return { steps, step, source, target, bytes: sizes };
}

/** Moves of one step between the same two ranks travel as one transfer; piece j is j steps behind the first. */
function mergeMoves(trace: Trace, bytes: Bytes, n: number, pieces: number, where: string): Steps {
  const most = pieces * trace.steps.reduce((sum, moves) => sum + moves.length, 0);
  if (most > MOST_TRANSFERS) throw new FabricPlanError('too-large', `${where}: ${most} transfers; expected at most ${MOST_TRANSFERS}`);
  const step = new Int32Array(most);
  const source = new Int32Array(most);
  const target = new Int32Array(most);
  const sizes = new Float64Array(most);
  // Transfer of a pair in the current step; a stamp below the first of the step is stale.
  const ofPair = new Int32Array(n * n).fill(-1);
  const share = bytes / trace.chunks / pieces;
  const steps = trace.steps.length + pieces - 1;
  let count = 0;
  for (let s = 0; s < steps; s++) {
    const first = count;
    for (let piece = Math.max(0, s - trace.steps.length + 1); piece <= Math.min(s, pieces - 1); piece++) {
      for (const move of trace.steps[s - piece]) {
        const pair = move.source * n + move.target;
        let at = ofPair[pair];
        if (at < first) {
          at = ofPair[pair] = count++;
          step[at] = s;
          source[at] = move.source;
          target[at] = move.target;
        }
        sizes[at] += (move.end - move.start) * share;
      }
    }
  }
  return {
    steps,
    step: step.slice(0, count),
    source: source.slice(0, count),
    target: target.slice(0, count),
    bytes: sizes.slice(0, count),
  };
}
