import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createFabric } from '../../src/fabric/create-fabric.js';
import type { FabricSpec } from '../../src/fabric/types.js';
import { buildSystem } from '../../src/presets/build-system.js';
import { MODELS } from '../../src/presets/models.js';
import { computeRoutes } from '../../src/routes/compute-routes.js';
import { balanceStages } from '../../src/training/balance-stages.js';
import { COMPUTE_MODEL, type GpuFloor } from '../../src/training/compute-model.js';
import { elementwiseTraffic } from '../../src/training/elementwise.js';
import { estimateMemory, memoryOf, peakMemory } from '../../src/training/estimate-memory.js';
import { estimateStep } from '../../src/training/estimate-step.js';
import { layerTimes } from '../../src/training/layer-times.js';
import { lowCommunicationCost } from '../../src/training/low-communication.js';
import { modelFlops } from '../../src/training/model-flops.js';
import { bubbleTime } from '../../src/training/pipeline-time.js';
import { priceStep, stepFloor, type StepContext } from '../../src/training/price-step.js';
import { prepareMapping } from '../../src/training/prepare-mapping.js';
import { gpuSet } from '../../src/training/gpu-floor.js';
import { shapeOfSize } from '../../src/training/shape-of-size.js';
import { stageLayers, stageParameters } from '../../src/training/stage-parameters.js';
import { countParameters } from '../../src/training/parameters.js';
import { AXES, OPTIMIZERS, type Parallelism, type TrainingJob } from '../../src/training/types.js';
import { completeJob, completeParallelism, refuseParallelism } from '../../src/training/validate-job.js';
import { expectAtMost, expectClose, expectNoNaN } from '../support/close.js';
import { law } from '../support/law.js';

const fabric = createFabric(buildSystem('jean-zay-h100', { gpus: 64 }));
const routes = computeRoutes(fabric);
const power = (max: number): fc.Arbitrary<number> => fc.integer({ min: 0, max }).map((k) => 2 ** k);
const SHAPES = ['llama-3.1-8b', 'mistral-7b', 'gpt2-xl', 'qwen3-30b-a3b', 'deepseek-v2-lite', 'mixtral-8x7b'].map((name) =>
  MODELS.find((model) => model.name === name)!,
);

const anyChoice: fc.Arbitrary<{ job: TrainingJob; parallelism: Parallelism }> = fc
  .record({
    model: fc.constantFrom(...SHAPES),
    tensor: fc.constantFrom(1, 2, 4),
    pipeline: fc.constantFrom(1, 2, 4),
    context: fc.constantFrom(1, 2),
    contextMethod: fc.constantFrom('ring' as const, 'all-gather' as const),
    batches: power(4),
    microBatch: power(1),
    zeroStage: fc.constantFrom(0 as const, 1 as const, 2 as const, 3 as const),
    recomputation: fc.constantFrom('none' as const, 'selective' as const, 'operators' as const, 'full' as const),
    attention: fc.constantFrom('unfused' as const, 'flash' as const, 'overlapped' as const),
    kernels: fc.constantFrom('fused' as const, 'eager' as const),
    precision: fc.constantFrom('bf16' as const, 'fp8' as const),
    schedule: fc.constantFrom('1f1b' as const, 'gpipe' as const, 'zero-bubble' as const),
    optimizer: fc.constantFrom(...OPTIMIZERS),
    expert: fc.constantFrom(1, 2, 4),
  })
  .map(({ model, batches, attention, kernels, precision, optimizer, ...rest }) => {
    const tensor = model.heads % rest.tensor === 0 ? rest.tensor : 1;
    const data = 64 / tensor / rest.pipeline / rest.context;
    const job: TrainingJob = {
      model,
      sequence: 2048,
      globalBatch: data * rest.microBatch * batches * 4,
      attention,
      kernels,
      precision,
      optimizer,
    };
    const parallelism: Parallelism = { ...rest, tensor, data, expert: model.experts === undefined ? 1 : rest.expert };
    return { job, parallelism };
  });
