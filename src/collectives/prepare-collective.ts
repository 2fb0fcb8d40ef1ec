import { FabricPlanError, invalidArgument, unknownName, type Issue } from '../errors.js';
import { gpuIndices } from '../fabric/edit-fabric.js';
import type { Bytes, Seconds } from '../quantities.js';
import type { Routes } from '../routes/compute-routes.js';
import { borrowMeter } from '../routes/load-meter.js';
import { busFactor } from './bus-factor.js';
import { pricePhases, type PricedPhase } from './evaluate.js';
import { phaseTime } from './phase-time.js';
import { completePhysics, RANGE } from './physics.js';
import { orderRanks } from './rank-order.js';
import { COLLECTIVE_ALGORITHMS } from './registry.js';
import { describeShapes } from './shape.js';
import {
  COLLECTIVE_OPERATIONS,
  type CollectiveAlgorithm,
  type CollectiveEstimate,
  type CollectiveOperation,
  type CollectivePhysics,
  type LinkDirection,
  type PhaseEstimate,
} from './types.js';

export interface CollectiveOptions {
  /** Name of an algorithm, or one of your own. Default: the fastest of all. */
  readonly algorithm?: string | CollectiveAlgorithm;
  /** Algorithms to choose from. Default: all registered. */
  readonly algorithms?: readonly CollectiveAlgorithm[];
  /** Keep the order of `ranks` instead of one that follows locality. Default `locality`. */
  readonly order?: 'locality' | 'given';
  /** Software costs; see DEFAULT_PHYSICS. */
  readonly physics?: Partial<CollectivePhysics>;
}

/** A collective on given ranks, ready to be priced at any size in microseconds. */
export interface PreparedCollective {
  readonly operation: CollectiveOperation;
  readonly rankCount: number;
  /** GPU ids in rank order. */
  readonly ranks: readonly string[];
  /** Costs of one message size. */
  estimate(bytes: Bytes): CollectiveEstimate;
  /** Seconds alone, of the fastest algorithm. */
  seconds(bytes: Bytes): Seconds;
}

/** What to run where: an operation and the GPUs that take part. For broadcast and reduce, `root` is the GPU that has or gets the data. */
export interface CollectiveSubject {
  readonly operation: CollectiveOperation;
  readonly ranks: readonly string[];
  /** Default: the first of `ranks`. */
  readonly root?: string;
}

/**
 * Prepares a collective: orders the ranks, lets every algorithm describe its transfers, and works out the load they put on the links.
 * What is left depends on the message size alone, so curves and repeated questions cost next to nothing.
 *
 * @throws FabricPlanError `invalid-argument` for unknown operations, GPUs or algorithms; `unreachable` where ranks are not connected;
 * `unsupported` when no algorithm can do it
 * @complexity O(ranks) per algorithm, O(classes²) for all-to-all
 * @example
 * const prepared = prepareCollective(routes, { operation: 'all-reduce', ranks: ['a', 'b'] });
 * prepared.seconds(1e9) > 0.02 // true
 */
export function prepareCollective(routes: Routes, subject: CollectiveSubject, options: CollectiveOptions = {}): PreparedCollective {
  const where = 'prepareCollective';
  const { operation } = subject;
  if (!COLLECTIVE_OPERATIONS.includes(operation)) throw unknownName(where, 'operation', operation, COLLECTIVE_OPERATIONS);
  if (!(Array.isArray as (value: unknown) => value is readonly unknown[])(subject.ranks) || subject.ranks.length === 0)
    throw invalidArgument(where, 'ranks', subject.ranks, 'the ids of one or more GPUs');
  const indices = gpuIndices(routes.fabric, subject.ranks, where);
  const isRooted = operation === 'broadcast' || operation === 'reduce';
  const root = isRooted ? (subject.root ?? subject.ranks[0]) : undefined;
  if (root !== undefined && !subject.ranks.includes(root)) throw invalidArgument(where, 'root', root, 'one of the ranks');
  const ordered = options.order === 'given' ? indices : orderRanks(routes, indices);
  const gpus = root === undefined ? ordered : rotateTo(ordered, gpuIndices(routes.fabric, [root], where)[0]);
  const physics = completePhysics(where, options.physics);
  const { candidates, refusals } = priceGroups(routes, [gpus], operation, chooseAlgorithms(where, options));
  if (candidates.length === 0 && gpus.length > 1) {
    const reasons: Issue[] = refusals.map(({ algorithm, reason }) => ({ path: algorithm, message: `${algorithm}: ${reason}` }));
    throw new FabricPlanError(
      'unsupported',
      `${where}: no algorithm can do ${operation} over ${gpus.length} ranks here: ${reasons.map((issue) => issue.message).join('; ')}`,
      reasons,
    );
  }
  const rankCount = gpus.length;
  const seconds = (bytes: Bytes): Seconds => bestOf(candidates, checkBytes(where, bytes), physics).best?.seconds ?? 0;
  return {
    operation,
    rankCount,
    ranks: Array.from(gpus, (gpu) => routes.fabric.gpuIds[gpu]),
    seconds,
    estimate: (bytes) => describeEstimate(routes, operation, rankCount, candidates, refusals, checkBytes(where, bytes), physics),
  };
}

