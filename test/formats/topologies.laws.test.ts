import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FabricPlanError } from '../../src/errors.js';
import { compressHostlist, listHosts } from '../../src/fabric/hostlist.js';
import { expandHostlist } from '../../src/fabric/expand-hostlist.js';
import { readTopology } from '../../src/formats/read-topology.js';
import { TOPOLOGY_FORMATS } from '../../src/formats/topology-formats.js';
import { composeTopologies } from '../../src/formats/topology/compose-topologies.js';
import { fabricOfTopology } from '../../src/formats/topology/fabric-of-topology.js';
import { hostHierarchy } from '../../src/formats/topology/host-hierarchy.js';
import { parseStructured } from '../../src/formats/topology/structured-text.js';
import { summarizeTopology } from '../../src/formats/topology/summarize-topology.js';
import type { Topology } from '../../src/formats/topology/types.js';
import { topologyOfFabric } from '../../src/formats/readers/own-formats.js';
import { TOPOLOGY_WRITERS, writeTopology } from '../../src/formats/write-topology.js';
import { anyCluster, anyFabricSpec } from '../arbitraries/fabrics.js';
import { law } from '../support/law.js';
import { expectNoNaN } from '../support/close.js';
import { contentOf, topologyExample, topologyExamples } from '../support/topology-examples.js';

/** Switch trees as the lines of a topology.conf: a root over leaves over hosts, some with a tier between. */
const anyTree = fc
  .record({
    groups: fc.integer({ min: 1, max: 3 }),
    leaves: fc.integer({ min: 1, max: 3 }),
    hosts: fc.integer({ min: 1, max: 5 }),
    deep: fc.boolean(),
    width: fc.constantFrom(1, 3),
  })
  .map(({ groups, leaves, hosts, deep, width }) => {
    const name = (prefix: string, n: number): string => `${prefix}${String(n).padStart(width, '0')}`;
    const list = (prefix: string, from: number, count: number): string[] => Array.from({ length: count }, (_, i) => name(prefix, from + i));
    const lines: string[] = [];
    if (deep) {
      lines.push(`SwitchName=root Switches=${listHosts(list('g', 1, groups))}`);
      for (let g = 0; g < groups; g++)
        lines.push(`SwitchName=${name('g', g + 1)} Switches=${listHosts(list('l', g * leaves + 1, leaves))}`);
    } else lines.push(`SwitchName=root Switches=${listHosts(list('l', 1, groups * leaves))}`);
    for (let l = 0; l < groups * leaves; l++)
      lines.push(`SwitchName=${name('l', l + 1)} Nodes=${listHosts(list('n', l * hosts + 1, hosts))}`);
    return lines;
  });

/** Hosts as people name them. */
const anyHost = fc
  .tuple(fc.constantFrom('n', 'gpu-', 'r1n', 'x'), fc.integer({ min: 0, max: 1200 }), fc.constantFrom(0, 2, 4))
  .map(([prefix, n, width]) => `${prefix}${String(n).padStart(width, '0')}`);

/** Text as names and attributes hold it. */
const anyName = fc
  .string({
    minLength: 1,
    maxLength: 12,
    unit: fc.constantFrom('a', 'B', '7', '-', '_', '.', '<', '&', '"', "'", 'é', '京', ' ', '/', ';', '\u{1F600}'),
  })
  .map((text) => text.trim())
  .filter((text) => text !== '');
const anyScalar = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => (Object.is(value, -0) ? 0 : value)),
  fc.boolean(),
  anyName.filter((text) => Number.isNaN(Number(text)) && !/^(true|false)$/i.test(text)),
);
const anyAttributes = fc.dictionary(anyName, anyScalar, { maxKeys: 3 });

