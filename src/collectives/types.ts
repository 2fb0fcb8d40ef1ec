import type { Bytes, BytesPerSecond, Seconds } from '../quantities.js';

/** The collective operations, named as in nccl-tests. */
export const COLLECTIVE_OPERATIONS = [
  'all-reduce',
  'reduce-scatter',
  'all-gather',
  'broadcast',
  'reduce',
  'all-to-all',
  'send-receive',
] as const;
export type CollectiveOperation = (typeof COLLECTIVE_OPERATIONS)[number];

/**
 * What an algorithm may know of the ranks: how many, and which share a node, a rack, a site. Ranks are positions 0…n−1 in an order
 * that follows locality. It knows nothing of links and times.
 */
export interface CollectiveShape {
  readonly rankCount: number;
  /** Useful locality levels, narrow to broad: group number of each position. */
  readonly levels: readonly Int32Array[];
  /** Sets of rings to choose from; a set is one or more closed tours of all positions, each taking an equal part of the data. */
  readonly ringSets: readonly (readonly Int32Array[])[];
  /** Whether every switch between the ranks can add up what passes. */
  readonly switchReduces: boolean;
}

/** Transfers of one phase; shares are fractions of the collective's bytes. Position n stands for the reducing switch. */
export interface Transfers {
  readonly source: Int32Array;
  readonly target: Int32Array;
  readonly share: Float64Array;
}

/** A stage of an algorithm: who sends which share to whom, and how often. */
export interface Phase {
  readonly label: string;
  /** Number of identical steps, one after the other. Default 1. */
  readonly repeat?: number;
  /**
   * For a pipelined phase: steps until the first piece is through. The shares are then the totals per edge, sent in as many pieces as
   * the evaluator finds best; pieces of all edges travel at once.
   */
  readonly depth?: number;
  /** Explicit transfers, or the same share between every ordered pair. */
  readonly transfers: Transfers | { readonly everyPair: number };
  /**
   * Stages that the data passes piece by piece, so that all of them can work at once; `transfers` is then empty. The evaluator finds the
   * best number of pieces; with one piece the stages run one after the other.
   */
  readonly stages?: readonly Phase[];
}

/** One movement of a chunk range in a trace. */
export interface Move {
  readonly source: number;
  readonly target: number;
  /** Chunks start ≤ c < end. */
  readonly start: number;
  readonly end: number;
  /** True when the target adds the chunks to its own; false when it takes them over. */
  readonly reduces: boolean;
}

/** A full account of chunk movements: moves of one step happen at once, on the state before the step. */
export interface Trace {
  /** Chunks in the collective's bytes. For all-to-all, chunk r·n + d is what rank r has for rank d, and n of them make the bytes. */
  readonly chunks: number;
  readonly steps: readonly (readonly Move[])[];
}

/** A collective algorithm: describes transfers, never times. Any value of this shape may be used where a name is taken. */
export interface CollectiveAlgorithm {
  readonly name: string;
  readonly operations: readonly CollectiveOperation[];
  /** Why it cannot do this operation on these ranks; undefined when it can. */
  refusal?(shape: CollectiveShape, operation: CollectiveOperation): string | undefined;
  /** Number of variants to choose from (rings, inner styles). Default 1. */
  variants?(shape: CollectiveShape, operation: CollectiveOperation): number;
  phases(shape: CollectiveShape, operation: CollectiveOperation, variant: number): Phase[];
  /** Chunk movements, for the symbolic executor and the simulator. Costs O(chunks × steps): for small rank counts. */
  trace(shape: CollectiveShape, operation: CollectiveOperation, variant: number): Trace;
}

/** Software costs that no link has; the physics of the first-principles model. */
export interface CollectivePhysics {
  /** Fixed cost of a call: kernel launch, rendezvous. */
  readonly launch: Seconds;
  /** Added to the route latency of every step: synchronisation and protocol of sender and receiver. */
  readonly step: Seconds;
  /** Smallest piece of a pipelined phase. */
  readonly leastPiece: Bytes;
  /** Bytes that one connection between two GPUs may have in flight; over a round trip R it carries at most window / R. See {@link bytesInFlight}. */
  readonly window: Bytes;
}

/** Time and bottleneck of one phase at the estimated size. */
export interface PhaseEstimate {
  readonly label: string;
  readonly steps: number;
  readonly seconds: Seconds;
  /** Part of `seconds` that does not shrink with the bytes. */
  readonly latency: Seconds;
  /** Link direction that takes longest; absent where nothing moves. */
  readonly bottleneck?: LinkDirection;
}

export interface LinkDirection {
  readonly link: string;
  readonly source: string;
  readonly target: string;
}

/** What a collective costs. */
export interface CollectiveEstimate {
  readonly operation: CollectiveOperation;
  readonly rankCount: number;
  /** Total buffer, as nccl-tests counts it: for all-gather the gathered result, for reduce-scatter and all-to-all the full input. */
  readonly bytes: Bytes;
  readonly seconds: Seconds;
  /** Range in which a measurement is expected. */
  readonly low: Seconds;
  readonly high: Seconds;
  /** Which model made the estimate. */
  readonly model: string;
  readonly algorithm: string;
  /** bytes / seconds. */
  readonly algorithmBandwidth: BytesPerSecond;
  /** Algorithm bandwidth times the operation's factor of nccl-tests, comparable with link rates. */
  readonly busBandwidth: BytesPerSecond;
  readonly phases: readonly PhaseEstimate[];
  /** Bottleneck of the phase that costs most, and the share of the whole time in which that link is busy. */
  readonly bottleneck?: LinkDirection & { readonly utilisation: number };
  readonly runnerUp?: { readonly algorithm: string; readonly seconds: Seconds };
  /** Why algorithms were not considered. */
  readonly refusals: readonly { readonly algorithm: string; readonly reason: string }[];
}