/** The algorithms an option names; the whole registry without one. */
export function chooseAlgorithms(where: string, options: CollectiveOptions): readonly CollectiveAlgorithm[] {
  const all = options.algorithms ?? COLLECTIVE_ALGORITHMS;
  if (options.algorithm === undefined) return all;
  if (typeof options.algorithm !== 'string') return [options.algorithm];
  const found = all.find((algorithm) => algorithm.name === options.algorithm);
  if (found === undefined)
    throw unknownName(
      where,
      'algorithm',
      options.algorithm,
      all.map((algorithm) => algorithm.name),
    );
  return [found];
}

/** One algorithm variant on the fabric. */
export interface PricedCandidate {
  readonly algorithm: string;
  readonly variant: number;
  readonly phases: readonly PricedPhase[];
  /** What it takes at least: steps, route latencies of all steps, seconds per byte of the busiest links. */
  readonly least: { readonly steps: number; readonly latency: Seconds; readonly perByte: number };
}

/** Rank count up to which every algorithm is tried. Beyond it only those that scale are, so that an estimate stays in milliseconds. */
const MOST_TRIED = 512;
const SCALABLE: readonly string[] = ['ring', 'double-binary-tree', 'hierarchical', 'in-network', 'direct'];

/**
 * Prices every algorithm on groups of equal size that run the same collective at once, sharing links.
 *
 * @param groups GPU indices in rank order
 */
export function priceGroups(
  routes: Routes,
  groups: readonly Int32Array[],
  operation: CollectiveOperation,
  algorithms: readonly CollectiveAlgorithm[],
): { candidates: PricedCandidate[]; refusals: { algorithm: string; reason: string }[] } {
  const candidates: PricedCandidate[] = [];
  const refusals: { algorithm: string; reason: string }[] = [];
  if (groups.length === 0 || groups[0].length < 2) return { candidates, refusals };
  // Groups of the same shape share one description of their transfers.
  const shapes = describeShapes(routes, groups);
  const kinds = [...new Set(shapes)];
  const meter = borrowMeter(routes);
  const isChoice = algorithms.length > 1;
  for (const algorithm of algorithms) {
    if (!algorithm.operations.includes(operation)) continue;
    const reason = kinds.map((shape) => algorithm.refusal?.(shape, operation)).find((text) => text !== undefined);
    if (reason !== undefined || (isChoice && groups[0].length > MOST_TRIED && !SCALABLE.includes(algorithm.name))) {
      refusals.push({ algorithm: algorithm.name, reason: reason ?? `tried only up to ${MOST_TRIED} ranks unless it is named` });
      continue;
    }
    const variants = Math.min(...kinds.map((shape) => algorithm.variants?.(shape, operation) ?? 1));
    for (let variant = 0; variant < variants; variant++) {
      const phasesOf = new Map(kinds.map((shape) => [shape, algorithm.phases(shape, operation, variant)]));
      const scheduled = groups.map((gpus, i) => ({ gpus, phases: phasesOf.get(shapes[i])! }));
      const phases = pricePhases(routes, scheduled, meter);
      candidates.push({ algorithm: algorithm.name, variant, phases, least: leastOf(phases) });
    }
  }
  return { candidates, refusals };
}

/** Lower bounds that hold for every number of pieces: the first piece passes all steps, the busiest link carries all bytes. */
function leastOf(phases: readonly PricedPhase[]): PricedCandidate['least'] {
  let steps = 0;
  let latency = 0;
  let perByte = 0;
  for (const phase of phases) {
    if (phase.latency === undefined) continue;
    for (const { repeat, depth, latency: of } of phase.stages ?? [phase]) {
      if (of === undefined) continue;
      const count = depth > 0 ? depth : repeat;
      steps += count;
      latency += count * of;
    }
    perByte += phase.secondsPerByte * (phase.stages !== undefined || phase.depth > 0 ? 1 : phase.repeat);
  }
  return { steps, latency, perByte };
}

/** Time of a candidate without launch. */
export function candidateSeconds(candidate: PricedCandidate, bytes: Bytes, physics: CollectivePhysics): Seconds {
  let seconds = 0;
  for (const phase of candidate.phases) seconds += phaseTime(phase, bytes, physics).seconds;
  return seconds;
}

