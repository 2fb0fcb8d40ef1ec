import { FabricPlanError } from '../errors.js';
import { createFabric } from '../fabric/create-fabric.js';
import { setLinkCounts } from '../fabric/set-link-counts.js';
import type { Fabric } from '../fabric/types.js';
import type { Description } from '../formats/description-schema.js';
import { expandSingleCluster } from '../formats/expand-description.js';
import { placeJob } from '../placement/place-job.js';
import type { Placement } from '../placement/types.js';
import { buildSystem } from '../presets/build-system.js';
import { PRICES } from '../presets/prices.js';
import { findPreset } from '../presets/find-preset.js';
import { GiB, formatSeconds, parseQuantity } from '../quantities.js';
import { describeDegrees } from '../report/describe-placement.js';
import type { StudyReport } from '../report/types.js';
import { computeRoutes } from '../routes/compute-routes.js';
import { rescaleRoutes } from '../routes/rescale-routes.js';
import { estimateMemory } from '../training/estimate-memory.js';
import { estimateStep, prepareStep } from '../training/estimate-step.js';
import type { Parallelism, Recomputation, TrainingJob } from '../training/types.js';
import { requiredBandwidth, type BandwidthAnswer } from '../upgrades/required-bandwidth.js';
import type { UpgradeOffer } from '../upgrades/types.js';
import { offerWaves } from '../upgrades/wave-offers.js';

type StudyDescription = NonNullable<Description['study']>;
type Progress = (share: number, what: string) => void;

/** Answers the questions of a study: how one site compares, what bandwidth is enough, what to buy, what a small cluster could do. */
export function buildStudy(
  fabric: Fabric,
  job: TrainingJob,
  description: Description,
  placements: readonly Placement[],
  progress: Progress,
): StudyReport {
  const study: StudyDescription = description.study!;
  const tokens = study.tokens === undefined ? undefined : parseQuantity(study.tokens, 'tokens');
  const tolerance = study.tolerance ?? 0.05;
  progress(0.5, 'comparing with one site');
  const reference = study.reference === undefined ? undefined : placeReference(study.reference, job);
  // The synchronous placement is the one whose speed hangs on the wide area.
  const synchronous = placements.find(({ strategy }) => strategy === 'data-across-sites');
  const wide = fabric.links.filter(({ id }) => id.startsWith('wan:') || id.startsWith('access:')).map(({ id }) => id);
  let answer: BandwidthAnswer | undefined;
  let upgrade: StudyReport['upgrade'];
  if (reference !== undefined && synchronous !== undefined && wide.length > 0) {
    const overlaps = study.overlaps ?? [0, 0.25, 0.5];
    progress(0.58, 'asking for bandwidth');
    const middle = Math.floor(overlaps.length / 2);
    const ample = placeWithAmpleLinks(fabric, wide, { ...job, overlap: overlaps[middle] }, synchronous);
    const references = overlaps.map((overlap) => reference.at(overlap));
    answer = requiredBandwidth(fabric, {
      job,
      mappings: [synchronous.mapping, ample.mapping],
      links: wide,
      reference: references,
      tolerance,
      overlaps,
    });
    progress(0.75, 'looking for the cheapest upgrade');
    upgrade = buildUpgrade(fabric, job, ample, overlaps[middle], references[middle] * (1 + tolerance), enoughRate(answer, middle));
  }
  progress(0.92, 'comparing with a small cluster');
  const baseline = study.baseline === undefined ? undefined : buildBaseline(study.baseline, job, tokens);
  return {
    ...(reference === undefined ? {} : { reference: reference.report }),
    ...(answer === undefined
      ? {}
      : {
          requirement: {
            strategy: 'data-across-sites',
            tolerance,
            overlaps: answer.overlaps,
            points: answer.points,
            required: answer.required.map((rate) => rate ?? null),
          },
        }),
    ...(upgrade === undefined ? {} : { upgrade }),
    ...(baseline === undefined ? {} : { baseline }),
    ...(tokens === undefined ? {} : { tokens }),
  };
}

