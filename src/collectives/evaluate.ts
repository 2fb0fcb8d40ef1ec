import type { Seconds } from '../quantities.js';
import type { Routes } from '../routes/compute-routes.js';
import { borrowMeter, borrowTotals, type LoadMeter } from '../routes/load-meter.js';
import { addThroughSwitch } from './through-switch.js';
import type { Phase, Transfers } from './types.js';

/** A phase on a fabric: everything but the size of the message. Time of a step is latency + bytes × secondsPerByte. */
export interface PricedPhase {
  readonly label: string;
  readonly repeat: number;
  /** Steps to fill the pipe; 0 for a phase that is not pipelined. */
  readonly depth: number;
  /** Largest route latency of its transfers, without software costs; undefined where nothing moves. */
  readonly latency: Seconds | undefined;
  readonly secondsPerByte: number;
  /** Largest share × round trip of a transfer: with W bytes in flight on a connection a step takes at least bytes × this / W. */
  readonly roundTrip: Seconds;
  /** Arc that takes longest, −1 for none. */
  readonly arc: number;
  /** Stages passed piece by piece; `secondsPerByte` then is of all of them on the busiest link. */
  readonly stages?: readonly PricedPhase[];
}

/** One set of ranks with its phases; several run at once. */
export interface ScheduledGroup {
  /** GPU index of each position. */
  readonly gpus: Int32Array;
  readonly phases: readonly Phase[];
}

/**
 * The one place that turns phases and routes into seconds: loads of all groups on all links at once, per phase. Groups advance phase
 * by phase together.
 *
 * Within a step transfers share links in proportion to their bytes and finish together, so a step takes the largest route latency plus
 * the longest time any link needs for its bytes. Steps wait for each other.
 *
 * @complexity O(transfers × arcs inside two nodes + distinct switch pairs × arcs between them) per phase
 */
export function pricePhases(routes: Routes, groups: readonly ScheduledGroup[], meter: LoadMeter = borrowMeter(routes)): PricedPhase[] {
  const count = Math.max(0, ...groups.map((group) => group.phases.length));
  const priced: PricedPhase[] = [];
  const lists = [...new Set(groups.map((group) => group.phases))];
  for (let p = 0; p < count; p++) {
    const same = samePhase(lists, p);
    if (same >= 0) {
      priced.push({ ...priced[same], label: lists.find((phases) => p < phases.length)![p].label });
      continue;
    }
    const isStaged = lists.some((phases) => phases[p]?.stages !== undefined);
    priced.push(isStaged ? priceStages(routes, groups, p, meter) : priceOne(routes, groups, p, meter));
  }
  return priced;
}

/** An earlier phase with the same transfers in all groups: an all-gather repeats its reduce-scatter. −1 for none. */
function samePhase(lists: readonly (readonly Phase[])[], p: number): number {
  for (let q = 0; q < p; q++) {
    if (
      lists.every(
        (phases) =>
          phases[p]?.stages === undefined &&
          phases[q]?.transfers === phases[p]?.transfers &&
          phases[q]?.repeat === phases[p]?.repeat &&
          phases[q]?.depth === phases[p]?.depth,
      )
    )
      return q;
  }
  return -1;
}

/** Loads of one phase of all groups; the meter holds them afterwards. */
function priceOne(routes: Routes, groups: readonly ScheduledGroup[], p: number, meter: LoadMeter): PricedPhase {
  meter.reset();
  let latency: number | undefined;
  let roundTrip = 0;
  let repeat = 1;
  let depth = 0;
  let label = '';
  for (const { gpus, phases } of groups) {
    const phase = phases[p] as Phase | undefined;
    if (phase === undefined) continue;
    label = phase.label;
    repeat = Math.max(repeat, phase.repeat ?? 1);
    depth = Math.max(depth, phase.depth ?? 0);
    const reached =
      'everyPair' in phase.transfers
        ? addEveryPair(routes, meter, gpus, phase.transfers.everyPair)
        : addTransfers(routes, meter, gpus, phase.transfers);
    if (reached === undefined) continue;
    latency = Math.max(latency ?? 0, reached.latency);
    roundTrip = Math.max(roundTrip, reached.roundTrip);
  }
  const { arc, seconds } = meter.bottleneck();
  return { label, repeat, depth, latency, secondsPerByte: seconds, roundTrip, arc };
}

/** Prices every stage, and the link that all stages together keep busy longest. */
function priceStages(routes: Routes, groups: readonly ScheduledGroup[], p: number, meter: LoadMeter): PricedPhase {
  const inner = groups.map(({ gpus, phases }): ScheduledGroup => ({ gpus, phases: phases[p]?.stages ?? [] }));
  const lists = [...new Set(inner.map((group) => group.phases))];
  const count = Math.max(...lists.map((phases) => phases.length));
  const stages: PricedPhase[] = [];
  const { arcBandwidth } = routes.fabric.compiled;
  // Bytes of all stages on each arc: a stage that is repeated later (all-gather) is counted with the first.
  const first = Array.from({ length: count }, (_, s) => samePhase(lists, s));
  const total = borrowTotals(routes);
  const touched: number[] = [];
  for (let s = 0; s < count; s++) {
    if (first[s] >= 0) {
      stages.push({ ...stages[first[s]], label: lists.find((phases) => s < phases.length)![s].label });
      continue;
    }
    const stage = priceOne(routes, inner, s, meter);
    stages.push(stage);
    const weight = stage.repeat * (1 + first.filter((earlier) => earlier === s).length);
    for (const arc of meter.touched()) {
      if (total[arc] === 0) touched.push(arc);
      total[arc] += meter.bytesOn(arc) * weight;
    }
  }
  let arc = -1;
  let secondsPerByte = 0;
  for (const candidate of touched) {
    const seconds = total[candidate] / arcBandwidth[candidate];
    if (seconds > secondsPerByte || (seconds === secondsPerByte && candidate < arc)) {
      secondsPerByte = seconds;
      arc = candidate;
    }
    total[candidate] = 0;
  }
  const reached = stages.flatMap(({ latency }) => (latency === undefined ? [] : [latency]));
  return {
    label: groups[0].phases[p].label,
    repeat: 1,
    depth: 0,
    latency: reached.length === 0 ? undefined : Math.max(...reached),
    secondsPerByte,
    roundTrip: stages.reduce((sum, stage) => sum + stage.repeat * stage.roundTrip, 0),
    arc,
    stages,
  };
}