/** The fastest candidate, and the fastest of another algorithm. Ties go to the first registered. */
export function bestOf(
  candidates: readonly PricedCandidate[],
  bytes: Bytes,
  physics: CollectivePhysics,
): { best?: { candidate: PricedCandidate; seconds: Seconds }; runnerUp?: { algorithm: string; seconds: Seconds } } {
  let best: PricedCandidate | undefined;
  let bestSeconds = Infinity;
  let second: string | undefined;
  let secondSeconds = Infinity;
  for (const candidate of candidates) {
    const { algorithm, least } = candidate;
    const isBest = algorithm === best?.algorithm;
    // Only the fastest and the fastest of another algorithm matter: leave out what cannot be either.
    const limit = isBest ? bestSeconds : secondSeconds;
    const bound = physics.launch + least.latency + least.steps * physics.step + bytes * least.perByte;
    if (bound * (1 - 1e-12) >= limit) continue;
    const seconds = candidateSeconds(candidate, bytes, physics) + physics.launch;
    if (seconds < bestSeconds) {
      if (!isBest) [second, secondSeconds] = [best?.algorithm, bestSeconds];
      [best, bestSeconds] = [candidate, seconds];
    } else if (!isBest && seconds < secondSeconds) [second, secondSeconds] = [algorithm, seconds];
  }
  if (best === undefined) return {};
  const found = { candidate: best, seconds: bestSeconds };
  return second === undefined ? { best: found } : { best: found, runnerUp: { algorithm: second, seconds: secondSeconds } };
}

function describeEstimate(
  routes: Routes,
  operation: CollectiveOperation,
  rankCount: number,
  candidates: readonly PricedCandidate[],
  refusals: CollectiveEstimate['refusals'],
  bytes: Bytes,
  physics: CollectivePhysics,
): CollectiveEstimate {
  const { best, runnerUp } = bestOf(candidates, bytes, physics);
  if (best === undefined) {
    const none = { seconds: 0, low: 0, high: 0, algorithm: 'none', algorithmBandwidth: 0, busBandwidth: 0, phases: [] };
    return { operation, rankCount, bytes, model: FIRST_PRINCIPLES, refusals, ...none };
  }
  const { candidate, seconds } = best;
  const timed: { phase: PricedPhase; seconds: number }[] = [];
  const phases: PhaseEstimate[] = [];
  let latency = physics.launch;
  let worst: (typeof timed)[number] | undefined;
  for (const phase of candidate.phases) {
    const time = phaseTime(phase, bytes, physics);
    const one = { phase, seconds: time.seconds };
    timed.push(one);
    latency += time.latency;
    const { label, arc } = phase;
    // Written out instead of spread: this runs millions of times in a scheduler.
    if (arc < 0) phases.push({ label, steps: time.steps, seconds: time.seconds, latency: time.latency });
    else {
      phases.push({ label, steps: time.steps, seconds: time.seconds, latency: time.latency, bottleneck: describeArc(routes, arc) });
      if (worst === undefined || time.seconds > worst.seconds) worst = one;
    }
  }
  const wire = seconds - latency;
  const estimate: { -readonly [K in keyof CollectiveEstimate]: CollectiveEstimate[K] } = {
    operation,
    rankCount,
    bytes,
    seconds,
    low: latency * RANGE.latencyLow + wire * RANGE.bandwidthLow,
    high: latency * RANGE.latencyHigh + wire * RANGE.bandwidthHigh,
    model: FIRST_PRINCIPLES,
    algorithm: candidate.algorithm,
    algorithmBandwidth: bytes / seconds,
    busBandwidth: (bytes / seconds) * busFactor(operation, rankCount),
    phases,
    refusals,
  };
  if (worst !== undefined) {
    const { link, source, target } = describeArc(routes, worst.phase.arc);
    estimate.bottleneck = { link, source, target, utilisation: Math.min(1, busySeconds(timed, worst.phase.arc, bytes) / seconds) };
  }
  if (runnerUp !== undefined) estimate.runnerUp = runnerUp;
  return estimate;
}

const FIRST_PRINCIPLES = 'first-principles';

/** Seconds for which the bottleneck arc is busy in the phases it limits. */
const busySeconds = (timed: readonly { phase: PricedPhase; seconds: number }[], arc: number, bytes: number): number =>
  timed.reduce((sum, { phase }) => sum + (phase.arc === arc ? phase.secondsPerByte * bytes * (phase.depth > 0 ? 1 : phase.repeat) : 0), 0);

/** Names the direction of the link behind an arc. */
export function describeArc(routes: Routes, arc: number): LinkDirection {
  const { compiled, devices, links } = routes.fabric;
  return {
    link: links[compiled.arcLink[arc]].id,
    source: devices[compiled.arcSource[arc]].id,
    target: devices[compiled.arcTarget[arc]].id,
  };
}

function checkBytes(where: string, bytes: Bytes): Bytes {
  if (!(Number.isFinite(bytes) && bytes >= 0)) throw invalidArgument(where, 'bytes', bytes, 'a number of bytes of 0 or more');
  return bytes;
}

function rotateTo(gpus: Int32Array, first: number): Int32Array {
  const at = gpus.indexOf(first);
  return Int32Array.from([...gpus.subarray(at), ...gpus.subarray(0, at)]);
}
