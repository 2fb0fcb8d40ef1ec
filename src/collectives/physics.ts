import { invalidArgument } from '../errors.js';
import type { CollectivePhysics } from './types.js';

/**
 * Software costs of a collective library on GPUs. Latencies of links and devices are in the fabric; these are on top of them.
 *
 * - launch 6.6 µs: kernel launch and rendezvous; NCCL's base latency of ring and tree with its low-latency protocol.
 * - step 1.5 µs: synchronisation per step; between NCCL's 0.6 µs (NVLink) and 2.7 µs (network) a step with the same protocol, less the
 *   link latencies that the fabric states.
 * - least piece 32 KiB: below it the flag-per-line protocols lose their rate.
 *
 * - window 8 MiB: two channels of a 4 MiB buffer each on a connection between two GPUs; limits only where round trips are long.
 *
 * @source NCCL 2.30 src/graph/tuning.cc (latency tables)
 */
export const DEFAULT_PHYSICS: CollectivePhysics = { launch: 6.6e-6, step: 1.5e-6, leastPiece: 32 * 1024, window: 8 * 2 ** 20 };

/** Ratio of a measurement to a first-principles estimate that the range covers: bandwidth term, latency term. */
export const RANGE = { bandwidthLow: 0.85, bandwidthHigh: 1.4, latencyLow: 0.6, latencyHigh: 2.2 } as const;

/** Completes and checks software costs. */
export function completePhysics(where: string, physics: Partial<CollectivePhysics> | undefined): CollectivePhysics {
  const complete = { ...DEFAULT_PHYSICS, ...physics };
  for (const [name, value] of Object.entries(complete) as [string, unknown][]) {
    if (
      name === 'window' ? !(typeof value === 'number' && value > 0) : !(typeof value === 'number' && Number.isFinite(value) && value >= 0)
    )
      throw invalidArgument(where, `physics.${name}`, value, name === 'window' ? 'bytes above 0' : 'a number of 0 or more');
  }
  return complete;
}