/** Largest latency of the transfers of a phase, and largest share × round trip. */
interface Reach {
  readonly latency: Seconds;
  readonly roundTrip: Seconds;
}

function addTransfers(routes: Routes, meter: LoadMeter, gpus: Int32Array, transfers: Transfers): Reach | undefined {
  const { source, target, share } = transfers;
  let latency: number | undefined;
  let roundTrip = 0;
  let throughSwitch = false;
  for (let t = 0; t < source.length; t++) {
    if (source[t] === gpus.length || target[t] === gpus.length) {
      throughSwitch = true;
      continue;
    }
    const reached = meter.add(gpus[source[t]], gpus[target[t]], share[t]);
    if (latency === undefined || reached > latency) latency = reached;
    if (2 * reached * share[t] > roundTrip) roundTrip = 2 * reached * share[t];
  }
  if (throughSwitch) return { latency: addThroughSwitch(routes, meter, gpus, transfers), roundTrip: 0 };
  return latency === undefined ? undefined : { latency, roundTrip };
}

/** Every ordered pair sends the same share. Enumerated by pair; aggregated by node class, see {@link addByClass}, when large. */
function addEveryPair(routes: Routes, meter: LoadMeter, gpus: Int32Array, share: number): Reach | undefined {
  if (gpus.length < 2) return undefined;
  let latency = 0;
  if (gpus.length > 64) {
    latency = addByClass(routes, meter, gpus, share);
    return { latency, roundTrip: 2 * latency * share };
  }
  for (const a of gpus) for (const b of gpus) if (a !== b) latency = Math.max(latency, meter.add(a, b, share));
  return { latency, roundTrip: 2 * latency * share };
}

/**
 * All-to-all without enumerating pairs: ranks in the same place of nodes of the same class behave alike, so the load of a node is
 * computed once per (class, class, place, place) and multiplied by the number of partners.
 *
 * @complexity O(classes² × places² + nodes × arcs of a node)
 */
function addByClass(routes: Routes, meter: LoadMeter, gpus: Int32Array, share: number): number {
  const { zones, fabric } = routes;
  const { compiled } = fabric;
  // Ranks by zone; zones by class and occupied places.
  const members = new Map<number, number[]>();
  for (const gpu of gpus) {
    const zone = zones.zoneOf[compiled.gpus[gpu]];
    const list = members.get(zone);
    if (list === undefined) members.set(zone, [gpu]);
    else list.push(gpu);
  }
  const kinds = new Map<string, { zones: number[]; example: number[] }>();
  for (const [zone, list] of members) {
    const key = `${zones.zones[zone].classIndex}:${list.map((gpu) => zones.localOf[compiled.gpus[gpu]]).join()}`;
    const kind = kinds.get(key);
    if (kind === undefined) kinds.set(key, { zones: [zone], example: list });
    else kind.zones.push(zone);
  }
  const list = [...kinds.values()];
  let latency = 0;
  for (const { zones: here, example } of list) {
    // Load on the arcs of one zone of this kind, as sender and as receiver.
    const load = new Map<number, number>();
    const addTo = (arc: number, bytes: number): void => {
      load.set(arc, (load.get(arc) ?? 0) + bytes);
    };
    for (const a of example) for (const b of example) if (a !== b) latency = Math.max(latency, meterInside(a, b, addTo));
    for (const other of list) {
      const partners = other.zones.length - (other.example === example ? 1 : 0);
      if (partners === 0) continue;
      const partner = other.example === example ? shifted(other.zones, members) : other.example;
      for (const a of example) {
        for (const b of partner) {
          const out = routes.template(a, b);
          latency = Math.max(latency, out.latency);
          out.sourceArcs.forEach((arc, i) => {
            addTo(arc, out.sourceShares[i] * share * partners);
          });
          out.coreShares.forEach((part, i) => {
            meter.addCore(out.coreFrom[i], out.coreTo[i], part * share * partners * here.length);
          });
          const back = routes.template(b, a);
          back.targetArcs.forEach((arc, i) => {
            addTo(arc, back.targetShares[i] * share * partners);
          });
        }
      }
    }
    for (const zone of here) {
      const { arcs } = zones.zones[zone];
      for (const [arc, bytes] of load) meter.addArc(arcs[arc], bytes);
    }
  }
  return latency;

  function meterInside(a: number, b: number, addTo: (arc: number, bytes: number) => void): number {
    const inside = routes.template(a, b);
    inside.sourceArcs.forEach((arc, i) => {
      addTo(arc, inside.sourceShares[i] * share);
    });
    inside.targetArcs.forEach((arc, i) => {
      addTo(arc, inside.targetShares[i] * share);
    });
    inside.coreShares.forEach((part, i) => {
      const zoneCount = list.find((kind) => kind.example.includes(a))!.zones.length;
      meter.addCore(inside.coreFrom[i], inside.coreTo[i], part * share * zoneCount);
    });
    return inside.latency;
  }
}

/** Members of another zone of the same kind. */
const shifted = (zones: readonly number[], members: ReadonlyMap<number, number[]>): number[] => members.get(zones[1])!;
