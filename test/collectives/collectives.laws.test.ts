import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { closedFormAllReduce } from '../../src/collectives/bounds/closed-forms.js';
import { collectiveOptimum } from '../../src/collectives/bounds/collective-optimum.js';
import { estimateCollective } from '../../src/collectives/estimate-collective.js';
import { candidateSeconds, prepareCollective, priceGroups } from '../../src/collectives/prepare-collective.js';
import { DEFAULT_PHYSICS } from '../../src/collectives/physics.js';
import { orderRanks } from '../../src/collectives/rank-order.js';
import { COLLECTIVE_ALGORITHMS } from '../../src/collectives/registry.js';
import { describeShape } from '../../src/collectives/shape.js';
import { simulateCollective } from '../../src/collectives/simulate.js';
import { COLLECTIVE_OPERATIONS, type CollectiveOperation, type CollectiveShape } from '../../src/collectives/types.js';
import { binaryTree, secondTree } from '../../src/collectives/algorithms/double-binary-tree.js';
import { gpuIndices } from '../../src/fabric/edit-fabric.js';
import { createFabric } from '../../src/fabric/create-fabric.js';
import { computeRoutes } from '../../src/routes/compute-routes.js';
import { anyFabricWithRanks, anyGraph, uniformStar } from '../arbitraries/fabrics.js';
import { expectAtMost, expectClose, expectNoNaN } from '../support/close.js';
import { law } from '../support/law.js';
import { executeTrace, phaseBytes, traceBytes } from '../support/symbolic-executor.js';

const anyBytes = fc.integer({ min: 0, max: 30 }).map((k) => 2 ** k);
const anyShape = anyFabricWithRanks.map(({ fabric, ranks }): CollectiveShape => {
  const routes = computeRoutes(fabric);
  return { ...describeShape(routes, orderRanks(routes, gpuIndices(fabric, ranks, 'test'))), switchReduces: true };
});
const physics = { launch: 0, step: 0, leastPiece: 1 };

describe.each(COLLECTIVE_ALGORITHMS.map((algorithm) => [algorithm.name, algorithm] as const))('%s', (_, algorithm) => {
  law('executes: at the end every rank holds every contribution exactly once', fc.tuple(anyShape, fc.nat()), ([shape, draw]) => {
    for (const operation of algorithm.operations) {
      if (algorithm.refusal?.(shape, operation) !== undefined) continue;
      executeTrace(algorithm, shape, operation, draw % (algorithm.variants?.(shape, operation) ?? 1));
    }
  });
  law('phases and trace agree on the bytes from each rank to each other', fc.tuple(anyShape, fc.nat()), ([shape, draw]) => {
    for (const operation of algorithm.operations) {
      if (algorithm.refusal?.(shape, operation) !== undefined) continue;
      const variant = draw % (algorithm.variants?.(shape, operation) ?? 1);
      const byTrace = traceBytes(algorithm.trace(shape, operation, variant));
      const byPhases = phaseBytes(algorithm.phases(shape, operation, variant), shape.rankCount);
      expect([...byPhases.keys()].sort(), operation).toEqual([...byTrace.keys()].sort());
      for (const [pair, share] of byPhases) expectClose(share, byTrace.get(pair)!, 1e-9, `${operation} ${pair}`);
    }
  });
});