/** A topology of every kind of device, with and without rates. */
const anyTopology: fc.Arbitrary<Topology> = fc
  .record({
    names: fc.uniqueArray(anyName, { minLength: 1, maxLength: 8 }),
    draws: fc.array(
      fc.tuple(
        fc.nat(),
        fc.nat(),
        fc.option(fc.integer({ min: 1, max: 400 })),
        fc.boolean(),
        fc.integer({ min: 1, max: 4 }),
        anyAttributes,
      ),
      { maxLength: 10 },
    ),
    kinds: fc.array(fc.constantFrom('gpu', 'nvswitch', 'pcie', 'cpu', 'nic', 'switch', 'gateway', 'host', 'site'), {
      minLength: 8,
      maxLength: 8,
    }),
    attributes: fc.array(anyAttributes, { minLength: 8, maxLength: 8 }),
    place: fc.option(fc.tuple(fc.integer({ min: -90, max: 90 }), fc.integer({ min: -180, max: 180 }))),
  })
  .map(({ names, draws, kinds, attributes, place }): Topology => ({
    format: 'fabric',
    name: 'drawn',
    scope: 'cluster',
    levels: ['group', 'host'],
    devices: names.map((id, i) => ({
      id,
      kind: kinds[i],
      location: [`g${i % 2}`, id],
      ...(i === 0 && place !== null ? { coordinates: place } : {}),
      ...(kinds[i] === 'host' ? { gpus: i } : {}),
      ...(Object.keys(attributes[i]).length > 0 ? { attributes: attributes[i] } : {}),
    })),
    links: draws.map(([a, b, rate, duplex, count, own], i) => ({
      id: `link ${i}`,
      source: names[a % names.length],
      target: names[b % names.length],
      ...(rate === null ? {} : { bandwidth: rate * 1e9 }),
      ...(duplex ? {} : { duplex: false }),
      ...(count > 1 ? { count } : {}),
      ...(Object.keys(own).length > 0 ? { attributes: own } : {}),
    })),
    contents: {},
    coverage: { inferred: [] },
    warnings: [],
  }));

const sorted = (topology: Topology): unknown => {
  const { devices, links, levels } = contentOf(topology) as { devices: { id: string }[]; links: { id: string }[]; levels: unknown };
  const byId = (a: { id: string }, b: { id: string }): number => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0);
  return { levels, devices: devices.sort(byId), links: links.sort(byId) };
};

describe('hostlists', () => {
  law('what is listed expands to the same hosts in the same order', fc.uniqueArray(anyHost, { maxLength: 30 }), (hosts) => {
    if (hosts.length > 0) expect(expandHostlist(listHosts(hosts))).toEqual(hosts);
  });
  law('what is compressed expands to the same hosts', fc.uniqueArray(anyHost, { minLength: 1, maxLength: 30 }), (hosts) => {
    expect(expandHostlist(compressHostlist(hosts)).sort()).toEqual([...hosts].sort());
  });
  it('a billion hosts are refused before any is made', () => {
    expect(() => expandHostlist('n[1-999999999]')).toThrow(/range "1-999999999", which names more than 65536 hosts/);
    expect(() => expandHostlist('n[1-1000][1-1000][1-1000]')).toThrow(/more than 1000000/);
    expect(() => expandHostlist(`n[${'1-50000,'.repeat(50)}1]`)).toThrow(/more than 1000000/);
  });
});

