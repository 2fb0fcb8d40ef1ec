import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bytesInFlight, connectionRate } from '../../src/collectives/long-links.js';
import { prepareCollective } from '../../src/collectives/prepare-collective.js';
import { simulateCollective, simulateCollectives } from '../../src/collectives/simulate.js';
import { createRateSolver } from '../../src/collectives/simulation/rate-solver.js';
import { createTimeHeap } from '../../src/collectives/simulation/time-heap.js';
import { createFabric } from '../../src/fabric/create-fabric.js';
import type { Fabric } from '../../src/fabric/types.js';
import { computeRoutes } from '../../src/routes/compute-routes.js';
import { fillProgressively } from '../../src/routes/max-min-share.js';
import { expectAtMost, expectClose } from '../support/close.js';
import { law } from '../support/law.js';

/** Two stars of four GPUs each, joined by a trunk. */
function twoStars(trunk: number, latency = 1e-6): Fabric {
  return createFabric({
    name: 'two stars',
    levels: ['site'],
    devices: [
      ...Array.from({ length: 8 }, (_, i) => ({ id: `g${i}`, kind: 'gpu' as const, location: [i < 4 ? 'a' : 'b'] })),
      { id: 'sa', kind: 'switch', location: ['a'] },
      { id: 'sb', kind: 'switch', location: ['b'] },
    ],
    links: [
      ...Array.from({ length: 8 }, (_, i) => ({
        id: `l${i}`,
        source: `g${i}`,
        target: i < 4 ? 'sa' : 'sb',
        bandwidth: 100e9,
        latency: 1e-6,
      })),
      { id: 'trunk', source: 'sa', target: 'sb', bandwidth: trunk, latency },
    ],
  });
}
const physics = { launch: 0, step: 1e-6, leastPiece: 1, window: Infinity };

