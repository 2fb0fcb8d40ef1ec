import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { orderRanks } from '../../src/collectives/rank-order.js';
import { createFabric } from '../../src/fabric/create-fabric.js';
import type { Fabric } from '../../src/fabric/types.js';
import { placeJob } from '../../src/placement/place-job.js';
import { OBJECTIVES } from '../../src/placement/objective.js';
import { improveMapping } from '../../src/placement/improve-mapping.js';
import type { Candidate } from '../../src/placement/price-candidate.js';
import { packGpus } from '../../src/placement/pack-gpus.js';
import { buildRailOptimised } from '../../src/fabric/builders/rail-optimised.js';
import { nodePreset } from '../../src/presets/lookups.js';
import { computeRoutes, type Routes } from '../../src/routes/compute-routes.js';
import { balanceStages } from '../../src/training/balance-stages.js';
import { COMPUTE_MODEL } from '../../src/training/compute-model.js';
import { fitsStages } from '../../src/training/describe-step.js';
import { memoryOf } from '../../src/training/estimate-memory.js';
import { gpuSet } from '../../src/training/gpu-floor.js';
import { prepareMapping } from '../../src/training/prepare-mapping.js';
import { priceStep } from '../../src/training/price-step.js';
import { shapeOfSize } from '../../src/training/shape-of-size.js';
import { stageFloors } from '../../src/training/stage-floors.js';
import type { Axis, TrainingJob } from '../../src/training/types.js';
import { completeJob, completeParallelism, refuseDegrees } from '../../src/training/validate-job.js';
import { anyCluster, anyFederation, anyGraph } from '../arbitraries/fabrics.js';
import { expectAtMost, expectClose, expectNoNaN } from '../support/close.js';
import { law } from '../support/law.js';

const model = shapeOfSize('500M');
const job: TrainingJob = { model, sequence: 1024, globalBatch: 12, eurosPerGpuHour: 2 };
const anyFabric = fc.oneof(anyCluster, anyFederation, anyGraph).map((spec) => createFabric(spec));
const anyQuestion = fc.tuple(anyFabric, fc.integer({ min: 1, max: 4 })).map(([fabric, wanted]) => {
  const free = fabric.gpuIds.slice(0, 8);
  return { fabric, free, gpus: Math.min(wanted, free.length) };
});

