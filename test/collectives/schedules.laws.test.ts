import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { collectiveOptimum, relieveCut } from '../../src/collectives/bounds/collective-optimum.js';
import {
  formatMscclXml,
  optimalSchedule,
  packAllReduceTrees,
  scheduleAlgorithm,
  type CollectiveSchedule,
} from '../../src/collectives/schedules/index.js';
import { simulateCollective } from '../../src/collectives/simulate.js';
import { createFabric } from '../../src/fabric/create-fabric.js';
import type { Fabric, LinkSpec } from '../../src/fabric/types.js';
import { readFabric } from '../../src/formats/read-fabric.js';
import { parseXml } from '../../src/formats/xml.js';
import { computeRoutes } from '../../src/routes/compute-routes.js';
import { expectAtMost, expectClose } from '../support/close.js';
import { law } from '../support/law.js';
import { executeTrace } from '../support/symbolic-executor.js';
import { hasShared, readShared } from '../support/shared-data.js';

/** GPUs on one or two switches that are joined, with some direct links; every link both ways. */
const anySmallGraph: fc.Arbitrary<Fabric> = fc
  .record({
    rates: fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 2, maxLength: 5 }),
    trunk: fc.integer({ min: 1, max: 8 }),
    twoSwitches: fc.boolean(),
    direct: fc.array(fc.tuple(fc.nat(4), fc.nat(4), fc.integer({ min: 1, max: 4 })), { maxLength: 3 }),
  })
  .map(({ rates, trunk, twoSwitches, direct }) => {
    const n = rates.length;
    const links: LinkSpec[] = rates.map((rate, i) => ({
      id: `l${i}`,
      source: `g${i}`,
      target: twoSwitches && i % 2 === 1 ? 's1' : 's0',
      bandwidth: rate * 1e9,
      latency: 1e-6,
    }));
    if (twoSwitches) links.push({ id: 'trunk', source: 's0', target: 's1', bandwidth: trunk * 1e9, latency: 1e-6 });
    direct.forEach(([a, b, rate], i) => {
      if (a % n !== b % n) links.push({ id: `d${i}`, source: `g${a % n}`, target: `g${b % n}`, bandwidth: rate * 1e9, latency: 1e-6 });
    });
    return createFabric({
      name: 'small',
      levels: [],
      devices: [
        ...rates.map((_, i) => ({ id: `g${i}`, kind: 'gpu' as const, location: [] })),
        { id: 's0', kind: 'switch', location: [] },
        ...(twoSwitches ? [{ id: 's1', kind: 'switch' as const, location: [] }] : []),
      ],
      links,
    });
  });

/** Largest load over capacity of a link when every slice weighs one. */
function congestion(fabric: Fabric, schedule: CollectiveSchedule): number {
  const load = new Map<string, number>();
  for (const { slices, edges } of schedule.trees)
    for (const { ways } of edges)
      for (const { devices, share } of ways)
        for (let i = 0; i + 1 < devices.length; i++) {
          const [a, b] = schedule.operation === 'reduce-scatter' ? [devices[i + 1], devices[i]] : [devices[i], devices[i + 1]];
          load.set(`${a}→${b}`, (load.get(`${a}→${b}`) ?? 0) + slices * share);
        }
  const capacity = new Map<string, number>();
  for (const { source, target, bandwidth } of fabric.links)
    for (const key of [`${source}→${target}`, `${target}→${source}`]) capacity.set(key, (capacity.get(key) ?? 0) + bandwidth);
  return Math.max(...[...load].map(([key, slices]) => slices / (capacity.get(key) ?? 0)));
}

