import { invalidArgument } from '../errors.js';
import type { Bytes, BytesPerSecond } from '../quantities.js';

/** One measured run over a group of nodes: what it reached and, where a prediction exists, what it should reach. */
export interface GroupMeasurement {
  readonly nodes: readonly string[];
  readonly bytes: Bytes;
  readonly busBandwidth: BytesPerSecond;
  /** Predicted bus bandwidth of healthy hardware; absent where the machine is not known. */
  readonly expected?: BytesPerSecond;
}

/** A part that is slower than its peers and the prediction allow. */
export interface Suspect {
  readonly kind: 'node' | 'link';
  /** Node name, or the two nodes of a link. */
  readonly id: string;
  readonly expected: BytesPerSecond;
  readonly measured: BytesPerSecond;
  /** Probability that it is slow and not just noise, between 0 and 1. */
  readonly confidence: number;
  /** Measurements that speak for it. */
  readonly evidence: number;
}

export interface Diagnosis {
  readonly suspects: readonly Suspect[];
  /** Log scatter that healthy measurements may show, widened where there are few. */
  readonly noise: number;
  /** Median of measured / expected where predictions exist: the whole fabric may be slow. */
  readonly level?: number;
  readonly measurements: number;
}

/** A part is accused only when it is at least this much slower than healthy ones. */
const LEAST_LOSS = 0.1;
/** Least noise, so that a few identical figures accuse nobody. */
const LEAST_NOISE = 0.01;
const LEAST_CONFIDENCE = 0.95;
/** Below this many measurements of a kind the prediction, where given, says what is healthy. */
const FEW = 4;
const PREDICTION_NOISE = 0.1;

/**
 * Which nodes or links are slow. Each measurement is as fast as its slowest part; a part's health is the best that any measurement through
 * it reached. Nodes are tested first (all their pairs are slow), then pairs between healthy nodes.
 *
 * Healthy level and noise are the median and the scatter of the data itself, with at most half of the parts sick; a prediction, where
 * given, says whether all are slow. The level of each message size is its own.
 *
 * @throws FabricPlanError `invalid-argument` without measurements or with bandwidths that are not above 0
 * @complexity O(measurements · log measurements)
 * @example
 * const pairs = [['a', 'b', 90], ['a', 'c', 45], ['b', 'c', 46], ['a', 'd', 91], ['b', 'd', 89], ['c', 'd', 44]].map(([x, y, gbps]) => ({ nodes: [String(x), String(y)], bytes: 1e9, busBandwidth: Number(gbps) * 1e9 }));
 * diagnose(pairs).suspects.map(({ id }) => id) // ['c']
 */
export function diagnose(measurements: readonly GroupMeasurement[]): Diagnosis {
  if (measurements.length === 0) throw invalidArgument('diagnose', 'measurements', measurements, 'at least one');
  measurements.forEach(({ busBandwidth, nodes }, i) => {
    if (!(Number.isFinite(busBandwidth) && busBandwidth > 0))
      throw invalidArgument('diagnose', `measurements[${i}].busBandwidth`, busBandwidth, 'a number above 0');
    if (nodes.length === 0) throw invalidArgument('diagnose', `measurements[${i}].nodes`, nodes, 'at least one node');
  });
  // Log of measured over the healthy level of its size and group size.
  const levels = new Map<string, number>();
  const classOf = ({ bytes, nodes }: GroupMeasurement): string => `${bytes} ${new Set(nodes).size}`;
  const classes = new Map<string, number[]>();
  for (const one of measurements) {
    const list = classes.get(classOf(one)) ?? [];
    list.push(Math.log(one.busBandwidth));
    classes.set(classOf(one), list);
  }
  const predicted = new Map<string, number>();
  for (const one of measurements) if (one.expected !== undefined) predicted.set(classOf(one), Math.log(one.expected));
  for (const [key, list] of classes) {
    const typical = upperMedian(list);
    const promised = predicted.get(key);
    // With few peers the prediction decides; with many the peers do.
    levels.set(key, promised !== undefined && list.length < FEW ? Math.max(typical, promised) : typical);
  }
  const losses = measurements.map((one) => (levels.get(classOf(one)) ?? 0) - Math.log(one.busBandwidth));
  // Few measurements understate their scatter; where there are too few to tell, the model's own uncertainty stands in.
  const isPromised = [...classes].every(([key, list]) => list.length < FEW && predicted.has(key));
  const noise = isPromised ? PREDICTION_NOISE : Math.max(LEAST_NOISE, scatter(losses)) * (1 + 3 / Math.sqrt(losses.length));
  // A handful of measurements cannot make anybody certain, unless the model says what healthy hardware does.
  const mostConfident = isPromised ? 0.999 : Math.min(0.999, 1 - 1 / (5 * measurements.length));
  const context = { losses, noise, mostConfident, measurements, levels, classOf };
  const byNode = new Map<string, number[]>();
  const byPair = new Map<string, number[]>();
  measurements.forEach(({ nodes }, i) => {
    const names = [...new Set(nodes)].sort();
    for (const name of names) push(byNode, name, i);
    if (names.length === 2) push(byPair, names.join(' – '), i);
  });
  const suspects: Suspect[] = [];
  const sick = new Set<string>();
  // Worst nodes first; measurements that a sick node explains no longer speak against its partners.
  for (;;) {
    let worst: Suspect | undefined;
    for (const [name, indices] of byNode) {
      if (sick.has(name)) continue;
      const own = indices.filter((i) => !measurements[i].nodes.some((node) => node !== name && sick.has(node)));
      const partners = new Set(own.flatMap((i) => measurements[i].nodes).filter((node) => node !== name));
      // One slow pair does not say which end is slow; alone, a node is measured by itself.
      const alone = own.some((i) => new Set(measurements[i].nodes).size === 1);
      if (own.length === 0 || (partners.size < 2 && !alone)) continue;
      const found = judge('node', name, own, context);
      if (found !== undefined && (worst === undefined || found.measured / found.expected < worst.measured / worst.expected)) worst = found;
    }
    if (worst === undefined) break;
    suspects.push(worst);
    sick.add(worst.id);
  }
  for (const [pair, indices] of byPair) {
    if (measurements[indices[0]].nodes.some((node) => sick.has(node))) continue;
    const found = judge('link', pair, indices, context);
    if (found !== undefined) suspects.push(found);
  }
  suspects.sort((a, b) => a.measured / a.expected - b.measured / b.expected || (a.id < b.id ? -1 : 1));
  const ratios = measurements.flatMap(({ busBandwidth, expected }) => (expected === undefined ? [] : [Math.log(busBandwidth / expected)]));
  return {
    suspects,
    noise,
    measurements: measurements.length,
    ...(ratios.length === 0 ? {} : { level: Math.exp(median(ratios)) }),
  };
}

