import type { Axis, Mapping, StepEstimate } from '../training/types.js';
import type { CompleteParallelism } from '../training/validate-job.js';
import type { Objective } from './objective.js';

/** GPUs in the order in which ranks will sit on them, with the blocks that must not be torn apart. */
export interface Selection {
  /** Which strategy proposed it. */
  readonly strategy: string;
  /** GPU indices in rank order. */
  readonly gpus: Int32Array;
  /** Axes from fastest to slowest. */
  readonly order: readonly Axis[];
  /** Number of consecutive GPUs in each site, in order; ranks of a unit must not straddle two of them. */
  readonly sites: readonly number[];
  /** What must lie within one site: a whole replica (all but the data axis) or one pipeline stage. */
  readonly unit: 'replica' | 'stage' | 'none';
  /** Steps between synchronisations across sites; 1 for synchronous training. */
  readonly outerEvery: number;
}

/** What strategies see: the free GPUs, in locality order. */
export interface SelectionContext {
  /** Free GPU indices in locality order. */
  readonly free: Int32Array;
  /** Free GPU indices by site, in locality order; one entry for fabrics of one site. */
  readonly sites: readonly { readonly name: string; readonly gpus: Int32Array }[];
  /** Number of GPUs wanted. */
  readonly count: number;
  readonly outerEvery: number;
  /**
   * Sizes of groups that a selection may be made for, largest first: from every scale-up domain it takes a multiple of such a size, so
   * that no group straddles two domains. 1 is always among them.
   */
  readonly grains: readonly number[];
  /** Picks `count` of some GPUs that lie close together, in multiples of a grain (default 1); undefined where there are not so many. */
  pack(gpus: Int32Array, count: number, grain?: number): Int32Array | undefined;
}

/** A way to choose GPUs. Any value of this shape may be used where a name is taken. */
export interface PlacementStrategy {
  readonly name: string;
  /** Selections worth trying; none, with a reason, where it does not apply. */
  propose(context: SelectionContext): { readonly selections: readonly Selection[]; readonly reason?: string };
}

/** A placement: a mapping with its price. */
export interface Placement {
  readonly strategy: string;
  readonly mapping: Mapping & { readonly parallelism: CompleteParallelism; readonly order: readonly Axis[] };
  readonly step: StepEstimate;
  /** GPUs used per site. */
  readonly sites: Readonly<Record<string, number>>;
  /** Caveats the reader must know, such as the convergence of low-communication training. */
  readonly caveats: readonly string[];
  /** The whole run, where its tokens were given. */
  readonly run?: RunEstimate;
  /** What it loses to the first by, in words; absent for the first. */
  readonly lostBy?: string;
}

/** A run of so many tokens. */
export interface RunEstimate {
  readonly tokens: number;
  readonly steps: number;
  readonly seconds: number;
  readonly gpuHours: number;
  readonly euros?: number;
  /** Joules. */
  readonly energy?: number;
}

/** Why candidates were not placed, counted. */
export interface Rejection {
  readonly reason: string;
  readonly count: number;
}

/** How far the answer is proven. */
export interface PlacementProof {
  /** Whether no mapping of any of the free GPUs, of the degrees examined, is better by the objective. */
  readonly optimal: boolean;
  /** Least value of the objective that any of them could have. */
  readonly bound: number;
  /** Best value found over the bound, minus 1. */
  readonly gap: number;
  /** Whether every proposed selection was searched to the end: then nothing among the proposals is better. */
  readonly rankingExact: boolean;
  /** Where the answer comes from: every arrangement, or proposals searched by branch and bound and improved by local search. */
  readonly method: 'exhaustive' | 'branch and bound' | 'branch and bound, local search';
  readonly statement: string;
}

export interface PlacementResult {
  readonly objective: Objective;
  /** Ranked: best first. Empty when nothing is feasible. */
  readonly placements: readonly Placement[];
  /** Placements that none beats in all objectives asked for, by the first of them; only with `pareto`. */
  readonly front?: readonly Placement[];
  readonly rejections: readonly Rejection[];
  /** Candidates looked at; equals feasible + rejected. */
  readonly examined: number;
  readonly feasible: number;
  /** Candidates that were priced on the fabric; the others could not be among the best. */
  readonly priced: number;
  readonly proof: PlacementProof;
  /** What the runner-up loses by, in words. */
  readonly explanation: string;
}
