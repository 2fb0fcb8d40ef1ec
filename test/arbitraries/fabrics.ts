import fc from 'fast-check';
import { buildDragonfly, buildDragonflyPlus } from '../../src/fabric/builders/dragonfly.js';
import { buildFatTree } from '../../src/fabric/builders/fat-tree.js';
import { buildLeafSpine } from '../../src/fabric/builders/leaf-spine.js';
import { buildMultiSite } from '../../src/fabric/builders/multi-site.js';
import type { ClusterSpec } from '../../src/fabric/builders/network.js';
import type { NodeShape, ScaleUpShape } from '../../src/fabric/builders/node.js';
import { buildRailOptimised } from '../../src/fabric/builders/rail-optimised.js';
import { buildTorus } from '../../src/fabric/builders/torus.js';
import { createFabric } from '../../src/fabric/create-fabric.js';
import type { DeviceSpec, Fabric, FabricSpec, LinkSpec } from '../../src/fabric/types.js';

/** Rates and latencies are round numbers, so that counterexamples read well. */
export const anyBandwidth = fc.integer({ min: 1, max: 40 }).map((n) => n * 1e10);
export const anyLatency = fc.integer({ min: 1, max: 30 }).map((n) => n * 1e-7);

const anyLink = fc.record({ bandwidth: anyBandwidth, latency: anyLatency });

const anyScaleUp = (gpus: number): fc.Arbitrary<ScaleUpShape> =>
  fc.oneof(
    fc.record({ kind: fc.constant('nvswitch' as const), link: anyLink, reduces: fc.boolean() }),
    fc.record({ kind: fc.constant('all-to-all' as const), link: anyLink }),
    fc
      .record({ kind: fc.constant('mesh' as const), link: anyLink })
      .map((shape) => ({ ...shape, pairs: Array.from({ length: gpus - 1 }, (_, i) => [i, i + 1, 1] as const) })),
    fc.constant({ kind: 'none' as const }),
  );

/** A node of one to four GPUs. */
export const anyNode: fc.Arbitrary<NodeShape> = fc.integer({ min: 1, max: 4 }).chain((gpus) =>
  fc.record({
    name: fc.constant('node'),
    gpus: fc.constant(gpus),
    gpu: fc.constant({ model: 'test', memory: 80e9, memoryBandwidth: 2e12, peak: { bf16: 3e14, fp16: 3e14, fp8: 6e14, fp32: 2e13 } }),
    scaleUp: anyScaleUp(gpus),
    attach: fc.oneof(
      fc.record({ kind: fc.constant('pcie-switch' as const), link: anyLink, gpusPerSwitch: fc.integer({ min: 1, max: 2 }) }),
      fc.record({ kind: fc.constant('host' as const), link: anyLink, nicLink: anyLink }),
      fc.record({ kind: fc.constant('gpu' as const), link: anyLink }),
    ),
    cpus: fc.constant(1),
    nics: fc.integer({ min: 1, max: 2 }),
    nic: anyLink,
  }),
);

/** A cluster of two to eight nodes under any of the builders. */
export const anyCluster: fc.Arbitrary<ClusterSpec> = fc
  .tuple(anyNode, fc.integer({ min: 2, max: 8 }), fc.integer({ min: 1, max: 3 }), fc.integer({ min: 0, max: 5 }))
  .map(([node, nodes, small, builder]) => {
    switch (builder) {
      case 0:
        return buildLeafSpine({ node, nodes, nodesPerLeaf: small, spines: 2 });
      case 1:
        return buildRailOptimised({ node, nodes, nodesPerUnit: small, unitsPerPod: 2 });
      case 2:
        return buildFatTree({ node, nodes });
      case 3:
        return buildDragonfly({ node, nodes, nodesPerGroup: small, switchesPerGroup: 2 });
      case 4:
        return buildDragonflyPlus({ node, nodes, nodesPerGroup: small, switchesPerGroup: 2, spinesPerGroup: 2 });
      default:
        return buildTorus({ node, dimensions: nodes % 2 === 0 ? [2, nodes / 2] : [nodes] });
    }
  });