/** What every part is judged by. */
interface Context {
  /** Log of healthy over measured, parallel to the measurements. */
  readonly losses: readonly number[];
  readonly noise: number;
  readonly mostConfident: number;
  readonly measurements: readonly GroupMeasurement[];
  readonly levels: ReadonlyMap<string, number>;
  readonly classOf: (one: GroupMeasurement) => string;
}

/** Whether a part is slow in all that went through it. */
function judge(
  kind: Suspect['kind'],
  id: string,
  indices: readonly number[],
  { losses, noise, mostConfident, measurements, levels, classOf }: Context,
): Suspect | undefined {
  // The lower quartile of its losses: a part that ran well in a quarter of its measurements is cleared.
  const own = indices.map((i) => losses[i]).sort((a, b) => a - b);
  const loss = own[Math.floor((own.length - 1) / 4)];
  if (loss < LEAST_LOSS) return undefined;
  // Chance that healthy parts show this loss, with heavy tails (Student's t, 4 degrees) and as many tries as there are parts.
  const tries = Math.max(1, levels.size * Math.sqrt(measurements.length));
  const score = (loss - LEAST_LOSS / 2) / (noise / Math.sqrt(Math.min(own.length, 3)));
  const confidence = Math.min(mostConfident, 1 - tries * tailOfT4(score));
  if (confidence < LEAST_CONFIDENCE) return undefined;
  const at = indices.reduce((best, i) => (Math.abs(losses[i] - loss) < Math.abs(losses[best] - loss) ? i : best), indices[0]);
  return {
    kind,
    id,
    expected: Math.exp(levels.get(classOf(measurements[at])) ?? 0),
    measured: measurements[at].busBandwidth,
    confidence,
    evidence: own.length,
  };
}

/** Upper tail of Student's t with four degrees of freedom. */
function tailOfT4(t: number): number {
  const x = t / Math.sqrt(4 + t * t);
  return 0.5 - 0.5 * x * (1 + (1 - x * x) / 2);
}

const push = (map: Map<string, number[]>, key: string, value: number): void => {
  const list = map.get(key);
  if (list === undefined) map.set(key, [value]);
  else list.push(value);
};

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)];
}

/** Median of the faster three quarters: sick parts are the slow tail, and with a bad node many pairs are. */
function upperMedian(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * 0.625))];
}

/** Scatter of the healthy part: from the faster part's spread around its level and the nearest quarter of the slower part, so that the slow tail does not count. */
function scatter(losses: readonly number[]): number {
  const around = losses.filter((loss) => loss <= 0).map((loss) => -loss);
  const slower = losses.filter((loss) => loss > 0).sort((a, b) => a - b);
  const near = slower.slice(0, Math.ceil(slower.length / 4));
  const absolute = [...around, ...near].sort((a, b) => a - b);
  if (absolute.length === 0) return 0;
  return absolute[Math.floor(absolute.length * 0.68)] * 1.4;
}
