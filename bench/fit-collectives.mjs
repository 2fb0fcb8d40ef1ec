// Fits the constants of the measured collective model to public measurements and writes src/prediction/fitted-values.ts.
// Usage: npm run build:fast && node bench/fit-collectives.mjs
import { writeFileSync } from 'node:fs';
import { crossValidate, curvePoints, fitPopulation, isStalled, summarise } from '../dist/calibration/index.js';
import { FITTED, PARAMETERS } from '../dist/prediction/index.js';
import { hasData, isFitted, measuredRows, trustOf } from './measured-rows.mjs';

if (!hasData()) {
  console.log('no measurements beside this repository (../shared/data/collectives); nothing to fit');
  process.exit(0);
}
const rows = measuredRows();
const points = curvePoints(rows.filter(isFitted), trustOf);
const population = fitPopulation(points);
const judged = rows.filter((row) => row.group === 'good' && !isStalled(row));

/** Number of deviations that hold nine of ten measurements, systems counting alike. */
function reachOf(validated, reach) {
  const perSystem = new Map();
  for (const { row, prediction } of validated)
    perSystem.set(row.system, [
      ...(perSystem.get(row.system) ?? []),
      (Math.abs(Math.log(prediction.seconds / row.seconds)) / Math.log(prediction.high / prediction.seconds)) * reach,
    ]);
  const weighted = [...perSystem.values()].flatMap((own) =>
    own.map((value) => ({ value, weight: 0.5 / own.length / perSystem.size + 0.5 / validated.length })),
  );
  weighted.sort((a, b) => a.value - b.value);
  let sum = 0;
  for (const { value, weight } of weighted) if ((sum += weight) >= 0.9) return value;
  return 2;
}
const bare = crossValidate(points, judged, 0, population.values);
const six = crossValidate(points, judged, 6, population.values).filter(({ given }) => !given);
const reach = reachOf(bare, FITTED.reach);
const reachCalibrated = reachOf(six, FITTED.reachCalibrated);
const line = ({ group, class: name }, i) =>
  `    ${population.values[i].toFixed(4)}, // ${group.name}${name === '' ? '' : ` ${name}`}: ${Math.exp(population.values[i]).toPrecision(3)} ${group.unit}`;
writeFileSync(
  new URL('../src/prediction/fitted-values.ts', import.meta.url),
  `/** Values of the measured model; written by bench/fit-collectives.mjs from public measurements of ${points.size} systems. */
export interface FittedValues {
  /** Natural logs, in the order of PARAMETERS. */
  readonly values: readonly number[];
  /** Log deviation that the physics leaves between sizes of a curve, and of a measurement around its own mean. */
  readonly shape: number;
  readonly noise: number;
  /** Deviations from the prediction within which nine of ten measurements of systems left out fall: without and with six sizes given. */
  readonly reach: number;
  readonly reachCalibrated: number;
}

export const FITTED: FittedValues = {
  shape: ${FITTED.shape},
  noise: ${FITTED.noise},
  reach: ${reach.toFixed(3)},
  reachCalibrated: ${reachCalibrated.toFixed(3)},
  values: [
${PARAMETERS.map(line).join('\n')}
  ],
};
`,
);
console.log(`${points.size} systems, reach ${reach.toFixed(2)} bare, ${reachCalibrated.toFixed(2)} with six sizes`);
const { overall } = summarise(bare);
const { overall: overallSix } = summarise(six);
console.log('left out:', overall, 'six sizes:', overallSix);