describe('optimal schedule', () => {
  law(
    'spans all ranks from every root, fits the links, and reaches the optimum',
    fc.tuple(anySmallGraph, fc.constantFrom('all-gather', 'reduce-scatter')),
    ([fabric, operation]) => {
      const subject = { operation: operation as 'all-gather', ranks: fabric.gpuIds };
      const schedule = optimalSchedule(fabric, subject);
      const n = fabric.gpuIds.length;
      const slices = new Int32Array(n);
      for (const tree of schedule.trees) {
        const reached = new Set([tree.root]);
        for (const { source, target, ways } of tree.edges) {
          expect(reached.has(source) && !reached.has(target)).toBe(true);
          reached.add(target);
          expectClose(
            ways.reduce((sum, { share }) => sum + share, 0),
            1,
          );
        }
        expect(reached.size).toBe(n);
        slices[tree.root] += tree.slices;
      }
      expect([...slices]).toEqual(new Array(n).fill(schedule.slicesPerRank));
      const { bandwidth } = collectiveOptimum(fabric, subject);
      expectClose((n * schedule.slicesPerRank) / congestion(fabric, schedule), bandwidth, 1e-6);
      expectClose(schedule.bandwidth, bandwidth, 1e-6);
    },
  );
  law(
    'as an algorithm it completes: every rank ends with every contribution exactly once',
    fc.tuple(anySmallGraph, fc.constantFrom('all-gather', 'reduce-scatter', 'all-reduce')),
    ([fabric, operation]) => {
      const algorithm = scheduleAlgorithm(optimalSchedule(fabric, { operation: operation, ranks: fabric.gpuIds }));
      const shape = { rankCount: fabric.gpuIds.length, levels: [], ringSets: [], switchReduces: false };
      if (operation !== 'reduce-scatter' || algorithm.trace(shape, 'reduce-scatter', 0).chunks < 200)
        executeTrace(algorithm, shape, operation, 0);
    },
  );
  it('runs in the simulator, no faster than the optimum', () => {
    const fabric = createFabric({
      name: 'star',
      levels: [],
      devices: [
        ...Array.from({ length: 4 }, (_, i) => ({ id: `g${i}`, kind: 'gpu' as const, location: [] })),
        { id: 's', kind: 'switch', location: [] },
      ],
      links: Array.from({ length: 4 }, (_, i) => ({ id: `l${i}`, source: `g${i}`, target: 's', bandwidth: 25e9, latency: 0 })),
    });
    const subject = { operation: 'all-gather' as const, ranks: fabric.gpuIds };
    const algorithm = scheduleAlgorithm(optimalSchedule(fabric, subject));
    const physics = { launch: 0, step: 0, leastPiece: 1 };
    const { seconds } = simulateCollective(computeRoutes(fabric), { ...subject, bytes: 1e9, algorithm }, { physics });
    expectAtMost(1e9 / collectiveOptimum(fabric, subject).bandwidth, seconds);
    expectAtMost(seconds, (2 * 1e9) / collectiveOptimum(fabric, subject).bandwidth);
  });
  law('exports MSCCL XML in which every wait names an earlier instruction that exists', anySmallGraph, (fabric) => {
    const xml = parseXml(formatMscclXml(optimalSchedule(fabric, { operation: 'all-reduce', ranks: fabric.gpuIds })), 'test');
    expect(xml.children.length).toBe(fabric.gpuIds.length);
    for (const gpu of xml.children)
      for (const block of gpu.children)
        for (const step of block.children) {
          const [block2, step2] = [Number(step.attributes['depid']), Number(step.attributes['deps'])];
          if (block2 < 0) continue;
          expect(gpu.children[block2].children[step2].attributes['hasdep']).toBe('1');
        }
  });
});

describe('all-reduce trees', () => {
  it('close the gap that one slow leaf leaves', () => {
    const fabric = createFabric({
      name: 'slow leaf',
      levels: [],
      devices: [
        ...['a', 'b', 'c', 'd'].map((id) => ({ id, kind: 'gpu' as const, location: [] })),
        { id: 's', kind: 'switch', location: [] },
      ],
      links: ['a', 'b', 'c', 'd'].map((id) => ({
        id: `l${id}`,
        source: id,
        target: 's',
        bandwidth: id === 'd' ? 10e9 : 100e9,
        latency: 0,
      })),
    });
    const ranks = fabric.gpuIds;
    // Reduce-scatter + all-gather: 20/3 GB/s. The cut around d: 10 GB/s.
    const phase = collectiveOptimum(fabric, { operation: 'all-gather', ranks }).bandwidth;
    expectClose(phase / 2, 20e9 / 3);
    expectClose(packAllReduceTrees(fabric, { ranks }).bandwidth, 10e9, 0.01);
    expectClose(collectiveOptimum(fabric, { operation: 'all-reduce', ranks }).bandwidth, 10e9);
  });
  law('never beat the cut bound', anySmallGraph, (fabric) => {
    const ranks = fabric.gpuIds;
    expectAtMost(
      packAllReduceTrees(fabric, { ranks }, { rounds: 50 }).bandwidth,
      collectiveOptimum(fabric, { operation: 'all-reduce', ranks }).bandwidth,
      '',
      1e-6,
    );
  });
});