/** Least step time over every arrangement, both orders and all degrees, by nothing but nested loops: no bounds, no packing, no strategies. */
function naiveBest(routes: Routes, free: readonly string[], count: number): number {
  const { fabric } = routes;
  const complete = completeJob('naive', job);
  const gpus = orderRanks(
    routes,
    Int32Array.from(free, (id) => fabric.gpuIds.indexOf(id)),
  );
  let best = Infinity;
  const visit = (taken: number[]): void => {
    if (taken.length < count) {
      for (const gpu of gpus) if (!taken.includes(gpu)) visit([...taken, gpu]);
      return;
    }
    const ranks = Int32Array.from(taken);
    const set = gpuSet(fabric, ranks, 'bf16', 'naive');
    // Tensor groups stay inside the largest scale-up domain in use, as the search has it.
    const domains = new Map<number, number>();
    for (const gpu of ranks) {
      const zone = routes.zones.zoneOf[fabric.compiled.gpus[gpu]];
      domains.set(zone, (domains.get(zone) ?? 0) + 1);
    }
    for (const order of [
      ['tensor', 'context', 'data', 'pipeline'],
      ['tensor', 'context', 'pipeline', 'data'],
    ] as Axis[][]) {
      for (let tensor = 1; tensor <= Math.max(...domains.values()); tensor++) {
        for (let pipeline = 1; pipeline <= count; pipeline++) {
          const data = count / tensor / pipeline;
          if (!Number.isInteger(data)) continue;
          let mapping: ReturnType<typeof prepareMapping> | undefined;
          for (const microBatch of [1, 2, 4, 8, 16])
            for (const recomputation of ['none', 'selective', 'full'] as const)
              for (const zeroStage of data === 1 ? ([0] as const) : ([1, 2, 3] as const))
                for (const schedule of pipeline === 1 ? (['1f1b'] as const) : (['1f1b', 'zero-bubble'] as const))
                  for (const interleave of [1, 2, 3, 4, 6, 8]) {
                    if (
                      interleave > 1 &&
                      (pipeline === 1 ||
                        schedule !== '1f1b' ||
                        zeroStage === 3 ||
                        (model.layers % (pipeline * interleave) !== 0 && (model.layers + 2) % (pipeline * interleave) !== 0))
                    )
                      continue;
                    const even = completeParallelism('naive', {
                      tensor,
                      pipeline,
                      data,
                      microBatch,
                      recomputation,
                      zeroStage,
                      schedule,
                      interleave,
                    });
                    if (refuseDegrees(job, even) !== undefined) continue;
                    const floors = stageFloors(fabric, ranks, set, even, order, 'bf16', 'naive');
                    const context = { floors, gpuCount: count, constants: COMPUTE_MODEL };
                    const balanced = set.isMixed && pipeline > 1 && interleave === 1 ? balanceStages(complete, even, context) : [];
                    for (const stageLayers of balanced.length > 0 ? [[], balanced] : [[]]) {
                      const degrees = { ...even, stageLayers };
                      if (!fitsStages(memoryOf(complete, degrees), floors, 0.95)) continue;
                      mapping ??= prepareMapping(routes, ranks, degrees, order);
                      best = Math.min(best, priceStep(complete, degrees, mapping, context).seconds);
                    }
                  }
        }
      }
    }
  };
  visit([]);
  return best;
}

