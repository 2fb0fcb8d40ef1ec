import { FabricPlanError, invalidArgument } from '../errors.js';
import type { Fabric } from '../fabric/types.js';
import { MiB, type Bytes, type Seconds } from '../quantities.js';
import { createCoreRoutes, type CoreRoutes } from './core-routes.js';
import type { LoadMeter } from './load-meter.js';
import { EQUAL_COST, equalCostShares, shortestDistances, type PathGraph, type PathShares } from './shortest-paths.js';
import { createZones, type Zones, type ZoneTemplate } from './zones.js';

export interface RoutesOptions {
  /**
   * Message size at which links are compared: a link costs latency + referenceBytes / (rate of one cable). Large values prefer fast
   * links, 0 prefers low latency. Default 1 MiB.
   */
  readonly referenceBytes?: Bytes;
}

/** Shortest and equal-cost routes of a fabric, computed when first needed. Hides an index; safe to share. */
export interface Routes {
  readonly fabric: Fabric;
  /** Message size at which links are compared. */
  readonly referenceBytes: Bytes;
  /** Routing cost of each arc in seconds; parallel to the fabric's arcs. */
  readonly arcCost: Float64Array;
  readonly zones: Zones;
  /** The route between two GPUs (GPU indices) as a template that all equal pairs share. */
  template(source: number, target: number): RouteTemplate;
  /** Zone of each GPU; parallel to GPUs. */
  readonly gpuZone: Int32Array;
  /** Arcs of each zone; parallel to zones. */
  readonly zoneArcs: readonly Int32Array[];
  /** Switch-to-switch routes. */
  readonly core: CoreRoutes;
  /** Working memory that calls share, one after the other; see borrowMeter. */
  readonly scratch: {
    meter?: LoadMeter;
    totals?: Float64Array;
    tours?: Map<string, readonly number[]>;
    remembered?: Map<string, unknown>;
    rememberedLists?: WeakMap<object, unknown>;
    /** Whether every link is the same both ways. */
    isSymmetric?: boolean;
  };
}

/** The route of one class of GPU pairs: shares of zone arcs at both ends, and the switch pairs in between. */
export interface RouteTemplate {
  /** Routing cost, seconds. */
  readonly cost: Seconds;
  /** Largest latency of the equal-cost paths, one way. */
  readonly latency: Seconds;
  /** Indices into the arcs of the source's zone, with the share of the traffic on each. */
  readonly sourceArcs: Int32Array;
  readonly sourceShares: Float64Array;
  readonly targetArcs: Int32Array;
  readonly targetShares: Float64Array;
  /** Core nodes between which the traffic passes, with the share of each pair. */
  readonly coreFrom: Int32Array;
  readonly coreTo: Int32Array;
  readonly coreShares: Float64Array;
}

/** A link of no latency still costs a picosecond: paths must not run in circles. */
const LEAST_COST: Seconds = 1e-12;

/** A route between two devices as a list of arcs. */
export interface Route {
  readonly cost: Seconds;
  readonly latency: Seconds;
  /** Arcs of the fabric, each once. */
  readonly arcs: Int32Array;
  /** Share of the traffic on each arc; parallel to arcs. */
  readonly shares: Float64Array;
}

/**
 * Prepares shortest and equal-cost multipath routes.
 *
 * Hosts do not forward for others: a route runs inside the source's node (or rack domain), through switches and gateways, and inside
 * the target's node. Inside a node, a peer GPU may pass data on (as NCCL's PXN does).
 *
 * @throws FabricPlanError `invalid-argument` for a reference size that is no number of 0 or more
 * @complexity O(devices + links) now; one Dijkstra over the switches per group of equal switches, when first needed
 * @example
 * const routes = computeRoutes(fabric);
 * routeBetween(routes, 'a', 'b').latency // 0.000002
 */
