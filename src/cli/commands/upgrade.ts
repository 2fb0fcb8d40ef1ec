import { FabricPlanError, invalidArgument } from '../../errors.js';
import { describedJob } from '../../formats/expand-description.js';
import { parseText } from '../../formats/parse-description.js';
import { placeJob } from '../../placement/place-job.js';
import { PRICES } from '../../presets/prices.js';
import { findPreset } from '../../presets/find-preset.js';
import { formatSeconds, formatShare } from '../../quantities.js';
import { formatEuros, formatTable } from '../../report/text-report.js';
import { computeRoutes } from '../../routes/compute-routes.js';
import { planUpgrades } from '../../upgrades/plan-upgrades.js';
import type { UpgradeOffer } from '../../upgrades/types.js';
import { offerWaves } from '../../upgrades/wave-offers.js';
import { EXIT, printJson, progressBar } from '../output.js';
import { readInput } from '../read-input.js';
import { openFabric } from '../open-topology.js';

export interface UpgradeCommandOptions {
  readonly json?: boolean;
  readonly budget?: string;
  readonly strategy: string;
  readonly overlap?: string;
  readonly offers?: string;
  readonly limit?: string;
}

/** Ranks upgrades for the job of a description; returns the exit code. */
export function upgrade(file: string, options: UpgradeCommandOptions): number {
  const { fabric, description } = openFabric([file], {});
  if (description === undefined)
    throw new FabricPlanError('invalid-argument', 'upgrade: the file has no job; expected a description with sites and a job');
  const overlap = options.overlap === undefined ? undefined : Number(options.overlap);
  const job = { ...describedJob(description), ...(overlap === undefined ? {} : { overlap }) };
  const budget = options.budget === undefined ? Infinity : Number(options.budget);
  if (!(budget > 0)) throw invalidArgument('upgrade', '--budget', options.budget, 'euros above 0');
  const gpus = description.plan?.gpus;
  const { placements, explanation } = placeJob(computeRoutes(fabric), job, {
    strategies: [options.strategy],
    limit: 1,
    ...(gpus === undefined ? {} : { gpus }),
  });
  if (placements.length === 0) {
    process.stderr.write(`${explanation}\n`);
    return EXIT.infeasible;
  }
  const price = (id: string): (typeof PRICES)[number] => findPreset('price', PRICES, id, (preset) => preset.id);
  const offers =
    options.offers === undefined
      ? offerWaves(fabric, {
          module: price('coherent-400g'),
          port: price('router-port-400g'),
          fibreKilometreYear: price('fibre-km-year'),
          amplifier: price('amplifier-hut'),
        })
      : readOffers(options.offers);
  const bar = progressBar(options.json === true);
  const plan = planUpgrades(fabric, [{ name: job.model.name, job, mapping: placements[0].mapping }], offers, {
    budget,
    limit: Number(options.limit ?? 20),
    onProgress: (share) => {
      bar.update(share, 'upgrading');
    },
  });
  bar.stop();
  if (options.json === true) {
    printJson({ schema: 'fabricplan/upgrade/1', fabric: fabric.name, strategy: options.strategy, ...plan });
    return EXIT.done;
  }
  const out = [
    `${options.strategy}: ${formatSeconds(plan.secondsBefore)} → ${formatSeconds(plan.secondsAfter)} a step for ${formatEuros(plan.euros)} (${plan.stopped})`,
  ];
  if (plan.steps.length > 0)
    out.push(
      formatTable(
        ['relieves', 'buys', 'price', 'step after', 'saved'],
        plan.steps.map((step) => [
          step.relieves,
          step.offers.map(({ link, label }) => `${label} on ${link}`).join(' + '),
          formatEuros(step.euros),
          formatSeconds(step.secondsAfter),
          formatShare(1 - step.secondsAfter / step.secondsBefore),
        ]),
      ),
    );
  if (plan.candidates.length > 0)
    out.push(
      '',
      'Each on its own:',
      formatTable(
        ['offer', 'price', 'saved a step', 'saved per kEUR'],
        plan.candidates
          .slice(0, 12)
          .map(({ offer, saved, savedPerEuro }) => [
            `${offer.label} on ${offer.link}`,
            formatEuros(offer.euros),
            formatSeconds(saved),
            formatSeconds(savedPerEuro * 1000),
          ]),
      ),
    );
  process.stdout.write(`${out.join('\n')}\n`);
  return EXIT.done;
}

/** A price list: a list of offers in YAML or JSON. */
function readOffers(path: string): UpgradeOffer[] {
  const value = parseText(readInput(path), 'upgrade');
  if (!Array.isArray(value))
    throw new FabricPlanError('parse', `"${path}" is no list; expected offers with id, link, label, addCables or change, and euros`);
  return value as UpgradeOffer[];
}
