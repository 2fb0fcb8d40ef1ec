import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createFabric } from '../../src/fabric/create-fabric.js';
import { buildSystem } from '../../src/presets/build-system.js';
import { MODELS } from '../../src/presets/models.js';
import { computeRoutes } from '../../src/routes/compute-routes.js';
import { countParameters, tokenFlops } from '../../src/training/parameters.js';
import { estimateMemory } from '../../src/training/estimate-memory.js';
import { estimateStep } from '../../src/training/estimate-step.js';
import { shapeOfSize } from '../../src/training/shape-of-size.js';
import { axisGroups } from '../../src/training/axis-groups.js';
import { refuseParallelism } from '../../src/training/validate-job.js';
import type { Parallelism, TrainingJob } from '../../src/training/types.js';
import { expectAtMost, expectClose, expectNoNaN } from '../support/close.js';
import { law } from '../support/law.js';

const power = (max: number): fc.Arbitrary<number> => fc.integer({ min: 0, max }).map((k) => 2 ** k);
const anyModel = fc.constantFrom(...MODELS);
const anyParallelism = fc.record({
  tensor: power(3),
  pipeline: power(3),
  data: power(4),
  context: fc.constant(1),
  microBatch: power(2),
  zeroStage: fc.constantFrom(0 as const, 1 as const, 2 as const, 3 as const),
  recomputation: fc.constantFrom('none' as const, 'selective' as const, 'full' as const),
});
const anyJob: fc.Arbitrary<{ job: TrainingJob; parallelism: Parallelism }> = fc
  .tuple(
    anyModel,
    anyParallelism,
    power(5),
    fc.constantFrom('bf16' as const, 'fp16' as const, 'fp8' as const, 'fp32' as const),
    fc.boolean(),
  )
  .map(([model, parallelism, batches, precision, offload]) => ({
    job: { model, sequence: 2048, globalBatch: parallelism.data * parallelism.microBatch * batches, precision, offload },
    parallelism,
  }))
  .map((drawn) =>
    refuseParallelism(drawn.job, drawn.parallelism) === undefined
      ? drawn
      : { ...drawn, parallelism: { ...drawn.parallelism, tensor: 1, pipeline: 1 } },
  );

describe('presets of models', () => {
  it.each(MODELS.map((model) => [model.name, model] as const))('%s has its published parameter count', (_, model) => {
    const { total, active } = countParameters(model);
    if (model.publishedParameters !== undefined) expect(total).toBe(model.publishedParameters);
    else expectClose(total, model.label, 0.02);
    expectAtMost(active, total);
    expect(model.source).not.toBe('');
  });
});

describe('memory laws', () => {
  law('the parts sum to the total', anyJob, ({ job, parallelism }) => {
    const memory = estimateMemory(job, parallelism);
    expectClose(
      Object.values(memory.parts).reduce((a, b) => a + b, 0),
      memory.total,
    );
    expectNoNaN(memory);
  });
  law('weights, gradients and optimizer never grow with the ZeRO stage', anyJob, ({ job, parallelism }) => {
    const states = ([0, 1, 2, 3] as const).map((zeroStage) => {
      // Stage by stage: another stage of the pipeline may be the fullest.
      return estimateMemory(job, { ...parallelism, zeroStage }).stages.map(
        ({ parts }) => parts.weights + parts.gradients + parts.optimizer,
      );
    });
    for (let stage = 1; stage < 4; stage++)
      states[stage].forEach((own, i) => {
        expectAtMost(own, states[stage - 1][i]);
      });
  });
  law('more recomputation never needs more activations', anyJob, ({ job, parallelism }) => {
    const [none, selective, full] = (['none', 'selective', 'full'] as const).map(
      (recomputation) => estimateMemory(job, { ...parallelism, recomputation }).parts.activations,
    );
    expectAtMost(selective, none);
    // One live layer is kept on top: with few layers full recomputation saves nothing.
    if (job.model.layers / parallelism.pipeline >= 4) expectAtMost(full, selective);
  });
  law('doubling the tensor degree never raises the states of a GPU', anyJob, ({ job, parallelism }) => {
    const of = (tensor: number): number => {
      const { parts } = estimateMemory(job, { ...parallelism, tensor });
      return parts.weights + parts.gradients + parts.optimizer;
    };
    expectAtMost(of(parallelism.tensor * 2), of(parallelism.tensor));
  });
  law('a larger micro-batch never needs less activations', anyJob, ({ job, parallelism }) => {
    const of = (microBatch: number): number =>
      estimateMemory({ ...job, globalBatch: job.globalBatch * 2 }, { ...parallelism, microBatch, pipeline: 1 }).parts.activations;
    expectAtMost(of(parallelism.microBatch!), of(parallelism.microBatch! * 2));
  });
  law('offloading moves the optimizer to the host and changes nothing else', anyJob, ({ job, parallelism }) => {
    // One stage: with more, another stage may be the fullest once the optimizer is gone.
    const here = estimateMemory({ ...job, offload: false }, { ...parallelism, pipeline: 1 });
    const there = estimateMemory({ ...job, offload: true }, { ...parallelism, pipeline: 1 });
    expectClose(there.host, here.parts.optimizer);
    expectClose(there.total + there.host, here.total);
  });
});