export function computeRoutes(fabric: Fabric, options: RoutesOptions = {}): Routes {
  const referenceBytes = options.referenceBytes ?? MiB;
  if (!(Number.isFinite(referenceBytes) && referenceBytes >= 0))
    throw invalidArgument('computeRoutes', 'referenceBytes', referenceBytes, 'bytes of 0 or more');
  const { compiled, links, devices } = fabric;
  const arcCost = Float64Array.from({ length: compiled.arcCount }, (_, arc) => {
    const link = links[compiled.arcLink[arc]];
    const isReverse = devices[compiled.arcSource[arc]].id !== link.source;
    const rate = isReverse ? (link.reverseBandwidth ?? link.bandwidth) : link.bandwidth;
    return Math.max(LEAST_COST, link.routingCost ?? compiled.arcLatency[arc] + referenceBytes / rate);
  });
  const zones = createZones(fabric, arcCost);
  const core = createCoreRoutes(zones.core);
  const paths = createTemplatePaths();
  // By pair of classes, then by pair of places; neighbouring transfers mostly share the pair of classes.
  const templates = new Map<number, (RouteTemplate | undefined)[]>();
  let lastPair = -1;
  let lastTable: (RouteTemplate | undefined)[] = [];
  const sides = zones.classes.length;
  const gpuZone = compiled.gpus.map((device) => zones.zoneOf[device]);
  const gpuLocal = compiled.gpus.map((device) => zones.localOf[device]);
  const zoneClass = Int32Array.from(zones.zones, ({ classIndex }) => classIndex);
  const widest = zones.classes.reduce((most, one) => Math.max(most, one.template.graph.nodeCount), 1);
  return {
    fabric,
    referenceBytes,
    arcCost,
    zones,
    core,
    gpuZone,
    zoneArcs: zones.zones.map(({ arcs }) => arcs),
    scratch: {},
    template(source, target) {
      const zoneA = gpuZone[source];
      const zoneB = gpuZone[target];
      const classA = zoneClass[zoneA];
      const classB = zoneClass[zoneB];
      const pair = (zoneA === zoneB ? sides : classA) * (sides + 1) + classB;
      if (pair !== lastPair) {
        let table = templates.get(pair);
        if (table === undefined) templates.set(pair, (table = []));
        lastPair = pair;
        lastTable = table;
      }
      const place = gpuLocal[source] * widest + gpuLocal[target];
      let found = lastTable[place];
      if (found === undefined) {
        found = routeClass(zones, core, paths, classA, classB, gpuLocal[source], gpuLocal[target], zoneA === zoneB);
        if (found === undefined) throw unreachable(fabric, source, target);
        lastTable[place] = found;
      }
      return found;
    },
  };
}

function unreachable(fabric: Fabric, source: number, target: number): FabricPlanError {
  const [a, b] = [fabric.gpuIds[source], fabric.gpuIds[target]];
  const message = `computeRoutes: there is no way from GPU "${a}" to GPU "${b}"; expected links that connect them through their nodes and the switches`;
  return new FabricPlanError('unreachable', message, [{ path: a, message }]);
}

/** Distances and shares inside templates, computed once per template and device. */
interface TemplatePaths {
  forward(template: ZoneTemplate, from: number): Float64Array;
  shares(template: ZoneTemplate, from: number, to: number): PathShares;
}

function createTemplatePaths(): TemplatePaths {
  const distances = new Map<ZoneTemplate, Map<number, Float64Array>>();
  const shares = new Map<PathGraph, Map<number, PathShares>>();
  const forward = (template: ZoneTemplate, from: number): Float64Array => {
    let known = distances.get(template);
    if (known === undefined) distances.set(template, (known = new Map<number, Float64Array>()));
    let found = known.get(from);
    if (found === undefined) known.set(from, (found = shortestDistances(template.graph, from)));
    return found;
  };
  return {
    forward,
    shares(template, from, to) {
      let known = shares.get(template.graph);
      if (known === undefined) shares.set(template.graph, (known = new Map<number, PathShares>()));
      const key = from * template.graph.nodeCount + to;
      let found = known.get(key);
      if (found === undefined) {
        found = equalCostShares(template.graph, forward(template, from), from, to)!;
        known.set(key, found);
      }
      return found;
    },
  };
}

/** Finds all cheapest ways between two places of two zone classes; undefined where there is none. */
function routeClass(
  zones: Zones,
  core: CoreRoutes,
  paths: TemplatePaths,
  classA: number,
  classB: number,
  a: number,
  b: number,
  isSameZone: boolean,
): RouteTemplate | undefined {
  const from = zones.classes[classA];
  const to = zones.classes[classB];
  const inZone = isSameZone ? paths.forward(from.template, a)[b] : Infinity;
  const exitCost = from.template.exitCost.map((cost, x) => paths.forward(from.template, a)[from.template.exitDevice[x]] + cost);
  const entryCost = to.template.entryCost.map((cost, y) => paths.forward(to.template, to.template.entryDevice[y])[b] + cost);
  let best = inZone;
  let ways: [number, number][] = [];
  const nearestEntries = sortedBy(entryCost);
  for (const x of sortedBy(exitCost)) {
    if (exitCost[x] >= best * (1 + EQUAL_COST)) break;
    for (const y of nearestEntries) {
      const sum = exitCost[x] + entryCost[y];
      if (sum > best * (1 + EQUAL_COST)) break;
      const cost = sum + core.distance(from.exits[x], to.entries[y]);
      if (cost === Infinity || cost > best * (1 + EQUAL_COST)) continue;
      if (cost < best * (1 - EQUAL_COST)) ways = [];
      best = Math.min(best, cost);
      ways.push([x, y]);
    }
  }
  if (best === Infinity) return undefined;
  if (ways.length === 0) {
    const { arcs, shares, latency } = paths.shares(from.template, a, b);
    return template(best, latency, arcs, shares, [], [], [], [], []);
  }
  return joinWays(zones, core, paths, from, to, a, b, best, ways);
}

type ZoneClassOf = Zones['classes'][number];

