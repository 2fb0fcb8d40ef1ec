import { FabricPlanError, invalidArgument, type Issue } from '../errors.js';
import { editFabric } from '../fabric/edit-fabric.js';
import type { Fabric, LinkSpec } from '../fabric/types.js';
import type { Seconds } from '../quantities.js';
import { computeRoutes, type Routes } from '../routes/compute-routes.js';
import { rescaleRoutes } from '../routes/rescale-routes.js';
import { estimateStep } from '../training/estimate-step.js';
import type { StepEstimate } from '../training/types.js';
import type { UpgradeCandidate, UpgradeJob, UpgradeOffer, UpgradePlan, UpgradeStep } from './types.js';

export interface UpgradeOptions {
  /** Euros. Default: no limit. */
  readonly budget?: number;
  /** Stop once the weighted step time is this or less. Default: go on while it pays. */
  readonly target?: Seconds;
  /** A purchase must save this share of the step time. Default 0.002. */
  readonly leastSaving?: number;
  /** Purchases at most. Default 40. */
  readonly limit?: number;
  /** Price every offer alone, too. Costs one estimate per offer. Default true for at most 60 offers. */
  readonly listCandidates?: boolean;
  readonly signal?: AbortSignal;
  readonly onProgress?: (share: number) => void;
}

/** Link changes by id. */
type Changes = Readonly<Record<string, Partial<Omit<LinkSpec, 'id' | 'source' | 'target'>>>>;

/** Weighted step time of a job mix on a fabric, and the link that limits it most. */
interface MixEstimate {
  readonly seconds: Seconds;
  readonly limit: string | undefined;
}

/**
 * Which links to upgrade for a mix of jobs: follows the bottleneck. While some offer widens the link that limits the mix, it is bought;
 * offers that save nothing alone, because the next link is as tight, are bought together with the next until time is saved.
 *
 * The sequence of purchases does not depend on the budget, so more budget never does worse. Every claimed time is a fresh estimate on
 * the changed fabric with the same mapping.
 *
 * @throws FabricPlanError `invalid-argument` for offers of unknown links or prices that are not above 0, `aborted`
 * @complexity O(purchases + offers) step estimates
 * @example
 * const plan = planUpgrades(fabric, [{ name: 'j', job, mapping }], [{ id: 'x', link: 'a–b', label: 'second cable', addCables: 1, euros: 1000 }]);
 * plan.secondsAfter <= plan.secondsBefore // true
 */
export function planUpgrades(
  fabric: Fabric,
  jobs: readonly UpgradeJob[],
  offers: readonly UpgradeOffer[],
  options: UpgradeOptions = {},
): UpgradePlan {
  checkOffers(fabric, jobs, offers);
  const { budget = Infinity, target = 0, leastSaving = 0.002, limit = 40 } = options;
  const byLink = new Map<string, UpgradeOffer[]>();
  for (const offer of offers) byLink.set(offer.link, [...(byLink.get(offer.link) ?? []), offer]);
  const today = computeRoutes(fabric);
  const estimate = (changes: Changes): MixEstimate => estimateMix(applyChanges(today, changes), jobs, byLink);
  const start = estimate({});
  const steps: UpgradeStep[] = [];
  let changes: Changes = {};
  let now = start;
  let spent = 0;
  let stopped = 'nothing on offer widens what limits the step now';
  while (steps.length < limit) {
    if (options.signal?.aborted === true) throw new FabricPlanError('aborted', 'planUpgrades: stopped by its signal');
    if (now.seconds <= target) {
      stopped = 'the target is reached';
      break;
    }
    const purchase = followBottleneck(fabric, now, changes, byLink, estimate, leastSaving);
    if (purchase === undefined) break;
    const sum = (of: (offer: UpgradeOffer) => number): number => purchase.offers.reduce((total, offer) => total + of(offer), 0);
    const euros = sum((offer) => offer.euros);
    if (spent + euros > budget) {
      stopped = 'the budget does not cover the next purchase';
      break;
    }
    spent += euros;
    steps.push({
      offers: purchase.offers,
      euros,
      lowEuros: sum((offer) => offer.lowEuros ?? offer.euros),
      highEuros: sum((offer) => offer.highEuros ?? offer.euros),
      relieves: now.limit ?? '',
      secondsBefore: now.seconds,
      secondsAfter: purchase.after.seconds,
      savedPerEuro: (now.seconds - purchase.after.seconds) / euros,
    });
    changes = purchase.changes;
    now = purchase.after;
    options.onProgress?.(Math.min(0.99, steps.length / limit));
  }
  const total = (of: (step: UpgradeStep) => number): number => steps.reduce((sum, step) => sum + of(step), 0);
  return {
    steps,
    euros: spent,
    lowEuros: total((step) => step.lowEuros),
    highEuros: total((step) => step.highEuros),
    secondsBefore: start.seconds,
    secondsAfter: now.seconds,
    candidates: (options.listCandidates ?? offers.length <= 60) ? singleOffers(fabric, start, offers, estimate) : [],
    stopped,
    edit: { updateLinks: changes },
  };
}