describe('shape laws', () => {
  law(
    'a size gives a shape within 6 % of it',
    fc.double({ min: 8.5, max: 12, noNaN: true }).map((exponent) => 10 ** exponent),
    (size) => {
      expectClose(countParameters(shapeOfSize(size)).total, size, 0.06);
    },
  );
  law('FLOPs of matrices are twice the active parameters without the input embedding, up to norms and biases', anyModel, (model) => {
    const { active } = countParameters(model);
    const outside = (model.tied ? 0 : model.vocab * model.hidden) + (model.learnedPositions ?? 0) * model.hidden;
    expectClose(tokenFlops(model, 2048).matrices, 2 * (active - outside), 1e-4);
  });
  law('axis groups partition the ranks, and two axes meet in one rank', anyParallelism, (drawn) => {
    const parallelism = { expert: 1, interleave: 1, outerEvery: 1, ...drawn } as Required<Parallelism>;
    const order = ['tensor', 'context', 'data', 'pipeline'] as const;
    const ranks = parallelism.tensor * parallelism.pipeline * parallelism.data;
    for (const axis of order) {
      const groups = axisGroups(parallelism, order, [axis]);
      expect(groups.flatMap((group) => [...group]).sort((a, b) => a - b)).toEqual(Array.from({ length: ranks }, (_, i) => i));
      expect(groups.every((group) => group.length === parallelism[axis])).toBe(true);
    }
    const tensor = axisGroups(parallelism, order, ['tensor'])[0];
    const data = axisGroups(parallelism, order, ['data'])[0];
    expect([...tensor].filter((rank) => data.includes(rank))).toEqual([0]);
  });
});

const fabric = createFabric(buildSystem('jean-zay-h100', { gpus: 64 }));
const routes = computeRoutes(fabric);
const anyStep = fc
  .tuple(
    fc.constantFrom('llama-3.1-8b', 'gpt-neox-20b', 'mixtral-8x7b'),
    power(2),
    power(2),
    power(2),
    power(1),
    fc.constantFrom(0 as const, 1 as const, 3 as const),
    fc.constantFrom('selective' as const, 'full' as const),
    power(3),
  )
  .map(([name, tensor, pipeline, data, microBatch, zeroStage, recomputation, batches]) => {
    const model = MODELS.find((one) => one.name === name)!;
    const parallelism = { tensor, pipeline, data, microBatch, zeroStage, recomputation };
    return {
      job: { model, sequence: 2048, globalBatch: data * microBatch * batches * pipeline },
      mapping: { parallelism, gpus: fabric.gpuIds.slice(0, tensor * pipeline * data) },
    };
  });

describe('step laws', () => {
  law('the breakdown sums to the step, which is no shorter than compute or exposed communication', anyStep, ({ job, mapping }) => {
    const step = estimateStep(routes, job, mapping);
    expectNoNaN(step);
    expectClose(
      Object.values(step.breakdown).reduce((a, b) => a + b, 0),
      step.seconds,
    );
    expectAtMost(step.breakdown.compute, step.seconds);
    expectAtMost(step.breakdown.exposedCommunication, step.seconds);
    for (const axis of step.axes) expectAtMost(axis.exposed, axis.seconds, axis.axis);
    expectAtMost(step.modelFlopUtilisation, step.hardwareFlopUtilisation);
    expectAtMost(step.hardwareFlopUtilisation, 1);
  });
  law(
    'more overlap never makes a step longer',
    fc.tuple(anyStep, fc.double({ min: 0, max: 1, noNaN: true })),
    ([{ job, mapping }, overlap]) => {
      expectAtMost(
        estimateStep(routes, { ...job, overlap: 1 }, mapping).seconds,
        estimateStep(routes, { ...job, overlap }, mapping).seconds,
      );
      expectAtMost(
        estimateStep(routes, { ...job, overlap }, mapping).seconds,
        estimateStep(routes, { ...job, overlap: 0 }, mapping).seconds,
      );
    },
  );
  law('the bubble share falls with the number of micro-batches', anyStep, ({ job, mapping }) => {
    const share = (batch: number): number => {
      const { breakdown } = estimateStep(routes, { ...job, globalBatch: batch }, mapping);
      return breakdown.bubble / breakdown.compute;
    };
    expectAtMost(share(job.globalBatch * 4), share(job.globalBatch), '', 1e-6);
  });
  law('synchronising less often never makes a step longer, and the cost of it goes to zero', anyStep, ({ job, mapping }) => {
    const step = (outerEvery: number): number =>
      estimateStep(routes, job, { ...mapping, parallelism: { ...mapping.parallelism, zeroStage: 1, outerEvery } })
        .axes.filter(({ axis }) => axis === 'outer')
        .reduce((sum, { seconds }) => sum + seconds, 0);
    expectAtMost(step(1000), step(10));
    expectAtMost(step(1_000_000), 1e-3);
  });
});
