import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  diagnose,
  fitPopulation,
  fitResiduals,
  curvePoints,
  SMOOTHNESS,
  suggestMeasurements,
  type GroupMeasurement,
} from '../../src/calibration/index.js';
import { invertPositive, solvePositive } from '../../src/calibration/linear-algebra.js';
import { FITTED, groupRangeOf, modelTime, prepareSubject, type HardwareRecord, type ModelSubject } from '../../src/prediction/index.js';
import { createRandom } from '../../src/random.js';
import { expectAtMost, expectClose } from '../support/close.js';
import { law } from '../support/law.js';

const box = (gpu: string): HardwareRecord => ({
  gpu,
  gpusPerNode: 8,
  scaleUp: { kind: 'nvswitch', bandwidthPerGpu: 300e9, inSwitchReduction: false },
  scaleOut: { transport: 'none' },
});
const subject: ModelSubject = { hardware: box('A100-SXM4-80GB'), operation: 'all-reduce', ranks: 8, nodes: 1 };
const prepared = prepareSubject(subject);
const anySizes = fc.uniqueArray(fc.integer({ min: 3, max: 33 }), { minLength: 1, maxLength: 8 });

describe('residual field', () => {
  law('passes near what it was given and tells how sure it is', anySizes, (powers) => {
    const places = powers.map((power) => ({ subject: prepared, bytes: 2 ** power }));
    const field = fitResiduals(
      places,
      places.map((_, i) => (i % 2 === 0 ? 0.05 : 0.02)),
    );
    places.forEach((place, i) => {
      const { mean, deviation } = field.at(place);
      expectAtMost(Math.abs(mean - (i % 2 === 0 ? 0.05 : 0.02)), 0.03);
      expectAtMost(deviation, SMOOTHNESS.noise * 1.01);
    });
  });
  law(
    'one more point never makes any place less sure',
    fc.tuple(anySizes, fc.integer({ min: 3, max: 33 }), fc.integer({ min: 3, max: 33 })),
    ([powers, extra, at]) => {
      const places = powers.map((power) => ({ subject: prepared, bytes: 2 ** power }));
      const zero = places.map(() => 0);
      const before = fitResiduals(places, zero).at({ subject: prepared, bytes: 2 ** at }).deviation;
      const after = fitResiduals([...places, { subject: prepared, bytes: 2 ** extra }], [...zero, 0]).at({
        subject: prepared,
        bytes: 2 ** at,
      }).deviation;
      expectAtMost(after, before + 1e-9);
    },
  );
});

describe('linear algebra', () => {
  law(
    'A·A⁻¹ is the identity, and solving agrees with it',
    fc.array(fc.double({ min: -1, max: 1, noNaN: true }), { minLength: 9, maxLength: 9 }),
    (cells) => {
      const n = 3;
      const a = new Float64Array(n * n);
      for (let i = 0; i < n; i++)
        for (let j = 0; j < n; j++) for (let k = 0; k < n; k++) a[i * n + j] += cells[i * n + k] * cells[j * n + k] + (i === j ? 0.1 : 0);
      const inverse = invertPositive(a, n);
      for (let i = 0; i < n; i++)
        for (let j = 0; j < n; j++) {
          let sum = 0;
          for (let k = 0; k < n; k++) sum += a[i * n + k] * inverse[k * n + j];
          expectAtMost(Math.abs(sum - (i === j ? 1 : 0)), 1e-6);
        }
      const solved = solvePositive(a, Float64Array.of(1, 2, 3), n);
      for (let i = 0; i < n; i++) expectClose(a[i * n] * solved[0] + a[i * n + 1] * solved[1] + a[i * n + 2] * solved[2], i + 1, 1e-6);
    },
  );
});

describe('suggested sizes', () => {
  law('are distinct candidates in order, and spread over the curve', fc.integer({ min: 1, max: 8 }), (count) => {
    const sizes = suggestMeasurements(subject, count);
    expect(sizes.length).toBe(count);
    expect([...new Set(sizes)].sort((a, b) => a - b)).toEqual(sizes);
    if (count >= 3) expect(sizes[count - 1] / sizes[0]).toBeGreaterThan(1e3);
  });
});

