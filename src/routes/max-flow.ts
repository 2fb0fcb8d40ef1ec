import { invalidArgument } from '../errors.js';
import type { Fabric } from '../fabric/types.js';
import type { BytesPerSecond } from '../quantities.js';

/** The largest flow between two devices and a cut that limits it. */
export interface MaxFlow {
  readonly bandwidth: BytesPerSecond;
  /** Devices on the source's side of a smallest cut. */
  readonly sourceSide: readonly string[];
  /** Ids of the links that cross the cut, and the usable rate of all of them. */
  readonly cutLinks: readonly string[];
  readonly cutBandwidth: BytesPerSecond;
}

/**
 * Largest rate between two devices over all paths at once, with the smallest cut that limits it (Dinic's algorithm).
 *
 * @throws FabricPlanError `invalid-argument` for unknown or equal devices
 * @complexity O(devices² · links) at worst, near O(links · √devices) on fabrics
 * @example
 * computeMaxFlow(fabric, 'a', 'b').bandwidth // 50000000000
 */
export function computeMaxFlow(fabric: Fabric, source: string, target: string): MaxFlow {
  const s = fabric.indexOf(source);
  const t = fabric.indexOf(target);
  if (s === undefined) throw invalidArgument('computeMaxFlow', 'source', source, 'the id of a device');
  if (t === undefined) throw invalidArgument('computeMaxFlow', 'target', target, 'the id of a device');
  if (s === t) throw invalidArgument('computeMaxFlow', 'target', target, 'a device other than the source');
  const { deviceCount, arcCount, arcSource, arcTarget, arcBandwidth, arcLink } = fabric.compiled;
  const network = createFlowNetwork(deviceCount);
  for (let arc = 0; arc < arcCount; arc++) network.addArc(arcSource[arc], arcTarget[arc], arcBandwidth[arc]);
  const bandwidth = network.maximise(s, t);
  const side = network.sourceSide(s);
  const cutLinks = new Set<string>();
  let cutBandwidth = 0;
  for (let arc = 0; arc < arcCount; arc++) {
    if (side[arcSource[arc]] === 0 || side[arcTarget[arc]] === 1) continue;
    cutLinks.add(fabric.links[arcLink[arc]].id);
    cutBandwidth += arcBandwidth[arc];
  }
  return {
    bandwidth,
    sourceSide: fabric.devices.filter((_, i) => side[i] === 1).map((device) => device.id),
    cutLinks: [...cutLinks],
    cutBandwidth,
  };
}

/** A flow network over integers 0…n−1 with real capacities. */
export interface FlowNetwork {
  /** Adds an arc and returns its number. */
  addArc(source: number, target: number, capacity: number): number;
  /** Changes the capacity of an arc for later calls. */
  setCapacity(arc: number, capacity: number): void;
  /** Largest flow; starts afresh at every call. Stops early once the flow reaches `enough`. */
  maximise(source: number, target: number, enough?: number): number;
  /** After `maximise`: 1 for nodes that a node still reaches over arcs with more than `least` room (default: any that counts). */
  sourceSide(source: number, least?: number): Uint8Array;
  /**
   * After `maximise`: groups of nodes that reach each other over arcs with room left, by number; numbers grow from groups that reach none
   * of the others upwards. Arcs with less room than `least` count as full.
   */
  components(least: number): Int32Array;
  /** After `maximise`: calls back for every arc with at least `least` room. */
  forEachOpenArc(least: number, visit: (source: number, target: number) => void): void;
}

