import { invalidArgument } from '../errors.js';
import { gpuIndices } from '../fabric/edit-fabric.js';
import type { BytesPerSecond } from '../quantities.js';
import { expandRoute, type Routes } from './compute-routes.js';

/** A long-running flow between two GPUs. */
export interface Flow {
  readonly source: string;
  readonly target: string;
  /** Relative claim on shared links. Default 1. */
  readonly weight?: number;
  /** Rate it never exceeds. Default: none. */
  readonly cap?: BytesPerSecond;
}

/** A flow as the solver sees it: arcs with the share of its traffic on each. */
export interface ArcFlow {
  readonly arcs: ArrayLike<number>;
  readonly shares: ArrayLike<number>;
  readonly weight: number;
  readonly cap: number;
}

/**
 * Max-min fair rates of competing flows: no flow can gain without taking from one that has no more per unit of weight.
 *
 * @returns bytes per second of each flow, parallel to `flows`; Infinity for a flow from a GPU to itself
 * @throws FabricPlanError `invalid-argument` for unknown GPUs, weights or caps that are not above 0
 * @complexity O(rounds × arcs used), at most one round per flow
 * @reference Bertsekas & Gallager, Data Networks, 2nd ed., section 6.5 (progressive filling)
 * @example
 * shareFairly(routes, [{ source: 'a', target: 'b' }, { source: 'a', target: 'b' }]) // [25000000000, 25000000000]
 */
export function shareFairly(routes: Routes, flows: readonly Flow[]): BytesPerSecond[] {
  const prepared = flows.map((flow, i): ArcFlow => {
    const weight = flow.weight ?? 1;
    const cap = flow.cap ?? Infinity;
    if (!(Number.isFinite(weight) && weight > 0)) throw invalidArgument('shareFairly', `flows[${i}].weight`, weight, 'a number above 0');
    if (!(cap > 0)) throw invalidArgument('shareFairly', `flows[${i}].cap`, cap, 'bytes per second above 0');
    const [from] = gpuIndices(routes.fabric, [flow.source], 'shareFairly');
    const [to] = gpuIndices(routes.fabric, [flow.target], 'shareFairly');
    const { arcs, shares } = expandRoute(routes, from, to);
    return { arcs, shares, weight, cap };
  });
  return Array.from(fillProgressively(routes.fabric.compiled.arcBandwidth, prepared));
}

/** Progressive filling over arc capacities. All rates rise together until an arc is full or a cap is met; those flows are frozen. */
export function fillProgressively(capacity: ArrayLike<number>, flows: readonly ArcFlow[]): Float64Array {
  const rate = new Float64Array(flows.length);
  const users = new Map<number, { flow: number; share: number }[]>();
  flows.forEach(({ arcs, shares }, flow) => {
    for (let i = 0; i < arcs.length; i++) {
      let list = users.get(arcs[i]);
      if (list === undefined) users.set(arcs[i], (list = []));
      list.push({ flow, share: shares[i] });
    }
  });
  const active = flows.map(() => true);
  const remaining = new Map([...users.keys()].map((arc) => [arc, capacity[arc]]));
  // Rate growth per unit of level on each arc; falls as flows freeze.
  const slope = new Map([...users].map(([arc, list]) => [arc, list.reduce((sum, { flow, share }) => sum + share * flows[flow].weight, 0)]));
  let level = 0;
  let left = flows.length;
  const freeze = (flow: number): void => {
    active[flow] = false;
    left--;
    const { arcs, shares, weight } = flows[flow];
    for (let i = 0; i < arcs.length; i++) slope.set(arcs[i], slope.get(arcs[i])! - shares[i] * weight);
  };
  while (left > 0) {
    let rise = Infinity;
    for (const [arc, list] of users) {
      if (!list.some(({ flow }) => active[flow])) continue;
      rise = Math.min(rise, Math.max(0, remaining.get(arc)!) / slope.get(arc)!);
    }
    flows.forEach(({ cap, weight }, flow) => {
      if (active[flow]) rise = Math.min(rise, cap / weight - level);
    });
    if (rise === Infinity) {
      flows.forEach((_, flow) => {
        if (active[flow]) rate[flow] = Infinity;
      });
      return rate;
    }
    level += rise;
    for (const [arc, list] of users)
      if (list.some(({ flow }) => active[flow])) remaining.set(arc, remaining.get(arc)! - rise * slope.get(arc)!);
    const frozen: number[] = [];
    for (const [arc, list] of users) {
      if (remaining.get(arc)! > capacity[arc] * 1e-12) continue;
      for (const { flow } of list) if (active[flow]) frozen.push(flow);
    }
    flows.forEach(({ cap, weight }, flow) => {
      if (active[flow] && level >= (cap / weight) * (1 - 1e-12)) frozen.push(flow);
    });
    for (const flow of new Set(frozen)) {
      rate[flow] = Math.min(level * flows[flow].weight, flows[flow].cap);
      freeze(flow);
    }
  }
  return rate;
}