/** The job on one site, and its step time at a given overlap. */
function placeReference(
  cluster: NonNullable<StudyDescription['reference']>,
  job: TrainingJob,
): { report: NonNullable<StudyReport['reference']>; at(overlap: number): number } {
  const fabric = createFabric(expandSingleCluster(cluster));
  const routes = computeRoutes(fabric);
  const system = cluster.id ?? cluster.system ?? cluster.node ?? fabric.name;
  const gpus = fabric.gpuIds.length;
  const { placements, explanation } = placeJob(routes, job, { strategies: ['single-site'], limit: 2 });
  if (placements.length === 0)
    throw new FabricPlanError('unsupported', `the reference of ${gpus} GPUs of ${system} cannot run the job: ${explanation}`);
  const steps = placements.map(({ mapping }) => prepareStep(routes, job, mapping));
  return {
    report: { system, gpus, step: placements[0].step },
    at: (overlap) => Math.min(...steps.map((step) => step({ overlap }).seconds)),
  };
}

/** Rate per link at which the wide area no longer limits anything. */
const AMPLE = 1e12;

/** The best synchronous placement if the links between sites were no limit. */
function placeWithAmpleLinks(fabric: Fabric, links: readonly string[], job: TrainingJob, today: Placement): Placement {
  const wide = new Set(links);
  const counts = Object.fromEntries(fabric.links.filter(({ id }) => wide.has(id)).map((link) => [link.id, AMPLE / link.bandwidth]));
  const { placements } = placeJob(computeRoutes(setLinkCounts(fabric, counts)), job, {
    gpus: today.mapping.gpus.length,
    free: today.mapping.gpus,
    strategies: ['data-across-sites'],
    limit: 1,
  });
  return placements[0] ?? today;
}

/**
 * The cheapest waves that bring the step to the target: as many on every link as the bandwidth question found to be enough, then, dearest
 * link first, every wave taken back that the target does not need. Where no rate is enough, as near as bandwidth gets.
 */
function buildUpgrade(
  fabric: Fabric,
  job: TrainingJob,
  placement: Placement,
  overlap: number,
  target: number,
  enough: { readonly rate: number; readonly isEnough: boolean },
): NonNullable<StudyReport['upgrade']> {
  const overlapped = { ...job, overlap };
  const offers = offerWaves(fabric, wavePrices());
  const linkOf = new Map(fabric.links.map((link) => [link.id, link]));
  const today = computeRoutes(fabric);
  const secondsWith = (waves: Waves): number => {
    const counts = [...waves]
      .filter(([, one]) => one.waves > 0)
      .map(([link, one]) => [link, (linkOf.get(link)!.count ?? 1) + one.waves * one.offer.addCables!] as const);
    return estimateStep(rescaleRoutes(today, Object.fromEntries(counts)), overlapped, placement.mapping).seconds;
  };
  const bought: Waves = new Map();
  let stopped = 'the target is reached';
  for (const offer of offers) {
    const { bandwidth, count = 1 } = linkOf.get(offer.link)!;
    bought.set(offer.link, {
      offer,
      waves: Math.max(0, Math.ceil((enough.rate - bandwidth * count) / (bandwidth * offer.addCables!) - 1e-9)),
    });
  }
  // Where no rate is enough, what comes within 1 % of the best is kept.
  const reachable = enough.isEnough ? target : secondsWith(bought) * 1.01;
  if (!enough.isEnough) stopped = 'more bandwidth between sites changes little: what is left is inside them';
  trimWaves(bought, reachable, secondsWith);
  const purchases = [...bought]
    .filter(([, { waves }]) => waves > 0)
    .map(([link, { offer, waves }]) => ({ link, waves, euros: waves * offer.euros }));
  const sum = (of: (offer: UpgradeOffer) => number): number =>
    [...bought.values()].reduce((total, { offer, waves }) => total + waves * of(offer), 0);
  const secondsAfter = secondsWith(bought);
  return {
    overlap,
    target,
    reached: secondsAfter <= target,
    secondsBefore: secondsWith(new Map()),
    secondsAfter,
    euros: sum((offer) => offer.euros),
    lowEuros: sum((offer) => offer.lowEuros ?? offer.euros),
    highEuros: sum((offer) => offer.highEuros ?? offer.euros),
    stopped,
    purchases,
  };
}