describe('collective laws', () => {
  law(
    'all-reduce equals the closed form on a uniform star',
    fc.tuple(fc.integer({ min: 2, max: 24 }), anyBytes, fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 40 })),
    ([n, bytes, tenGigabytes, halfMicroseconds]) => {
      const bandwidth = tenGigabytes * 1e10;
      const latency = halfMicroseconds * 5e-7;
      const fabric = uniformStar(n, bandwidth, latency);
      const routes = computeRoutes(fabric);
      for (const algorithm of ['ring', 'recursive-doubling', 'recursive-halving-doubling', 'direct'] as const) {
        const estimate = prepareCollective(routes, { operation: 'all-reduce', ranks: fabric.gpuIds }, { algorithm, physics }).estimate(
          bytes,
        );
        expectClose(
          estimate.seconds,
          closedFormAllReduce(algorithm, n, bytes, { latency, inverseBandwidth: 1 / bandwidth }),
          1e-9,
          algorithm,
        );
      }
    },
  );
  law('one rank costs nothing', fc.tuple(anyFabricWithRanks, anyBytes), ([{ fabric, ranks }, bytes]) => {
    for (const operation of COLLECTIVE_OPERATIONS)
      expect(prepareCollective(computeRoutes(fabric), { operation, ranks: ranks.slice(0, 1) }).seconds(bytes)).toBe(0);
  });
  law(
    'times never fall as bytes grow, and no estimate holds a NaN',
    fc.tuple(anyFabricWithRanks, fc.constantFrom(...COLLECTIVE_OPERATIONS), anyBytes),
    ([{ fabric, ranks }, operation, bytes]) => {
      const prepared = prepareCollective(computeRoutes(fabric), { operation, ranks });
      expectAtMost(prepared.seconds(bytes), prepared.seconds(bytes * 2));
      const estimate = prepared.estimate(bytes);
      expectNoNaN(estimate);
      expectAtMost(estimate.low, estimate.seconds);
      expectAtMost(estimate.seconds, estimate.high);
    },
  );
  law(
    'the best is no slower than any named algorithm',
    fc.tuple(anyFabricWithRanks, fc.constantFrom(...COLLECTIVE_OPERATIONS), anyBytes),
    ([{ fabric, ranks }, operation, bytes]) => {
      const routes = computeRoutes(fabric);
      const best = prepareCollective(routes, { operation, ranks }).estimate(bytes);
      for (const algorithm of COLLECTIVE_ALGORITHMS) {
        if (!algorithm.operations.includes(operation) || best.refusals.some((refusal) => refusal.algorithm === algorithm.name)) continue;
        expectAtMost(best.seconds, prepareCollective(routes, { operation, ranks }, { algorithm }).seconds(bytes), algorithm.name);
      }
      if (best.runnerUp !== undefined) expectAtMost(best.seconds, best.runnerUp.seconds);
    },
  );
  law(
    'the order of the ranks in the question changes nothing',
    fc.tuple(anyFabricWithRanks, fc.constantFrom<CollectiveOperation>('all-reduce', 'all-gather', 'all-to-all'), anyBytes),
    ([{ fabric, ranks }, operation, bytes]) => {
      const routes = computeRoutes(fabric);
      expect(prepareCollective(routes, { operation, ranks: [...ranks].reverse() }).estimate(bytes)).toEqual(
        prepareCollective(routes, { operation, ranks }).estimate(bytes),
      );
    },
  );
  law('rotating a ring changes nothing', fc.tuple(anyFabricWithRanks, fc.nat(), anyBytes), ([{ fabric, ranks }, draw, bytes]) => {
    const routes = computeRoutes(fabric);
    const turn = draw % ranks.length;
    const cost = (order: string[]): number => {
      const ring = COLLECTIVE_ALGORITHMS[0];
      // The plain tour in the given order: what the ring algorithm does with one channel.
      const plain = {
        ...ring,
        variants: () => 1,
        phases: (shape: CollectiveShape, operation: CollectiveOperation) =>
          ring.phases({ ...shape, ringSets: [[Int32Array.from({ length: shape.rankCount }, (_, i) => i)]] }, operation, 0),
      };
      return prepareCollective(routes, { operation: 'all-reduce', ranks: order }, { algorithm: plain, order: 'given' }).seconds(bytes);
    };
    expectClose(cost([...ranks.slice(turn), ...ranks.slice(0, turn)]), cost(ranks));
  });
  law(
    'an all-reduce costs no more than reduce-scatter and all-gather after each other',
    fc.tuple(anyFabricWithRanks, anyBytes),
    ([{ fabric, ranks }, bytes]) => {
      const routes = computeRoutes(fabric);
      const seconds = (operation: CollectiveOperation): number =>
        prepareCollective(routes, { operation, ranks }, { algorithm: 'ring', physics }).seconds(bytes);
      expectAtMost(seconds('all-reduce'), seconds('reduce-scatter') + seconds('all-gather'));
    },
  );
  law(
    'scaling all rates and latencies by k scales all times by k',
    fc.tuple(anyFabricWithRanks, fc.integer({ min: 2, max: 5 }), fc.integer({ min: 16, max: 28 })),
    ([{ fabric, ranks }, k, power]) => {
      const links = fabric.links.map((link) => ({
        ...link,
        latency: link.latency * k,
        bandwidth: link.bandwidth / k,
        ...(link.routingCost === undefined ? {} : { routingCost: link.routingCost * k }),
      }));
      const slower = createFabric({ name: 'slower', levels: fabric.levels, devices: fabric.devices, links });
      const seconds = (routes: ReturnType<typeof computeRoutes>): number =>
        prepareCollective(routes, { operation: 'all-reduce', ranks }, { algorithm: 'ring', physics, order: 'given' }).seconds(2 ** power);
      expectClose(seconds(computeRoutes(slower)), k * seconds(computeRoutes(fabric)), 1e-9);
    },
  );
  law('aggregated all-to-all equals the enumerated one', anyFabricWithRanks, ({ fabric, ranks }) => {
    const routes = computeRoutes(fabric);
    const direct = prepareCollective(routes, { operation: 'all-to-all', ranks }, { algorithm: 'direct', physics }).seconds(1e9);
    const listed = {
      ...COLLECTIVE_ALGORITHMS.find(({ name }) => name === 'direct')!,
      phases: ({ rankCount: n }: CollectiveShape) => {
        const pairs = Array.from({ length: n * n }, (_, i) => [Math.floor(i / n), i % n]).filter(([a, b]) => a !== b);
        return [
          {
            label: 'exchange',
            transfers: {
              source: Int32Array.from(pairs, ([a]) => a),
              target: Int32Array.from(pairs, ([, b]) => b),
              share: new Float64Array(pairs.length).fill(1 / n),
            },
          },
        ];
      },
    };
    expectClose(direct, prepareCollective(routes, { operation: 'all-to-all', ranks }, { algorithm: listed, physics }).seconds(1e9));
  });
});

