import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { FabricPlanError } from '../../src/errors.js';
import { createFabric } from '../../src/fabric/create-fabric.js';
import { createSystem } from '../../src/nccl/system.js';
import { parseNcclTopology } from '../../src/formats/nccl-topology-xml.js';
import { readTopology } from '../../src/formats/read-topology.js';
import { composeTopologies } from '../../src/formats/topology/compose-topologies.js';
import { fabricOfTopology, insideOfPreset } from '../../src/formats/topology/fabric-of-topology.js';
import { summarizeTopology } from '../../src/formats/topology/summarize-topology.js';
import { TOPOLOGY_FORMATS } from '../../src/formats/topology-formats.js';
import { TOPOLOGY_WRITERS, writeTopology } from '../../src/formats/write-topology.js';
import { expectClose } from '../support/close.js';
import { topologyExample } from '../support/topology-examples.js';

const read = (file: string): ReturnType<typeof readTopology> => readTopology(topologyExample(file));

describe('every format is recognised by its content and counted', () => {
  // file, format, GPUs, hosts, switches, sites, cables, parts, share of cables with a rate
  it.each([
    ['node.xml', 'nccl-topology', 2, 1, 0, 0, 13, 1, 12 / 13],
    ['graph.xml', 'nccl-graph', 2, 1, 0, 0, 5, 1, 1],
    ['topo-m.txt', 'nvidia-smi-topo', 2, 1, 0, 0, 13, 1, 0],
    ['nvlink.txt', 'nvidia-smi-nvlink', 2, 1, 0, 0, 0, 2, undefined],
    ['showtopo.txt', 'rocm-smi', 3, 1, 0, 0, 5, 1, 0],
    ['lstopo.xml', 'hwloc', 2, 1, 0, 0, 4, 1, 3 / 4],
    ['ibnetdiscover.txt', 'ibnetdiscover', 0, 2, 2, 0, 4, 1, 1],
    ['ibnetdiscover-p.txt', 'ibnetdiscover', 0, 1, 1, 0, 1, 1, 1],
    ['iblinkinfo.txt', 'iblinkinfo', 0, 2, 1, 0, 2, 1, 1],
    ['ibsim.net', 'ibsim', 0, 2, 1, 0, 2, 1, 0],
    ['topology.conf', 'slurm-conf', 0, 8, 3, 0, 10, 1, 0],
    ['blocks.conf', 'slurm-conf', 0, 8, 0, 0, 0, 8, undefined],
    ['topology.yaml', 'slurm-yaml', 0, 8, 3, 0, 10, 1, 0],
    ['scontrol-topology.txt', 'slurm-conf', 0, 8, 3, 0, 10, 1, 0],
    ['scontrol-nodes.txt', 'scontrol-nodes', 16, 2, 0, 0, 0, 2, undefined],
    ['nodes.yaml', 'kubernetes', 24, 3, 3, 0, 5, 1, 0],
    ['kueue.yaml', 'kueue', 8, 2, 0, 0, 0, 2, undefined],
    ['kai.yaml', 'kai', 0, 0, 0, 0, 0, 0, undefined],
    ['hypernodes.yaml', 'volcano', 0, 3, 3, 0, 5, 1, 0],
    ['koordinator.yaml', 'koordinator', 8, 1, 0, 0, 0, 1, undefined],
    ['grove.yaml', 'grove', 0, 0, 0, 0, 0, 0, undefined],
    ['diktyo.yaml', 'diktyo', 0, 0, 0, 2, 1, 1, 1],
    ['hived.yaml', 'hived', 16, 2, 0, 0, 0, 2, undefined],
    ['topograph-model.yaml', 'topograph-model', 0, 4, 3, 0, 6, 1, 0],
    ['topograph-payload.json', 'topograph-payload', 0, 2, 0, 0, 0, 2, undefined],
    ['topograph-graph.json', 'topograph-graph', 0, 2, 3, 0, 4, 1, 0],
    ['netq-graph.json', 'netq', 0, 1, 1, 0, 2, 1, 0],
    ['netq-nodes.json', 'netq', 8, 2, 0, 0, 0, 2, undefined],
    ['netbox.json', 'netbox', 0, 1, 1, 0, 1, 1, 1],
    ['netbox-cables.csv', 'netbox', 0, 0, 2, 0, 2, 1, 0],
    ['national.graphml', 'graphml', 0, 0, 0, 4, 4, 1, 3 / 4],
    ['national.gml', 'gml', 0, 0, 0, 2, 1, 1, 1],
    ['national.gexf', 'gexf', 0, 0, 0, 2, 1, 1, 1],
    ['national-sndlib.xml', 'sndlib-xml', 0, 0, 0, 2, 1, 1, 1],
    ['national-sndlib.txt', 'sndlib-native', 0, 0, 0, 2, 1, 1, 1],
    ['fabric.json', 'fabric', 2, 2, 0, 0, 1, 1, 1],
    ['graph.json', 'graph', 2, 0, 0, 0, 2, 1, 1],
  ])('%s is %s', (file, format, gpus, nodes, switches, sites, links, components, share) => {
    const topology = read(file);
    expect(topology.format).toBe(format);
    expect(summarizeTopology(topology)).toMatchObject({ gpus, nodes, switches, sites, links, components });
    expect(topology.coverage.bandwidth).toBe(share);
  });
});

