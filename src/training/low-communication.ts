import { invalidArgument } from '../errors.js';
import type { BytesPerSecond, Seconds } from '../quantities.js';

/** Low-communication training over sites: every site trains on its own and exchanges outer gradients once in a while. */
export interface LowCommunication {
  readonly parameters: number;
  /** Sites (replicas) that exchange. */
  readonly sites: number;
  /** Inner steps between synchronisations, H. */
  readonly every: number;
  /** Seconds of one inner step. */
  readonly stepSeconds: Seconds;
  /** Rate of a site into the wide area, one direction. */
  readonly bandwidth: BytesPerSecond;
  /** One way between sites. Default 0. */
  readonly latency?: Seconds;
  /** Bytes of one outer gradient value on the wire: 4, 2, 1 or 0.5. Default 2. */
  readonly bytesPerValue?: number;
  /** Fragments that are synchronised one after the other (streaming). Default 1. */
  readonly fragments?: number;
  /** Inner steps within which a fragment must have arrived. Default 0: it blocks. */
  readonly delay?: number;
}

/** What low-communication training costs. */
export interface LowCommunicationEstimate {
  /** Share of the time in which GPUs train, 0–1. */
  readonly utilisation: number;
  /** Mean time of an inner step, its share of the synchronisation included. */
  readonly stepSeconds: Seconds;
  /** Bytes a site sends in one synchronisation of everything. */
  readonly bytesPerSync: number;
  /** Mean rate over all steps. */
  readonly meanBandwidth: BytesPerSecond;
  /** Rate from which on nothing waits; absent where synchronisation blocks, for then something always does. */
  readonly enoughBandwidth?: BytesPerSecond;
}

/**
 * Utilisation and bandwidth of low-communication training (local SGD, DiLoCo, streaming DiLoCo with quantised outer gradients).
 *
 * ```text
 * U = 2·(R − 1)/R·N·w                             bytes a site sends, R sites in a ring, w bytes a value
 * blocking   u = H·t / (H·t + U/W + 2·(R − 1)·latency)
 * streaming  each of P fragments may take τ steps: only what exceeds τ·t is waited for
 * ```
 *
 * What a longer interval costs in quality is in none of these figures.
 *
 * @throws FabricPlanError `invalid-argument`
 * @reference Douillard et al., arXiv 2311.08105 (DiLoCo) and 2501.18512 (streaming)
 * @example
 * Math.round(100 * lowCommunicationCost({ parameters: 10e9, sites: 4, every: 100, stepSeconds: 1, bandwidth: 21.6e9 / 8 }).utilisation) // 90
 */
export function lowCommunicationCost(plan: LowCommunication): LowCommunicationEstimate {
  const where = 'lowCommunicationCost';
  const { parameters, sites, every, stepSeconds, bandwidth, latency = 0, bytesPerValue = 2, fragments = 1, delay = 0 } = plan;
  for (const [name, value, least] of [
    ['parameters', parameters, 0],
    ['sites', sites, 1],
    ['every', every, 1],
    ['stepSeconds', stepSeconds, Number.MIN_VALUE],
    ['bandwidth', bandwidth, Number.MIN_VALUE],
    ['latency', latency, 0],
    ['bytesPerValue', bytesPerValue, 0],
    ['fragments', fragments, 1],
    ['delay', delay, 0],
  ] as const)
    if (!(Number.isFinite(value) && value >= least)) throw invalidArgument(where, name, value, `a finite number of at least ${least}`);
  const bytesPerSync = ((2 * (sites - 1)) / sites) * parameters * bytesPerValue;
  const each = sites === 1 ? 0 : bytesPerSync / fragments / bandwidth + 2 * (sites - 1) * latency;
  const exposed = fragments * exposedOuter(each, delay * stepSeconds);
  const inner = every * stepSeconds;
  return {
    utilisation: inner / (inner + exposed),
    stepSeconds: stepSeconds + exposed / every,
    bytesPerSync,
    meanBandwidth: bytesPerSync / inner,
    ...(delay > 0 ? { enoughBandwidth: bytesPerSync / fragments / (delay * stepSeconds) } : {}),
  };
}

/** Part of the time of one fragment that training waits for. */
export const exposedOuter = (seconds: Seconds, window: Seconds): Seconds => Math.max(0, seconds - window);
