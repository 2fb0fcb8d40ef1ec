import { FabricPlanError, invalidArgument } from '../errors.js';
import type { Fabric } from '../fabric/types.js';
import type { BytesPerSecond, Seconds } from '../quantities.js';
import { computeRoutes } from '../routes/compute-routes.js';
import { rescaleRoutes } from '../routes/rescale-routes.js';
import { prepareStep } from '../training/estimate-step.js';
import type { Mapping, TrainingJob } from '../training/types.js';

export interface BandwidthQuestion {
  readonly job: TrainingJob;
  /** Mappings to choose from at every rate: the best at today's rates need not be the best at higher ones. */
  readonly mappings: readonly Mapping[];
  /** Links that are given the same rate. */
  readonly links: readonly string[];
  /** Step time to compare with, such as that of a single site: one figure, or one per overlap. */
  readonly reference: Seconds | readonly Seconds[];
  /** Slowdown that is accepted; 0.05 asks for within 5 %. */
  readonly tolerance: number;
  /** Shares of the step that may hide traffic between sites. Default 0, 0.25, 0.5. */
  readonly overlaps?: readonly number[];
}

/** One point of the curve: line rate of every link, and the share of the reference speed for each overlap. */
export interface BandwidthPoint {
  /** Nominal rate of each link, one direction. */
  readonly bandwidth: BytesPerSecond;
  readonly efficiency: readonly number[];
}

export interface BandwidthAnswer {
  readonly overlaps: readonly number[];
  readonly points: readonly BandwidthPoint[];
  /** Least rate per overlap that is within tolerance; undefined where no rate up to the largest point is. */
  readonly required: readonly (BytesPerSecond | undefined)[];
}

const POINTS = [12.5e9, 25e9, 50e9, 75e9, 100e9, 150e9, 200e9, 400e9, 800e9] as const;
const REFINEMENTS = 5;

/**
 * The inverse question: what rate on these links brings a job within some share of a reference step time, as a function of overlap.
 *
 * The collective algorithm and the best of the mappings are chosen anew at every rate. Overlap changes only what is exposed, so one pricing per
 * rate serves all overlaps.
 *
 * @throws FabricPlanError `invalid-argument`
 * @complexity about 20 step estimates
 * @example
 * const answer = requiredBandwidth(fabric, { job, mappings: [mapping], links: ['a–b'], reference: 1, tolerance: 0.05, overlaps: [0] });
 * answer.points.length // 9
 */
export function requiredBandwidth(fabric: Fabric, question: BandwidthQuestion): BandwidthAnswer {
  const where = 'requiredBandwidth';
  const { job, mappings, links, tolerance, overlaps = [0, 0.25, 0.5] } = question;
  const references = typeof question.reference === 'number' ? overlaps.map(() => question.reference as number) : question.reference;
  if (references.length !== overlaps.length || references.some((seconds) => !(seconds > 0)))
    throw invalidArgument(where, 'reference', question.reference, 'seconds above 0, one for all or one per overlap');
  if (!(tolerance > 0 && tolerance < 1)) throw invalidArgument(where, 'tolerance', tolerance, 'a share between 0 and 1');
  if (mappings.length === 0) throw invalidArgument(where, 'mappings', mappings, 'one mapping or more');
  const chosen = links.map((id) => {
    const link = fabric.links.find((one) => one.id === id);
    if (link === undefined)
      throw new FabricPlanError('invalid-argument', `${where}: unknown link "${id}"; expected ids of links of the fabric`);
    return link;
  });
  const today = computeRoutes(fabric);
  const efficienciesAt = (bandwidth: number): number[] => {
    const routes = rescaleRoutes(today, Object.fromEntries(chosen.map((link) => [link.id, bandwidth / link.bandwidth])));
    const steps = mappings.map((mapping) => prepareStep(routes, job, mapping));
    return overlaps.map((overlap, o) => Math.max(...steps.map((step) => references[o] / step({ overlap }).seconds)));
  };
  const points = POINTS.map((bandwidth): BandwidthPoint => ({ bandwidth, efficiency: efficienciesAt(bandwidth) }));
  const wanted = 1 / (1 + tolerance);
  const required = overlaps.map((_, o) => {
    const first = points.findIndex(({ efficiency }) => efficiency[o] >= wanted);
    if (first < 0) return undefined;
    if (first === 0) return points[0].bandwidth;
    let low = points[first - 1].bandwidth;
    let high = points[first].bandwidth;
    for (let i = 0; i < REFINEMENTS && high / low > 1.03; i++) {
      const middle = Math.sqrt(low * high);
      if (efficienciesAt(middle)[o] >= wanted) high = middle;
      else low = middle;
    }
    return high;
  });
  return { overlaps, points, required };
}