describe('what a file says is taken as it stands', () => {
  it('NVLinks of a pair that both list are one link, with the rate of their generation, and it is said where from', () => {
    const { links, coverage } = read('node.xml');
    expect(links.filter(({ technology }) => technology === 'NVLink4')).toMatchObject([
      { source: 'gpu0', target: 'gpu1', count: 6, bandwidth: 25e9 },
    ]);
    expect(coverage.inferred).toContainEqual({ what: 'NVLink4 at 25 GB/s a link and direction', from: 'sm 90', count: 12 });
  });
  it('a matrix names NICs by its legend and gives no rates', () => {
    const { devices, links } = read('topo-m.txt');
    expect(devices.filter(({ kind }) => kind === 'nic').map(({ id, label }) => [id, label])).toEqual([
      ['mlx5_0', 'NIC0'],
      ['mlx5_1', 'NIC1'],
    ]);
    expect(links.some(({ bandwidth }) => bandwidth !== undefined)).toBe(false);
  });
  it('eight GPUs with NV18 to each other hang off a switch: no GPU has 126 links', () => {
    const names = Array.from({ length: 8 }, (_, i) => `GPU${i}`);
    const text = [
      '\t' + names.join('\t'),
      ...names.map((name, a) => [name, ...names.map((_, b) => (a === b ? ' X ' : 'NV18'))].join('\t')),
    ].join('\n');
    const { devices, links } = readTopology(text);
    expect(devices.filter(({ kind }) => kind === 'nvswitch')).toHaveLength(1);
    expect(links.filter(({ technology }) => technology === 'NVLink').map(({ count }) => count)).toEqual(new Array(8).fill(18));
  });
  it('a matrix cut off below its NIC columns is filled by symmetry, and says so', () => {
    const { warnings, devices } = readTopology('\tGPU0\tGPU1\tNIC0\nGPU0\tX\tNV4\tPIX\nGPU1\tNV4\tX\tSYS\n');
    expect(devices.filter(({ kind }) => kind === 'nic')).toHaveLength(1);
    expect(warnings.map(({ message }) => message).join()).toMatch(/2 of 3 pairs .* filled by symmetry/);
  });
  it('an aggregation node marks its switch and is no host; parallel cables are kept', () => {
    const { devices, links } = read('ibnetdiscover.txt');
    expect(devices.filter(({ kind }) => kind === 'host').map(({ id }) => id)).toEqual(['gpu01', 'gpu02']);
    expect(devices.find(({ id }) => id === 'leaf01')?.reduces).toBe(true);
    expect(links.filter(({ source, target }) => [source, target].includes('spine01'))).toHaveLength(2);
    expect(links[0].bandwidth).toBe(50e9);
  });
  it('a lone slow cable among many is called sick', () => {
    const lines = ['Switch\t65 "S-0000000000000001"\t\t# "MF0;leaf:MQM8700/U1" enhanced port 0 lid 1 lmc 0'];
    for (let i = 1; i <= 30; i++)
      lines.push(
        `[${i}]\t"H-00000000000001${String(i).padStart(2, '0')}"[1](1) \t\t# "n${i} mlx5_0" lid ${i + 9} ${i === 7 ? '4xDDR' : '4xEDR'}`,
      );
    expect(
      readTopology(lines.join('\n'))
        .warnings.map(({ message }) => message)
        .join(),
    ).toMatch(/1 of 30 cables run at 4xDDR/);
  });
  it('a patched cable is one cable from port to port, its length added up', () => {
    expect(read('netbox.json').links).toMatchObject([
      { source: 'gpu01', target: 'leaf01', bandwidth: 50e9, distance: 23, sourcePort: 'eth0', targetPort: 'swp1' },
    ]);
  });
  it('rack 1 of block 1 is not rack 1 of block 2', () => {
    const { devices } = read('kueue.yaml');
    expect(devices.map(({ location }) => location)).toEqual([
      ['b1', 'b1/r1', 'n1'],
      ['b2', 'b2/r1', 'n2'],
    ]);
  });
  it('labels of a cloud whose first layer is the broadest are read broad to narrow', () => {
    const node = (name: string, layers: readonly string[]): object => ({
      apiVersion: 'v1',
      kind: 'Node',
      metadata: { name, labels: Object.fromEntries(layers.map((value, i) => [`topology.k8s.aws/network-node-layer-${i + 1}`, value])) },
    });
    const { levels, devices } = readTopology(
      JSON.stringify({
        apiVersion: 'v1',
        kind: 'List',
        items: [node('a', ['spine', 'mid', 'leaf1']), node('b', ['spine', 'mid', 'leaf2'])],
      }),
    );
    expect(levels).toEqual(['layer1', 'layer2', 'layer3', 'host']);
    expect(devices.find(({ id }) => id === 'a')?.location).toEqual(['spine', 'mid', 'leaf1', 'a']);
  });
  it('label keys of your own make the topology', () => {
    const text = JSON.stringify({ apiVersion: 'v1', kind: 'Node', metadata: { name: 'a', labels: { 'x/hall': 'h1', 'x/row': 'r2' } } });
    expect(readTopology(text, { labels: ['x/hall', 'x/row'] }).devices[0].location).toEqual(['h1', 'r2', 'a']);
  });
  it('LinkSpeed of Slurm is kept as text and never a rate', () => {
    const topology = readTopology('SwitchName=s0 Nodes=n[1-2] LinkSpeed=400');
    expect(topology.devices[0].attributes).toEqual({ LinkSpeed: '400' });
    expect(topology.links[0].bandwidth).toBeUndefined();
  });
  it('several trees over the same leaves are read as they are', () => {
    const topology = readTopology('SwitchName=top[1-4] Switches=l[1-2]\nSwitchName=l1 Nodes=n[1-2]\nSwitchName=l2 Nodes=n[3-4]');
    expect(summarizeTopology(topology)).toMatchObject({ switches: 6, links: 12, nodes: 4, components: 1 });
  });
  it('a torus joins its nodes in three directions, x fastest', () => {
    const topology = readTopology('- topology: t\n  torus3d: {toruses: [{name: p, dims: {x: 3, y: 2, z: 1}, nodes: "n[1-6]"}]}');
    expect(topology.links.map(({ source, target }) => `${source}-${target}`)).toEqual([
      'n1-n2',
      'n1-n4',
      'n2-n3',
      'n2-n5',
      'n3-n1',
      'n3-n6',
      'n4-n5',
      'n5-n6',
      'n6-n4',
    ]);
  });
  it('pixels of a drawing are no coordinates', () => {
    expect(readTopology(topologyExample('national-sndlib.xml').replace('geographical', 'pixel')).coverage.coordinates).toBe(0);
  });
  it('SNDlib capacities without a declared unit stay attributes', () => {
    const topology = readTopology(topologyExample('national-sndlib.xml').replace('<meta><unit>MBITPERSEC</unit></meta>', ''));
    expect(topology.links[0]).toMatchObject({ attributes: { capacity: 100000 } });
    expect(topology.links[0].bandwidth).toBeUndefined();
    expect(topology.offers).toEqual([
      { link: 'L1', capacity: 100000, cost: 70 },
      { link: 'L1', capacity: 400000, cost: 190 },
    ]);
  });
});

