import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import * as calibration from '../src/calibration/index.js';
import * as formats from '../src/formats/index.js';
import * as root from '../src/index.js';
import { createRandom } from '../src/random.js';
import { localityLevels } from '../src/fabric/locality.js';
import * as presets from '../src/presets/index.js';
import * as simulate from '../src/collectives/simulate.js';
import * as nccl from '../src/nccl/index.js';
import * as prediction from '../src/prediction/index.js';
import * as schedules from '../src/collectives/schedules/index.js';
import * as graph from '../src/graph/index.js';
import * as launch from '../src/launch/index.js';
import * as units from '../src/units/index.js';

const SRC = fileURLToPath(new URL('../src/', import.meta.url));

/** What examples may use without saying so: two GPUs on one link, a small node, a model and a job. */
function context(): Record<string, unknown> {
  const gpu = { memory: 80e9, memoryBandwidth: 3.35e12, peak: { bf16: 989e12 } };
  const fabric = root.createFabric({
    name: 'pair',
    levels: ['node'],
    devices: [
      { id: 'a', kind: 'gpu', location: ['n0'], ...gpu },
      { id: 'b', kind: 'gpu', location: ['n1'], ...gpu },
    ],
    links: [{ id: 'a–b', source: 'a', target: 'b', bandwidth: 50e9, latency: 2e-6 }],
  });
  const node: root.NodeShape = {
    name: 'tiny',
    gpus: 1,
    gpu: { model: 'tiny' },
    scaleUp: { kind: 'none' },
    attach: { kind: 'gpu', link: { bandwidth: 25e9, latency: 1e-6 } },
    cpus: 1,
    nics: 1,
    nic: { bandwidth: 25e9, latency: 1e-6 },
  };
  const price = { lowEuros: 1, euros: 2, highEuros: 4 };
  const small = root.shapeOfSize('500M');
  return {
    ...root,
    ...presets,
    ...formats,
    ...simulate,
    ...nccl,
    ...prediction,
    ...schedules,
    ...units,
    ...calibration,
    ...graph,
    ...launch,
    createRandom,
    localityLevels,
    fabric,
    node,
    routes: root.computeRoutes(fabric),
    model: presets.modelPreset('llama-3.1-70b'),
    job: { model: small, sequence: 2048, globalBatch: 8 },
    mapping: { parallelism: { tensor: 1, pipeline: 1, data: 2 }, gpus: ['a', 'b'] },
    prices: { module: price, port: price, fibreKilometreYear: price, amplifier: price },
  };
}

/** Files whose examples run a training job on two GPUs: a small model. */
const SMALL_MODEL = /place-job|estimate-step/;

const examples = (readdirSync(SRC, { recursive: true }) as string[])
  .filter((name) => name.endsWith('.ts'))
  .flatMap((file) => {
    const text = readFileSync(join(SRC, file), 'utf8');
    return [...text.matchAll(/@example\n((?:\s*\* ?.*\n)+?)\s*\*\//g)].map(
      ([, body], i) =>
        [
          `${file} ${i}`,
          body
            .split('\n')
            .map((line) => line.replace(/^\s*\* ?/, ''))
            .filter((line) => line.trim() !== ''),
        ] as const,
    );
  });

describe('examples in doc comments', () => {
  it('are there', () => {
    expect(examples.length).toBeGreaterThan(40);
  });
  it.each(examples)('%s', (name, lines) => {
    const source = lines
      .map((line, i) => {
        const match = /^(.*?);?\s*\/\/ (.+)$/.exec(line);
        const code = match?.[1] ?? line;
        const expected = match?.[2];
        if (expected !== undefined && code.trim() === '') return `check(last, ${expected})`;
        if (expected !== undefined) return `check(${code}, ${expected})`;
        return (lines[i + 1] ?? '').startsWith('// ') ? `const last = ${line}` : line;
      })
      .join('\n');
    const scope: Record<string, unknown> = {
      ...context(),
      check: (actual: unknown, expected: unknown) => {
        expect(actual).toEqual(expected);
      },
    };
    if (SMALL_MODEL.test(name)) scope['model'] = root.shapeOfSize('500M');
    const js = ts.transpileModule(source, { compilerOptions: { target: ts.ScriptTarget.ES2022 } }).outputText;
    // A block of its own, so that an example may declare names that the scope has.
    // eslint-disable-next-line @typescript-eslint/no-implied-eval, @typescript-eslint/no-unsafe-call
    new Function(...Object.keys(scope), `{ ${js} }`)(...Object.values(scope));
  });
});
