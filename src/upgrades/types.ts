import type { LinkSpec } from '../fabric/types.js';
import type { Seconds } from '../quantities.js';
import type { Mapping, TrainingJob } from '../training/types.js';

/** One thing that can be bought for one link. */
export interface UpgradeOffer {
  readonly id: string;
  readonly link: string;
  readonly label: string;
  /** Cables added to the link. */
  readonly addCables?: number;
  /** Or: fields of the link that change (a faster technology). */
  readonly change?: Partial<Omit<LinkSpec, 'id' | 'source' | 'target'>>;
  /** Price and its range. */
  readonly euros: number;
  readonly lowEuros?: number;
  readonly highEuros?: number;
}

/** A job that should run faster, with where it runs and how much it counts. */
export interface UpgradeJob {
  readonly name: string;
  readonly job: TrainingJob;
  readonly mapping: Mapping;
  /** Share of the machine's time; weights need not add up to 1. Default 1. */
  readonly weight?: number;
}

/** What one offer alone would save. */
export interface UpgradeCandidate {
  readonly offer: UpgradeOffer;
  /** Weighted step time after the change. */
  readonly seconds: Seconds;
  /** Saved per step, weighted. */
  readonly saved: Seconds;
  readonly savedPerEuro: number;
}

/** One purchase of the plan: offers that only help together are bought together. */
export interface UpgradeStep {
  readonly offers: readonly UpgradeOffer[];
  readonly euros: number;
  readonly lowEuros: number;
  readonly highEuros: number;
  /** Link direction that limited before. */
  readonly relieves: string;
  readonly secondsBefore: Seconds;
  readonly secondsAfter: Seconds;
  readonly savedPerEuro: number;
}

export interface UpgradePlan {
  /** Purchases in order; the plan for a smaller budget is a prefix. */
  readonly steps: readonly UpgradeStep[];
  readonly euros: number;
  readonly lowEuros: number;
  readonly highEuros: number;
  readonly secondsBefore: Seconds;
  readonly secondsAfter: Seconds;
  /** Every offer on its own, most saved per euro first. */
  readonly candidates: readonly UpgradeCandidate[];
  /** Why the plan ends where it does. */
  readonly stopped: string;
  /** Number of cables or changed links, to build the upgraded fabric with editFabric. */
  readonly edit: { readonly updateLinks: Readonly<Record<string, Partial<Omit<LinkSpec, 'id' | 'source' | 'target'>>>> };
}
