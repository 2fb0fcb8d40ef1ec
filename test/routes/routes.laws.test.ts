import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createFabric } from '../../src/fabric/create-fabric.js';
import { setLinkCounts } from '../../src/fabric/set-link-counts.js';
import type { Fabric } from '../../src/fabric/types.js';
import { computeRoutes, expandRoute, routeBetween, type Routes } from '../../src/routes/compute-routes.js';
import { rescaleRoutes } from '../../src/routes/rescale-routes.js';
import { findPath } from '../../src/routes/find-path.js';
import { computeLinkLoads } from '../../src/routes/link-load.js';
import { computeMaxFlow } from '../../src/routes/max-flow.js';
import { shareFairly } from '../../src/routes/max-min-share.js';
import { anyFabricSpec, anyFabricWithRanks, anyFederation, anyGraph } from '../arbitraries/fabrics.js';
import { expectAtMost, expectClose } from '../support/close.js';
import { law } from '../support/law.js';

/** Naive costs between all GPUs: Floyd–Warshall over (device, layer): own node, core, other node. Hosts do not forward. */
function naiveCosts(routes: Routes): number[][] {
  const { fabric, zones, arcCost } = routes;
  const { compiled } = fabric;
  const n = compiled.deviceCount;
  const layers = 3;
  const size = n * layers;
  const cost = Array.from({ length: size }, (_, i) => Array.from({ length: size }, (_, j) => (i === j ? 0 : Infinity)));
  for (let arc = 0; arc < compiled.arcCount; arc++) {
    const a = compiled.arcSource[arc];
    const b = compiled.arcTarget[arc];
    const inA = zones.zoneOf[a] >= 0;
    const inB = zones.zoneOf[b] >= 0;
    const put = (x: number, y: number): void => {
      cost[x][y] = Math.min(cost[x][y], arcCost[arc]);
    };
    if (inA && inB) {
      put(a, b);
      put(a + 2 * n, b + 2 * n);
    } else if (inA) put(a, b + n);
    else if (inB) put(a + n, b + 2 * n);
    else put(a + n, b + n);
  }
  for (let k = 0; k < size; k++)
    for (let i = 0; i < size; i++) {
      if (cost[i][k] === Infinity) continue;
      for (let j = 0; j < size; j++) cost[i][j] = Math.min(cost[i][j], cost[i][k] + cost[k][j]);
    }
  return Array.from(compiled.gpus, (a) => Array.from(compiled.gpus, (b) => Math.min(cost[a][b], cost[a][b + 2 * n])));
}

const small = anyFabricSpec.map((spec) => createFabric(spec)).filter((fabric) => fabric.compiled.deviceCount <= 45);

