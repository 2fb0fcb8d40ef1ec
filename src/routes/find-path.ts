import { DirectedGraph } from 'graphology';
import { bidirectional } from 'graphology-shortest-path/dijkstra.js';
import { FabricPlanError, invalidArgument } from '../errors.js';
import type { Seconds } from '../quantities.js';
import type { Routes } from './compute-routes.js';

/** One shortest path, for people: the devices and links in order. */
export interface FoundPath {
  readonly devices: readonly string[];
  readonly links: readonly string[];
  /** Routing cost: the sum over links of latency + referenceBytes / cable rate. */
  readonly cost: Seconds;
  readonly latency: Seconds;
}

/**
 * One shortest path between any two devices, found by graphology-shortest-path on a graph of the two ends' nodes and the switches.
 *
 * For people and for checking; it builds a graph at every call. Loops use {@link computeRoutes}, whose costs agree with it.
 *
 * @throws FabricPlanError `invalid-argument` for unknown devices, `unreachable` where there is no way
 * @complexity O(switches + their links) per call
 * @example
 * findPath(routes, 'a', 'b').devices // ['a', 'b']
 */
export function findPath(routes: Routes, source: string, target: string): FoundPath {
  const { fabric, zones, arcCost } = routes;
  const { arcSource, arcTarget, arcCount, arcLatency, arcLink } = fabric.compiled;
  const from = deviceIndex(routes, source);
  const to = deviceIndex(routes, target);
  if (from === to) return { devices: [source], links: [], cost: 0, latency: 0 };
  // Layers make the rule "hosts do not forward for others" part of the graph: source's zone, core, target's zone.
  const graph = new DirectedGraph();
  const addArc = (a: string, b: string, arc: number): void => {
    // Parallel links between two devices become one edge that remembers the cheapest.
    const known = graph.hasDirectedEdge(a, b) ? (graph.getDirectedEdgeAttribute(a, b, 'cost') as number) : Infinity;
    if (arcCost[arc] < known) graph.mergeDirectedEdge(a, b, { cost: arcCost[arc], arc });
  };
  for (let arc = 0; arc < arcCount; arc++) {
    const a = arcSource[arc];
    const b = arcTarget[arc];
    const zoneA = zones.zoneOf[a];
    const zoneB = zones.zoneOf[b];
    if (zoneA < 0 && zoneB < 0) addArc(`core:${a}`, `core:${b}`, arc);
    else if (zoneA >= 0 && zoneA === zoneB) {
      if (zoneA === zones.zoneOf[from]) addArc(`from:${a}`, `from:${b}`, arc);
      if (zoneA === zones.zoneOf[to]) addArc(`to:${a}`, `to:${b}`, arc);
    } else if (zoneB < 0 && zoneA === zones.zoneOf[from]) addArc(`from:${a}`, `core:${b}`, arc);
    else if (zoneA < 0 && zoneB === zones.zoneOf[to]) addArc(`core:${a}`, `to:${b}`, arc);
  }
  const layer = (device: number, end: 'from' | 'to'): string => `${zones.zoneOf[device] < 0 ? 'core' : end}:${device}`;
  const start = layer(from, 'from');
  const ends = zones.zoneOf[from] === zones.zoneOf[to] && zones.zoneOf[to] >= 0 ? [`from:${to}`, `to:${to}`] : [layer(to, 'to')];
  const found = ends
    .filter((end) => graph.hasNode(start) && graph.hasNode(end))
    .map((end) => bidirectional(graph, start, end, 'cost') as string[] | null)
    .filter((path) => path !== null)
    .map((path) => describePath(path))
    .sort((a, b) => a.cost - b.cost);
  if (found.length === 0)
    throw new FabricPlanError('unreachable', `findPath: there is no way from "${source}" to "${target}"; expected links that connect them`);
  return found[0];

  function describePath(path: readonly string[]): FoundPath {
    const arcs = path.slice(1).map((node, i) => graph.getDirectedEdgeAttribute(path[i], node, 'arc') as number);
    return {
      devices: path.map((node) => fabric.devices[Number(node.slice(node.indexOf(':') + 1))].id),
      links: arcs.map((arc) => fabric.links[arcLink[arc]].id),
      cost: arcs.reduce((sum, arc) => sum + arcCost[arc], 0),
      latency: arcs.reduce((sum, arc) => sum + arcLatency[arc], 0),
    };
  }
}

function deviceIndex(routes: Routes, id: string): number {
  const index = routes.fabric.indexOf(id);
  if (index === undefined) throw invalidArgument('findPath', 'end', id, 'the id of a device of the fabric');
  return index;
}