describe('relief', () => {
  law('widening the cut by what it asks for gives what it promises', anySmallGraph, (fabric) => {
    const subject = { operation: 'all-gather' as const, ranks: fabric.gpuIds };
    const now = collectiveOptimum(fabric, subject);
    const { bandwidth, extraCapacity, links } = relieveCut(fabric, subject);
    expectAtMost(now.bandwidth, bandwidth);
    if (!Number.isFinite(bandwidth)) return;
    const wider = createFabric({
      ...fabric,
      links: fabric.links.map((link) => (links.includes(link.id) ? { ...link, bandwidth: link.bandwidth + 1e12 } : link)),
    });
    expectClose(collectiveOptimum(wider, subject).bandwidth, bandwidth, 1e-6);
    expectAtMost(0, extraCapacity);
  });
  law('of equally tight cuts it names one with the fewest GPUs inside', anySmallGraph, (fabric) => {
    const { bandwidth, bottleneckCut } = collectiveOptimum(fabric, { operation: 'all-gather', ranks: fabric.gpuIds });
    const { deviceCount, arcCount, arcSource, arcTarget, arcBandwidth, gpus } = fabric.compiled;
    let fewest = Infinity;
    for (let set = 1; set < 2 ** deviceCount - 1; set++) {
      const inside = (device: number): boolean => (set & (1 << device)) !== 0;
      const count = gpus.filter(inside).length;
      if (count === 0 || count === gpus.length) continue;
      let capacity = 0;
      for (let arc = 0; arc < arcCount; arc++) if (inside(arcSource[arc]) && !inside(arcTarget[arc])) capacity += arcBandwidth[arc];
      if ((capacity / count) * gpus.length <= bandwidth * (1 + 1e-7)) fewest = Math.min(fewest, count);
    }
    expect(bottleneckCut.gpusInside.length).toBe(fewest);
    expectClose((bottleneckCut.capacity / fewest) * gpus.length, bandwidth, 1e-6);
  });
});

describe('tight cuts', () => {
  it('of two equally tight ones, three GPUs behind a trunk and two behind another, the smaller is named', () => {
    const links: [string, string, number][] = [
      ['a', 'outer', 100],
      ['outer', 'a', 100],
    ];
    for (const [inner, members] of [
      ['three', ['b', 'c', 'd']],
      ['two', ['y', 'z']],
    ] as const) {
      for (const id of members) links.push([id, inner, 10], [inner, id, 100]);
      // One GB/s out for every GPU inside; in from outside there is plenty.
      links.push([inner, 'outer', members.length], ['outer', inner, 100]);
    }
    const { fabric } = readFabric(JSON.stringify({ gpus: ['a', 'b', 'c', 'd', 'y', 'z'], links }));
    const { bandwidth, bottleneckCut } = collectiveOptimum(fabric, { operation: 'all-gather', ranks: fabric.gpuIds });
    expectClose(bandwidth, 6e9);
    expect(bottleneckCut.gpusInside).toEqual(['y', 'z']);
    expect(bottleneckCut.links).toEqual(['two→outer']);
  });
});

describe('bare graphs', () => {
  it('are read as fabrics', () => {
    const { format, fabric } = readFabric('{"gpus":["a","b"],"links":[["a","s",10],["s","a",10],["b","s",10],["s","b",10]]}');
    expect(format).toBe('graph');
    expect(collectiveOptimum(fabric, { operation: 'all-gather', ranks: fabric.gpuIds }).bandwidth).toBe(20e9);
  });
  it.each([
    '{"gpus":["a"],"links":[["a","s"]]}',
    '{"gpus":"a","links":[]}',
    '{"gpus":["a"],"links":[["a","s",-1]]}',
    '{"gpus":["a"],"links":{}}',
  ])('refuse %s', (text) => {
    expect(() => readFabric(text)).toThrow('expected');
  });
});

describe.runIf(hasShared('optimum'))('against published graphs', () => {
  it.each(['a100_1x8', 'a100_2x8', 'dgx1v_1x8', 'h100_2x8', 'h100_4x8', 'h100_rail_4x8_spine100', 'mi250_1x16', 'torus_4x4'])(
    '%s: optimum and a schedule that reaches it',
    (name) => {
      const text = readShared(`optimum/${name}.json`);
      const { fabric } = readFabric(text);
      const expected = (JSON.parse(text) as { optimalAllGatherGBps: number }).optimalAllGatherGBps * 1e9;
      const subject = { operation: 'all-gather' as const, ranks: fabric.gpuIds };
      expectClose(collectiveOptimum(fabric, subject).bandwidth, expected, 1e-6);
      expectClose(optimalSchedule(fabric, subject).bandwidth, expected, 1e-6);
    },
  );
});