describe('route laws', () => {
  law('costs equal Floyd–Warshall on a naive model', small, (fabric) => {
    const routes = computeRoutes(fabric);
    const naive = naiveCosts(routes);
    fabric.gpuIds.forEach((a, i) => {
      fabric.gpuIds.forEach((b, j) => {
        if (i !== j) expectClose(expandRoute(routes, i, j).cost, naive[i][j], 1e-9, `${a} to ${b}`);
      });
    });
  });
  law('costs equal those of graphology-shortest-path', anyFabricWithRanks, ({ fabric, ranks }) => {
    const routes = computeRoutes(fabric);
    const path = findPath(routes, ranks[0], ranks[1]);
    expectClose(path.cost, routeBetween(routes, ranks[0], ranks[1]).cost);
    expect(path.devices[0]).toBe(ranks[0]);
    expect(path.devices[path.devices.length - 1]).toBe(ranks[1]);
  });
  law('shares of a route conserve the traffic: what enters a device leaves it', anyFabricWithRanks, ({ fabric, ranks }) => {
    const routes = computeRoutes(fabric);
    const { arcs, shares } = routeBetween(routes, ranks[0], ranks[1]);
    const balance = new Map<number, number>();
    arcs.forEach((arc, i) => {
      const { arcSource, arcTarget } = fabric.compiled;
      balance.set(arcSource[arc], (balance.get(arcSource[arc]) ?? 0) - shares[i]);
      balance.set(arcTarget[arc], (balance.get(arcTarget[arc]) ?? 0) + shares[i]);
    });
    for (const [device, sum] of balance) {
      const id = fabric.devices[device].id;
      const expected = id === ranks[0] ? -1 : id === ranks[1] ? 1 : 0;
      expect(Math.abs(sum - expected), id).toBeLessThan(1e-9);
    }
  });
  law(
    'a symmetric fabric costs the same both ways',
    fc.oneof(anyFederation).map((spec) => createFabric(spec)),
    (fabric) => {
      const routes = computeRoutes(fabric);
      const last = fabric.gpuIds.length - 1;
      expectClose(expandRoute(routes, 0, last).cost, expandRoute(routes, last, 0).cost);
    },
  );
  law(
    'scaling all latencies and inverse rates by k scales all costs by k',
    fc.tuple(anyFabricWithRanks, fc.integer({ min: 2, max: 9 })),
    ([{ fabric, ranks }, k]) => {
      const links = fabric.links.map((link) => ({
        ...link,
        latency: link.latency * k,
        bandwidth: link.bandwidth / k,
        ...(link.routingCost === undefined ? {} : { routingCost: link.routingCost * k }),
      }));
      const slower = createFabric({ name: 'slower', levels: fabric.levels, devices: fabric.devices, links });
      expectClose(
        routeBetween(computeRoutes(slower), ranks[0], ranks[1]).cost,
        k * routeBetween(computeRoutes(fabric), ranks[0], ranks[1]).cost,
      );
    },
  );
  law('a longer link never makes a route cheaper', fc.tuple(anyFabricWithRanks, fc.nat()), ([{ fabric, ranks }, draw]) => {
    const hit = draw % fabric.links.length;
    const links = fabric.links.map((link, i) => (i === hit ? { ...link, latency: link.latency + 1e-5 } : link));
    const slower = createFabric({ name: 'slower', levels: fabric.levels, devices: fabric.devices, links });
    expectAtMost(
      routeBetween(computeRoutes(fabric), ranks[0], ranks[1]).cost,
      routeBetween(computeRoutes(slower), ranks[0], ranks[1]).cost,
    );
  });
  law('link loads add up: two sets of transfers at once load as much as both alone', anyFabricWithRanks, ({ fabric, ranks }) => {
    const routes = computeRoutes(fabric);
    const transfers = ranks.slice(1).map((target, i) => ({ source: ranks[0], target, bytes: 1e6 * (i + 1) }));
    const bytesOf = (list: typeof transfers): Map<string, number> =>
      new Map(computeLinkLoads(routes, list).loads.map((load) => [`${load.link} ${load.source}`, load.bytes]));
    const all = bytesOf(transfers);
    const sum = new Map<string, number>();
    for (const transfer of transfers) for (const [link, bytes] of bytesOf([transfer])) sum.set(link, (sum.get(link) ?? 0) + bytes);
    expect([...all.keys()].sort()).toEqual([...sum.keys()].sort());
    for (const [link, bytes] of all) expectClose(bytes, sum.get(link)!, 1e-9, link);
  });
  law(
    'changing cable counts keeps routes and equals computing them afresh',
    fc.tuple(
      anyFederation.map((spec) => createFabric(spec)),
      fc.nat(),
      fc.integer({ min: 1, max: 5 }),
    ),
    ([fabric, draw, count]) => {
      const { id } = fabric.links[draw % fabric.links.length];
      const rescaled = rescaleRoutes(computeRoutes(fabric), { [id]: count });
      const fresh = computeRoutes(setLinkCounts(fabric, { [id]: count }));
      const last = fabric.gpuIds.length - 1;
      const order = (routes: Routes): [number, number][] => {
        const { arcs, shares } = expandRoute(routes, 0, last);
        return [...arcs].map((arc, i): [number, number] => [arc, shares[i]]).sort((a, b) => a[0] - b[0]);
      };
      expect(order(rescaled).map(([arc]) => arc)).toEqual(order(fresh).map(([arc]) => arc));
      order(rescaled).forEach(([, share], i) => {
        expectClose(share, order(fresh)[i][1]);
      });
    },
  );
});

const anyFlows = anyFabricWithRanks.chain(({ fabric, ranks }) =>
  fc.array(fc.tuple(fc.nat(), fc.nat(), fc.integer({ min: 1, max: 4 })), { minLength: 1, maxLength: 8 }).map((draws) => ({
    fabric,
    flows: draws.map(([a, b, weight]) => ({
      source: ranks[a % ranks.length],
      target: ranks[(a + 1 + (b % (ranks.length - 1))) % ranks.length],
      weight,
    })),
  })),
);

/** Load of every arc under rates. */
function loads(fabric: Fabric, flows: readonly { source: string; target: string }[], rates: readonly number[]): Map<number, number> {
  const routes = computeRoutes(fabric);
  const load = new Map<number, number>();
  flows.forEach(({ source, target }, f) => {
    const { arcs, shares } = routeBetween(routes, source, target);
    arcs.forEach((arc, i) => load.set(arc, (load.get(arc) ?? 0) + shares[i] * rates[f]));
  });
  return load;
}

