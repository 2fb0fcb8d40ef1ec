// Fits the constants of the compute model to public training runs and writes src/training/fitted-values.ts.
// Usage: npm run build:fast && node bench/fit-training.mjs
import { writeFileSync } from 'node:fs';
import { crossValidateTraining, fitTraining, summariseTraining } from 'fabricplan/calibration';
import { hasRuns, isFitted, trainingRuns } from './training-runs.mjs';

if (!hasRuns()) {
  console.log('no training runs beside this repository (../shared/data/training); nothing to fit');
  process.exit(0);
}
const fitted = trainingRuns()
  .runs.filter(isFitted)
  .map(({ prepared }) => prepared);
const { constants, gpuScales } = fitTraining(fitted);
console.log('scales of GPU types beside the common share:', gpuScales);
const leftOut = crossValidateTraining(fitted);
console.log('sources left out:', summariseTraining(leftOut));
writeFileSync(
  new URL('../src/training/fitted-values.ts', import.meta.url),
  `// Written by bench/fit-training.mjs. Meaning and units: ComputeModel.

/** Constants of the compute model, fitted to public training runs. */
export const FITTED = {
${Object.entries(constants)
  .map(([name, value]) => `  ${name}: ${Number(value.toPrecision(3))},`)
  .join('\n')}
} as const;
`,
);
