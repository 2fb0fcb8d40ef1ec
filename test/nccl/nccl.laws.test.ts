import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseNcclTopology } from '../../src/formats/nccl-topology-xml.js';
import {
  NCCL_COLLECTIVES,
  NCCL_2_30,
  ncclTimes,
  ncclTopologyOf,
  onNodes,
  PATTERN,
  RCCL,
  searchNcclGraphs,
  tabulateNccl,
  tuneNccl,
  type NcclGraph,
  type NcclGraphs,
} from '../../src/nccl/index.js';
import { createFabric } from '../../src/fabric/create-fabric.js';
import { buildSystem } from '../../src/presets/index.js';
import { FabricPlanError } from '../../src/errors.js';
import { expectAtMost, expectClose } from '../support/close.js';
import { law } from '../support/law.js';
import { ncclNodeXml, type NcclNode } from '../support/nccl-node.js';
import { hasShared, readShared, sharedTable } from '../support/shared-data.js';

const graph = (pattern: number, channels: number, gbps: number): NcclGraph => ({
  pattern,
  channels,
  bandwidthIntra: gbps * 1e9,
  bandwidthInter: gbps * 1e9,
  typeIntra: 1,
  typeInter: 4,
  sameChannels: false,
  crossNic: 0,
  latencyInter: 0,
  orders: [],
  nics: [],
});
const given = (nodes: number, perNode: number, cc: number, channels: number, gbps: number, vendor: 'intel' | 'amd'): NcclGraphs => ({
  topology: 'given',
  nodes,
  ranks: nodes * perNode,
  computeCapability: cc,
  architecture: 'x86',
  vendor,
  nics: perNode,
  tree: graph(PATTERN.balancedTree, channels, gbps),
  ring: graph(PATTERN.ring, channels, gbps),
  nvls: graph(PATTERN.nvls, 0, 0),
  communicatorChannels: 2 * channels,
  nvlinkSwitch: true,
});

// All-reduce times in µs from an independent port of NCCL 2.30's tuner: ring LL, LL128, Simple; tree LL, LL128, Simple.
describe('tuner, against golden vectors', () => {
  it.each([
    ['1 × 8 Hopper, 12 × 30', given(1, 8, 90, 12, 30, 'intel'), 2 ** 10, [15.013, 40.605, 56.005, 15.226, 31.508, 64.407]],
    ['1 × 8 Hopper, 12 × 30', given(1, 8, 90, 12, 30, 'intel'), 2 ** 20, [28.014, 46.14, 61.097, 63.323, 45.069, 77.064]],
    ['1 × 8 Hopper, 12 × 30', given(1, 8, 90, 12, 30, 'intel'), 2 ** 30, [13341.583, 5714.055, 5275.578, 24654.203, 8368.005, 6548.348]],
    ['4 × 8 Hopper, 8 × 40', given(4, 8, 90, 8, 40, 'intel'), 2 ** 10, [78.897, 144.407, 282.806, 35.312, 65.509, 120.408]],
    ['4 × 8 Hopper, 8 × 40', given(4, 8, 90, 8, 40, 'intel'), 2 ** 24, [1672.224, 255.115, 497.501, 1862.783, 226.201, 286.841]],
    ['4 × 8 Hopper, 8 × 40', given(4, 8, 90, 8, 40, 'intel'), 2 ** 30, [102057.956, 7230.145, 6897.091, 105304.006, 9321.895, 7576.94]],
    ['16 × 4 Ampere AMD, 4 × 24', given(16, 4, 80, 4, 24, 'amd'), 2 ** 16, [286.391, 327.613, 1407.504, 62.059, 92.773, 147.468]],
    [
      '16 × 4 Ampere AMD, 4 × 24',
      given(16, 4, 80, 4, 24, 'amd'),
      2 ** 30,
      [111539.032, 26750.115, 23426.256, 114663.291, 32261.54, 30305.687],
    ],
  ])('%s at %#', (_, graphs, bytes, expected) => {
    const times = ncclTimes(tuneNccl(graphs), 'AllReduce', bytes);
    const found = ['RING', 'TREE'].flatMap((algorithm) =>
      ['LL', 'LL128', 'SIMPLE'].map(
        (protocol) => times.find((row) => row.algorithm === algorithm && row.protocol === protocol)?.seconds ?? 0,
      ),
    );
    found.forEach((seconds, i) => {
      expectClose(seconds * 1e6, expected[i], 1e-4);
    });
  });
});

const anyBox: fc.Arbitrary<NcclNode> = fc.record({
  gpus: fc.constantFrom(2, 4, 8),
  sm: fc.constantFrom(80, 90, 100),
  nvlinks: fc.constantFrom(0, 4, 12, 18),
  nics: fc.integer({ min: 1, max: 4 }),
  nicGbps: fc.constantFrom(100, 200, 400),
});