describe('composition', () => {
  const cluster = read('topology.conf');
  const node = readTopology(topologyExample('node.xml'), { name: 'node' });
  const map = read('national.graphml');

  it('gives every host the inside, and the rate of its ports to the cables', () => {
    const whole = composeTopologies([cluster, node]);
    expect(summarizeTopology(whole)).toMatchObject({ gpus: 16, nodes: 8, switches: 3 });
    const cables = whole.links.filter(({ technology }) => technology === 'uplink');
    expect(cables).toHaveLength(2 + 16);
    expect(cables.filter(({ bandwidth }) => bandwidth === 50e9)).toHaveLength(16);
  });
  it('puts cables on the NICs that bear their name', () => {
    const fabric = readTopology(topologyExample('ibnetdiscover.txt').replaceAll('gpu01 mlx5_0', 'gpu01 mlx5_1'));
    const whole = composeTopologies([fabric, node]);
    expect(
      whole.links.filter(({ source, target }) => [source, target].includes('gpu01/mlx5_1') && [source, target].includes('leaf01')),
    ).toHaveLength(1);
    expect(
      whole.links.filter(({ source, target }) => [source, target].includes('gpu01/mlx5_0') && [source, target].includes('leaf01')),
    ).toHaveLength(0);
  });
  it('fills the rates of a matrix from the status of the links', () => {
    const whole = composeTopologies([read('topo-m.txt'), read('nvlink.txt')]);
    expect(whole.links.find(({ technology }) => technology === 'NVLink')).toMatchObject({ count: 6, bandwidth: 26.562e9 });
  });
  it('two node files of one format are two hosts, not two views of one', () => {
    const whole = composeTopologies([node, { ...node, name: 'other' }]);
    expect(summarizeTopology(whole)).toMatchObject({ gpus: 4, nodes: 2 });
  });
  it('node files beside each other go to the hosts named', () => {
    const small = insideOfPreset('a100-40-quad');
    const whole = composeTopologies([cluster, { topology: node, at: 'gpu[01-02]' }, { topology: small, at: '/^gpu0[3-8]$/' }]);
    expect(summarizeTopology(whole).gpus).toBe(2 * 2 + 6 * 4);
  });
  it('one file of nodes and one of cables that name the same hosts are laid over each other', () => {
    const whole = composeTopologies([read('ibnetdiscover.txt'), read('scontrol-nodes.txt')]);
    expect(summarizeTopology(whole)).toMatchObject({ gpus: 16, nodes: 2, switches: 2 });
  });
  it('conflicts are said, and the first file wins', () => {
    const whole = composeTopologies([readTopology('NodeName=a Gres=gpu:8'), readTopology('NodeName=a Gres=gpu:4')]);
    expect(whole.devices[0].gpus).toBe(8);
    expect(whole.warnings.map(({ message }) => message).join()).toMatch(/1 devices are described differently.*gpus 4/);
  });
  it('clusters stand at sites behind an access link without a rate', () => {
    const whole = composeTopologies([map, { topology: cluster, at: 'North' }, { topology: cluster, at: '2' }, node]);
    expect(summarizeTopology(whole)).toMatchObject({ gpus: 32, nodes: 16, sites: 4, components: 1 });
    expect(whole.links.find(({ id }) => id === 'access:0')).toMatchObject({ source: '0/gateway', target: '0' });
    expect(() => fabricOfTopology(whole)).toThrow(/2 sites have an access link without a rate/);
  });
  it('a whole of map, tree and node becomes a fabric once everything missing is assumed, and all of it is said', () => {
    const whole = composeTopologies([map, { topology: cluster, at: 'North' }, { topology: cluster, at: 'South' }, node]);
    const { fabric, assumed, inferred } = fabricOfTopology(whole, {
      generation: 'hopper',
      oversubscription: 2,
      wideArea: 12.5e9,
      access: 25e9,
    });
    expect(createFabric(fabric).gpuIds).toHaveLength(32);
    expect(assumed.map(({ from }) => from).sort()).toEqual(['access', 'generation', 'generation', 'oversubscription', 'wideArea']);
    expect(inferred.map(({ from }) => from).join()).toMatch(/great circle/);
    // Two NICs of 50 GB/s under each of four hosts, over two.
    expect(fabric.links.find(({ id }) => id === '0/spine–leaf1')?.bandwidth).toBe(200e9);
  });
  it('places and leftovers that do not fit are refused or said', () => {
    expect(() => composeTopologies([map, { topology: cluster, at: 'East' }])).toThrow(/East.*no site/);
    expect(() => composeTopologies([{ topology: cluster, at: 'North' }])).toThrow(/no map/);
    expect(
      composeTopologies([map, cluster])
        .warnings.map(({ message }) => message)
        .join(),
    ).toMatch(/stands at no site/);
    expect(
      composeTopologies([cluster, { topology: node, at: 'x[1-2]' }])
        .warnings.map(({ message }) => message)
        .join(),
    ).toMatch(/no host takes/);
  });
});