describe('max-min sharing laws', () => {
  law('rates are feasible', anyFlows, ({ fabric, flows }) => {
    const rates = shareFairly(computeRoutes(fabric), flows);
    for (const [arc, load] of loads(fabric, flows, rates)) expectAtMost(load, fabric.compiled.arcBandwidth[arc], `arc ${arc}`, 1e-6);
  });
  law('every flow has a saturated link on which its rate per weight is largest', anyFlows, ({ fabric, flows }) => {
    const routes = computeRoutes(fabric);
    const rates = shareFairly(routes, flows);
    const load = loads(fabric, flows, rates);
    flows.forEach((flow, f) => {
      const mine = new Set(routeBetween(routes, flow.source, flow.target).arcs);
      const bottleneck = [...mine].some((arc) => {
        if (load.get(arc)! < fabric.compiled.arcBandwidth[arc] * (1 - 1e-6)) return false;
        return flows.every(
          (other, o) =>
            !routeBetween(routes, other.source, other.target).arcs.includes(arc) ||
            rates[o] / other.weight <= (rates[f] / flow.weight) * (1 + 1e-6),
        );
      });
      expect(bottleneck, `flow ${f}`).toBe(true);
    });
  });
  law('doubling all rates of links doubles all rates of flows', anyFlows, ({ fabric, flows }) => {
    const faster = createFabric({
      name: 'faster',
      levels: fabric.levels,
      devices: fabric.devices,
      links: fabric.links.map((link) => ({ ...link, count: (link.count ?? 1) * 2 })),
    });
    const before = shareFairly(computeRoutes(fabric), flows);
    shareFairly(computeRoutes(faster), flows).forEach((rate, f) => {
      expectClose(rate, 2 * before[f], 1e-6);
    });
  });
});

describe('max-flow laws', () => {
  it('takes flow back from a short path that stands in the way of two long ones', () => {
    const arcs = ['s1', '14', '4t', 's2', '23', '34', '15', '56', '6t'];
    const ids = [...new Set(arcs.join(''))];
    const fabric = createFabric({
      name: 'detour',
      levels: [],
      devices: ids.map((id) => ({ id, kind: 'switch', location: [] })),
      links: arcs.map((arc) => ({ id: arc, source: arc[0], target: arc[1], bandwidth: 1, latency: 0, duplex: false })),
    });
    expect(computeMaxFlow(fabric, 's', 't').bandwidth).toBe(2);
  });
  law(
    'the largest flow equals the smallest of all cuts on small graphs',
    anyGraph.map((spec) => createFabric(spec)),
    (fabric) => {
      const { compiled } = fabric;
      const [s, t] = compiled.gpus;
      let least = Infinity;
      for (let mask = 0; mask < 2 ** compiled.deviceCount; mask++) {
        const inside = (device: number): boolean => (mask & (1 << device)) !== 0;
        if (!inside(s) || inside(t)) continue;
        let capacity = 0;
        for (let arc = 0; arc < compiled.arcCount; arc++)
          if (inside(compiled.arcSource[arc]) && !inside(compiled.arcTarget[arc])) capacity += compiled.arcBandwidth[arc];
        least = Math.min(least, capacity);
      }
      expectClose(computeMaxFlow(fabric, fabric.gpuIds[0], fabric.gpuIds[1]).bandwidth, least, 1e-9);
    },
  );
  law('the largest flow equals the smallest cut it names', anyFabricWithRanks, ({ fabric, ranks }) => {
    const { bandwidth, cutBandwidth, sourceSide } = computeMaxFlow(fabric, ranks[0], ranks[1]);
    expectClose(bandwidth, cutBandwidth, 1e-6);
    expect(sourceSide).toContain(ranks[0]);
    expect(sourceSide).not.toContain(ranks[1]);
  });
  law('a flow over the routes never beats the largest flow', anyFabricWithRanks, ({ fabric, ranks }) => {
    const [rate] = shareFairly(computeRoutes(fabric), [{ source: ranks[0], target: ranks[1] }]);
    expectAtMost(rate, computeMaxFlow(fabric, ranks[0], ranks[1]).bandwidth, '', 1e-6);
  });
  law('more cables never lower the largest flow', fc.tuple(anyFabricWithRanks, fc.nat()), ([{ fabric, ranks }, draw]) => {
    const { id, count = 1 } = fabric.links[draw % fabric.links.length];
    const wider = setLinkCounts(fabric, { [id]: count + 1 });
    expectAtMost(computeMaxFlow(fabric, ranks[0], ranks[1]).bandwidth, computeMaxFlow(wider, ranks[0], ranks[1]).bandwidth, '', 1e-6);
  });
});
