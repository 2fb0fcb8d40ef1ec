import fc from 'fast-check';
import { describe, expect } from 'vitest';
import { createFabric } from '../../src/fabric/create-fabric.js';
import { placeJob } from '../../src/placement/place-job.js';
import { PLACEMENT_STRATEGIES } from '../../src/placement/registry.js';
import { computeRoutes } from '../../src/routes/compute-routes.js';
import { estimateStep } from '../../src/training/estimate-step.js';
import { shapeOfSize } from '../../src/training/shape-of-size.js';
import { anyCluster, anyFederation, anyGraph } from '../arbitraries/fabrics.js';
import { expectAtMost, expectClose, expectNoNaN } from '../support/close.js';
import { law } from '../support/law.js';

const model = shapeOfSize('500M');
const job = { model, sequence: 1024, globalBatch: 24 };
const anyFabric = fc.oneof(anyCluster, anyFederation, anyGraph).map((spec) => createFabric(spec));
const anyChoice = fc
  .tuple(anyFabric, fc.array(fc.boolean(), { minLength: 40, maxLength: 40 }), fc.integer({ min: 1, max: 6 }))
  .map(([fabric, draws, wanted]) => {
    const free = fabric.gpuIds.filter((_, i) => draws[i % draws.length]);
    const list = free.length === 0 ? [...fabric.gpuIds] : free;
    return { fabric, free: list, gpus: Math.min(wanted, list.length) };
  });

describe.each(PLACEMENT_STRATEGIES.filter(({ name }) => name !== 'exhaustive').map(({ name }) => [name] as const))(
  'strategy %s',
  (strategy) => {
    law('places on distinct, existing, free GPUs, as many as asked, ranked by time', anyChoice, ({ fabric, free, gpus }) => {
      const result = placeJob(computeRoutes(fabric), job, { strategies: [strategy], free, gpus });
      expectNoNaN(result);
      let last = 0;
      for (const { mapping, step } of result.placements) {
        expect(mapping.gpus.length).toBe(gpus);
        expect(new Set(mapping.gpus).size).toBe(gpus);
        for (const id of mapping.gpus) expect(free).toContain(id);
        const { tensor, pipeline, data, context } = mapping.parallelism;
        expect(tensor * pipeline * data * context).toBe(gpus);
        expectAtMost(last, step.seconds);
        last = step.seconds;
      }
    });
  },
);

describe('placement laws', () => {
  law('what was examined was either feasible or rejected for a counted reason', anyChoice, ({ fabric, free, gpus }) => {
    const { examined, feasible, rejections } = placeJob(computeRoutes(fabric), job, { free, gpus });
    expect(feasible + rejections.reduce((sum, { count }) => sum + count, 0)).toBe(examined);
  });
  law('the same question has the same answer', anyChoice, ({ fabric, free, gpus }) => {
    const ask = (): unknown => placeJob(computeRoutes(fabric), job, { free, gpus });
    expect(ask()).toEqual(ask());
  });
  law('the order of the free list changes nothing', anyChoice, ({ fabric, free, gpus }) => {
    expect(placeJob(computeRoutes(fabric), job, { free: [...free].reverse(), gpus })).toEqual(
      placeJob(computeRoutes(fabric), job, { free, gpus }),
    );
  });
  law('the time of a placement is that of a fresh estimate of its mapping', anyChoice, ({ fabric, free, gpus }) => {
    const routes = computeRoutes(fabric);
    for (const { mapping, step } of placeJob(routes, job, { free, gpus, limit: 2 }).placements)
      expectClose(estimateStep(computeRoutes(fabric), job, mapping).seconds, step.seconds);
  });
  const tiny = anyGraph.map((spec) => createFabric(spec)).map((fabric) => ({ fabric, free: fabric.gpuIds.slice(0, 4) }));
  law('exhaustive search is never beaten by a strategy on small fabrics', tiny, ({ fabric, free }) => {
    const routes = computeRoutes(fabric);
    const gpus = Math.min(3, free.length);
    const best = placeJob(routes, job, { free, gpus, strategies: ['exhaustive'], limit: 1 }).placements[0];
    // Low-communication training is another algorithm, not another placement.
    for (const strategy of ['single-site', 'data-across-sites', 'pipeline-across-sites']) {
      for (const other of placeJob(routes, job, { free, gpus, strategies: [strategy], limit: 1 }).placements)
        expectAtMost(best.step.seconds, other.step.seconds, strategy);
    }
  });
  law('more idle GPUs never worsen the exhaustive best', tiny, ({ fabric, free }) => {
    const routes = computeRoutes(fabric);
    const best = (list: readonly string[]): number =>
      placeJob(routes, job, { free: list, gpus: 2, strategies: ['exhaustive'], limit: 1 }).placements[0].step.seconds;
    expectAtMost(best(free), best(free.slice(0, 2)));
  });
});