const price = (job: TrainingJob, parallelism: Parallelism): ReturnType<typeof estimateStep> =>
  estimateStep(routes, job, { parallelism, gpus: fabric.gpuIds });

describe('layers', () => {
  it('of GPT-3 keep 34·s·b·h bytes, and 5·a·s²·b more with unfused attention (Korthikanti, table 2)', () => {
    const model = MODELS.find(({ name }) => name === 'gpt3-175b')!;
    const job: TrainingJob = { model, sequence: 2048, globalBatch: 1, attention: 'unfused', dropout: true };
    const { parts } = estimateMemory(job, { tensor: 1, pipeline: 1, data: 1, zeroStage: 0, recomputation: 'none' });
    const [s, h, a] = [2048, model.hidden, model.heads];
    expectClose(parts.activations, 96 * (34 * s * h + 5 * a * s * s));
  });
  it('of Llama 3 8B, eager, move 6.2 times the bytes of fused ones for norms', () => {
    const model = MODELS.find(({ name }) => name === 'llama-3.1-8b')!;
    const of = (kernels: 'fused' | 'eager'): ReturnType<typeof elementwiseTraffic> =>
      elementwiseTraffic(completeJob('test', { model, sequence: 8192, globalBatch: 1, kernels }));
    // Two norms of 28 or 4 bytes a value and two additions of 6.
    expect(of('eager').outside / model.hidden).toBe(68);
    expect(of('fused').outside / model.hidden).toBe(20);
    expect(of('eager').perInner).toBe(10);
  });
  law('halving every rate doubles nothing less than the time of a layer does', anyChoice, ({ job, parallelism }) => {
    const floor: GpuFloor = { peak: 1e15, peak16: 5e14, efficiency: 0.8, memory: 80e9, memoryBandwidth: 2e12 };
    const half: GpuFloor = { ...floor, peak: 5e14, peak16: 2.5e14, memoryBandwidth: 1e12 };
    const of = (gpu: GpuFloor): ReturnType<typeof layerTimes> =>
      layerTimes(completeJob('t', job), completeParallelism('t', parallelism), gpu, job.model.experts !== undefined, {
        ...COMPUTE_MODEL,
        kernelTail: 0,
        softmaxTime: 0,
      });
    const [fast, slow] = [of(floor), of(half)];
    for (const part of ['forward', 'backward', 'weightGradient', 'recompute', 'attention'] as const)
      expectClose(slow[part], 2 * fast[part]);
  });
  law('fused kernels never take longer than eager ones, nor full recomputation less than none', anyChoice, ({ job, parallelism }) => {
    const compute = (change: Partial<TrainingJob>, recomputation = parallelism.recomputation): number =>
      price({ ...job, ...change }, { ...parallelism, recomputation: recomputation! }).breakdown.compute;
    expectAtMost(compute({ kernels: 'fused' }), compute({ kernels: 'eager' }));
    expectAtMost(compute({}, 'none'), compute({}, 'selective'));
    expectAtMost(compute({}, 'selective'), compute({}, 'operators'));
    expectAtMost(compute({}, 'operators'), compute({}, 'full'));
  });
});