/** Adds up the arcs of several equal ways through the core, each with the same share. */
function joinWays(
  zones: Zones,
  core: CoreRoutes,
  paths: TemplatePaths,
  from: ZoneClassOf,
  to: ZoneClassOf,
  a: number,
  b: number,
  cost: number,
  ways: readonly [number, number][],
): RouteTemplate {
  const share = 1 / ways.length;
  const out = new Map<number, number>();
  const into = new Map<number, number>();
  const between = new Map<number, number>();
  const add = (map: Map<number, number>, key: number, value: number): void => {
    map.set(key, (map.get(key) ?? 0) + value);
  };
  let latency = 0;
  const exitBase = from.template.graph.source.length;
  const entryBase = to.template.graph.source.length + to.template.exitDevice.length;
  for (const [x, y] of ways) {
    const head = paths.shares(from.template, a, from.template.exitDevice[x]);
    const tail = paths.shares(to.template, to.template.entryDevice[y], b);
    const middle = core.shares(from.exits[x], to.entries[y])!;
    head.arcs.forEach((arc, i) => {
      add(out, arc, head.shares[i] * share);
    });
    add(out, exitBase + x, share);
    add(into, entryBase + y, share);
    tail.arcs.forEach((arc, i) => {
      add(into, arc, tail.shares[i] * share);
    });
    if (from.exits[x] !== to.entries[y]) add(between, from.exits[x] * zones.core.nodeCount + to.entries[y], share);
    latency = Math.max(latency, head.latency + from.template.exitLatency[x] + middle.latency + to.template.entryLatency[y] + tail.latency);
  }
  const keys = [...between.keys()];
  const nodes = zones.core.nodeCount;
  return template(
    cost,
    latency,
    [...out.keys()],
    [...out.values()],
    [...into.keys()],
    [...into.values()],
    keys.map((key) => Math.floor(key / nodes)),
    keys.map((key) => key % nodes),
    [...between.values()],
  );
}

function template(
  cost: number,
  latency: number,
  sourceArcs: ArrayLike<number>,
  sourceShares: ArrayLike<number>,
  targetArcs: ArrayLike<number>,
  targetShares: ArrayLike<number>,
  coreFrom: ArrayLike<number>,
  coreTo: ArrayLike<number>,
  coreShares: ArrayLike<number>,
): RouteTemplate {
  return {
    cost,
    latency,
    sourceArcs: Int32Array.from(sourceArcs),
    sourceShares: Float64Array.from(sourceShares),
    targetArcs: Int32Array.from(targetArcs),
    targetShares: Float64Array.from(targetShares),
    coreFrom: Int32Array.from(coreFrom),
    coreTo: Int32Array.from(coreTo),
    coreShares: Float64Array.from(coreShares),
  };
}

const sortedBy = (costs: Float64Array): Int32Array => Int32Array.from(costs, (_, i) => i).sort((i, j) => costs[i] - costs[j] || i - j);

/**
 * The route between two GPUs with every arc and its share of the traffic.
 *
 * @throws FabricPlanError `invalid-argument` for ids that are no GPU, `unreachable` where there is no way
 * @example
 * routeBetween(routes, 'a', 'b').arcs.length // 1
 */
export function routeBetween(routes: Routes, source: string, target: string): Route {
  const gpuOf = (id: string): number => {
    const device = routes.fabric.indexOf(id);
    const gpu = device === undefined ? -1 : routes.fabric.compiled.gpuOfDevice[device];
    if (gpu < 0) throw invalidArgument('routeBetween', 'end', id, 'the id of a GPU of the fabric');
    return gpu;
  };
  return expandRoute(routes, gpuOf(source), gpuOf(target));
}

/** The arcs behind a template for one pair of GPU indices. */
export function expandRoute(routes: Routes, source: number, target: number): Route {
  const { zones, core, fabric } = routes;
  const empty: Route = { cost: 0, latency: 0, arcs: new Int32Array(0), shares: new Float64Array(0) };
  if (source === target) return empty;
  const one = routes.template(source, target);
  const shares = new Map<number, number>();
  const add = (arc: number, share: number): void => {
    shares.set(arc, (shares.get(arc) ?? 0) + share);
  };
  const from = zones.zones[zones.zoneOf[fabric.compiled.gpus[source]]];
  const to = zones.zones[zones.zoneOf[fabric.compiled.gpus[target]]];
  one.sourceArcs.forEach((arc, i) => {
    add(from.arcs[arc], one.sourceShares[i]);
  });
  one.coreShares.forEach((share, i) => {
    const middle = core.shares(one.coreFrom[i], one.coreTo[i])!;
    middle.arcs.forEach((arc, j) => {
      add(zones.coreArcs[arc], share * middle.shares[j]);
    });
  });
  one.targetArcs.forEach((arc, i) => {
    add(to.arcs[arc], one.targetShares[i]);
  });
  return { cost: one.cost, latency: one.latency, arcs: Int32Array.from(shares.keys()), shares: Float64Array.from(shares.values()) };
}