describe('search', () => {
  it('finds what eight GPUs behind NVSwitches allow', () => {
    const topology = parseNcclTopology(ncclNodeXml({ gpus: 8, sm: 90, nvlinks: 18, nics: 8, nicGbps: 400 }), 'box');
    const { ring } = searchNcclGraphs(topology, 1);
    // 18 NVLinks of 20.6 GB/s hold 6 channels of 60 GB/s, kept as 12 of 30.
    expect([ring.channels, ring.bandwidthIntra]).toEqual([12, 30e9]);
  });
  law(
    'every channel visits every GPU once, and no GPU sends more than its links carry',
    fc.tuple(anyBox, fc.constantFrom(1, 2)),
    ([box, nodes]) => {
      const { ring, tree } = searchNcclGraphs(parseNcclTopology(ncclNodeXml(box), 'box'), nodes);
      const pcie = 48e9;
      const rate = { 80: 20, 90: 20.6, 100: 40.1 }[box.sm] ?? 0;
      const out = Math.max(box.nvlinks * rate * 1e9, pcie);
      for (const found of [ring, tree]) {
        expect(found.channels).toBeGreaterThan(0);
        for (const order of found.orders) expect([...order].sort((a, b) => a - b)).toEqual(Array.from({ length: box.gpus }, (_, i) => i));
        expectAtMost(found.channels * found.bandwidthIntra, out * 2);
        if (nodes > 1) expectAtMost(found.channels * found.bandwidthInter, (box.nics * box.nicGbps * 1e9) / 8, 'NICs');
      }
    },
  );
  const anySmallBox = anyBox.map((box) => ({ ...box, gpus: Math.min(box.gpus, 4), nics: Math.min(box.nics, 2) }));
  law('searching twice gives the same', anySmallBox, (box) => {
    const topology = parseNcclTopology(ncclNodeXml(box), 'box');
    expect(searchNcclGraphs(topology, 2)).toEqual(searchNcclGraphs(topology, 2));
  });
  law(
    'the choice is the fastest row, and every time is finite',
    fc.tuple(anySmallBox, fc.integer({ min: 0, max: 33 }), fc.constantFrom(NCCL_2_30, RCCL)),
    ([box, power, tables]) => {
      const graphs = onNodes(searchNcclGraphs(parseNcclTopology(ncclNodeXml(box), 'box'), 2), 16);
      for (const collective of NCCL_COLLECTIVES) {
        const times = ncclTimes(tuneNccl(graphs, tables), collective, 2 ** power);
        const chosen = times.filter((row) => row.chosen);
        expect(chosen.length).toBe(1);
        for (const { seconds } of times) {
          expect(Number.isFinite(seconds) && seconds > 0).toBe(true);
          expectAtMost(chosen[0].seconds, seconds);
        }
      }
    },
  );
  it('reads a node out of a fabric', () => {
    const fabric = createFabric(buildSystem('jupiter-booster', { gpus: 8 }));
    const topology = ncclTopologyOf(fabric, fabric.gpuIds.slice(0, 4));
    const { ring } = searchNcclGraphs(topology, 2);
    expect(ring.orders[0].length).toBe(4);
    expectAtMost(ring.channels * ring.bandwidthInter, 100e9);
  });
  it.each([
    ['<system/>', 'no <cpu>'],
    ['<graphs/>', 'expected <system>'],
    ['<system><cpu arch="x86_64"><pci busid="a" class="0x030200"/></cpu></system>', 'dump of a running job'],
    ['<system><cpu><pci busid="a" class="0x030200"><gpu sm="x" dev="0"/></pci></cpu></system>', 'sm of <gpu> is "x"'],
    ['<!DOCTYPE a [<!ENTITY x "y">]><system>&x;</system>', 'undefined entity'],
    ['<system><cpu>', 'unclosed'],
  ])('refuses %s', (text, message) => {
    expect(() => parseNcclTopology(text, 'x')).toThrow(FabricPlanError);
    expect(() => parseNcclTopology(text, 'x')).toThrow(message);
  });
  it('refuses several nodes without NICs', () => {
    const topology = parseNcclTopology(ncclNodeXml({ gpus: 2, sm: 90, nvlinks: 18, nics: 0, nicGbps: 0 }), 'box');
    expect(() => searchNcclGraphs(topology, 2)).toThrow('without NIC');
  });
});

describe.runIf(hasShared('nccl-tuner'))("against NCCL's own search and tuner", () => {
  // A skipped block is still entered, so nothing is read where the data is absent.
  const expected = {
    graphs: sharedTable('nccl-tuner/graphs.csv'),
    latbw: sharedTable('nccl-tuner/latbw.csv'),
    times: sharedTable('nccl-tuner/times.csv'),
  };
  const names = [...new Set(expected.graphs.map((row) => row['topology']))];
  const nodes = [...new Set(expected.graphs.map((row) => Number(row['nodes'])))];
  it.each(names)('%s: every graph, latency, bandwidth, time and choice', (name) => {
    const set = tabulateNccl(parseNcclTopology(readShared(`nccl-tuner/topologies/${name}.xml`), name), nodes);
    const own = (rows: readonly Record<string, string>[]): Record<string, string>[] => rows.filter((row) => row['topology'] === name);
    const key = (row: Readonly<Record<string, string | number>>, columns: readonly string[]): string =>
      columns.map((column) => row[column]).join(' ');
    const same = (
      found: readonly Readonly<Record<string, string | number>>[],
      rows: readonly Record<string, string>[],
      keys: readonly string[],
      tolerance: number,
    ): void => {
      const byKey = new Map(found.map((row) => [key(row, keys), row]));
      let good = 0;
      for (const row of rows) {
        const match = byKey.get(key(row, keys));
        if (
          match !== undefined &&
          Object.entries(row).every(
            ([column, cell]) =>
              keys.includes(column) || Math.abs(Number(match[column]) - Number(cell)) <= tolerance * Math.abs(Number(cell)),
          )
        )
          good++;
      }
      expect(good / rows.length, name).toBeGreaterThanOrEqual(0.99);
    };
    same(set.graphs, own(expected.graphs), ['topology', 'nodes', 'algo'], 1e-6);
    same(set.latbw, own(expected.latbw), ['topology', 'nodes', 'collective', 'algo', 'proto'], 1e-4);
    same(set.times, own(expected.times), ['topology', 'nodes', 'collective', 'bytes', 'algo', 'proto'], 1e-3);
  });
});