describe('memory', () => {
  law('every stage has parts that sum, the fullest is the estimate, and a search sees the same peak', anyChoice, ({ job, parallelism }) => {
    const memory = estimateMemory(job, parallelism);
    expectNoNaN(memory);
    expect(memory.stages.length).toBe(parallelism.pipeline);
    for (const { parts, total } of memory.stages)
      expectClose(
        Object.values(parts).reduce((a, b) => a + b, 0),
        total,
      );
    expectClose(Math.max(...memory.stages.map(({ total }) => total)), memory.total);
    expectClose(peakMemory(completeJob('t', job), completeParallelism('t', parallelism)), memory.total);
    expectAtMost(memory.low, memory.total);
    expectAtMost(memory.total, memory.high);
  });
  law(
    'stages hold all layers once, and their parameters sum to the model, a tied table at both ends',
    anyChoice,
    ({ job, parallelism }) => {
      const complete = completeJob('t', job);
      const degrees = completeParallelism('t', { ...parallelism, expert: 1 });
      let [layers, parameters] = [0, 0];
      for (let stage = 0; stage < degrees.pipeline; stage++) {
        const [first, end] = stageLayers(job.model.layers, degrees, stage);
        expect(first).toBe(layers);
        layers = end;
        const held = stageParameters(complete, degrees, stage);
        parameters += (held.dense + held.routed) * degrees.tensor;
      }
      expect(layers).toBe(job.model.layers);
      const twice = job.model.tied && degrees.pipeline > 1 ? job.model.vocab * job.model.hidden : 0;
      expectClose(parameters, countParameters(job.model).total + twice, 1e-4);
    },
  );
  law('states are 16 bytes a parameter, 4 + 12/d, 2 + 14/d and 16/d by ZeRO stage', fc.constantFrom(2, 4, 8, 16), (data) => {
    const model = SHAPES[1];
    const n = countParameters(model).total;
    const of = (zeroStage: 0 | 1 | 2 | 3): number => {
      const { parts } = estimateMemory({ model, sequence: 2048, globalBatch: data }, { tensor: 1, pipeline: 1, data, zeroStage });
      return parts.weights + parts.gradients + parts.optimizer;
    };
    // Final norm and rounding of norms aside.
    expectClose(of(0), 16 * n, 1e-4);
    expectClose(of(1), (4 + 12 / data) * n, 1e-4);
    expectClose(of(2), (2 + 14 / data) * n, 1e-4);
    expectClose(of(3), (16 / data) * n, 1e-4);
  });
  law('GPipe holds all micro-batches, 1F1B no more than there are stages', anyChoice, ({ job, parallelism }) => {
    const of = (schedule: '1f1b' | 'gpipe'): readonly number[] =>
      estimateMemory(job, { ...parallelism, schedule }).stages.map(({ inFlight }) => inFlight);
    of('1f1b').forEach((own, stage) => {
      expectAtMost(own, Math.max(1, parallelism.pipeline - stage));
      expectAtMost(own, of('gpipe')[stage]);
    });
  });
  law('an optimizer with less state never needs more memory', anyChoice, ({ job, parallelism }) => {
    const of = (optimizer: (typeof OPTIMIZERS)[number]): number => estimateMemory({ ...job, optimizer }, parallelism).total;
    expectAtMost(of('sgd'), of('sgd-momentum'));
    expectAtMost(of('sgd-momentum'), of('adam'));
    expectAtMost(of('adam-8bit'), of('adam'));
    expectAtMost(of('adafactor'), of('muon'));
    expectAtMost(of('muon'), of('adam'));
  });
  law('recomputing one layer in k keeps more than all and less than none', anyChoice, ({ job, parallelism }) => {
    const of = (recomputation: 'none' | 'full', recomputeEvery: number): number =>
      estimateMemory(job, { ...parallelism, recomputation, recomputeEvery }).parts.activations;
    expectAtMost(of('full', 1), of('full', 2));
    // One layer more lives while it is rebuilt.
    if (job.model.layers / parallelism.pipeline >= 4) expectAtMost(of('full', 2), of('none', 1));
  });
});