describe('writing and reading', () => {
  law('our own fabric loses nothing', anyTopology, (topology) => {
    expect(contentOf(readTopology(writeTopology(topology, 'fabric').text))).toEqual(contentOf(topology));
  });
  describe.each(['graphml', 'gexf'])('%s', (format) => {
    law('a topology written and read is the same', anyTopology, (topology) => {
      expect(contentOf(readTopology(writeTopology(topology, format).text))).toEqual(contentOf(topology));
    });
    law('a fabric written and read is the same', anyFabricSpec, (spec) => {
      const topology = topologyOfFabric(spec);
      expect(sorted(readTopology(writeTopology(topology, format).text))).toEqual(sorted(topology));
    });
  });
  law('a tree of Slurm written as either of its files, or as HyperNodes, is the same tree', anyTree, (lines) => {
    const topology = readTopology(lines.join('\n'));
    const tree = (read: Topology): unknown => ({
      groups: hostHierarchy(read)
        .groups.map(({ name, children, hosts }) => ({ name, children, hosts }))
        .sort((a, b) => (a.name < b.name ? -1 : 1)),
      hosts: hostHierarchy(read)
        .hosts.map(({ name }) => name)
        .sort(),
    });
    expect(contentOf(readTopology(writeTopology(topology, 'slurm-conf').text))).toEqual(contentOf(topology));
    for (const format of ['slurm-conf', 'slurm-yaml', 'volcano'])
      expect(tree(readTopology(writeTopology(topology, format).text))).toEqual(tree(topology));
  });
  law('a tree of Slurm written as node labels hangs every host under the same switches', anyTree, (lines) => {
    const topology = readTopology(lines.join('\n'));
    const labelled = readTopology(writeTopology(topology, 'kubernetes').text);
    const paths = (read: Topology): unknown =>
      Object.fromEntries(read.devices.filter(({ kind }) => kind === 'host').map(({ id, location }) => [id, location]));
    expect(paths(labelled)).toEqual(paths(topology));
    // Kubernetes nodes written again carry the labels that were read.
    expect(contentOf(readTopology(writeTopology(labelled, 'kubernetes').text))).toEqual(contentOf(labelled));
  });
  it.each(['nccl-topology', 'slurm-conf', 'graphml', 'gexf'] as const)('the example of %s written and read is the same', (format) => {
    for (const { text } of topologyExamples) {
      let topology: Topology;
      try {
        topology = readTopology(text);
      } catch {
        continue;
      }
      if (topology.format === format)
        expect(contentOf(readTopology(writeTopology(topology, format).text, { name: topology.name }))).toEqual(contentOf(topology));
    }
  });
  law(
    'every writer gives text or an error of ours',
    fc.tuple(anyTopology, fc.constantFrom(...TOPOLOGY_WRITERS.map(({ name }) => name))),
    ([topology, format]) => {
      try {
        expect(writeTopology(topology, format).text.length).toBeGreaterThan(0);
      } catch (error) {
        if (!(error instanceof FabricPlanError)) throw error;
      }
    },
  );
});

describe('order means nothing where the format gives it no meaning', () => {
  law('lines of a Slurm tree', fc.tuple(anyTree, fc.integer()), ([lines, seed]) => {
    const shuffled = [...lines].sort((a, b) => ((a.length * 31 + seed) % 7) - ((b.length * 31 + seed) % 7) || (a < b ? 1 : -1));
    expect(sorted(readTopology(shuffled.join('\n')))).toEqual(sorted(readTopology(lines.join('\n'))));
  });
  law('records of a subnet', fc.shuffledSubarray([0, 1, 2, 3, 4], { minLength: 5, maxLength: 5 }), (order) => {
    const records = topologyExample('ibnetdiscover.txt').split('\n\n');
    const strip = (topology: Topology): unknown =>
      (sorted(topology) as { links: Record<string, unknown>[] }).links
        .map(({ source, target, bandwidth }) => [source, target, bandwidth].sort())
        .sort();
    expect(strip(readTopology(order.map((i) => records[i]).join('\n\n')))).toEqual(strip(readTopology(records.join('\n\n'))));
  });
  law('nodes of a cluster', fc.shuffledSubarray([0, 1, 2], { minLength: 3, maxLength: 3 }), (order) => {
    const { items, ...list } = parseStructured(topologyExample('nodes.yaml'), 'test').documents[0] as { items: unknown[] };
    expect(sorted(readTopology(JSON.stringify({ ...list, items: order.map((i) => items[i]) })))).toEqual(
      sorted(readTopology(JSON.stringify({ ...list, items }))),
    );
  });
});