describe('several jobs', () => {
  it('two pairs over one trunk each get half of it', () => {
    const routes = computeRoutes(twoStars(10e9));
    const job = (a: string, b: string): { operation: 'send-receive'; ranks: string[]; bytes: number; algorithm: string } => ({
      operation: 'send-receive',
      ranks: [a, b],
      bytes: 1e9,
      algorithm: 'direct',
    });
    const alone = simulateCollective(routes, job('g0', 'g4'), { physics }).seconds;
    const both = simulateCollectives(routes, [job('g0', 'g4'), job('g1', 'g5')], { physics });
    expectClose(both.jobs[0].seconds, 2 * alone, 0.01);
  });
  it('a job with three times the weight gets three quarters', () => {
    const routes = computeRoutes(twoStars(10e9));
    const base = { operation: 'send-receive' as const, bytes: 1e9, algorithm: 'direct' };
    const { jobs } = simulateCollectives(
      routes,
      [
        { ...base, ranks: ['g0', 'g4'], weight: 3 },
        { ...base, ranks: ['g1', 'g5'] },
      ],
      { physics },
    );
    // 1 GB at 7.5 GB/s; then the other has its link alone and ends when 2 GB have passed at 10 GB/s.
    expectClose(jobs[0].seconds, 1 / 7.5, 0.01);
    expectClose(jobs[1].seconds, 2 / 10, 0.01);
  });
  const anyAlgorithm = fc.constantFrom('ring', 'recursive-doubling', 'direct', 'double-binary-tree');
  law(
    'jobs that share no link do not notice each other, whenever they start',
    fc.tuple(anyAlgorithm, fc.integer({ min: 0, max: 1000 }), fc.integer({ min: 10, max: 30 })),
    ([algorithm, delay, power]) => {
      const routes = computeRoutes(twoStars(10e9));
      const job = { operation: 'all-reduce' as const, bytes: 2 ** power, algorithm };
      const alone = simulateCollective(routes, { ...job, ranks: ['g0', 'g1', 'g2', 'g3'] }, { physics }).seconds;
      const start = delay * 1e-6;
      const { jobs } = simulateCollectives(
        routes,
        [
          { ...job, ranks: ['g0', 'g1', 'g2', 'g3'] },
          { ...job, ranks: ['g4', 'g5', 'g6', 'g7'], start },
        ],
        { physics },
      );
      for (const one of jobs) expectClose(one.seconds, alone, 1e-6);
      expectClose(jobs[1].end - jobs[1].start, alone, 1e-6);
    },
  );
  law(
    'together they never end sooner than alone',
    fc.tuple(anyAlgorithm, anyAlgorithm, fc.integer({ min: 0, max: 2000 })),
    ([first, second, delay]) => {
      const routes = computeRoutes(twoStars(10e9));
      const jobs = [
        { operation: 'all-reduce' as const, bytes: 2 ** 24, algorithm: first, ranks: ['g0', 'g1', 'g4', 'g5'] },
        { operation: 'all-reduce' as const, bytes: 2 ** 24, algorithm: second, ranks: ['g2', 'g3', 'g6', 'g7'], start: delay * 1e-6 },
      ];
      const together = simulateCollectives(routes, jobs, { physics });
      const longest = Math.max(...jobs.map((job) => simulateCollective(routes, job, { physics }).seconds));
      expectAtMost(longest * (1 - 1e-6), together.seconds);
    },
  );
  law(
    'a link that is stored and forwarded is no faster than one that is shared, without contention',
    fc.tuple(fc.integer({ min: 2, max: 8 }), fc.integer({ min: 10, max: 28 })),
    ([n, power]) => {
      const routes = computeRoutes(twoStars(1e12));
      const job = {
        operation: 'all-reduce' as const,
        bytes: 2 ** power,
        algorithm: 'ring',
        ranks: Array.from({ length: n }, (_, i) => `g${i}`),
      };
      expectAtMost(
        simulateCollective(routes, job, { physics }).seconds,
        simulateCollective(routes, job, { physics, sharing: 'store-and-forward' }).seconds,
        '',
        1e-6,
      );
    },
  );
  it('a tree cut into pieces nears the evaluator, which prices the pipeline', () => {
    const routes = computeRoutes(twoStars(1e12));
    const subject = { operation: 'all-reduce' as const, ranks: routes.fabric.gpuIds, bytes: 2 ** 28, algorithm: 'double-binary-tree' };
    const free = { ...physics, step: 0 };
    const whole = simulateCollective(routes, subject, { physics: free }).seconds;
    const cut = simulateCollective(routes, { ...subject, pieces: 128 }, { physics: free }).seconds;
    const priced = prepareCollective(routes, subject, { algorithm: subject.algorithm, physics: free }).seconds(subject.bytes);
    expectAtMost(cut, whole / 1.5);
    // Reduction and spreading of different pieces overlap here; the evaluator runs them one after the other.
    expectAtMost(cut, priced * 1.1);
    expectAtMost(priced / 2.2, cut);
  });
  it.each([
    [{ start: -1 }, 'start'],
    [{ pieces: 0 }, 'pieces'],
    [{ weight: 0 }, 'weight'],
    [{ algorithm: 'rign' }, 'ring'],
  ])('refuses %o', (wrong, message) => {
    const job = { operation: 'all-reduce' as const, bytes: 1, algorithm: 'ring', ranks: ['g0', 'g1'], ...wrong };
    expect(() => simulateCollective(computeRoutes(twoStars(1e9)), job)).toThrow(message);
  });
});

describe('rate solver', () => {
  const anyFlows = fc.tuple(
    fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 3, maxLength: 3 }),
    fc.array(
      fc.record({
        arcs: fc.uniqueArray(fc.integer({ min: 0, max: 2 }), { minLength: 1, maxLength: 3 }),
        weight: fc.integer({ min: 1, max: 3 }),
        cap: fc.oneof(fc.constant(Infinity), fc.integer({ min: 1, max: 5 })),
      }),
      { minLength: 1, maxLength: 8 },
    ),
  );
  law(
    'gives the rates of progressive filling, for any subset of the flows',
    fc.tuple(anyFlows, fc.integer({ min: 1, max: 255 })),
    ([[capacity, flows], subset]) => {
      const pairs = flows.map(({ arcs, weight, cap }) => ({ arcs, shares: arcs.map(() => 1), weight, cap }));
      const chosen = pairs.map((_, i) => i).filter((i) => (subset & (1 << i)) !== 0);
      const expected = fillProgressively(
        capacity,
        chosen.map((i) => pairs[i]),
      );
      const found = createRateSolver(capacity, pairs).solve(
        chosen,
        Int32Array.from(pairs, (_, i) => i),
      );
      chosen.forEach((_, i) => {
        expectClose(found[i], expected[i], 1e-9);
      });
    },
  );
});

