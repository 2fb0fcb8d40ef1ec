import type { Bytes, Seconds } from '../quantities.js';
import type { Routes } from './compute-routes.js';

/**
 * Adds up the bytes that concurrent transfers put on every arc. Reused between phases: `reset` clears only what was touched.
 */
export interface LoadMeter {
  /** Sends bytes between two GPU indices over their route; returns the latency of the route. */
  add(source: number, target: number, bytes: Bytes): Seconds;
  /** Bytes on one arc of the fabric directly. */
  addArc(arc: number, bytes: Bytes): void;
  /** Bytes between two core nodes over their equal-cost paths. */
  addCore(from: number, to: number, bytes: Bytes): void;
  /** The arc that takes longest for its bytes, and how long; arc −1 when nothing was sent. */
  bottleneck(): { readonly arc: number; readonly seconds: Seconds };
  /** Bytes on an arc so far. Call after `bottleneck` or `settle`. */
  bytesOn(arc: number): Bytes;
  /** Arcs that carry anything. Call after `bottleneck` or `settle`. */
  touched(): readonly number[];
  /** Spreads what waits between switches. */
  settle(): void;
  reset(): void;
}

/**
 * @complexity `add` O(arcs inside the two nodes); `bottleneck` O(arcs touched + distinct switch pairs × arcs on their paths)
 */
export function createLoadMeter(routes: Routes): LoadMeter {
  const { compiled } = routes.fabric;
  const { zones, core, gpuZone, zoneArcs } = routes;
  const load = new Float64Array(compiled.arcCount);
  const seen = new Uint8Array(compiled.arcCount);
  const touched: number[] = [];
  const between = new Map<number, number>();
  const coreCount = zones.core.nodeCount;
  const addArc = (arc: number, bytes: number): void => {
    if (seen[arc] === 0) {
      seen[arc] = 1;
      touched.push(arc);
    }
    load[arc] += bytes;
  };
  const addCore = (from: number, to: number, bytes: number): void => {
    if (from === to) return;
    const key = from * coreCount + to;
    between.set(key, (between.get(key) ?? 0) + bytes);
  };
  const settle = (): void => {
    for (const [key, bytes] of between) {
      const paths = core.shares(Math.floor(key / coreCount), key % coreCount)!;
      for (let i = 0; i < paths.arcs.length; i++) addArc(zones.coreArcs[paths.arcs[i]], bytes * paths.shares[i]);
    }
    between.clear();
  };
  return {
    addArc,
    addCore,
    settle,
    add(source, target, bytes) {
      const one = routes.template(source, target);
      const sourceArcs = zoneArcs[gpuZone[source]];
      for (let i = 0; i < one.sourceArcs.length; i++) addArc(sourceArcs[one.sourceArcs[i]], bytes * one.sourceShares[i]);
      if (one.targetArcs.length > 0) {
        const targetArcs = zoneArcs[gpuZone[target]];
        for (let i = 0; i < one.targetArcs.length; i++) addArc(targetArcs[one.targetArcs[i]], bytes * one.targetShares[i]);
      }
      for (let i = 0; i < one.coreShares.length; i++) addCore(one.coreFrom[i], one.coreTo[i], bytes * one.coreShares[i]);
      return one.latency;
    },
    bottleneck() {
      settle();
      let arc = -1;
      let seconds = 0;
      for (const candidate of touched) {
        const time = load[candidate] / compiled.arcBandwidth[candidate];
        // Ties go to the lowest arc, so that the answer does not hang on the order of transfers.
        if (time > seconds || (time === seconds && time > 0 && candidate < arc)) {
          seconds = time;
          arc = candidate;
        }
      }
      return { arc, seconds };
    },
    bytesOn: (arc) => load[arc],
    touched: () => touched,
    reset() {
      for (const arc of touched) {
        load[arc] = 0;
        seen[arc] = 0;
      }
      touched.length = 0;
      between.clear();
    },
  };
}

/** The meter that calls on the same routes share: two arrays as long as the fabric's arcs are not made anew for every question. */
export function borrowMeter(routes: Routes): LoadMeter {
  routes.scratch.meter ??= createLoadMeter(routes);
  routes.scratch.meter.reset();
  return routes.scratch.meter;
}

/** An array of zeros parallel to arcs that calls share; whoever writes to it sets it back to zero. */
export function borrowTotals(routes: Routes): Float64Array {
  routes.scratch.totals ??= new Float64Array(routes.fabric.compiled.arcCount);
  return routes.scratch.totals;
}