describe('lengths of maps', () => {
  it('latency is great circle × 1.9 × 4.9 µs a kilometre: 392 km from 50.91 N 6.41 E to 48.71 N 2.17 E are 3.65 ms', () => {
    const { fabric } = fabricOfTopology(read('national.graphml'), { wideArea: 12.5e9 });
    const { latency } = fabric.links.find(({ source, target }) => [source, target].sort().join() === '0,1')!;
    expectClose(latency, 391.5e3 * 1.9 * 4.9e-9, 0.01);
  });
  it('a length that the file gives wins over the map', () => {
    const map = read('national.graphml');
    const { fabric } = fabricOfTopology({ ...map, links: map.links.map((link) => ({ ...link, distance: 1e6 })) }, { wideArea: 12.5e9 });
    expectClose(fabric.links[0].latency, 4.9e-3);
  });
});

describe('nothing is assumed unless asked for', () => {
  it('what is missing is listed with what would fill it', () => {
    expect(() => fabricOfTopology(read('topo-m.txt'))).toThrow(/NVLinks or xGMI links have no rate.*generation/);
    expect(() => fabricOfTopology(read('scontrol-nodes.txt'))).toThrow(/2 hosts have GPUs and no file shows their inside/);
    expect(() => fabricOfTopology(read('topology.conf'))).toThrow(/10 cables between hosts and switches have no rate/);
  });
  it('a generation brings links and GPU, a preset the inside of hosts, groups a switch each', () => {
    const box = fabricOfTopology(read('topo-m.txt'), { generation: 'hopper' });
    expect(box.fabric.devices.find(({ kind }) => kind === 'gpu')?.memory).toBeGreaterThan(80e9);
    expect(box.assumed.length).toBeGreaterThan(2);
    const hived = fabricOfTopology(read('hived.yaml'), { node: 'dgx-h100', groups: true, oversubscription: 1 });
    expect(createFabric(hived.fabric).gpuIds).toHaveLength(16);
    expect(hived.fabric.devices.filter(({ kind }) => kind === 'switch').length).toBeGreaterThan(0);
  });
  it('unknown names are refused with those that are known', () => {
    expect(() => fabricOfTopology(read('topo-m.txt'), { generation: 'hoper' })).toThrow(/did you mean "hopper"/);
  });
});

