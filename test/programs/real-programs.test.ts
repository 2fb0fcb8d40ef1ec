import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Ajv, type AnySchema } from 'ajv';
import { MultiGraph } from 'graphology';
import gexfReader from 'graphology-gexf';
import graphmlReader from 'graphology-graphml';
import { loadAll } from 'js-yaml';
import { describe, expect, it } from 'vitest';
import { createFabric } from '../../src/fabric/create-fabric.js';
import { readTopology } from '../../src/formats/read-topology.js';
import { composeTopologies } from '../../src/formats/topology/compose-topologies.js';
import { fabricOfTopology, insideOfPreset } from '../../src/formats/topology/fabric-of-topology.js';
import { hostHierarchy } from '../../src/formats/topology/host-hierarchy.js';
import type { Topology } from '../../src/formats/topology/types.js';
import { writeTopology } from '../../src/formats/write-topology.js';
import { launchFiles } from '../../src/launch/index.js';
import { placeJob } from '../../src/placement/place-job.js';
import { modelPreset } from '../../src/presets/lookups.js';
import { computeRoutes } from '../../src/routes/compute-routes.js';
import { topologyExample, topologyExamples } from '../support/topology-examples.js';

const folder = mkdtempSync(join(tmpdir(), 'fabricplan-programs-'));
process.once('exit', () => {
  rmSync(folder, { recursive: true, force: true });
});

const has = (command: string, ...args: string[]): boolean => spawnSync(command, args, { stdio: 'ignore' }).status === 0;
const hasSlurm = process.getuid?.() === 0 && has('which', 'slurmctld') && has('which', 'slurmd') && existsSync('/usr/sbin/munged');
const hasNetworkx = has('/usr/bin/python3', '-c', 'import networkx');
if (!hasSlurm)
  process.stderr.write('no Slurm on this machine (slurm-wlm and munge, as root): the tests against a real controller are skipped\n');
if (!hasNetworkx) process.stderr.write('no NetworkX on this machine (python3-networkx): its tests are skipped\n');

/** Eight hosts under two leaves and a spine, as a cluster's file gives them. */
const TREE = 'SwitchName=spine Switches=leaf[1-2]\nSwitchName=leaf1 Nodes=n[0-3]\nSwitchName=leaf2 Nodes=n[4-7]\n';

/** Runs a command inside a Slurm cluster of eight nodes under our topology.conf. */
function inSlurm(topology: Topology, command: string): string {
  const conf = join(folder, 'topology.conf');
  writeFileSync(conf, writeTopology(topology, 'slurm-conf').text);
  const { status, stdout, stderr } = spawnSync(
    'bash',
    [fileURLToPath(new URL('slurm-cluster.sh', import.meta.url)), conf, 'bash', '-c', command],
    { encoding: 'utf8', timeout: 120_000 },
  );
  if (status !== 0) expect.fail(`${stdout}${stderr}`);
  return stdout;
}

const treeOf = (topology: Topology): unknown => ({
  groups: hostHierarchy(topology)
    .groups.map(({ name, children, hosts }) => ({ name, children: [...children].sort(), hosts: [...hosts].sort() }))
    .sort((a, b) => (a.name < b.name ? -1 : 1)),
});

describe.runIf(hasSlurm)('a real Slurm controller', () => {
  it('loads our topology.conf and reports the same tree', () => {
    const topology = readTopology(TREE);
    expect(treeOf(readTopology(inSlurm(topology, 'scontrol show topology')))).toEqual(treeOf(topology));
  });
  it('loads the tree of a network with two spines, written as one', () => {
    const lines = ['s1', 's2'].flatMap((spine, s) => [`Switch 8 "${spine}"`, `[1] "leaf1"[${7 + s}]`, `[2] "leaf2"[${7 + s}]`, '']);
    for (const leaf of [0, 1])
      lines.push(`Switch 8 "leaf${leaf + 1}"`, ...[0, 1, 2, 3].map((port) => `[${port + 1}] "n${4 * leaf + port}"[1]`), '');
    for (let host = 0; host < 8; host++) lines.push(`Hca 1 "n${host}"`, '');
    const reported = readTopology(inSlurm(readTopology(lines.join('\n')), 'scontrol show topology'));
    expect(hostHierarchy(reported).groups.map(({ name, hosts }) => [name, hosts.length])).toEqual([
      ['s1-group', 0],
      ['leaf1', 4],
      ['leaf2', 4],
    ]);
  });
  it('runs a placement of ours on its node list under the one switch it asks for', () => {
    const whole = composeTopologies([readTopology(TREE), insideOfPreset('a100-40-quad')]);
    const fabric = createFabric(fabricOfTopology(whole, { oversubscription: 2 }).fabric);
    const job = { model: modelPreset('gpt2'), sequence: 1024, globalBatch: 64 };
    const { placements } = placeJob(computeRoutes(fabric), job, { gpus: 16 });
    const { files } = launchFiles(fabric, job, placements[0].mapping);
    const script = Object.values(files).find((text) => text.includes('#SBATCH --nodelist='))!;
    const nodelist = /#SBATCH --nodelist=(\S+)/.exec(script)![1];
    const addresses = inSlurm(whole, `srun -N4 --nodelist=${nodelist} --switches=1@1 bash -c 'echo $SLURM_TOPOLOGY_ADDR'`)
      .trim()
      .split('\n');
    expect(addresses).toHaveLength(4);
    expect(new Set(addresses.map((address) => address.split('.')[1])).size).toBe(1);
  });
});