describe('population fit', () => {
  it('recovers the class value that several systems share', () => {
    const truth = Float64Array.from(FITTED.values);
    const [launch] = groupRangeOf('launch');
    // Ampere is the second family; its launch takes twice as long in this world.
    truth[launch + 1] += Math.log(2);
    const rows = Array.from({ length: 6 }, (_, s) =>
      Array.from({ length: 12 }, (_, k) => ({
        system: `s${s}`,
        set: 'a',
        subject,
        bytes: 8 * 8 ** k,
        seconds: modelTime(prepared, truth, 8 * 8 ** k).microseconds * 1e-6,
      })),
    ).flat();
    const { values } = fitPopulation(curvePoints(rows), Float64Array.from(FITTED.values));
    const small = (vector: Float64Array): number => modelTime(prepared, vector, 8).microseconds;
    expectClose(small(values), small(truth), 0.03);
  });
});

/** All pairs of `count` nodes at 90 GB/s with log-normal noise, some parts slow. */
function pairs(count: number, noise: number, seed: number, slowdown: (a: number, b: number) => number): GroupMeasurement[] {
  const random = createRandom(seed);
  const normal = (): number => Math.sqrt(-2 * Math.log(1 - random.next())) * Math.cos(2 * Math.PI * random.next());
  const list: GroupMeasurement[] = [];
  for (let a = 0; a < count; a++)
    for (let b = a + 1; b < count; b++)
      list.push({ nodes: [`n${a}`, `n${b}`], bytes: 2 ** 30, busBandwidth: 90e9 * Math.exp(noise * normal()) * slowdown(a, b) });
  return list;
}

describe('diagnosis', () => {
  it('names the node whose pairs are all slow', () => {
    const { suspects } = diagnose(pairs(5, 0.01, 1, (a, b) => (a === 2 || b === 2 ? 0.5 : 1)));
    expect(suspects.map(({ id, kind }) => [kind, id])).toEqual([['node', 'n2']]);
  });
  law(
    'finds a cable at half rate among good ones, before anything else',
    fc.tuple(fc.integer({ min: 8, max: 16 }), fc.integer({ min: 1, max: 1000 })),
    ([count, seed]) => {
      const { suspects } = diagnose(pairs(count, 0.05, seed, (a, b) => (a === 0 && b === 1 ? 0.5 : 1)));
      expect(suspects[0].id).toBe('n0 – n1');
      expect(suspects.filter(({ confidence }) => confidence > 0.99).length).toBeLessThanOrEqual(1);
    },
  );
  law(
    'does not accuse a noisy but healthy fabric',
    fc.tuple(fc.integer({ min: 12, max: 16 }), fc.integer({ min: 1, max: 1000 }), fc.constantFrom(0.01, 0.05, 0.15, 0.3)),
    ([count, seed, noise]) => {
      const { suspects } = diagnose(pairs(count, noise, seed, () => 1));
      // One false alarm in a few hundred fabrics is the price of a confidence of 0.9 to 0.999.
      expectAtMost(suspects.filter(({ confidence }) => confidence > 0.99).length, 0);
    },
  );
  it('names two slow nodes, and nobody whose only slow pairs are with them', () => {
    const { suspects } = diagnose(pairs(8, 0.01, 3, (a, b) => ([a, b].includes(2) ? 0.5 : [a, b].includes(5) ? 0.6 : 1)));
    expect(suspects.map(({ id }) => id)).toEqual(['n2', 'n5']);
  });
  it('lets the prediction speak where there are few peers', () => {
    const two: GroupMeasurement[] = [
      { nodes: ['a', 'b'], bytes: 1e9, busBandwidth: 40e9, expected: 90e9 },
      { nodes: ['a', 'c'], bytes: 1e9, busBandwidth: 88e9, expected: 90e9 },
      { nodes: ['b', 'c'], bytes: 1e9, busBandwidth: 41e9, expected: 90e9 },
    ];
    expect(diagnose(two).suspects.map(({ id }) => id)).toEqual(['b']);
  });
  it.each([
    [[], 'at least one'],
    [[{ nodes: ['a'], bytes: 1, busBandwidth: NaN }], 'busBandwidth'],
    [[{ nodes: [], bytes: 1, busBandwidth: 1 }], 'nodes'],
  ])('refuses %o', (rows, message) => {
    expect(() => diagnose(rows)).toThrow(message);
  });
});