/** Two or three clusters joined over a wide area. */
export const anyFederation: fc.Arbitrary<FabricSpec> = fc
  .tuple(
    fc.array(fc.tuple(anyNode, fc.integer({ min: 1, max: 3 })), { minLength: 2, maxLength: 3 }),
    anyBandwidth,
    fc.integer({ min: 1, max: 20 }),
  )
  .map(([clusters, rate, milliseconds]) =>
    buildMultiSite({
      name: 'federation',
      sites: clusters.map(([node, nodes], i) => ({
        id: `s${i}`,
        clusters: [buildLeafSpine({ node, nodes, nodesPerLeaf: 2, name: `c${i}`, site: `s${i}` })],
        access: { bandwidth: rate, latency: 1e-6 },
      })),
      links: clusters.slice(1).map((_, i) => ({ from: `s${i}`, to: `s${i + 1}`, bandwidth: rate, latency: milliseconds * 1e-3 })),
    }),
  );

/** Any connected graph of two to six GPUs, each a node of its own, and some switches; parallel, asymmetric and one-way links occur. */
export const anyGraph: fc.Arbitrary<FabricSpec> = fc
  .tuple(
    fc.integer({ min: 2, max: 6 }),
    fc.integer({ min: 1, max: 4 }),
    fc.array(fc.tuple(fc.nat(), fc.nat(), anyBandwidth, anyLatency, fc.integer({ min: 1, max: 3 }), fc.boolean()), {
      minLength: 12,
      maxLength: 24,
    }),
  )
  .map(([gpus, switches, draws]) => {
    const devices: DeviceSpec[] = [
      ...Array.from({ length: gpus }, (_, i): DeviceSpec => ({
        id: `g${i}`,
        kind: 'gpu',
        location: [`r${Math.floor(i / 2)}`, `n${i}`],
        memory: 80e9,
        peak: { bf16: 3e14 },
        memoryBandwidth: 2e12,
      })),
      ...Array.from({ length: switches }, (_, i): DeviceSpec => ({ id: `s${i}`, kind: 'switch', location: [] })),
    ];
    const links: LinkSpec[] = [];
    const add = (
      source: string,
      target: string,
      [, , bandwidth, latency, count, isDuplex]: (typeof draws)[number],
      mustBeDuplex: boolean,
    ): void => {
      links.push({ id: `l${links.length}`, source, target, bandwidth, latency, count, duplex: mustBeDuplex || isDuplex });
    };
    // A chain of switches and every GPU on one of them: connected by construction.
    for (let i = 1; i < switches; i++) add(`s${i - 1}`, `s${i}`, draws[i % draws.length], true);
    for (let i = 0; i < gpus; i++) add(`g${i}`, `s${draws[i][0] % switches}`, draws[i], true);
    for (const draw of draws.slice(gpus)) {
      const a = devices[draw[0] % devices.length];
      const b = devices[draw[1] % devices.length];
      if (a.id !== b.id) add(a.id, b.id, draw, false);
    }
    return { name: 'graph', levels: ['rack', 'node'], devices, links };
  });

export const anyFabricSpec: fc.Arbitrary<FabricSpec> = fc.oneof(anyCluster, anyFederation, anyGraph);

/** A fabric and two or more of its GPUs, at most twelve. */
export const anyFabricWithRanks: fc.Arbitrary<{ fabric: Fabric; ranks: string[] }> = fc
  .tuple(anyFabricSpec, fc.array(fc.nat(), { minLength: 12, maxLength: 12 }))
  .map(([spec, draws]) => {
    const fabric = createFabric(spec);
    const pool = [...fabric.gpuIds];
    const wanted = Math.min(pool.length, 2 + (draws[0] % 11));
    const ranks: string[] = [];
    for (let i = 0; i < wanted; i++) ranks.push(pool.splice(draws[(i + 1) % 12] % pool.length, 1)[0]);
    return { fabric, ranks };
  });

/** n GPUs on one switch, each with its own full-duplex port. */
export function uniformStar(n: number, bandwidth: number, latency: number, reduces = false): Fabric {
  return createFabric({
    name: 'star',
    levels: [],
    devices: [
      { id: 'switch', kind: 'switch', location: [], reduces },
      ...Array.from({ length: n }, (_, i): DeviceSpec => ({
        id: `g${i}`,
        kind: 'gpu',
        location: [],
        memory: 80e9,
        memoryBandwidth: 2e12,
        peak: { bf16: 3e14 },
      })),
    ],
    links: Array.from({ length: n }, (_, i) => ({ id: `l${i}`, source: `g${i}`, target: 'switch', bandwidth, latency: latency / 2 })),
  });
}