describe('the search', () => {
  it('agrees with nested loops over every arrangement and all degrees on 500 random small cases', { timeout: 300_000 }, () => {
    let cases = 0;
    const small = fc.tuple(anyFabric, fc.integer({ min: 1, max: 3 })).map(([fabric, wanted]) => {
      const free = fabric.gpuIds.slice(0, 4);
      return { fabric, free, gpus: Math.min(wanted, free.length) };
    });
    fc.assert(
      fc.property(small, ({ fabric, free, gpus }) => {
        cases++;
        const routes = computeRoutes(fabric);
        const found = placeJob(routes, job, { free, gpus, limit: 1 });
        const best = naiveBest(routes, free, gpus);
        const synchronous = found.placements.filter(({ mapping }) => mapping.parallelism.outerEvery === 1);
        if (best === Infinity) expect(synchronous).toEqual([]);
        else {
          const first = synchronous.reduce((a, b) => (b.step.seconds < a.step.seconds ? b : a));
          const { zeroStage, shardGroup, data, context } = first.mapping.parallelism;
          // Across sites the search also shards inside them, or not at all, which the loops do not try.
          const isHybrid = shardGroup > 0 || (zeroStage === 0 && data * context > 1);
          if (isHybrid) expectAtMost(first.step.seconds, best);
          else expectClose(first.step.seconds, best);
          expectAtMost(found.proof.bound, Math.min(best, ...synchronous.map(({ step }) => step.seconds)));
        }
      }),
      { numRuns: 500 },
    );
    expect(cases).toBe(500);
  });
  law('lists nothing better than its first, and nothing better than its bound', anyQuestion, ({ fabric, free, gpus }) => {
    for (const objective of OBJECTIVES) {
      const { placements, proof } = placeJob(computeRoutes(fabric), job, { free, gpus, objective });
      expectNoNaN(placements);
      const value = ({ step, mapping }: (typeof placements)[number]): number =>
        ({ time: step.seconds, cost: step.euros!, energy: step.energy ?? 0, gpus: mapping.gpus.length })[objective];
      for (const placement of placements) {
        expectAtMost(value(placements[0]), value(placement), objective);
        expectAtMost(proof.bound, value(placement), objective);
      }
      if (placements.length > 0) expectClose(proof.bound * (1 + proof.gap), value(placements[0]), 1e-6);
    }
  });
  law('keeps GPUs distinct, free and as many as asked, and leaves memory free', anyQuestion, ({ fabric, free, gpus }) => {
    for (const { mapping, step } of placeJob(computeRoutes(fabric), job, { free, gpus, memoryHeadroom: 0.5 }).placements) {
      expect(new Set(mapping.gpus).size).toBe(gpus);
      for (const id of mapping.gpus) expect(free).toContain(id);
      for (const { total } of step.memory.stages) expectAtMost(total, 40e9);
    }
  });
  law('says what each runner-up loses by', anyQuestion, ({ fabric, free, gpus }) => {
    const { placements, explanation, proof } = placeJob(computeRoutes(fabric), job, { free, gpus });
    placements.forEach(({ lostBy }, i) => {
      expect(lostBy === undefined).toBe(i === 0);
    });
    if (placements.length > 0) expect(explanation).toContain(proof.statement);
  });
  law('returns a front of which nothing is beaten, with the best of every objective on it', anyQuestion, ({ fabric, free }) => {
    const pareto = ['time', 'cost', 'gpus'] as const;
    const routes = computeRoutes(fabric);
    const counts = [1, 2, 3].filter((count) => count <= free.length);
    const { front, placements } = placeJob(routes, job, { free, gpus: counts, pareto });
    const scores = front!.map(({ step, mapping }) => ({ time: step.seconds, cost: step.euros!, energy: 0, gpus: mapping.gpus.length }));
    // At least as good in all, and better in one: spelled out, not the function under test.
    const beats = (a: (typeof scores)[number], b: (typeof scores)[number]): boolean =>
      pareto.every((objective) => a[objective] <= b[objective]) && pareto.some((objective) => a[objective] < b[objective]);
    for (const a of scores) for (const b of scores) expect(beats(a, b)).toBe(false);
    if (placements.length > 0) expectAtMost(Math.min(...scores.map(({ time }) => time)), placements[0].step.seconds * (1 + 1e-9));
  });
  law('keeps the limits of a run, and counts what exceeds them', anyQuestion, ({ fabric, free, gpus }) => {
    const routes = computeRoutes(fabric);
    const tokens = 1e9;
    const open = placeJob(routes, job, { free, gpus, tokens });
    if (open.placements.length === 0) return;
    const { seconds, euros } = open.placements[0].run!;
    const close = placeJob(routes, job, { free, gpus, tokens, limits: { seconds: seconds * 1.02, euros: euros! * 1.02 } });
    for (const { run } of close.placements) {
      expectAtMost(run!.seconds, seconds * 1.02);
      expectAtMost(run!.euros!, euros! * 1.02);
    }
    expectClose(close.placements[0].run!.seconds, seconds);
    const never = placeJob(routes, job, { free, gpus, tokens, limits: { seconds: seconds / 1e6 } });
    expect(never.placements).toEqual([]);
    expect(never.examined).toBe(never.feasible + never.rejections.reduce((sum, { count }) => sum + count, 0));
  });
  law('finds no worse plan when a site is added', fc.tuple(anyFederation, fc.integer({ min: 1, max: 2 })), ([spec, gpus]) => {
    const fabric: Fabric = createFabric(spec);
    const routes = computeRoutes(fabric);
    const sites = [...new Set(fabric.gpuIds.map((id) => fabric.devices[fabric.indexOf(id)!].location[0]))];
    const of = (count: number): number => {
      const free = fabric.gpuIds
        .filter((id) => sites.slice(0, count).includes(fabric.devices[fabric.indexOf(id)!].location[0]))
        .slice(0, 8);
      if (free.length < gpus) return Infinity;
      return placeJob(routes, job, { free, gpus, limit: 1 }).placements[0]?.step.seconds ?? Infinity;
    };
    // The GPUs of the first site stay on offer when the second joins.
    const first = of(1);
    if (fabric.gpuIds.filter((id) => fabric.devices[fabric.indexOf(id)!].location[0] === sites[0]).length <= 6 && first < Infinity)
      expectAtMost(of(2), first);
  });
  law('renaming devices in the same order changes nothing', anyQuestion, ({ fabric, free, gpus }) => {
    const rename = (id: string): string => `x${id}`;
    const renamed = createFabric({
      name: fabric.name,
      levels: fabric.levels,
      devices: fabric.devices.map((device) => ({ ...device, id: rename(device.id) })),
      links: fabric.links.map((link) => ({ ...link, source: rename(link.source), target: rename(link.target) })),
    });
    const a = placeJob(computeRoutes(fabric), job, { free, gpus, limit: 1 }).placements[0];
    const b = placeJob(computeRoutes(renamed), job, { free: free.map(rename), gpus, limit: 1 }).placements[0];
    if (a === undefined) expect(b).toBeUndefined();
    else expectClose(b.step.seconds, a.step.seconds);
  });
});