/** Dinic's algorithm with an iterative search; capacities below 1e-12 of the largest count as none. */
export function createFlowNetwork(nodeCount: number): FlowNetwork {
  // Arc i and its reverse i ^ 1 are neighbours in these lists.
  const to: number[] = [];
  const capacity: number[] = [];
  const next: number[] = [];
  const head = new Int32Array(nodeCount).fill(-1);
  let rest = new Float64Array(0);
  let negligible = 0;
  const level = new Int32Array(nodeCount);
  const cursor = new Int32Array(nodeCount);
  const queue = new Int32Array(nodeCount);
  const addHalf = (source: number, target: number, value: number): void => {
    next.push(head[source]);
    head[source] = to.push(target) - 1;
    capacity.push(value);
  };
  const levels = (source: number, target: number): boolean => {
    level.fill(-1);
    level[source] = 0;
    queue[0] = source;
    for (let first = 0, last = 1; first < last; first++) {
      for (let arc = head[queue[first]]; arc >= 0; arc = next[arc]) {
        if (rest[arc] <= negligible || level[to[arc]] >= 0) continue;
        level[to[arc]] = level[queue[first]] + 1;
        if (to[arc] === target) return true;
        queue[last++] = to[arc];
      }
    }
    return false;
  };
  const augment = (source: number, target: number): number => {
    const path: number[] = [];
    let node = source;
    for (;;) {
      if (node === target) {
        let pushed = Infinity;
        for (const arc of path) pushed = Math.min(pushed, rest[arc]);
        for (const arc of path) {
          rest[arc] -= pushed;
          rest[arc ^ 1] += pushed;
        }
        return pushed;
      }
      let arc = cursor[node];
      while (arc >= 0 && (rest[arc] <= negligible || level[to[arc]] !== level[node] + 1)) arc = next[arc];
      cursor[node] = arc;
      if (arc >= 0) {
        path.push(arc);
        node = to[arc];
      } else if (path.length === 0) return 0;
      else {
        level[node] = -1;
        node = to[path.pop()! ^ 1];
      }
    }
  };
  return {
    addArc(source, target, value) {
      addHalf(source, target, value);
      addHalf(target, source, 0);
      return to.length - 2;
    },
    setCapacity(arc, value) {
      capacity[arc] = value;
    },
    maximise(source, target, enough = Infinity) {
      rest = Float64Array.from(capacity);
      let largest = 0;
      for (const value of capacity) if (Number.isFinite(value)) largest = Math.max(largest, value);
      negligible = largest * 1e-12;
      let flow = 0;
      while (flow < enough && levels(source, target)) {
        cursor.set(head);
        for (let pushed = augment(source, target); pushed > 0; pushed = augment(source, target)) {
          flow += pushed;
          if (flow === Infinity) return flow;
        }
      }
      return flow;
    },
    sourceSide(source, least = negligible) {
      const side = new Uint8Array(nodeCount);
      side[source] = 1;
      queue[0] = source;
      for (let first = 0, last = 1; first < last; first++) {
        for (let arc = head[queue[first]]; arc >= 0; arc = next[arc]) {
          if (rest[arc] <= least || side[to[arc]] === 1) continue;
          side[to[arc]] = 1;
          queue[last++] = to[arc];
        }
      }
      return side;
    },
    components: (least) => strongComponents(nodeCount, head, next, to, (arc) => rest[arc] > least),
    forEachOpenArc(least, visit) {
      for (let arc = 0; arc < to.length; arc++) if (rest[arc] > least) visit(to[arc ^ 1], to[arc]);
    },
  };
}

/** Tarjan's strongly connected components without recursion. */
function strongComponents(
  nodeCount: number,
  head: Int32Array,
  next: readonly number[],
  to: readonly number[],
  isOpen: (arc: number) => boolean,
): Int32Array {
  const component = new Int32Array(nodeCount).fill(-1);
  const order = new Int32Array(nodeCount).fill(-1);
  const lowest = new Int32Array(nodeCount);
  const cursor = Int32Array.from(head);
  const stack: number[] = [];
  const path: number[] = [];
  let seen = 0;
  let found = 0;
  for (let root = 0; root < nodeCount; root++) {
    if (order[root] !== -1) continue;
    path.push(root);
    stack.push(root);
    order[root] = lowest[root] = seen++;
    while (path.length > 0) {
      const node = path[path.length - 1];
      const arc = cursor[node];
      if (arc === -1) {
        path.pop();
        if (lowest[node] === order[node]) {
          for (let member = -1; member !== node;) {
            member = stack.pop() ?? node;
            component[member] = found;
          }
          found++;
        }
        const parent = path.at(-1);
        if (parent !== undefined) lowest[parent] = Math.min(lowest[parent], lowest[node]);
        continue;
      }
      cursor[node] = next[arc];
      if (!isOpen(arc)) continue;
      const target = to[arc];
      if (order[target] === -1) {
        path.push(target);
        stack.push(target);
        order[target] = lowest[target] = seen++;
      } else if (component[target] === -1) lowest[node] = Math.min(lowest[node], order[target]);
    }
  }
  return component;
}
