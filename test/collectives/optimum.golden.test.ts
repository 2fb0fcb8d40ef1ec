import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { collectiveOptimum } from '../../src/collectives/bounds/collective-optimum.js';
import { createFabric } from '../../src/fabric/create-fabric.js';
import type { LinkSpec } from '../../src/fabric/types.js';
import { expectClose } from '../support/close.js';

/** Links as [from, to, GB/s] between GPUs g… and switches s…; both directions are given or `duplex` is set. */
function graph(
  links: readonly (readonly [string, string, number])[],
  duplex: boolean,
  gpus?: readonly string[],
): ReturnType<typeof createFabric> {
  const ids = [...new Set(links.flatMap(([a, b]) => [a, b]))];
  return createFabric({
    name: 'graph',
    levels: [],
    devices: ids.map((id) => ({
      id,
      kind: (gpus === undefined ? id.startsWith('g') : gpus.includes(id)) ? 'gpu' : 'switch',
      location: [],
    })),
    links: links.map(([source, target, rate], i): LinkSpec => ({ id: `l${i}`, source, target, bandwidth: rate * 1e9, latency: 0, duplex })),
  });
}

const star = (n: number, rate: number): [string, string, number][] => Array.from({ length: n }, (_, i) => [`g${i}`, 's', rate]);
const twoSites = (wan: number): [string, string, number][] => [
  ...Array.from({ length: 8 }, (_, i): [string, string, number] => [`g${i}`, `s${Math.floor(i / 4)}`, 100]),
  ['s0', 's1', wan],
];

// All-gather optima in GB/s, computed with the authors' code of arXiv 2402.06787.
describe('all-gather optimum', () => {
  it.each<[string, [string, string, number][], number]>([
    ['8 GPUs on a switch at 300', star(8, 300), 342.857142857],
    [
      'ring of 4 at 10',
      [
        ['g0', 'g1', 10],
        ['g1', 'g2', 10],
        ['g2', 'g3', 10],
        ['g3', 'g0', 10],
      ],
      26.6666666667,
    ],
    [
      'line of 3 at 10',
      [
        ['g0', 'g1', 10],
        ['g1', 'g2', 10],
      ],
      15,
    ],
    ['star of 4 at 25', star(4, 25), 33.3333333333],
    [
      'full mesh of 4 at 10',
      [
        ['g0', 'g1', 10],
        ['g0', 'g2', 10],
        ['g0', 'g3', 10],
        ['g1', 'g2', 10],
        ['g1', 'g3', 10],
        ['g2', 'g3', 10],
      ],
      40,
    ],
    ['two sites of 4 at 100, joined by 10', twoSites(10), 20],
    ['two sites of 4 at 100, joined by 50', twoSites(50), 100],
    ['two sites of 4 at 100, joined by 400', twoSites(400), 114.285714286],
  ])('%s', (_, links, expected) => {
    const fabric = graph(links, true);
    const { bandwidth, bottleneckCut } = collectiveOptimum(fabric, { operation: 'all-gather', ranks: fabric.gpuIds });
    expectClose(bandwidth, expected * 1e9, 1e-6);
    expectClose((bottleneckCut.capacity / bottleneckCut.gpusInside.length) * fabric.gpuIds.length, bandwidth, 1e-6, 'the named cut');
  });

  const folder = new URL('../../../shared/data/optimum/', import.meta.url);
  const files = existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith('.json')) : [];
  it.runIf(files.length > 0).each(files.filter((name) => !name.includes('8x8')))('reference graph %s', (name) => {
    const data = JSON.parse(readFileSync(new URL(name, folder), 'utf8')) as {
      gpus: string[];
      links: [string, string, number][];
      optimalAllGatherGBps: number;
    };
    const gpus = data.gpus.map(String);
    const fabric = graph(
      data.links.map(([a, b, rate]) => [a, b, rate]),
      false,
      gpus,
    );
    expectClose(
      collectiveOptimum(fabric, { operation: 'all-gather', ranks: fabric.gpuIds }).bandwidth,
      data.optimalAllGatherGBps * 1e9,
      1e-6,
    );
  });
  it('says so when the reference graphs are not at hand', () => {
    if (files.length === 0) process.stderr.write('reference optima are not at hand: only the small graphs were checked\n');
    expect(true).toBe(true);
  });
});