describe('schedules', () => {
  const anyStages = fc.record({
    slowest: fc.double({ min: 0.001, max: 10, noNaN: true }),
    others: fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 0, maxLength: 16 }),
    weights: fc.double({ min: 0, max: 0.5, noNaN: true }),
  });
  law('the bubble falls with interleaving, and zero-bubble never waits longer than 1F1B', anyStages, ({ slowest, others, weights }) => {
    const times = { slowest, sum: slowest + others.reduce((a, b) => a + b * slowest, 0), weightGradient: weights * slowest };
    const of = (interleave: number, schedule: '1f1b' | 'zero-bubble' | 'gpipe' = '1f1b'): number =>
      bubbleTime(times, completeParallelism('t', { tensor: 1, pipeline: others.length + 1, data: 1, interleave, schedule }));
    expectClose(of(2), of(1) / 2);
    expectClose(of(4), of(1) / 4);
    expectAtMost(of(1, 'zero-bubble'), of(1));
    expect(of(1, 'gpipe')).toBe(of(1));
    expectClose(of(1), times.sum - slowest, 1e-6);
  });
  it('with equal stages 1F1B waits for p − 1 micro-batches', () => {
    expectClose(
      bubbleTime({ slowest: 2, sum: 16, weightGradient: 0.6 }, completeParallelism('t', { tensor: 1, pipeline: 8, data: 1 })),
      14,
    );
  });
  law(
    'balanced stages hold all layers, and the slowest is no slower than in an even split',
    fc.array(fc.integer({ min: 1, max: 8 }), { minLength: 2, maxLength: 6 }),
    (speeds) => {
      const job = completeJob('t', { model: SHAPES[0], sequence: 2048, globalBatch: 64 });
      const degrees = completeParallelism('t', { tensor: 1, pipeline: speeds.length, data: 1 });
      const floors = speeds.map((speed): GpuFloor => ({
        peak: speed * 1e14,
        peak16: speed * 1e14,
        efficiency: 0.8,
        memory: 80e9,
        memoryBandwidth: speed * 3e11,
      }));
      const counts = balanceStages(job, degrees, { floors, gpuCount: speeds.length, constants: COMPUTE_MODEL });
      expect(counts.reduce((a, b) => a + b, 0)).toBe(job.model.layers);
      const slowest = (layers: readonly number[]): number =>
        Math.max(
          ...layers.map((count, stage) => {
            const { forward, backward, recompute } = layerTimes(job, degrees, floors[stage], false, COMPUTE_MODEL);
            return count * (forward + backward + recompute);
          }),
        );
      const even = speeds.map((_, stage) => {
        const [first, end] = stageLayers(job.model.layers, degrees, stage);
        return end - first;
      });
      // The head sits on the last stage and is not counted here: one layer of tolerance.
      const layer = Math.max(...floors.map((floor) => layerTimes(job, degrees, floor, false, COMPUTE_MODEL).forward * 4));
      expectAtMost(slowest(counts), slowest(even) + layer);
    },
  );
});

