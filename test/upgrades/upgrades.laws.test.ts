import fc from 'fast-check';
import { describe, expect } from 'vitest';
import { createFabric } from '../../src/fabric/create-fabric.js';
import { editFabric } from '../../src/fabric/edit-fabric.js';
import { computeRoutes } from '../../src/routes/compute-routes.js';
import { estimateStep } from '../../src/training/estimate-step.js';
import { shapeOfSize } from '../../src/training/shape-of-size.js';
import { planUpgrades } from '../../src/upgrades/plan-upgrades.js';
import { requiredBandwidth } from '../../src/upgrades/required-bandwidth.js';
import { anyFederation } from '../arbitraries/fabrics.js';
import { expectAtMost, expectClose } from '../support/close.js';
import { law } from '../support/law.js';

const job = { model: shapeOfSize('500M'), sequence: 1024, globalBatch: 0, overlap: 0 };
const anyQuestion = fc
  .tuple(
    anyFederation.map((spec) => createFabric(spec)),
    fc.integer({ min: 1, max: 9 }),
  )
  .map(([fabric, price]) => {
    const data = fabric.gpuIds.length;
    const jobs = [
      { name: 'job', job: { ...job, globalBatch: data }, mapping: { parallelism: { tensor: 1, pipeline: 1, data }, gpus: fabric.gpuIds } },
    ];
    const offers = fabric.links
      .filter(({ id }) => /^(wan|access):/.test(id))
      .map((link, i) => ({ id: `o${i}`, link: link.id, label: 'cable', addCables: 1, euros: 1000 * (price + i) }));
    return { fabric, jobs, offers };
  });

describe('upgrade laws', () => {
  law('the claimed time is that of a fresh estimate on the edited fabric', anyQuestion, ({ fabric, jobs, offers }) => {
    const plan = planUpgrades(fabric, jobs, offers, { limit: 3, listCandidates: false });
    const edited = editFabric(fabric, plan.edit);
    expectClose(estimateStep(computeRoutes(edited), jobs[0].job, jobs[0].mapping).seconds, plan.secondsAfter);
    expectAtMost(plan.secondsAfter, plan.secondsBefore);
  });
  law('offers that add nothing save nothing', anyQuestion, ({ fabric, jobs, offers }) => {
    const plan = planUpgrades(
      fabric,
      jobs,
      offers.map((offer) => ({ ...offer, addCables: 0 })),
      { limit: 3 },
    );
    expectClose(plan.secondsAfter, plan.secondsBefore);
    for (const { saved } of plan.candidates) expect(Math.abs(saved)).toBeLessThan(1e-9);
  });
  law(
    'more budget never does worse, and no budget is overspent',
    fc.tuple(
      anyQuestion,
      fc.integer({ min: 0, max: 40_000 }).map((euros) => euros + 1),
      fc.integer({ min: 0, max: 40_000 }),
    ),
    ([{ fabric, jobs, offers }, budget, more]) => {
      const small = planUpgrades(fabric, jobs, offers, { budget, limit: 4, listCandidates: false });
      const large = planUpgrades(fabric, jobs, offers, { budget: budget + more, limit: 4, listCandidates: false });
      expectAtMost(small.euros, budget);
      expectAtMost(large.secondsAfter, small.secondsAfter);
    },
  );
  law('purchases add up to the plan', anyQuestion, ({ fabric, jobs, offers }) => {
    const plan = planUpgrades(fabric, jobs, offers, { limit: 3, listCandidates: false });
    expectClose(plan.euros + 1, plan.steps.reduce((sum, { euros }) => sum + euros, 0) + 1);
    plan.steps.forEach((step, i) => {
      expectClose(step.secondsBefore, i === 0 ? plan.secondsBefore : plan.steps[i - 1].secondsAfter);
    });
  });
  law('more bandwidth between sites never lowers efficiency, nor does more overlap', anyQuestion, ({ fabric, jobs, offers }) => {
    const { points } = requiredBandwidth(fabric, {
      job: jobs[0].job,
      mappings: [jobs[0].mapping],
      links: offers.map(({ link }) => link),
      reference: 1,
      tolerance: 0.05,
    });
    for (let i = 1; i < points.length; i++)
      points[i].efficiency.forEach((value, o) => {
        expectAtMost(points[i - 1].efficiency[o], value, `point ${i}`, 1e-6);
      });
    for (const { efficiency } of points) for (let o = 1; o < efficiency.length; o++) expectAtMost(efficiency[o - 1], efficiency[o]);
  });
});