describe('packing around holes', () => {
  const cluster = createFabric(buildRailOptimised({ node: nodePreset('dgx-h100'), nodes: 8 }));
  const routes = computeRoutes(cluster);
  const anyHoles = fc
    .array(fc.boolean(), { minLength: 64, maxLength: 64 })
    .map((draws) => Int32Array.from(draws.flatMap((isFree, i) => (isFree ? [i] : []))));
  law(
    'takes a multiple of the grain from every node, or says that it cannot',
    fc.tuple(anyHoles, fc.constantFrom(1, 2, 4, 8), fc.integer({ min: 1, max: 32 })),
    ([free, grain, wanted]) => {
      const count = wanted * grain;
      const packed = packGpus(routes, free, count, grain);
      const perNode = new Map<number, number>();
      for (const gpu of free) perNode.set(Math.floor(gpu / 8), (perNode.get(Math.floor(gpu / 8)) ?? 0) + 1);
      const most = [...perNode.values()].reduce((sum, own) => sum + own - (own % grain), 0);
      if (packed === undefined) {
        expect(most).toBeLessThan(count);
        return;
      }
      expect(packed.length).toBe(count);
      expect(new Set(packed).size).toBe(count);
      for (const gpu of packed) expect(free).toContain(gpu);
      const taken = new Map<number, number>();
      for (const gpu of packed) taken.set(Math.floor(gpu / 8), (taken.get(Math.floor(gpu / 8)) ?? 0) + 1);
      for (const own of taken.values()) expect(own % grain).toBe(0);
    },
  );
  it('keeps tensor groups of four inside nodes of seven free GPUs', () => {
    const free = cluster.gpuIds.filter((_, i) => i % 8 !== 3);
    const { placements } = placeJob(
      routes,
      { model: shapeOfSize('13B'), sequence: 4096, globalBatch: 64 },
      { free, gpus: 16, fixed: { tensor: 4 }, limit: 1 },
    );
    const { gpus } = placements[0].mapping;
    for (let i = 0; i < gpus.length; i += 4) expect(new Set(gpus.slice(i, i + 4).map((id) => id.split('/gpu')[0])).size).toBe(1);
  });
});

