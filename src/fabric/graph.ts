import { MultiDirectedGraph } from 'graphology';
import type { AbstractGraph } from 'graphology-types';
import { invalidArgument } from '../errors.js';
import { createFabric } from './create-fabric.js';
import type { DeviceSpec, Fabric, LinkSpec } from './types.js';

/**
 * The fabric as a graphology multigraph: one node per device, one directed edge per direction of a link.
 *
 * Node attributes are the fields of the device; edge attributes those of the link, with `link` (its id), `bandwidth` (usable bytes per
 * second of all cables in this direction) and `latency`. Built when asked for and independent of the fabric afterwards.
 *
 * @complexity O(devices + links); about 2 µs and 600 bytes an edge, so avoid it for fabrics of a million links
 * @example
 * toGraphology(fabric).order // 2
 */
export function toGraphology(fabric: Fabric): AbstractGraph {
  const graph = new MultiDirectedGraph();
  graph.setAttribute('name', fabric.name);
  graph.setAttribute('levels', fabric.levels);
  for (const { id, ...attributes } of fabric.devices) graph.addNode(id, attributes);
  const { arcCount, arcLink, arcSource, arcTarget, arcBandwidth, arcLatency } = fabric.compiled;
  for (let arc = 0; arc < arcCount; arc++) {
    const link = fabric.links[arcLink[arc]];
    const source = fabric.devices[arcSource[arc]].id;
    const target = fabric.devices[arcTarget[arc]].id;
    const isForward = source === link.source;
    graph.addDirectedEdgeWithKey(isForward ? `${link.id}:forward` : `${link.id}:reverse`, source, target, {
      link: link.id,
      spec: link,
      bandwidth: arcBandwidth[arc],
      latency: arcLatency[arc],
    });
  }
  return graph;
}

/**
 * A fabric from a graphology graph with the attributes that {@link toGraphology} writes, or with plain `bandwidth` and `latency`
 * (seconds) on edges and `kind` on nodes. Undirected edges become duplex links, directed ones without `spec` one-way links.
 *
 * @throws FabricPlanError `invalid-argument` where an edge lacks a bandwidth or latency: nothing is guessed
 * @example
 * fromGraphology(toGraphology(fabric)).gpuIds // ['a', 'b']
 */
export function fromGraphology(graph: AbstractGraph): Fabric {
  const attributes = graph.getAttributes() as { name?: string; levels?: readonly string[] };
  const devices = graph.mapNodes((id, fields) => ({ location: [], ...fields, id }) as unknown as DeviceSpec);
  const links = new Map<string, LinkSpec>();
  graph.forEachEdge((key, fields, source, target, _source, _target, isUndirected) => {
    const spec = fields['spec'] as LinkSpec | undefined;
    if (spec !== undefined) {
      links.set(spec.id, spec);
      return;
    }
    const { bandwidth, latency } = fields as { bandwidth?: number; latency?: number };
    if (bandwidth === undefined) throw invalidArgument('fromGraphology', `bandwidth of edge "${key}"`, bandwidth, 'bytes per second');
    if (latency === undefined) throw invalidArgument('fromGraphology', `latency of edge "${key}"`, latency, 'seconds');
    links.set(key, { id: key, source, target, bandwidth, latency, duplex: isUndirected });
  });
  return createFabric({ name: attributes.name ?? 'graph', levels: attributes.levels ?? [], devices, links: [...links.values()] });
}
