import type { Placement } from '../placement/types.js';
import type { TrainingJob } from '../training/types.js';

/** A ring-fenced share: GPUs of a pool (site and GPU model) that are guaranteed to an audience. */
export interface SharePolicy {
  /** Who it is for, such as `academic`, `industry`. */
  readonly audience: string;
  /** Site name; every site when absent. */
  readonly site?: string;
  /** GPU model; every model when absent. */
  readonly model?: string;
  /** Guaranteed GPUs in each matching pool: a number, or a share of the pool below 1. */
  readonly guaranteed: number;
  /** Whether others may use it while it is idle. Borrowed GPUs are taken back when the owner asks. Default false. */
  readonly borrowable?: boolean;
}

export interface ClusterPolicy {
  readonly shares?: readonly SharePolicy[];
}

/** What somebody asks for. */
export interface ClusterRequest {
  readonly id: string;
  readonly audience: string;
  readonly gpus: number;
  /** Only this site. */
  readonly site?: string;
  /** Only GPUs of this model. */
  readonly model?: string;
  /** With a job, GPUs are chosen by step time; without, packed close together. */
  readonly job?: TrainingJob;
}

/** Answer to a request: GPUs, or why not. */
export interface ClusterDecision {
  readonly request: ClusterRequest;
  readonly accepted: boolean;
  /** GPU ids in rank order. */
  readonly gpus: readonly string[];
  /** Allocations that give borrowed GPUs back first. */
  readonly preempts: readonly string[];
  readonly placement?: Placement;
  /** One sentence for people. */
  readonly reason: string;
  /** How many GPUs each reason excludes. */
  readonly excluded: readonly { readonly reason: string; readonly gpus: number }[];
}

export interface Allocation {
  readonly id: string;
  readonly audience: string;
  readonly gpus: readonly string[];
}

/** Everything that changes, as plain JSON. */
export interface ClusterSnapshot {
  readonly fabric: string;
  readonly allocations: readonly Allocation[];
  readonly failed: readonly string[];
}

/** A fabric in use. */
export interface Cluster {
  /** Decides without changing anything. */
  place(request: ClusterRequest): ClusterDecision;
  /** Makes an accepted decision true; refused when the state has changed since so that it no longer holds. */
  commit(decision: ClusterDecision): Allocation;
  release(id: string): void;
  /** Takes devices out of use; a GPU is lost with its node's last way out only when named itself. */
  fail(devices: readonly string[]): readonly string[];
  restore(devices: readonly string[]): void;
  snapshot(): ClusterSnapshot;
  /** Ids of healthy GPUs that nobody holds. */
  free(): readonly string[];
  allocations(): readonly Allocation[];
  /** Guaranteed, used and borrowed GPUs per share and pool. */
  usage(): readonly ShareUsage[];
}

export interface ShareUsage {
  readonly audience: string;
  readonly pool: string;
  readonly guaranteed: number;
  readonly used: number;
  readonly borrowable: boolean;
}
