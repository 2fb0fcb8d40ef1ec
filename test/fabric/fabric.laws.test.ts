import fc from 'fast-check';
import { describe, expect } from 'vitest';
import { createFabric, describeFabric } from '../../src/fabric/create-fabric.js';
import { editFabric } from '../../src/fabric/edit-fabric.js';
import { fromGraphology, toGraphology } from '../../src/fabric/graph.js';
import { groupByLevel } from '../../src/fabric/locality.js';
import { setLinkCounts } from '../../src/fabric/set-link-counts.js';
import { summarizeFabric } from '../../src/fabric/capacity.js';
import { validateFabric } from '../../src/fabric/validate-fabric.js';
import { FabricPlanError } from '../../src/errors.js';
import { anyCluster, anyFabricSpec } from '../arbitraries/fabrics.js';
import { expectClose } from '../support/close.js';
import { law } from '../support/law.js';

const shuffled = <T>(items: readonly T[], draws: readonly number[]): T[] => {
  const rest = [...items];
  return items.map((_, i) => rest.splice(draws[i % draws.length] % rest.length, 1)[0]);
};
const anyDraws = fc.array(fc.nat(), { minLength: 5, maxLength: 20 });

describe('fabric laws', () => {
  law('shuffling devices and links of a description changes nothing', fc.tuple(anyFabricSpec, anyDraws), ([spec, draws]) => {
    const other = createFabric({ ...spec, devices: shuffled(spec.devices, draws), links: shuffled(spec.links, draws) });
    const one = createFabric(spec);
    expect(describeFabric(other)).toEqual(describeFabric(one));
    expect(other.compiled).toEqual(one.compiled);
  });
  law('swapping the ends of duplex links changes nothing that is compiled but names', anyFabricSpec, (spec) => {
    const one = createFabric(spec);
    const other = createFabric({
      ...spec,
      links: spec.links.map((link) => (link.duplex === false ? link : { ...link, source: link.target, target: link.source })),
    });
    expect([...other.compiled.arcBandwidth].sort()).toEqual([...one.compiled.arcBandwidth].sort());
    expect(other.compiled.arcTarget).toEqual(one.compiled.arcTarget);
  });
  law(
    'an edit and its undoing give the same fabric',
    fc.tuple(anyFabricSpec, fc.nat(), fc.integer({ min: 1, max: 9 })),
    ([spec, draw, factor]) => {
      const fabric = createFabric(spec);
      const link = fabric.links[draw % fabric.links.length];
      const faster = editFabric(fabric, { updateLinks: { [link.id]: { bandwidth: link.bandwidth * factor } } });
      expect(describeFabric(editFabric(faster, { updateLinks: { [link.id]: { bandwidth: link.bandwidth } } }))).toEqual(
        describeFabric(fabric),
      );
      const without = editFabric(fabric, { removeLinks: [link.id] });
      expect(describeFabric(editFabric(without, { addLinks: [link] }))).toEqual(describeFabric(fabric));
    },
  );
  law('editing leaves the old fabric as it was', fc.tuple(anyFabricSpec, fc.nat()), ([spec, draw]) => {
    const fabric = createFabric(spec);
    const before = JSON.stringify(describeFabric(fabric));
    editFabric(fabric, { removeDevices: [fabric.devices[draw % fabric.devices.length].id] });
    expect(JSON.stringify(describeFabric(fabric))).toBe(before);
  });
  law('a description survives JSON', anyFabricSpec, (spec) => {
    const fabric = createFabric(spec);
    expect(describeFabric(createFabric(JSON.parse(JSON.stringify(describeFabric(fabric)))))).toEqual(describeFabric(fabric));
  });
  law('a graphology graph of a fabric gives the same fabric back', anyFabricSpec, (spec) => {
    const fabric = createFabric(spec);
    expect(describeFabric(fromGraphology(toGraphology(fabric)))).toEqual(describeFabric(fabric));
  });
  law('arcs are consistent: out rows, in rows and links tell the same', anyFabricSpec, (spec) => {
    const { compiled, links } = createFabric(spec);
    expect(compiled.arcCount).toBe(links.reduce((sum, link) => sum + (link.duplex === false ? 1 : 2), 0));
    for (let device = 0; device < compiled.deviceCount; device++) {
      for (let arc = compiled.outStart[device]; arc < compiled.outStart[device + 1]; arc++) expect(compiled.arcSource[arc]).toBe(device);
      for (let at = compiled.inStart[device]; at < compiled.inStart[device + 1]; at++)
        expect(compiled.arcTarget[compiled.inArcs[at]]).toBe(device);
    }
  });
  law('clusters of all builders are connected, and have the GPUs and symmetric links they should', anyCluster, (spec) => {
    const fabric = createFabric(spec);
    const summary = summarizeFabric(fabric);
    expect(summary.components).toBe(1);
    expect(spec.uplinks.length).toBeGreaterThan(0);
    for (const id of spec.uplinks) expect(fabric.indexOf(id)).toBeDefined();
    expect(fabric.links.every((link) => link.duplex !== false && link.reverseBandwidth === undefined)).toBe(true);
    expect(summary.devices.gpu % summary.groups['node']).toBe(0);
  });
  law('GPUs are grouped once each at every level, and broader levels are coarser', anyFabricSpec, (spec) => {
    const fabric = createFabric(spec);
    let last = 0;
    for (const level of fabric.levels) {
      const groups = groupByLevel(fabric, level);
      expect(groups.flatMap((group) => [...group.gpus]).sort((a, b) => a - b)).toEqual(fabric.gpuIds.map((_, i) => i));
      expect(groups.length).toBeGreaterThanOrEqual(last);
      last = groups.length;
    }
  });
  law(
    'setting cable counts equals editing them',
    fc.tuple(anyFabricSpec, fc.nat(), fc.integer({ min: 1, max: 7 })),
    ([spec, draw, count]) => {
      const fabric = createFabric(spec);
      const { id } = fabric.links[draw % fabric.links.length];
      const quick = setLinkCounts(fabric, { [id]: count });
      const slow = editFabric(fabric, { updateLinks: { [id]: { count } } });
      expect(quick.links).toEqual(slow.links);
      quick.compiled.arcBandwidth.forEach((rate, arc) => {
        expectClose(rate, slow.compiled.arcBandwidth[arc]);
      });
    },
  );
  const anyBreakage = fc.constantFrom<(link: Record<string, unknown>) => void>(
    (link) => (link['bandwidth'] = 0),
    (link) => (link['bandwidth'] = -1),
    (link) => (link['bandwidth'] = NaN),
    (link) => (link['bandwidth'] = Infinity),
    (link) => (link['bandwidth'] = '400 GB/s'),
    (link) => delete link['bandwidth'],
    (link) => (link['latency'] = -1),
    (link) => (link['latency'] = NaN),
    (link) => (link['target'] = 'nowhere'),
    (link) => (link['target'] = link['source']),
    (link) => (link['count'] = 0.5),
    (link) => (link['backgroundLoad'] = 1),
    (link) => (link['efficiency'] = 0),
  );
  law(
    'every broken link is named in an issue, all at once, and nothing is built',
    fc.tuple(anyFabricSpec, fc.array(fc.tuple(fc.nat(), anyBreakage), { minLength: 1, maxLength: 4 })),
    ([spec, breakages]) => {
      const links = spec.links.map((link) => ({ ...link }));
      const broken = new Set(
        breakages.map(([draw, breakIt]) => {
          const link = links[draw % links.length];
          breakIt(link);
          return link.id;
        }),
      );
      const issues = validateFabric({ ...spec, links });
      for (const id of broken)
        expect(
          issues.some(({ message }) => message.includes(`"${id}"`)),
          id,
        ).toBe(true);
      expect(() => createFabric({ ...spec, links })).toThrow(FabricPlanError);
    },
  );
  law('any value at all as a description gives an error of ours or a fabric', fc.anything({ withNullPrototype: true }), (value) => {
    try {
      createFabric(value as never);
    } catch (error) {
      expect(error).toBeInstanceOf(FabricPlanError);
    }
  });
});