describe('time heap', () => {
  law('hands items back in order of time, then of arrival', fc.array(fc.integer({ min: 0, max: 20 })), (times) => {
    const heap = createTimeHeap();
    times.forEach((time, item) => {
      heap.push(time, item);
    });
    const order = times.map(() => heap.pop());
    const sorted = times.map((_, i) => i).sort((a, b) => times[a] - times[b] || a - b);
    expect(order).toEqual(sorted);
    expect(heap.peek()).toBe(Infinity);
  });
});

describe('long links', () => {
  it('sixteen channels over a round trip of 10 ms carry 6.7 GB/s, whatever the fibre', () => {
    expectClose(connectionRate({ kind: 'nccl', channels: 16 }, { bandwidth: 400e9, roundTrip: 10e-3 }), 6.71e9, 0.001);
  });
  it('a TCP stream that loses one packet in 10,000 over 20 ms carries under 10 MB/s, a hundred of them under 1 GB/s', () => {
    const one = { kind: 'tcp' as const, streams: 1, window: 64 * 2 ** 20, lossRate: 1e-4 };
    const link = { bandwidth: 12.5e9, roundTrip: 20e-3 };
    expectClose(connectionRate(one, link), (1.22 * 1448) / 1e-2 / 20e-3, 1e-9);
    expectClose(connectionRate({ ...one, streams: 100 }, link), 100 * connectionRate(one, link));
  });
  law(
    'more streams, channels or buffer never slow a connection, and the link is never beaten',
    fc.tuple(fc.integer({ min: 1, max: 64 }), fc.integer({ min: 1, max: 300 })),
    ([count, milliseconds]) => {
      const link = { bandwidth: 12.5e9, roundTrip: milliseconds * 1e-3 };
      for (const kind of ['nccl', 'tcp', 'rdma'] as const) {
        const at = (k: number): number =>
          connectionRate(
            kind === 'nccl'
              ? { kind, channels: k }
              : kind === 'tcp'
                ? { kind, streams: k, window: 1e6 }
                : { kind, queuePairs: k, outstanding: 16, message: 65536 },
            link,
          );
        expectAtMost(at(count), at(count + 1));
        expectAtMost(at(count), link.bandwidth);
      }
      expect(connectionRate({ kind: 'lossless' }, link)).toBe(link.bandwidth);
    },
  );
  law(
    'the evaluator keeps a transfer within the window, as the simulator does',
    fc.tuple(fc.integer({ min: 20, max: 26 }), fc.integer({ min: 0, max: 50 })),
    ([windowPower, milliseconds]) => {
      const routes = computeRoutes(twoStars(1e12, milliseconds * 1e-3 + 1e-6));
      const window = 2 ** windowPower;
      const bytes = 1e9;
      const limited = { ...physics, window };
      const subject = { operation: 'send-receive' as const, ranks: ['g0', 'g4'] };
      const evaluated = prepareCollective(routes, subject, { algorithm: 'direct', physics: limited }).seconds(bytes);
      const roundTrip = 2 * (milliseconds * 1e-3 + 3e-6);
      expectAtMost((bytes * roundTrip) / window, evaluated, '', 1e-6);
      expectClose(simulateCollective(routes, { ...subject, bytes, algorithm: 'direct' }, { physics: limited }).seconds, evaluated, 0.01);
    },
  );
  it.each([
    [{ kind: 'nccl', channels: 0 }, 'channels'],
    [{ kind: 'tcp', streams: 1, window: 1, lossRate: 1 }, 'lossRate'],
  ])('refuses %o', (transport, culprit) => {
    expect(() => bytesInFlight(transport as { kind: 'nccl'; channels: number })).toThrow(culprit);
  });
});
