import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { FabricPlanError } from '../../src/errors.js';
import { createFabric } from '../../src/fabric/create-fabric.js';
import { readTopology } from '../../src/formats/read-topology.js';
import { composeTopologies } from '../../src/formats/topology/compose-topologies.js';
import { fabricOfTopology } from '../../src/formats/topology/fabric-of-topology.js';
import { summarizeTopology } from '../../src/formats/topology/summarize-topology.js';
import type { Topology } from '../../src/formats/topology/types.js';
import { writeTopology } from '../../src/formats/write-topology.js';
import { contentOf } from '../support/topology-examples.js';

const SAMPLES = new URL('../../../shared/samples/', import.meta.url);
const isThere = existsSync(SAMPLES);

/** Files that hold no topology, or a broken one, and why. */
const REFUSED: readonly (readonly [RegExp, RegExp])[] = [
  [/hwloc2\.dtd$/, /document type definition/],
  [/scale-example-report/, /test report/],
  [/scale-example-results/, /holds no topology/],
  [/^kueue-perf\/.*generator/, /generator of workloads/],
  [/^kueue-perf\/.*rangespec/, /thresholds/],
  [/^volcano-bench\//, /workload/],
  [/block_bad_options/, /line \d+: block size 12 is no power of two/],
  [/_(not_dict|not_list)/, /line \d+: .*expected a (mapping|list)/],
  [/mutually_exclusive/, /line \d+: .*exclude each other/],
  [/torus_bad_options/, /line \d+: .*4 × 4 × 2 = 32 cells and 8 nodes/],
  [/tree_bad_options/, /line \d+: .*child "s3", which is not defined/],
];

interface Sample {
  readonly path: string;
  /** The column "Contains" of the index. */
  readonly contains: string;
}

function samples(): Sample[] {
  if (!isThere) return [];
  let folder = '';
  const listed: Sample[] = [];
  for (const line of readFileSync(new URL('INDEX.md', SAMPLES), 'utf8').split('\n')) {
    folder = /^## (\S+) \(/.exec(line)?.[1] ?? folder;
    const cells = line.split('|').map((cell) => cell.trim());
    if (folder !== '' && cells.length === 6 && cells[1] !== 'File' && !cells[1].startsWith('---'))
      listed.push({ path: `${folder}/${cells[1]}`, contains: cells[4] });
  }
  return listed;
}

/** Counts of the index and where they stand in what was read. */
const COUNTS: readonly (readonly [RegExp, string])[] = [
  [/\bedges=(\d+)/, 'edges'],
  [/\blinks=(\d+)/, 'links'],
  [/\bdemands=(\d+)/, 'demands'],
  [/\bpreInstalled=(\d+)/, 'preInstalled'],
  [/\baddModules=(\d+)/, 'addModules'],
  [/LinkSpeedRaw=(\d+)/, 'LinkSpeedRaw'],
  [/\bPU=(\d+)/, 'PU'],
  [/\bNUMA=(\d+)/, 'NUMA'],
  [/\bBridge=(\d+)/, 'Bridge'],
  [/\bPCI=(\d+)/, 'PCI'],
  [/\bOSDev=(\d+)/, 'OSDev'],
  [/\bdistances=(\d+)/, 'distances'],
  [/^v(\d) /, 'version'],
  [/\bcpu=(\d+)/, 'cpu'],
  [/gpu elems=(\d+)/, 'gpu elements'],
  [/gpu-class pci=(\d+)/, 'gpu-class pci'],
  [/nic-class pci=(\d+)/, 'nic-class pci'],
  [/\bnet=(\d+)/, 'net'],
  [/\bnvlink=(\d+)/, 'nvlink'],
  [/\bxgmi=(\d+)/, 'xgmi'],
  [/graphs=(\d+)/, 'graphs'],
  [/channels=(\d+)/, 'channels'],
  [/gpu refs=(\d+)/, 'gpu refs'],
  [/net refs=(\d+)/, 'net refs'],
  [/link lines=(\d+)/, 'link lines'],
  [/gpu rows=(\d+)/, 'gpu rows'],
  [/nic rows=(\d+)/, 'nic rows'],
  [/^gpus=(\d+)/, 'gpus'],
  [/\bswitch=(\d+)/, 'switch'],
  [/\bSW=(\d+)/, 'switch'],
  [/\bca=(\d+)/, 'ca'],
  [/\bCA=(\d+)/, 'ca'],
  [/\bhca=(\d+)/, 'hca'],
  [/port lines=(\d+)/, 'port lines'],
  [/SwitchName=(\d+)/, 'SwitchName'],
  [/BlockName=(\d+)/, 'BlockName'],
];

/** Formats that are written as well as read: what is read, written and read again is the same. */
const OWN = new Set(['nccl-topology', 'slurm-conf', 'graphml', 'gexf']);

if (!isThere) process.stderr.write('the public sample files are not beside this repository: their tests are skipped\n');

describe.runIf(isThere)('public sample files', () => {
  it('are all in the index', () => {
    const files = (readdirSync(SAMPLES, { recursive: true }) as string[])
      .map((name) => name.replace(/\\/g, '/'))
      .filter((name) => name.includes('/'));
    expect(
      samples()
        .map(({ path }) => path)
        .sort(),
    ).toEqual(files.sort());
  });
  it("GÉANT's published map, a Slurm tree at two of its places and the inside of a node become one fabric", () => {
    const read = (path: string): Topology => readTopology(readFileSync(new URL(path, SAMPLES), 'utf8'));
    const tree = read('slurm-tree/topograph-expected.slinky-oci-sim-tree.conf');
    const whole = composeTopologies([
      read('graphml-topologyzoo/Geant2012.graphml'),
      { topology: tree, at: 'CH' },
      { topology: tree, at: 'IT' },
      read('nccl-topo-xml/rccl-8p_940.xml'),
    ]);
    expect(summarizeTopology(whole)).toMatchObject({ gpus: 2 * 96 * 8, nodes: 2 * 96, switches: 2 * 19, sites: 40, components: 1 });
    expect(() => fabricOfTopology(whole)).toThrow(/22 links of the map have no rate/);
    const { fabric, assumed } = fabricOfTopology(whole, { generation: 'cdna3', wideArea: 12.5e9, access: 50e9, oversubscription: 1 });
    expect(createFabric(fabric).gpuIds).toHaveLength(1536);
    expect(assumed.find(({ from }) => from === 'wideArea')?.count).toBe(22);
  });
  it.each(samples())('$path: $contains', ({ path, contains }) => {
    const text = readFileSync(new URL(path, SAMPLES), 'utf8');
    const refused = REFUSED.find(([pattern]) => pattern.test(path));
    if (refused !== undefined) {
      expect(() => readTopology(text)).toThrow(FabricPlanError);
      expect(() => readTopology(text)).toThrow(refused[1]);
      return;
    }
    const topology = readTopology(text);
    const summary = summarizeTopology(topology);
    for (const [pattern, key] of COUNTS) {
      const count = pattern.exec(contains)?.[1];
      if (count !== undefined) expect(topology.contents[key], key).toBe(Number(count));
    }
    const nodes = /\bnodes=(\d+)/.exec(contains)?.[1];
    if (nodes !== undefined) expect(summary.sites).toBe(Number(nodes));
    const places = /with lat\/lon=(\d+)/.exec(contains)?.[1];
    if (places !== undefined) expect(topology.devices.filter(({ coordinates }) => coordinates !== undefined)).toHaveLength(Number(places));
    for (const [, kind] of (/kinds=\[([^\]]*)\]/.exec(contains)?.[1] ?? '').matchAll(/'(\w+)'/g))
      expect(topology.contents[`kind ${kind}`]).toBeGreaterThan(0);
    // A map that is whole says nothing; one that is not says so.
    if (summary.components > 1 && summary.links > 0) expect(topology.warnings.map(({ message }) => message).join()).toMatch(/pieces/);
    if ((topology.coverage.bandwidth ?? 1) < 1) expect(topology.warnings.length + topology.coverage.inferred.length).toBeGreaterThan(0);
    if (OWN.has(topology.format) && !path.includes('missing_nodes')) {
      const { text: written } = writeTopology(topology, topology.format);
      expect(contentOf(readTopology(written, { name: topology.name }))).toEqual(contentOf(topology));
    }
    const json = writeTopology(topology, 'fabric').text;
    expect(contentOf(readTopology(json))).toEqual(contentOf(topology));
  });
});