describe('steps', () => {
  law('the parts sum to the step, its range holds it, nothing is NaN', anyChoice, ({ job, parallelism }) => {
    if (refuseParallelism(job, parallelism) !== undefined) return;
    const step = price({ ...job, eurosPerGpuHour: 2 }, parallelism);
    expectNoNaN(step);
    expectClose(
      Object.values(step.breakdown).reduce((a, b) => a + b, 0),
      step.seconds,
    );
    expectAtMost(step.low, step.seconds);
    expectAtMost(step.seconds, step.high);
    expectAtMost(step.modelFlopUtilisation, 1);
    expectClose(step.euros!, (64 * 2 * step.seconds) / 3600);
    expect(step.energy! > 0).toBe(true);
  });
  law(
    'no mapping beats the bound of its degrees',
    fc.tuple(anyChoice, fc.boolean(), fc.nat(63)),
    ([{ job, parallelism }, isOutside, shift]) => {
      if (refuseParallelism(job, parallelism) !== undefined) return;
      const complete = completeJob('t', job);
      const degrees = completeParallelism('t', parallelism);
      const gpus = Int32Array.from({ length: 64 }, (_, i) => (i * 5 + shift) % 64);
      const set = gpuSet(fabric, gpus, complete.precision, 't');
      const context: StepContext = { floors: [set.floor], gpuCount: 64, constants: COMPUTE_MODEL };
      const order = isOutside ? (['tensor', 'context', 'pipeline', 'data'] as const) : AXES;
      const { compiled } = fabric;
      const device = compiled.gpus[0];
      let egress = 0;
      for (let arc = compiled.outStart[device]; arc < compiled.outStart[device + 1]; arc++) egress += compiled.arcBandwidth[arc];
      const bound = stepFloor(complete, degrees, context, egress);
      const real = priceStep(complete, degrees, prepareMapping(routes, gpus, degrees, order), context);
      expectAtMost(bound.seconds, real.seconds);
    },
  );
  law('a cache of layer times changes nothing', anyChoice, ({ job, parallelism }) => {
    const complete = completeJob('t', job);
    const degrees = completeParallelism('t', parallelism);
    const gpus = Int32Array.from({ length: 64 }, (_, i) => i);
    const set = gpuSet(fabric, gpus, complete.precision, 't');
    const mapping = prepareMapping(routes, gpus, degrees, AXES);
    const plain: StepContext = { floors: [set.floor], gpuCount: 64, constants: COMPUTE_MODEL };
    const cached: StepContext = { ...plain, cache: new Map() };
    priceStep(complete, degrees, mapping, cached);
    expect(priceStep(complete, degrees, mapping, cached)).toEqual(priceStep(complete, degrees, mapping, plain));
  });
  law('permuting identical GPUs inside a node changes nothing', anyChoice, ({ job, parallelism }) => {
    if (refuseParallelism(job, parallelism) !== undefined) return;
    // GPUs 0 and 3 of every node of four share the symmetry of the board.
    const swapped = fabric.gpuIds.map((_, i) => fabric.gpuIds[i - (i % 4) + (3 - (i % 4))]);
    const a = price(job, parallelism).seconds;
    const b = estimateStep(routes, job, { parallelism, gpus: swapped }).seconds;
    expectClose(a, b, 0.02);
  });
  law('reduce-scatter and all-gather of ZeRO 1 move the bytes of one all-reduce', anyChoice, ({ job, parallelism }) => {
    const traffic = (zeroStage: 0 | 1): number => {
      const step = price(job, { ...parallelism, zeroStage });
      return step.axes
        .filter(({ axis }) => axis === 'data')
        .reduce((sum, { operation, bytesPerCall, calls }) => sum + bytesPerCall * calls * (operation === 'all-reduce' ? 2 : 1), 0);
    };
    expectClose(traffic(0), traffic(1));
  });
  law('hybrid sharding over all ranks is sharding, and over fewer keeps more memory', anyChoice, ({ job, parallelism }) => {
    const ranks = parallelism.data * (parallelism.context ?? 1);
    const of = (shardGroup: number): number => estimateMemory(job, { ...parallelism, shardGroup, zeroStage: 1 }).parts.optimizer;
    expectClose(of(ranks), of(0));
    if (ranks % 2 === 0) expectAtMost(of(0), of(ranks / 2));
  });
  law('more imbalance of experts never makes a step shorter', anyChoice, ({ job, parallelism }) => {
    if (refuseParallelism(job, parallelism) !== undefined) return;
    expectAtMost(price(job, parallelism).seconds, price({ ...job, expertImbalance: 1.5 }, parallelism).seconds, '', 1e-3);
  });
  it('over unequal stages a pipeline runs at the pace of the slowest, and moving layers off it helps', () => {
    const spec: FabricSpec = {
      name: 'mixed',
      levels: ['node'],
      devices: [
        { id: 'fast', kind: 'gpu', location: ['a'], memory: 80e9, memoryBandwidth: 3e12, peak: { bf16: 1e15 }, computeEfficiency: 0.8 },
        { id: 'slow', kind: 'gpu', location: ['b'], memory: 80e9, memoryBandwidth: 1.5e12, peak: { bf16: 3e14 }, computeEfficiency: 0.8 },
      ],
      links: [{ id: 'l', source: 'fast', target: 'slow', bandwidth: 50e9, latency: 1e-6 }],
    };
    const pair = createFabric(spec);
    const job: TrainingJob = { model: shapeOfSize('3B'), sequence: 2048, globalBatch: 32 };
    const of = (stageLayers_: number[]): number =>
      estimateStep(computeRoutes(pair), job, {
        parallelism: { tensor: 1, pipeline: 2, data: 1, stageLayers: stageLayers_, zeroStage: 0 },
        gpus: ['fast', 'slow'],
      }).seconds;
    const { layers } = job.model;
    const most = Math.round(layers * 0.75);
    expectAtMost(of([most, layers - most]), of([layers / 2, layers / 2].map((n, i) => (i === 0 ? Math.ceil(n) : Math.floor(n)))));
  });
});

