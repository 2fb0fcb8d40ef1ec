import type { Axis, Mapping, Parallelism, StepEstimate } from '../training/types.js';

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
  /** Picks `count` of some GPUs that lie close together. */
  pack(gpus: Int32Array, count: number): Int32Array;
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
  readonly mapping: Mapping & { readonly parallelism: Required<Parallelism>; readonly order: readonly Axis[] };
  readonly step: StepEstimate;
  /** GPUs used per site. */
  readonly sites: Readonly<Record<string, number>>;
  /** Caveats the reader must know, such as the convergence of low-communication training. */
  readonly caveats: readonly string[];
}

/** Why candidates were not placed, counted. */
export interface Rejection {
  readonly reason: string;
  readonly count: number;
}

export interface PlacementResult {
  /** Ranked: fastest first. Empty when nothing is feasible. */
  readonly placements: readonly Placement[];
  readonly rejections: readonly Rejection[];
  /** Candidates looked at; equals feasible + rejected. */
  readonly examined: number;
  readonly feasible: number;
  /** What the runner-up loses by, in words. */
  readonly explanation: string;
}