describe('bounds', () => {
  const few = anyFabricWithRanks.map(({ fabric, ranks }) => ({ fabric, ranks: ranks.slice(0, 6) }));
  law('all-gather and reduce-scatter never beat the max-flow optimum', few, ({ fabric, ranks }) => {
    for (const operation of ['all-gather', 'reduce-scatter'] as const) {
      const { bandwidth } = collectiveOptimum(fabric, { operation, ranks });
      const estimate = prepareCollective(computeRoutes(fabric), { operation, ranks }, { physics }).estimate(1e9);
      expectAtMost(estimate.algorithmBandwidth, bandwidth, operation, 1e-6);
    }
  });
  law('an all-reduce never beats the cut bound', few, ({ fabric, ranks }) => {
    const { bandwidth, bottleneckCut } = collectiveOptimum(fabric, { operation: 'all-reduce', ranks });
    const estimate = prepareCollective(computeRoutes(fabric), { operation: 'all-reduce', ranks }, { physics }).estimate(1e9);
    expectAtMost(estimate.algorithmBandwidth, bandwidth, '', 1e-6);
    expectClose(bottleneckCut.capacity, bandwidth, 1e-6);
  });
  law('the optimum is the least cut ratio: equal to enumerating all cuts on small graphs', anyGraph, (spec) => {
    const fabric = createFabric(spec);
    const { compiled } = fabric;
    const ranks = fabric.gpuIds;
    let least = Infinity;
    for (let mask = 1; mask < 2 ** compiled.deviceCount; mask++) {
      const inside = (device: number): boolean => (mask & (1 << device)) !== 0;
      const count = compiled.gpus.filter(inside).length;
      if (count === 0 || count === compiled.gpus.length) continue;
      let capacity = 0;
      for (let arc = 0; arc < compiled.arcCount; arc++)
        if (inside(compiled.arcSource[arc]) && !inside(compiled.arcTarget[arc])) capacity += compiled.arcBandwidth[arc];
      least = Math.min(least, capacity / count);
    }
    expectClose(collectiveOptimum(fabric, { operation: 'all-gather', ranks }).bandwidth, least * ranks.length, 1e-6);
  });
});

describe('rank order', () => {
  // Ways to the far side of a ring split over both directions and once looked cheap for it; the tour then criss-crossed at half speed.
  it.each([4, 6, 8, 11])('follows a physical ring of %i GPUs, whatever they are called', (n) => {
    const name = (i: number): string => `g${(i * 5) % 13}`;
    const fabric = createFabric({
      name: 'ring',
      levels: [],
      devices: Array.from({ length: n }, (_, i) => ({ id: name(i), kind: 'gpu' as const, location: [] })),
      links: Array.from({ length: n }, (_, i) => ({
        id: `l${i}`,
        source: name(i),
        target: name((i + 1) % n),
        bandwidth: 50e9,
        latency: 5e-7,
      })),
    });
    const { seconds } = simulateCollective(
      computeRoutes(fabric),
      { operation: 'all-reduce', ranks: fabric.gpuIds, bytes: 2 ** 26, algorithm: 'ring' },
      { physics },
    );
    expectClose(
      seconds,
      closedFormAllReduce('ring', n, 2 ** 26, { latency: 5e-7 + physics.step, inverseBandwidth: 1 / 50e9 }) + physics.launch,
      1e-6,
    );
  });
});