describe('the tree of a network', () => {
  law('puts hosts in one group exactly where switches up to some height join them', anyCluster, (spec) => {
    const topology = topologyOfFabric(spec);
    const { groups, hosts } = hostHierarchy(topology);
    const byName = new Map(groups.map((group) => [group.name, group]));
    const below = (name: string): string[] => [...byName.get(name)!.hosts, ...byName.get(name)!.children.flatMap(below)];
    const actual = new Set(groups.map(({ name }) => below(name).sort().join()));
    // Naively: switches by their distance from hosts, then the parts that all cables up to a height leave connected.
    const kinds = new Map(topology.devices.map(({ id, kind }) => [id, kind]));
    const hostOf = (id: string): string | undefined => (kinds.get(id) === 'switch' ? undefined : id.slice(0, id.lastIndexOf('/')));
    const pairs = topology.links.map(({ source, target }) => [source, target] as const);
    const height = new Map<string, number>();
    for (let at = 0, grown = true; grown; at++) {
      grown = false;
      for (const [a, b] of [...pairs, ...pairs.map(([a, b]) => [b, a] as const)])
        if (kinds.get(a) === 'switch' && !height.has(a) && (at === 0 ? hostOf(b) !== undefined : height.get(b) === at - 1)) {
          height.set(a, at);
          grown = true;
        }
    }
    const expected = new Set<string>();
    const top = Math.max(0, ...height.values());
    for (let tier = 0; tier <= top + 1; tier++) {
      const part = new Map<string, string>();
      const find = (id: string): string => (part.get(id) === undefined || part.get(id) === id ? id : find(part.get(id)!));
      for (const [a, b] of pairs) {
        const isUplink = hostOf(a) !== undefined || hostOf(b) !== undefined;
        if (!isUplink && (tier === 0 || Math.max(height.get(a)!, height.get(b)!) > tier)) continue;
        part.set(find(hostOf(a) ?? a), find(hostOf(b) ?? b));
      }
      const members = new Map<string, string[]>();
      for (const id of new Set(topology.devices.flatMap(({ id }) => hostOf(id) ?? [])))
        members.set(find(id), [...(members.get(find(id)) ?? []), id]);
      for (const list of members.values())
        expected.add(
          list
            .map((id) => hosts.find(({ name }) => name === id.slice(id.lastIndexOf('/') + 1) || name === id.replaceAll('/', '-'))!.name)
            .sort()
            .join(),
        );
    }
    expect(actual).toEqual(expected);
  });
});

describe('composing', () => {
  const node = readTopology(topologyExample('node.xml'), { name: 'node' });
  const map = readTopology(topologyExample('national.graphml'));
  law('in steps is composing at once, whichever two come first', fc.tuple(anyTree, fc.constantFrom('0', '1', 'South')), ([lines, at]) => {
    const cluster = readTopology(lines.join('\n'), { name: 'cluster' });
    const whole = sorted(composeTopologies([map, { topology: cluster, at }, node]));
    expect(sorted(composeTopologies([composeTopologies([map, { topology: cluster, at }]), node]))).toEqual(whole);
    expect(sorted(composeTopologies([map, { topology: composeTopologies([cluster, node]), at }]))).toEqual(whole);
  });
  law(
    'files of the same hosts: the order of disjoint facts means nothing',
    fc.tuple(anyTree, fc.integer({ min: 1, max: 8 })),
    ([lines, gpus]) => {
      const cluster = readTopology(lines.join('\n'));
      const hosts = cluster.devices.filter(({ kind }) => kind === 'host').map(({ id }) => id);
      const list = readTopology(`NodeName=${compressHostlist(hosts)} Gres=gpu:${gpus}`);
      expect(sorted(composeTopologies([cluster, list]))).toEqual(sorted(composeTopologies([list, cluster])));
      expect(summarizeTopology(composeTopologies([cluster, list])).gpus).toBe(gpus * hosts.length);
    },
  );
  law('composing and converting give no NaN', anyTree, (lines) => {
    const { fabric } = fabricOfTopology(composeTopologies([readTopology(lines.join('\n')), node]), {
      generation: 'hopper',
      oversubscription: 1,
    });
    expectNoNaN(fabric);
    expect(fabric.links.every(({ bandwidth }) => bandwidth > 1e6)).toBe(true);
  });
});