describe('local search', () => {
  it('brings tensor groups that were torn over nodes back together', () => {
    const fabric = createFabric(buildRailOptimised({ node: nodePreset('dgx-h100'), nodes: 2 }));
    const routes = computeRoutes(fabric);
    const complete = completeJob('test', { model: shapeOfSize('8B'), sequence: 4096, globalBatch: 8 });
    const parallelism = completeParallelism('test', { tensor: 2, pipeline: 1, data: 2 });
    const price = (gpus: Int32Array): Candidate => {
      const set = gpuSet(fabric, gpus, 'bf16', 'test');
      const order = ['tensor', 'context', 'data', 'pipeline'] as const;
      const context = { floors: [set.floor], gpuCount: 4, constants: COMPUTE_MODEL };
      const step = priceStep(complete, parallelism, prepareMapping(routes, gpus, parallelism, order), context);
      const score = { time: step.seconds, cost: 0, energy: 0, gpus: 4 };
      const selection = { strategy: 'test', gpus, order, sites: [4], unit: 'none' as const, outerEvery: 1 };
      return { selection, parallelism, price: step, score, set, floors: context.floors };
    };
    // GPUs 0 and 1 on the first node, 8 and 9 on the second.
    const torn = price(Int32Array.of(0, 8, 1, 9));
    const whole = price(Int32Array.of(0, 1, 8, 9));
    expect(whole.score.time).toBeLessThan(torn.score.time);
    const better = improveMapping(routes, torn, Int32Array.of(0, 1, 8, 9), 1, ({ gpus }) => price(gpus));
    expectAtMost(better!.score.time, whole.score.time);
    // With idle GPUs at hand too; which node is packing's to choose.
    const free = Int32Array.from({ length: 16 }, (_, i) => i);
    expectAtMost(improveMapping(routes, torn, free, 1, ({ gpus }) => price(gpus))!.score.time, whole.score.time);
    expect(
      improveMapping(routes, price(Int32Array.of(0, 1, 2, 3)), Int32Array.of(0, 1, 2, 3), 1, ({ gpus }) => price(gpus)),
    ).toBeUndefined();
  });
});

describe('questions of planners', () => {
  const fabric = createFabric(buildRailOptimised({ node: nodePreset('dgx-h100'), nodes: 4 }));
  const routes = computeRoutes(fabric);
  const llama: TrainingJob = { model: shapeOfSize('8B'), sequence: 4096, globalBatch: 64, eurosPerGpuHour: 3 };
  it('the cheapest plan has fewer GPUs than the fastest, and both are on the front', () => {
    const fast = placeJob(routes, llama, { gpus: 'any', pareto: ['time', 'cost'], tokens: 1e11 });
    const cheap = placeJob(routes, llama, { gpus: 'any', objective: 'cost', tokens: 1e11 });
    expect(fast.placements[0].mapping.gpus.length).toBe(32);
    expect(cheap.placements[0].mapping.gpus.length).toBeLessThan(32);
    expectAtMost(cheap.placements[0].run!.euros!, fast.placements[0].run!.euros!);
    expect(fast.front!.length).toBeGreaterThan(1);
  });
  it('a deadline makes a cheap plan larger', () => {
    const cheap = placeJob(routes, llama, { gpus: 'any', objective: 'cost', tokens: 1e11 }).placements[0];
    const hurried = placeJob(routes, llama, { gpus: 'any', objective: 'cost', tokens: 1e11, limits: { seconds: cheap.run!.seconds / 2 } })
      .placements[0];
    expect(hurried.mapping.gpus.length).toBeGreaterThan(cheap.mapping.gpus.length);
    expectAtMost(hurried.run!.seconds, cheap.run!.seconds / 2);
  });
  it('refuses limits without what they need, by name', () => {
    expect(() => placeJob(routes, llama, { limits: { seconds: 1 } })).toThrow('tokens');
    expect(() =>
      placeJob(routes, { ...llama, globalBatch: 64, eurosPerGpuHour: undefined } as never, { tokens: 1, limits: { euros: 1 } }),
    ).toThrow('price');
    expect(() => placeJob(routes, llama, { objective: 'beauty' as never })).toThrow('beauty');
    expect(() => placeJob(routes, llama, { gpus: [] })).toThrow('number of GPUs');
    expect(() => placeJob(routes, llama, { memoryHeadroom: 1 })).toThrow('memoryHeadroom');
  });
});