describe('low-communication training', () => {
  const anyPlan = fc.record({
    parameters: fc.integer({ min: 1, max: 1000 }).map((n) => n * 1e9),
    sites: fc.integer({ min: 2, max: 16 }),
    every: fc.integer({ min: 1, max: 1000 }),
    stepSeconds: fc.integer({ min: 1, max: 60 }),
    bandwidth: fc.integer({ min: 1, max: 1000 }).map((n) => n * 1e8),
    fragments: fc.integer({ min: 1, max: 16 }),
    delay: fc.integer({ min: 0, max: 8 }),
  });
  law(
    'utilisation is a share that grows with bandwidth and interval, and needs no bandwidth as the interval grows without end',
    anyPlan,
    (plan) => {
      const of = (change: Partial<typeof plan>): ReturnType<typeof lowCommunicationCost> => lowCommunicationCost({ ...plan, ...change });
      const { utilisation } = of({});
      expect(utilisation > 0 && utilisation <= 1).toBe(true);
      expectAtMost(utilisation, of({ bandwidth: plan.bandwidth * 2 }).utilisation);
      expectAtMost(utilisation, of({ every: plan.every * 2 }).utilisation);
      expectAtMost(of({ every: 1e12 }).meanBandwidth, 1e4);
      expectClose(of({ every: 1e15 }).utilisation, 1, 1e-6);
    },
  );
  law('at the rate that is enough nothing is waited for', anyPlan, (plan) => {
    const { enoughBandwidth } = lowCommunicationCost({ ...plan, delay: plan.delay + 1 });
    expectClose(lowCommunicationCost({ ...plan, delay: plan.delay + 1, bandwidth: enoughBandwidth! * (1 + 1e-9) }).utilisation, 1);
  });
  it.each([
    // 10 B, t = 1 s, R = 4, u = 0.9: facts worked out by hand; bandwidth in Gb/s.
    { parameters: 10e9, stepSeconds: 1, every: 100, bytesPerValue: 2, gigabits: 21.6 },
    { parameters: 10e9, stepSeconds: 1, every: 100, bytesPerValue: 0.5, gigabits: 5.4 },
    { parameters: 70e9, stepSeconds: 5, every: 100, bytesPerValue: 2, gigabits: 30.24 },
  ])('needs $gigabits Gb/s for 90 % with $parameters parameters and $bytesPerValue bytes a value', ({ gigabits, ...plan }) => {
    expectClose(lowCommunicationCost({ ...plan, sites: 4, bandwidth: (gigabits * 1e9) / 8 }).utilisation, 0.9, 1e-3);
  });
  it('refuses what makes no sense, by name', () => {
    expect(() => lowCommunicationCost({ parameters: 1e9, sites: 0, every: 1, stepSeconds: 1, bandwidth: 1 })).toThrow('sites is 0');
    expect(() => lowCommunicationCost({ parameters: NaN, sites: 2, every: 1, stepSeconds: 1, bandwidth: 1 })).toThrow('parameters is NaN');
  });
});