/** Reading gives a topology without NaN, or an error of ours. */
function readSafely(text: string, from?: string): void {
  try {
    expectNoNaN(readTopology(text, from === undefined ? {} : { from }));
  } catch (error) {
    if (!(error instanceof FabricPlanError)) throw error;
  }
}

describe('hostile and broken input', () => {
  const mutations = fc.array(
    fc.oneof(
      fc.record({ at: fc.nat(), cut: fc.integer({ min: 0, max: 40 }), insert: fc.string({ maxLength: 6, unit: 'binary' }) }),
      fc.record({
        at: fc.nat(),
        cut: fc.constant(0),
        insert: fc.constantFrom(
          'NaN',
          'Infinity',
          '-1',
          '1e999',
          '[1-999999999]',
          '__proto__',
          '"',
          '<',
          '[',
          '{',
          '\t',
          '\n',
          '&x;',
          ': *a',
          '#',
        ),
      }),
      fc.record({ at: fc.nat(), cut: fc.constant(1e9), insert: fc.constant('') }),
    ),
    { minLength: 1, maxLength: 4 },
  );
  const mutate = (text: string, edits: readonly { at: number; cut: number; insert: string }[]): string =>
    edits.reduce(
      (now, { at, cut, insert }) => now.slice(0, at % (now.length + 1)) + insert + now.slice((at % (now.length + 1)) + cut),
      text,
    );

  describe.each(topologyExamples.map(({ file, text }) => [file, text] as const))('%s', (_, text) => {
    law('mutated, is a topology or an error of ours', mutations, (edits) => {
      readSafely(mutate(text, edits));
    });
  });
  describe.each(TOPOLOGY_FORMATS.map(({ name }) => name))('%s', (format) => {
    law('any text read as this format is a topology or an error of ours', fc.string({ maxLength: 300, unit: 'binary' }), (text) => {
      readSafely(text, format);
    });
    law('another format read as this one is a topology or an error of ours', fc.constantFrom(...topologyExamples), ({ text }) => {
      readSafely(text, format);
    });
  });

  const bomb = `a: &a [x,x,x,x,x,x,x,x,x]\n${['b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j'].map((key, i) => `${key}: &${key} [${new Array(9).fill(`*${'abcdefghi'[i]}`).join()}]`).join('\n')}\nkind: Node\napiVersion: v1`;
  it.each<[string, string, RegExp]>([
    [
      'an entity bomb',
      '<?xml version="1.0"?><!DOCTYPE system [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]><system version="1"><cpu numaid="&b;"/></system>',
      /entity/i,
    ],
    [
      'an outside entity',
      '<?xml version="1.0"?><!DOCTYPE graphml [<!ENTITY x SYSTEM "file:///etc/passwd">]><graphml>&x;</graphml>',
      /entity/i,
    ],
    ['an alias bomb', bomb, /unfolds into more than|alias/i],
    ['a billion hosts', 'SwitchName=s Nodes=n[1-999999999]', /names more than 65536 hosts/],
    ['a billion switches', 'SwitchName=s[1-999999999] Nodes=n1', /names more than 65536 hosts/],
    ['deep nesting of XML', `<graphml>${'<graph>'.repeat(10_000)}`, /deeper/],
    ['deep nesting of YAML', `kind: Node\nx: ${'['.repeat(5000)}`, /nest|depth/i],
    ['deep nesting of JSON', `{"kind":"Node","apiVersion":"v1","x":${'['.repeat(5000)}${']'.repeat(5000)}}`, /nest/i],
    ['deep nesting of GML', `graph [ ${'a [ '.repeat(5000)}`, /nest deeper/],
    ['a cycle of switches', 'SwitchName=a Switches=b\nSwitchName=b Switches=a', /line \d+: switch "\w" is below itself/],
    [
      'a cycle of cell types',
      'physicalCluster: {cellTypes: {a: {childCellType: b, childCellNumber: 2}, b: {childCellType: a, childCellNumber: 2}}, physicalCells: []}',
      /below itself/,
    ],
    ['a NaN speed', 'graph [ node [ id 0 ] node [ id 1 ] edge [ source 0 target 1 LinkSpeedRaw NAN ] ]', /line 1: LinkSpeedRaw is NAN/],
    ['an infinite speed', topologyExample('national.graphml').replace('400000000000', '1e999'), /line \d+: .*speed/],
    ['a negative speed', topologyExample('national.graphml').replace('400000000000', '-5'), /line \d+: .*speed/],
    ['a place off the globe', topologyExample('national.graphml').replace('50.91', '950.91'), /line \d+: .*globe/],
    ['UTF-16', '\u0000S\u0000w\u0000i', /zero byte/],
    ['a paste cut in the middle of an element', topologyExample('node.xml').slice(0, 700), /unclosed|unexpected|document/i],
    ['a paste cut in the middle of a list', topologyExample('national.gml').slice(0, 110), /not closed|no value/],
    ['a duplicate node', topologyExample('national.graphml').replace('<node id="1">', '<node id="0">'), /line \d+: node "0" occurs twice/],
    [
      'a block size that is no power of two of the base',
      'BlockName=a Nodes=n[1-4]\nBlockSizes=4,12',
      /line 2: block size 12 is no power of two/,
    ],
    ['a duplicate switch', 'SwitchName=a Nodes=n1\nSwitchName=a Nodes=n2', /line 2: switch "a" is defined twice/],
    ['an edge to nowhere', topologyExample('national.graphml').replace('target="3"', 'target="33"'), /line \d+: an edge ends at "33"/],
    [
      'a pattern that takes for ever',
      'apiVersion: topology.volcano.sh/v1alpha1\nkind: HyperNode\nmetadata: {name: a}\nspec: {tier: 1, members: [{type: Node, selector: {regexMatch: {pattern: "(a+)+$"}}}]}',
      /pattern "\(a\+\)\+\$"/,
    ],
    ['an empty file', '  \n', /empty/],
    ['a picture', '\u0089PNG\r\n\u001a\n\u0000', /zero byte/],
    ['a page', '<!DOCTYPE html><html><body>404</body></html>', /root element is <html>/],
    ['a wrong format', 'hello world', /no known format/],
    ['other YAML', 'replicas: 3\nimage: x', /replicas, image/],
  ])('%s is refused with the culprit', (_, text, expected) => {
    expect(() => readTopology(text)).toThrow(FabricPlanError);
    expect(() => readTopology(text)).toThrow(expected);
  });
  it('prototype keys change nothing', () => {
    readSafely(
      '{"kind":"Node","apiVersion":"v1","metadata":{"name":"a","labels":{"__proto__":"x","constructor":"y"}},"__proto__":{"polluted":1}}',
    );
    readSafely('<gexf version="1.2"><graph><nodes><node id="__proto__" label="constructor"/></nodes></graph></gexf>');
    readSafely('SwitchName=__proto__ Nodes=constructor,toString');
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
    const topology = readTopology('SwitchName=__proto__ Nodes=constructor,toString');
    expect(summarizeTopology(topology)).toMatchObject({ switches: 1, nodes: 2, links: 2 });
  });
  it('all problems of a file are listed at once, with their lines', () => {
    try {
      readTopology('SwitchName=a Nodes=n[1-\nSwitchName=b Foo=1\nBlah=1\nSwitchName=a Nodes=n3');
      expect.fail('was read');
    } catch (error) {
      expect((error as FabricPlanError).issues.map(({ path }) => path)).toEqual(['line 1', 'line 2', 'line 3']);
    }
  });
});