describe('remembered estimates', () => {
  law('a repeated question, and one on a list that has changed, get the answer of a fresh one', anyFabricWithRanks, ({ fabric, ranks }) => {
    const routes = computeRoutes(fabric);
    const list = [...ranks];
    for (const operation of ['all-reduce', 'all-gather', 'all-reduce'] as const)
      for (const bytes of [1e3, 1e8])
        expect(estimateCollective(routes, { operation, ranks: list, bytes })).toEqual(
          prepareCollective(routes, { operation, ranks: list }).estimate(bytes),
        );
    if (list.length < 3) return;
    list.pop();
    expect(estimateCollective(routes, { operation: 'all-reduce', ranks: list, bytes: 1e6 })).toEqual(
      prepareCollective(routes, { operation: 'all-reduce', ranks: list }).estimate(1e6),
    );
  });
  law('leaving out hopeless candidates changes neither the best nor the runner-up', anyFabricWithRanks, ({ fabric, ranks }) => {
    const routes = computeRoutes(fabric);
    const gpus = orderRanks(routes, gpuIndices(fabric, ranks, 'test'));
    const { candidates } = priceGroups(routes, [gpus], 'all-reduce', COLLECTIVE_ALGORITHMS);
    if (candidates.length === 0) return;
    for (const bytes of [1, 1e5, 1e9]) {
      const { algorithm, seconds, runnerUp } = prepareCollective(routes, { operation: 'all-reduce', ranks }).estimate(bytes);
      const all = candidates.map((one) => ({
        algorithm: one.algorithm,
        seconds: candidateSeconds(one, bytes, DEFAULT_PHYSICS) + DEFAULT_PHYSICS.launch,
      }));
      expectClose(seconds, Math.min(...all.map((one) => one.seconds)));
      const others = all.filter((one) => one.algorithm !== algorithm).map((one) => one.seconds);
      if (others.length > 0) expectClose(runnerUp?.seconds ?? NaN, Math.min(...others));
    }
  });
});

describe('simulator', () => {
  law(
    'agrees with the evaluator on an uncontended star',
    fc.tuple(fc.integer({ min: 2, max: 12 }), fc.integer({ min: 10, max: 30 })),
    ([n, power]) => {
      const fabric = uniformStar(n, 5e10, 4e-6);
      const routes = computeRoutes(fabric);
      for (const algorithm of ['ring', 'recursive-doubling', 'recursive-halving-doubling', 'direct']) {
        const subject = { operation: 'all-reduce' as const, ranks: fabric.gpuIds, bytes: 2 ** power };
        const simulated = simulateCollective(routes, { ...subject, algorithm }, { physics }).seconds;
        expectClose(simulated, prepareCollective(routes, subject, { algorithm, physics }).seconds(subject.bytes), 0.01, algorithm);
      }
    },
  );
  law(
    'never undercuts the all-reduce cut bound',
    anyFabricWithRanks.map(({ fabric, ranks }) => ({ fabric, ranks: ranks.slice(0, 5) })),
    ({ fabric, ranks }) => {
      const { bandwidth } = collectiveOptimum(fabric, { operation: 'all-reduce', ranks });
      const { seconds } = simulateCollective(
        computeRoutes(fabric),
        { operation: 'all-reduce', ranks, bytes: 1e9, algorithm: 'ring' },
        { physics },
      );
      expectAtMost(1e9 / bandwidth, seconds, '', 1e-6);
    },
  );
});

describe('double binary tree', () => {
  // Parents read off NCCL 2.30's numbering rule.
  it.each([
    [5, [-1, 2, 4, 2, 0], [1, -1, 3, 0, 3]],
    [6, [-1, 2, 4, 2, 0, 4], [1, 5, 3, 1, 3, -1]],
    [8, [-1, 2, 4, 2, 0, 6, 4, 6], [1, 3, 1, 7, 5, 3, 5, -1]],
  ])('has the published parents over %i nodes', (n, first, second) => {
    expect(binaryTree(n)).toEqual(first);
    expect(secondTree(n)).toEqual(second);
  });
  law('no node is inside both trees, but node 0 where their number is odd', fc.integer({ min: 2, max: 300 }), (n) => {
    const inner = (parents: number[]): Set<number> => new Set(parents.filter((up) => up >= 0));
    const second = inner(secondTree(n));
    const both = [...inner(binaryTree(n))].filter((node) => second.has(node));
    expect(both.length).toBeLessThanOrEqual(n % 2);
  });
});
