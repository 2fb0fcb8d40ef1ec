import type { Seconds } from '../../quantities.js';
import { expandRoute, type Routes } from '../../routes/compute-routes.js';
import type { ArcFlow } from '../../routes/max-min-share.js';
import type { CollectivePhysics } from '../types.js';
import { Progress, type TransferList } from './progress.js';
import { createRateSolver } from './rate-solver.js';
import { createTimeHeap } from './time-heap.js';

/** A pair of GPUs with its route, shared by all transfers between them. */
interface Pair extends ArcFlow {
  readonly latency: Seconds;
}

/** Equal within this share of the time passed. */
const TOGETHER = 1e-12;

/** Remembered rate sets; a collective meets the same few again and again. */
const MOST_REMEMBERED = 256;

/** Routes of all pairs that occur, each once per weight; `pairOf` is parallel to all transfers. */
function findPairs(
  routes: Routes,
  lists: readonly TransferList[],
  window: number,
): { readonly pairs: Pair[]; readonly pairOf: Int32Array } {
  const pairs: Pair[] = [];
  const pairOf = new Int32Array(lists.reduce((sum, { source }) => sum + source.length, 0));
  let next = 0;
  for (const { gpus, source, target, weight } of lists) {
    const known = new Map<number, number>();
    for (let t = 0; t < source.length; t++) {
      const key = source[t] * gpus.length + target[t];
      let pair = known.get(key);
      if (pair === undefined) {
        const { arcs, shares, latency } = expandRoute(routes, gpus[source[t]], gpus[target[t]]);
        known.set(key, (pair = pairs.length));
        pairs.push({ arcs, shares, latency, weight, cap: latency > 0 ? window / (2 * latency) : Infinity });
      }
      pairOf[next++] = pair;
    }
  }
  return { pairs, pairOf };
}

/**
 * All transfers in flight share links max-min fairly. Rates are worked out when the set of transfers changes; a set met before keeps its
 * rates, so regular collectives cost little more than counting.
 */
export function runFlows(
  routes: Routes,
  lists: readonly TransferList[],
  physics: CollectivePhysics,
  mostEvents: number,
): { ends: Float64Array; events: number } {
  const progress = new Progress(lists);
  const { pairs, pairOf } = findPairs(routes, lists, physics.window);
  const bytes = concatenated(lists);
  const heap = createTimeHeap();
  const starts = lists.map(({ start }, job) => ({ start, job })).sort((a, b) => a.start - b.start);
  // Transfers in flight, and what each has left.
  let active: number[] = [];
  const left = new Float64Array(bytes.length);
  const solver = createRateSolver(routes.fabric.compiled.arcBandwidth, pairs);
  const signatures = new Map<string, Float64Array>();
  const marks = Uint32Array.from(pairs, (_, i) => mixed(i + 1));
  const marks2 = Uint32Array.from(pairs, (_, i) => mixed(i + 0x9e3779b9));
  let now = 0;
  let events = 0;
  let rates: Float64Array = new Float64Array(0);
  let dirty = true;
  const done: number[] = [];
  const ready = (transfer: number): void => {
    heap.push(now + pairs[pairOf[transfer]].latency + physics.step, transfer);
  };
  for (let begun = 0; ;) {
    if (dirty) rates = ratesOf(active);
    let next = Math.min(heap.peek(), begun < starts.length ? starts[begun].start + physics.launch : Infinity);
    for (let i = 0; i < active.length; i++) next = Math.min(next, now + left[active[i]] / rates[i]);
    if (next === Infinity || events >= mostEvents) break;
    events++;
    const limit = next * (1 + TOGETHER);
    const kept: number[] = [];
    done.length = 0;
    for (let i = 0; i < active.length; i++) {
      const transfer = active[i];
      if (now + left[transfer] / rates[i] <= limit) done.push(transfer);
      else {
        left[transfer] -= rates[i] * (next - now);
        kept.push(transfer);
      }
    }
    dirty = done.length > 0;
    active = kept;
    now = next;
    while (begun < starts.length && starts[begun].start + physics.launch <= limit) progress.begin(starts[begun++].job, now, ready);
    while (heap.peek() <= limit) {
      const transfer = heap.pop();
      if (bytes[transfer] > 0) {
        left[transfer] = bytes[transfer];
        active.push(transfer);
        dirty = true;
      } else done.push(transfer);
    }
    for (const transfer of done) progress.finish(transfer, now, ready);
  }
  return { ends: progress.ends, events };

  function ratesOf(transfers: readonly number[]): Float64Array {
    // Two sums of mixed pair numbers tell sets apart whatever their order.
    let [a, b] = [0, 0];
    for (const transfer of transfers) {
      a = (a + marks[pairOf[transfer]]) >>> 0;
      b = (b + marks2[pairOf[transfer]]) >>> 0;
    }
    const key = `${transfers.length} ${a} ${b}`;
    let ofPair = signatures.get(key);
    if (ofPair === undefined) {
      const solved = solver.solve(transfers, pairOf);
      ofPair = new Float64Array(pairs.length);
      transfers.forEach((transfer, i) => ((ofPair as Float64Array)[pairOf[transfer]] = solved[i]));
      if (signatures.size < MOST_REMEMBERED) signatures.set(key, ofPair);
    }
    const rates = new Float64Array(transfers.length);
    for (let i = 0; i < rates.length; i++) rates[i] = ofPair[pairOf[transfers[i]]];
    return rates;
  }
}