/** Buys for the limiting link, and for the next one as long as nothing is saved. */
function followBottleneck(
  fabric: Fabric,
  now: MixEstimate,
  changes: Changes,
  byLink: ReadonlyMap<string, readonly UpgradeOffer[]>,
  estimate: (changes: Changes) => MixEstimate,
  leastSaving: number,
): { offers: UpgradeOffer[]; changes: Changes; after: MixEstimate } | undefined {
  const bought: UpgradeOffer[] = [];
  let tried = changes;
  let state = now;
  for (let i = 0; i < 12; i++) {
    const offer = state.limit === undefined ? undefined : cheapestPerCable(byLink.get(state.limit));
    if (offer === undefined) return undefined;
    bought.push(offer);
    tried = addOffer(fabric, tried, offer);
    state = estimate(tried);
    if (now.seconds - state.seconds >= leastSaving * now.seconds) return { offers: bought, changes: tried, after: state };
  }
  return undefined;
}

const cheapestPerCable = (offers: readonly UpgradeOffer[] | undefined): UpgradeOffer | undefined =>
  offers?.reduce((a, b) => (b.euros / (b.addCables ?? 1) < a.euros / (a.addCables ?? 1) ? b : a));

function singleOffers(
  fabric: Fabric,
  start: MixEstimate,
  offers: readonly UpgradeOffer[],
  estimate: (changes: Changes) => MixEstimate,
): UpgradeCandidate[] {
  return offers
    .map((offer) => {
      const { seconds } = estimate(addOffer(fabric, {}, offer));
      return { offer, seconds, saved: start.seconds - seconds, savedPerEuro: (start.seconds - seconds) / offer.euros };
    })
    .sort((a, b) => b.savedPerEuro - a.savedPerEuro || (a.offer.id < b.offer.id ? -1 : 1));
}

/** Adds an offer to changes that are already made. */
function addOffer(fabric: Fabric, changes: Changes, offer: UpgradeOffer): Changes {
  const known = {
    ...fabric.links.find(({ id }) => id === offer.link)!,
    ...(Object.hasOwn(changes, offer.link) ? changes[offer.link] : {}),
  };
  const more = offer.addCables === undefined ? {} : { count: (known.count ?? 1) + offer.addCables };
  return { ...changes, [offer.link]: { ...(Object.hasOwn(changes, offer.link) ? changes[offer.link] : {}), ...offer.change, ...more } };
}

function applyChanges(today: Routes, changes: Changes): Routes {
  const entries = Object.entries(changes);
  if (entries.length === 0) return today;
  const isCountOnly = entries.every(([, change]) => Object.keys(change).join() === 'count');
  if (isCountOnly) return rescaleRoutes(today, Object.fromEntries(entries.map(([id, { count }]) => [id, count!])));
  return computeRoutes(editFabric(today.fabric, { updateLinks: changes }));
}

function estimateMix(routes: Routes, jobs: readonly UpgradeJob[], byLink: ReadonlyMap<string, readonly UpgradeOffer[]>): MixEstimate {
  const weights = jobs.reduce((sum, { weight = 1 }) => sum + weight, 0);
  let seconds = 0;
  let worst = 0;
  let limit: string | undefined;
  for (const { job, mapping, weight = 1 } of jobs) {
    const step = estimateStep(routes, job, mapping);
    seconds += (step.seconds * weight) / weights;
    const axis = mostExposed(step, byLink);
    if (axis !== undefined && axis.exposed * weight > worst) {
      worst = axis.exposed * weight;
      limit = axis.link;
    }
  }
  return { seconds, limit };
}

/** The axis with most exposed time whose limiting link is on offer. */
function mostExposed(
  step: StepEstimate,
  byLink: ReadonlyMap<string, readonly UpgradeOffer[]>,
): { exposed: number; link: string } | undefined {
  return step.axes
    .flatMap(({ exposed, bottleneck }) =>
      bottleneck === undefined || exposed <= 0 || !byLink.has(bottleneck.link) ? [] : [{ exposed, link: bottleneck.link }],
    )
    .sort((a, b) => b.exposed - a.exposed)[0];
}

function checkOffers(fabric: Fabric, jobs: readonly UpgradeJob[], offers: readonly UpgradeOffer[]): void {
  const where = 'planUpgrades';
  if (jobs.length === 0) throw invalidArgument(where, 'jobs', jobs, 'one job or more');
  const links = new Set(fabric.links.map(({ id }) => id));
  const issues: Issue[] = [];
  offers.forEach((offer, i) => {
    const report = (field: string, found: unknown, expected: string): void => {
      issues.push({ path: `offers[${i}].${field}`, message: invalidArgument(where, `offers[${i}].${field}`, found, expected).message });
    };
    if (!links.has(offer.link)) report('link', offer.link, 'the id of a link of the fabric');
    if (!(Number.isFinite(offer.euros) && offer.euros > 0)) report('euros', offer.euros, 'a price above 0');
    if (offer.addCables === undefined && offer.change === undefined)
      report('addCables', offer.addCables, 'cables to add, or fields to change');
    if (offer.addCables !== undefined && !(Number.isInteger(offer.addCables) && offer.addCables >= 0))
      report('addCables', offer.addCables, 'a whole number of 0 or more');
  });
  if (issues.length > 0) throw new FabricPlanError('invalid-argument', issues.map(({ message }) => message).join('\n'), issues);
}
