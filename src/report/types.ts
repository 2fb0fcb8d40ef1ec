import type { FabricSummary } from '../fabric/capacity.js';
import type { Objective } from '../placement/objective.js';
import type { PlacementProof, Rejection, RunEstimate } from '../placement/types.js';
import type { StepEstimate } from '../training/types.js';

/** A placement as reports show it: plain numbers in SI units. */
export interface ReportPlacement {
  readonly strategy: string;
  readonly degrees: Readonly<Record<string, number | string | boolean | readonly number[]>>;
  readonly sites: Readonly<Record<string, number>>;
  readonly step: StepEstimate;
  readonly caveats: readonly string[];
  /** The whole run, where its tokens are known. */
  readonly run?: RunEstimate;
  /** What it loses to the first by. */
  readonly lostBy?: string;
  /** GPU ids in rank order, where asked for. */
  readonly gpus?: readonly string[];
}

/** A place on the map. */
export interface ReportSite {
  readonly name: string;
  readonly coordinates?: readonly [number, number];
  readonly gpus: number;
  readonly model: string;
  /** Line rate of the access link, bytes per second, and how sure it is. */
  readonly access?: number;
  readonly confidence?: string;
}

/** A wide-area link on the map. */
export interface ReportLink {
  readonly from: string;
  readonly to: string;
  readonly bandwidth: number;
  /** Seconds there and back. */
  readonly roundTrip: number;
  readonly confidence?: string;
}

/** What `plan` found, as data: the input of every report. */
export interface PlanReport {
  readonly schema: 'fabricplan/plan/1';
  readonly name: string;
  readonly fabric: FabricSummary;
  readonly sites: readonly ReportSite[];
  readonly links: readonly ReportLink[];
  readonly job: {
    readonly model: string;
    readonly parameters: number;
    readonly sequence: number;
    readonly globalBatch: number;
    readonly tokensPerStep: number;
    readonly precision: string;
  };
  readonly objective: Objective;
  readonly placements: readonly ReportPlacement[];
  /** Placements that none beats in all objectives asked for. */
  readonly front?: readonly ReportPlacement[];
  readonly rejections: readonly Rejection[];
  readonly examined: number;
  readonly feasible: number;
  readonly proof: PlacementProof;
  readonly explanation: string;
  readonly study?: StudyReport;
}

/** Answers to the questions of a study. */
export interface StudyReport {
  /** The single site to compare with. */
  readonly reference?: { readonly system: string; readonly gpus: number; readonly step: StepEstimate };
  readonly requirement?: {
    readonly strategy: string;
    readonly tolerance: number;
    readonly overlaps: readonly number[];
    readonly points: readonly { readonly bandwidth: number; readonly efficiency: readonly number[] }[];
    /** Bytes per second per overlap; null where no rate is enough. */
    readonly required: readonly (number | null)[];
  };
  readonly upgrade?: {
    readonly overlap: number;
    readonly target: number;
    readonly reached: boolean;
    readonly secondsBefore: number;
    readonly secondsAfter: number;
    readonly euros: number;
    readonly lowEuros: number;
    readonly highEuros: number;
    readonly stopped: string;
    readonly purchases: readonly { readonly link: string; readonly waves: number; readonly euros: number }[];
  };
  readonly baseline?: {
    readonly system: string;
    readonly gpus: number;
    readonly gpuMemory: number;
    /** Memory need by recomputation, sharding and offload at the best degrees. */
    readonly options: readonly {
      readonly recomputation: string;
      readonly zeroStage: number;
      readonly offload: boolean;
      readonly bytes: number;
      readonly fits: boolean;
    }[];
    readonly best?: { readonly description: string; readonly tokensPerSecond: number };
    /** Seconds for all tokens of the study, where it fits. */
    readonly trainingSeconds?: number;
  };
  /** Tokens of the whole training, and the time of every strategy for them. */
  readonly tokens?: number;
}