describe('FLOP conventions', () => {
  it('of GPT-3 agree with the published equations to the norms and biases', () => {
    const model = MODELS.find(({ name }) => name === 'gpt3-175b')!;
    const [s, h, L, V] = [2048, model.hidden, model.layers, model.vocab];
    // Narayanan et al., equation 3, per token: 96·L·h²·(1 + s/6h + V/16Lh), recomputation included.
    expectClose(modelFlops(model, s).hardwareFullRecomputation, 96 * L * h * h * (1 + s / (6 * h) + V / (16 * L * h)), 1e-3);
    expectClose(modelFlops(model, s).modelFull, 72 * L * h * h * (1 + s / (6 * h) + V / (12 * L * h)), 1e-3);
  });
});

describe('memory at the door', () => {
  // Sizes that practitioners report not to fit, or to fit, 16-bit Adam with all states.
  it.each([
    ['7 B on one GPU of 80 GB (16 bytes × 7 B = 112 GB)', 'llama-2-7b', 80, { tensor: 1, pipeline: 1, data: 1 }, 1, false],
    ['Llama 2 70B over 8 GPUs of 80 GB (ZeRO 3)', 'llama-2-70b', 80, { tensor: 1, pipeline: 1, data: 8, zeroStage: 3 }, 8, false],
    [
      'Llama 2 70B over 12 GPUs of 80 GB (ZeRO 3; 1.1 TB of states)',
      'llama-2-70b',
      80,
      { tensor: 1, pipeline: 1, data: 12, zeroStage: 3 },
      12,
      false,
    ],
    [
      'Llama 2 70B over 32 GPUs of 80 GB (ZeRO 3)',
      'llama-2-70b',
      80,
      { tensor: 1, pipeline: 1, data: 32, zeroStage: 3, recomputation: 'full' },
      32,
      true,
    ],
    ['BLOOM over 24 GPUs of 80 GB (replicas had 48)', 'bloom-176b', 80, { tensor: 4, pipeline: 6, data: 1 }, 6, false],
    [
      'BLOOM over replicas of 48 GPUs of 80 GB, ZeRO 1 over 8',
      'bloom-176b',
      80,
      { tensor: 4, pipeline: 12, data: 8, zeroStage: 1, recomputation: 'full' },
      512,
      true,
    ],
    ['GPT-3 over 32 GPUs of 80 GB (2.8 TB of states)', 'gpt3-175b', 80, { tensor: 8, pipeline: 4, data: 1 }, 4, false],
    [
      'GPT-3 over 64 GPUs of 80 GB, full recomputation (Korthikanti, table 5)',
      'gpt3-175b',
      80,
      { tensor: 8, pipeline: 8, data: 1, recomputation: 'full' },
      64,
      true,
    ],
    [
      '1.56 B with plain data parallelism on 32 GB, micro-batch 16, nothing recomputed',
      'gpt2-xl',
      32,
      { tensor: 1, pipeline: 1, data: 8, zeroStage: 0, microBatch: 16, recomputation: 'none' },
      128,
      false,
    ],
    [
      'DeepSeek-V3 over 64 GPUs of 80 GB (10.7 TB of states)',
      'deepseek-v3',
      80,
      { tensor: 1, pipeline: 1, data: 64, expert: 64, zeroStage: 3 },
      64,
      false,
    ],
    ['Llama 3.1 405B over 64 GPUs of 80 GB (6.5 TB of states)', 'llama-3.1-405b', 80, { tensor: 8, pipeline: 8, data: 1 }, 8, false],
  ] as const)('%s', (_, name, gigabytes, parallelism, globalBatch, fits) => {
    const model = MODELS.find((one) => one.name === name)!;
    const { total } = memoryOf(completeJob('t', { model, sequence: 2048, globalBatch }), completeParallelism('t', parallelism));
    expect(total <= gigabytes * 2 ** 30 * 0.99).toBe(fits);
  });
});