/** The rate that is required; where none is enough, the least that comes within 1 % of the best. */
function enoughRate({ required, points }: BandwidthAnswer, overlap: number): { rate: number; isEnough: boolean } {
  const known = required[overlap];
  if (known !== undefined) return { rate: known, isEnough: true };
  const best = Math.max(...points.map(({ efficiency }) => efficiency[overlap]));
  return { rate: points.find(({ efficiency }) => efficiency[overlap] >= 0.99 * best)!.bandwidth, isEnough: false };
}

/** Waves bought per link. */
type Waves = Map<string, { offer: UpgradeOffer; waves: number }>;

/** Takes back the dearest waves first, as many per link as the target allows (bisection). */
function trimWaves(bought: Waves, target: number, secondsWith: (waves: Waves) => number): void {
  for (const [link, one] of [...bought].sort(([, a], [, b]) => b.offer.euros - a.offer.euros)) {
    let enough = one.waves;
    let tooFew = -1;
    while (enough - tooFew > 1) {
      const middle = Math.floor((enough + tooFew) / 2);
      if (secondsWith(new Map(bought).set(link, { ...one, waves: middle })) <= target) enough = middle;
      else tooFew = middle;
    }
    bought.set(link, { ...one, waves: enough });
  }
}

function wavePrices(): Parameters<typeof offerWaves>[1] {
  const price = (id: string): (typeof PRICES)[number] => findPreset('price', PRICES, id, (preset) => preset.id);
  return {
    module: price('coherent-400g'),
    port: price('router-port-400g'),
    fibreKilometreYear: price('fibre-km-year'),
    amplifier: price('amplifier-hut'),
  };
}

function buildBaseline(
  { system, gpus }: { system: string; gpus: number },
  job: TrainingJob,
  tokens: number | undefined,
): NonNullable<StudyReport['baseline']> {
  const fabric = createFabric(buildSystem(system, { gpus }));
  const routes = computeRoutes(fabric);
  const gpuMemory = fabric.devices[fabric.compiled.gpus[0]].memory ?? 0;
  const recomputations: readonly Recomputation[] = ['none', 'selective', 'full'];
  const options = recomputations.flatMap((recomputation) =>
    ([1, 3] as const).flatMap((zeroStage) =>
      [false, true].map((offload) => {
        const bytes = leastMemory({ ...job, offload }, gpus, recomputation, zeroStage);
        return { recomputation, zeroStage, offload, bytes, fits: bytes <= gpuMemory };
      }),
    ),
  );
  const placed = [false, true]
    .map((offload) => ({ offload, placement: placeJob(routes, { ...job, offload }, { limit: 1 }).placements[0] }))
    .filter(({ placement }) => placement !== undefined);
  const best = placed.sort((a, b) => a.placement.step.seconds - b.placement.step.seconds)[0] as (typeof placed)[number] | undefined;
  const base = { system, gpus, gpuMemory, options };
  if (best === undefined) return base;
  const { step, mapping } = best.placement;
  const described = `Best: ${describeDegrees({ ...mapping.parallelism })}${best.offload ? ', optimizer on the host' : ''}, ${formatSeconds(step.seconds)} a step, ${(step.memory.total / GiB).toFixed(1)} GiB`;
  return {
    ...base,
    best: { description: described, tokensPerSecond: step.tokensPerSecond },
    ...(tokens === undefined ? {} : { trainingSeconds: tokens / step.tokensPerSecond }),
  };
}

/** Least memory over the ways to split so many GPUs into tensor, pipeline and data ranks. */
function leastMemory(job: TrainingJob, gpus: number, recomputation: Recomputation, zeroStage: 1 | 3): number {
  let least = Infinity;
  for (let tensor = 1; tensor <= Math.min(8, gpus); tensor *= 2) {
    for (let pipeline = 1; tensor * pipeline <= gpus; pipeline *= 2) {
      const data = gpus / tensor / pipeline;
      if (!Number.isInteger(data) || job.globalBatch % data !== 0) continue;
      const parallelism: Parallelism = { tensor, pipeline, data, recomputation, zeroStage };
      least = Math.min(least, estimateMemory(job, parallelism).total);
    }
  }
  return least;
}
