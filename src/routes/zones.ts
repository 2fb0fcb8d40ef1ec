import type { Fabric } from '../fabric/types.js';
import { createPathGraph, type PathGraph } from './shortest-paths.js';

/**
 * A zone is what is left connected when switches and gateways are taken away: a node, or a rack that shares a scale-up switch. The
 * switches and gateways are the core. Hosts do not forward for others, so a route is: inside the source's zone, through the core,
 * inside the target's zone. Equal zones share one template; zones on the same switches share one class.
 */
export interface Zones {
  /** Zone of each device, −1 for the core; parallel to devices. */
  readonly zoneOf: Int32Array;
  /** Place of each device in its zone's template, or in the core; parallel to devices. */
  readonly localOf: Int32Array;
  readonly zones: readonly Zone[];
  readonly classes: readonly ZoneClass[];
  readonly core: PathGraph;
  /** Arc of the fabric behind each arc of the core graph. */
  readonly coreArcs: Int32Array;
  /** Device behind each node of the core graph. */
  readonly coreDevices: Int32Array;
}

export interface Zone {
  readonly classIndex: number;
  /** Arcs of the fabric in the template's order: inside, then out of the zone, then into it. */
  readonly arcs: Int32Array;
}

export interface ZoneClass {
  readonly template: ZoneTemplate;
  /** Core node that each outgoing border arc leads to, and each incoming one comes from; parallel to the template's borders. */
  readonly exits: Int32Array;
  readonly entries: Int32Array;
}

export interface ZoneTemplate {
  /** Inside of the zone. Its arc i is arc i of every zone of this template. */
  readonly graph: PathGraph;
  /** Border arcs: the local device, with cost and latency. Outgoing arc i is zone arc `graph arcs + i`. */
  readonly exitDevice: Int32Array;
  readonly exitCost: Float64Array;
  readonly exitLatency: Float64Array;
  /** Incoming arc i is zone arc `graph arcs + exits + i`. */
  readonly entryDevice: Int32Array;
  readonly entryCost: Float64Array;
  readonly entryLatency: Float64Array;
}

const SWITCH_KIND = 5;

/**
 * Splits a fabric into zones and core.
 *
 * @param arcCost routing cost of every arc of the fabric
 * @complexity O(devices + links)
 */
export function createZones(fabric: Fabric, arcCost: Float64Array): Zones {
  const { compiled } = fabric;
  const { deviceCount, kind, arcSource, arcTarget, arcCount } = compiled;
  const isCore = (device: number): boolean => kind[device] >= SWITCH_KIND;
  const root = Int32Array.from({ length: deviceCount }, (_, i) => i);
  const find = (i: number): number => {
    while (root[i] !== i) i = root[i] = root[root[i]];
    return i;
  };
  for (let arc = 0; arc < arcCount; arc++) {
    if (isCore(arcSource[arc]) || isCore(arcTarget[arc])) continue;
    const a = find(arcSource[arc]);
    const b = find(arcTarget[arc]);
    if (a !== b) root[Math.max(a, b)] = Math.min(a, b);
  }
  const zoneOf = new Int32Array(deviceCount).fill(-1);
  const localOf = new Int32Array(deviceCount);
  const members: number[][] = [];
  const coreDevices: number[] = [];
  for (let device = 0; device < deviceCount; device++) {
    if (isCore(device)) {
      localOf[device] = coreDevices.length;
      coreDevices.push(device);
      continue;
    }
    const first = find(device);
    if (first === device) {
      zoneOf[device] = members.length;
      members.push([device]);
    } else {
      zoneOf[device] = zoneOf[first];
      localOf[device] = members[zoneOf[first]].length;
      members[zoneOf[first]].push(device);
    }
  }
  const { core, coreArcs } = createCore(fabric, arcCost, Int32Array.from(coreDevices), localOf, isCore);
  const builder = createZoneBuilder(fabric, arcCost, localOf, isCore);
  const zones = members.map((devices) => builder.add(devices));
  return { zoneOf, localOf, zones, classes: builder.classes, core, coreArcs, coreDevices: Int32Array.from(coreDevices) };
}