describe('writing', () => {
  it('NCCL reads what is written of a fabric of presets', () => {
    const fabric = fabricOfTopology(composeTopologies([read('topology.conf')]), { node: 'dgx-h100', oversubscription: 1 }).fabric;
    const { text, lost } = writeTopology(
      { ...read('topology.conf'), levels: fabric.levels, devices: fabric.devices, links: fabric.links },
      'nccl-topology',
    );
    expect(lost.join()).toMatch(/all hosts but/);
    expect(createSystem(parseNcclTopology(text, 'x'), true).gpus).toHaveLength(8);
  });
  it('switches of a network with several spines are groups in a tree, and that is said', () => {
    const { text, lost } = writeTopology(read('ibnetdiscover.txt'), 'slurm-conf');
    expect(text).toBe('SwitchName=leaf01 Nodes=gpu[01-02]\n');
    expect(lost.join()).toMatch(/2 switches are shown as 1 groups.*rates/);
  });
  it('two leaves under two spines become a root over two leaves', () => {
    const links = ['l1', 'l2'].flatMap((leaf) => ['s1', 's2'].map((spine) => `[${spine}] "${leaf}"`));
    expect(links).toHaveLength(4);
    const text = [
      'Switch 8 "s1"',
      '[1] "l1"[1]',
      '[2] "l2"[1]',
      '',
      'Switch 8 "s2"',
      '[1] "l1"[2]',
      '[2] "l2"[2]',
      '',
      'Switch 8 "l1"',
      '[3] "n1"[1]',
      '',
      'Switch 8 "l2"',
      '[3] "n2"[1]',
      '',
      'Hca 1 "n1"',
      '',
      'Hca 1 "n2"',
    ].join('\n');
    expect(writeTopology(readTopology(text), 'slurm-conf').text).toBe(
      'SwitchName=s1-group Switches=l[1-2]\nSwitchName=l1 Nodes=n1\nSwitchName=l2 Nodes=n2\n',
    );
  });
  it('node labels give the path of switches, nearest first', () => {
    const { text } = writeTopology(read('topology.conf'), 'kubernetes');
    expect(text).toMatch(
      /name: gpu01\n\s+labels:\n\s+kubernetes.io\/hostname: gpu01\n\s+fabric.topograph.run\/tier-0: leaf1\n\s+fabric.topograph.run\/tier-1: spine/,
    );
  });
  it.each(['mermaid', 'svg', 'dot'])('%s draws what it can', (format) => {
    expect(writeTopology(read('topology.conf'), format).text).toContain('spine');
  });
  it('pictures of thousands of devices are refused with what takes them', () => {
    expect(() => writeTopology(readTopology('SwitchName=s Nodes=n[1-400]'), 'svg')).toThrow(/at most 300.*graphml/);
  });
  it('a format that needs what is not there says so', () => {
    expect(() => writeTopology(read('national.graphml'), 'slurm-conf')).toThrow(FabricPlanError);
    expect(() => writeTopology(read('topology.conf'), 'nccl-topology')).toThrow(/no GPU/);
    expect(() => writeTopology(read('topology.conf'), 'slurm')).toThrow(/known: .*slurm-conf/);
  });
});

describe('the page of formats', () => {
  const page = readFileSync(new URL('../../docs/formats/README.md', import.meta.url), 'utf8');
  it.each(TOPOLOGY_FORMATS.map(({ name, title }) => [name, title] as const))(
    'lists %s with what it carries and an example',
    (name, title) => {
      expect(page).toMatch(new RegExp(`\\| \`${name}\` +\\| ${title.replace(/[()]/g, '\\$&')} .*\\]\\(\\.\\./examples/`));
    },
  );
  it.each(TOPOLOGY_WRITERS.map(({ name }) => name))('lists %s as written', (name) => {
    expect(page.slice(page.indexOf('## Written'))).toContain(`| \`${name}\``);
  });
});