/**
 * Links send one whole transfer after the other, in order of arrival; a device passes it on once it has all of it. Of equal-cost routes a
 * pair takes one.
 */
export function runMessages(
  routes: Routes,
  lists: readonly TransferList[],
  physics: CollectivePhysics,
  mostEvents: number,
): { ends: Float64Array; events: number } {
  const { arcBandwidth, arcLatency } = routes.fabric.compiled;
  const progress = new Progress(lists);
  const { pairs, pairOf } = findPairs(routes, lists, physics.window);
  const bytes = concatenated(lists);
  const paths = pairs.map((pair, i) => pathOf(routes, pair, i));
  const hop = new Int16Array(bytes.length);
  const busyUntil = new Float64Array(routes.fabric.compiled.arcCount);
  const heap = createTimeHeap();
  const ready = (transfer: number): void => {
    heap.push(now + physics.step, transfer);
  };
  let now = 0;
  let events = 0;
  const starts = lists.map(({ start }, job) => ({ start, job })).sort((a, b) => a.start - b.start);
  for (let begun = 0; ;) {
    const nextStart = begun < starts.length ? starts[begun].start + physics.launch : Infinity;
    const next = Math.min(heap.peek(), nextStart);
    if (next === Infinity || events >= mostEvents) break;
    events++;
    now = next;
    if (nextStart <= next) {
      progress.begin(starts[begun++].job, now, ready);
      continue;
    }
    const transfer = heap.pop();
    const path = paths[pairOf[transfer]];
    if (hop[transfer] >= path.length) {
      progress.finish(transfer, now, ready);
      continue;
    }
    const arc = path[hop[transfer]++];
    const begin = Math.max(now, busyUntil[arc]);
    busyUntil[arc] = begin + bytes[transfer] / arcBandwidth[arc];
    heap.push(busyUntil[arc] + arcLatency[arc], transfer);
  }
  return { ends: progress.ends, events };
}

/** One path among equal-cost ones: arcs in order from the source, chosen by the pair's number where several leave a device. */
function pathOf(routes: Routes, { arcs }: ArcFlow, salt: number): number[] {
  const { arcSource, arcTarget } = routes.fabric.compiled;
  const leaving = new Map<number, number[]>();
  const entered = new Set<number>();
  for (let i = 0; i < arcs.length; i++) {
    const list = leaving.get(arcSource[arcs[i]]);
    if (list === undefined) leaving.set(arcSource[arcs[i]], [arcs[i]]);
    else list.push(arcs[i]);
    entered.add(arcTarget[arcs[i]]);
  }
  const start = [...leaving.keys()].find((device) => !entered.has(device));
  const path: number[] = [];
  for (let device = start; device !== undefined && path.length <= arcs.length;) {
    const list: number[] | undefined = leaving.get(device);
    if (list === undefined) break;
    const arc = list[mixed(salt + path.length) % list.length];
    path.push(arc);
    device = arcTarget[arc];
  }
  return path;
}

function concatenated(lists: readonly TransferList[]): Float64Array {
  const all = new Float64Array(lists.reduce((sum, { bytes }) => sum + bytes.length, 0));
  let at = 0;
  for (const { bytes } of lists) {
    all.set(bytes, at);
    at += bytes.length;
  }
  return all;
}

/** A well-mixed 32-bit number. */
function mixed(value: number): number {
  let x = value | 0;
  x = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
  return (x ^ (x >>> 16)) >>> 0;
}