/** Topologies that graph libraries are to open: a map, a network, the inside of a node. */
const GRAPHS = ['national.graphml', 'ibnetdiscover.txt', 'node.xml', 'national-sndlib.xml'].map(
  (file) => [file, readTopology(topologyExample(file))] as const,
);

describe.each(GRAPHS)('%s opened by others', (_, topology) => {
  it('graphology reads our GraphML and GEXF', () => {
    const graphml = graphmlReader.parse(MultiGraph, writeTopology(topology, 'graphml').text);
    const gexf = gexfReader.parse(MultiGraph, writeTopology(topology, 'gexf').text);
    for (const graph of [graphml, gexf]) {
      expect([graph.order, graph.size]).toEqual([topology.devices.length, topology.links.length]);
      expect(graph.nodes().sort()).toEqual(topology.devices.map(({ id }) => id).sort());
    }
  });
  it.runIf(hasNetworkx)('NetworkX reads our GraphML and GEXF', () => {
    for (const format of ['graphml', 'gexf']) {
      const file = join(folder, `graph.${format}`);
      writeFileSync(file, writeTopology(topology, format).text);
      const program = `import sys, networkx as nx\ng = nx.read_${format}(sys.argv[1])\nprint(g.number_of_nodes(), g.number_of_edges())`;
      const { status, stdout, stderr } = spawnSync('/usr/bin/python3', ['-c', program, file], { encoding: 'utf8' });
      if (status !== 0) expect.fail(stderr);
      expect(stdout.trim()).toBe(`${topology.devices.length} ${topology.links.length}`);
    }
  });
});

describe('schemas of Kubernetes objects', () => {
  const ajv = new Ajv({ strict: false, validateFormats: false });
  const objectsOf = (topology: Topology, format: string): { kind: string }[] =>
    loadAll(writeTopology(topology, format).text) as { kind: string }[];
  const check = (schema: AnySchema, object: unknown): void => {
    const validate = ajv.compile(schema);
    if (!validate(object)) expect.fail(JSON.stringify(validate.errors));
  };
  const name = { type: 'string', pattern: '^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$', maxLength: 253 };
  const label = { type: 'string', pattern: '^([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?$', maxLength: 63 };
  const metadata = { type: 'object', required: ['name'], properties: { name, labels: { type: 'object', additionalProperties: label } } };
  const schemas: Readonly<Record<string, AnySchema>> = {
    Node: {
      type: 'object',
      required: ['apiVersion', 'kind', 'metadata'],
      properties: {
        apiVersion: { const: 'v1' },
        metadata,
        status: { type: 'object', properties: { allocatable: { type: 'object', additionalProperties: { type: 'string' } } } },
      },
    },
    Topology: {
      type: 'object',
      required: ['apiVersion', 'kind', 'metadata', 'spec'],
      properties: {
        apiVersion: { const: 'kueue.x-k8s.io/v1beta2' },
        metadata,
        spec: {
          type: 'object',
          required: ['levels'],
          properties: {
            levels: {
              type: 'array',
              minItems: 1,
              maxItems: 16,
              items: {
                type: 'object',
                required: ['nodeLabel'],
                properties: { nodeLabel: { type: 'string', minLength: 1, maxLength: 316 } },
                additionalProperties: false,
              },
            },
          },
        },
      },
    },
    ResourceFlavor: {
      type: 'object',
      required: ['apiVersion', 'kind', 'metadata', 'spec'],
      properties: {
        apiVersion: { const: 'kueue.x-k8s.io/v1beta2' },
        metadata,
        spec: {
          type: 'object',
          properties: { nodeLabels: { type: 'object', additionalProperties: label, minProperties: 1 }, topologyName: name },
          additionalProperties: false,
        },
      },
    },
  };
  it.each(['kubernetes', 'kueue'])('%s of every example with hosts is valid, awkward names and all', (format) => {
    const awkward = readTopology('SwitchName=Root/1:x Nodes=Node_A[1-2]');
    let checked = 0;
    for (const topology of [awkward, ...topologyExamples.map(({ text }) => readTopology(text))]) {
      if (hostHierarchy(topology).hosts.length === 0) continue;
      for (const object of objectsOf(topology, format)) {
        check(schemas[object.kind], object);
        checked++;
      }
    }
    expect(checked).toBeGreaterThan(20);
  });
  const crd = new URL('../../../shared/samples/volcano-hypernode/crd-hypernodes.yaml', import.meta.url);
  it.runIf(existsSync(crd))("HyperNodes are valid by Volcano's own definition", () => {
    const [definition] = loadAll(readFileSync(crd, 'utf8')) as {
      spec: { versions: { name: string; schema: { openAPIV3Schema: AnySchema } }[] };
    }[];
    const schema = definition.spec.versions.find((version) => version.name === 'v1alpha1')!.schema.openAPIV3Schema;
    const objects = objectsOf(readTopology(topologyExample('hypernodes.yaml')), 'volcano');
    expect(objects).toHaveLength(3);
    for (const object of objects) check(schema, object);
    expect(() => {
      check(schema, { ...objects[0], spec: { tier: 'one' } });
    }).toThrow();
  });
});