function createCore(
  fabric: Fabric,
  arcCost: Float64Array,
  devices: Int32Array,
  localOf: Int32Array,
  isCore: (device: number) => boolean,
): { core: PathGraph; coreArcs: Int32Array } {
  const { outStart, arcTarget, arcLatency, arcBandwidth } = fabric.compiled;
  const arcs: number[] = [];
  for (const device of devices) {
    for (let arc = outStart[device]; arc < outStart[device + 1]; arc++) if (isCore(arcTarget[arc])) arcs.push(arc);
  }
  const coreArcs = Int32Array.from(arcs);
  const core = createPathGraph(devices.length, {
    source: coreArcs.map((arc) => localOf[fabric.compiled.arcSource[arc]]),
    target: coreArcs.map((arc) => localOf[arcTarget[arc]]),
    cost: Float64Array.from(coreArcs, (arc) => arcCost[arc]),
    latency: Float64Array.from(coreArcs, (arc) => arcLatency[arc]),
    bandwidth: Float64Array.from(coreArcs, (arc) => arcBandwidth[arc]),
  });
  return { core, coreArcs };
}

interface ZoneBuilder {
  readonly classes: ZoneClass[];
  add(devices: readonly number[]): Zone;
}

/** Recognises equal zones by a signature of their inside, and equal attachments by template and switches. */
function createZoneBuilder(fabric: Fabric, arcCost: Float64Array, localOf: Int32Array, isCore: (device: number) => boolean): ZoneBuilder {
  const { kind, outStart, inStart, inArcs, arcSource, arcTarget, arcLatency, arcBandwidth } = fabric.compiled;
  const templates = new Map<string, { template: ZoneTemplate; index: number }>();
  const classIndex = new Map<string, number>();
  const classes: ZoneClass[] = [];
  // Distinct (cost, latency, bandwidth) triples by number, so that a signature is a short string of integers.
  const tripleIds = new Map<number, Map<number, Map<number, number>>>();
  let triples = 0;
  const tripleOf = (arc: number): number => {
    const byLatency = getOrAdd(tripleIds, arcCost[arc], () => new Map<number, Map<number, number>>());
    const byBandwidth = getOrAdd(byLatency, arcLatency[arc], () => new Map<number, number>());
    return getOrAdd(byBandwidth, arcBandwidth[arc], () => triples++);
  };
  return {
    classes,
    add(devices) {
      const inside: number[] = [];
      const exits: number[] = [];
      const entries: number[] = [];
      const signature: number[] = [devices.length];
      for (const device of devices) {
        signature.push(-1 - kind[device]);
        for (let arc = outStart[device]; arc < outStart[device + 1]; arc++) {
          if (isCore(arcTarget[arc])) {
            exits.push(arc);
            signature.push(-10, tripleOf(arc));
          } else {
            inside.push(arc);
            signature.push(localOf[arcTarget[arc]], tripleOf(arc));
          }
        }
        for (let at = inStart[device]; at < inStart[device + 1]; at++) {
          if (!isCore(arcSource[inArcs[at]])) continue;
          entries.push(inArcs[at]);
          signature.push(-11, tripleOf(inArcs[at]));
        }
      }
      const key = signature.join();
      let known = templates.get(key);
      if (known === undefined) {
        const graph = createPathGraph(devices.length, {
          source: Int32Array.from(inside, (arc) => localOf[arcSource[arc]]),
          target: Int32Array.from(inside, (arc) => localOf[arcTarget[arc]]),
          cost: Float64Array.from(inside, (arc) => arcCost[arc]),
          latency: Float64Array.from(inside, (arc) => arcLatency[arc]),
          bandwidth: Float64Array.from(inside, (arc) => arcBandwidth[arc]),
        });
        const template: ZoneTemplate = {
          graph,
          exitDevice: Int32Array.from(exits, (arc) => localOf[arcSource[arc]]),
          exitCost: Float64Array.from(exits, (arc) => arcCost[arc]),
          exitLatency: Float64Array.from(exits, (arc) => arcLatency[arc]),
          entryDevice: Int32Array.from(entries, (arc) => localOf[arcTarget[arc]]),
          entryCost: Float64Array.from(entries, (arc) => arcCost[arc]),
          entryLatency: Float64Array.from(entries, (arc) => arcLatency[arc]),
        };
        templates.set(key, (known = { template, index: templates.size }));
      }
      const exitSwitches = exits.map((arc) => localOf[arcTarget[arc]]);
      const entrySwitches = entries.map((arc) => localOf[arcSource[arc]]);
      const attachment = `${known.index}|${exitSwitches.join()}|${entrySwitches.join()}`;
      let index = classIndex.get(attachment);
      if (index === undefined) {
        index =
          classes.push({ template: known.template, exits: Int32Array.from(exitSwitches), entries: Int32Array.from(entrySwitches) }) - 1;
        classIndex.set(attachment, index);
      }
      return { classIndex: index, arcs: Int32Array.from([...inside, ...exits, ...entries]) };
    },
  };
}

function getOrAdd<K, V>(map: Map<K, V>, key: K, create: () => V): V {
  let value = map.get(key);
  if (value === undefined) map.set(key, (value = create()));
  return value;
}
