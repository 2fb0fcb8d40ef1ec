import type { Bytes, Seconds } from '../quantities.js';
import type { PricedPhase } from './evaluate.js';
import type { CollectivePhysics } from './types.js';

/** Seconds of a phase at a message size, and the part that is latency. */
export function phaseTime(
  phase: PricedPhase,
  bytes: Bytes,
  physics: CollectivePhysics,
): { seconds: Seconds; latency: Seconds; steps: number } {
  if (phase.latency === undefined) return { seconds: 0, latency: 0, steps: 0 };
  const alpha = phase.latency + physics.step;
  const wire = bytes * phase.secondsPerByte;
  if (phase.stages !== undefined) return stagedTime(phase.stages, wire, bytes, physics);
  if (phase.depth === 0) return { seconds: phase.repeat * (alpha + wire), latency: phase.repeat * alpha, steps: phase.repeat };
  // Pipelined: k pieces take k + depth − 1 steps of α + wire / k; best k = √((depth − 1)·wire / α), within the least piece.
  const most = Math.max(1, Math.floor(bytes / Math.max(1, physics.leastPiece)));
  const ideal = alpha > 0 ? Math.sqrt(((phase.depth - 1) * wire) / alpha) : most;
  const time = (k: number): number => (k + phase.depth - 1) * (alpha + wire / k);
  const low = Math.min(most, Math.max(1, Math.floor(ideal)));
  const pieces = low < most && time(low + 1) < time(low) ? low + 1 : low;
  const steps = pieces + phase.depth - 1;
  return { seconds: time(pieces), latency: steps * alpha, steps };
}

/**
 * Stages piece by piece: the first piece passes all stages, every further one adds the time of the slowest stage, or of the link that
 * all stages together keep busy longest. Pieces are tried in powers of two.
 */
function stagedTime(
  stages: readonly PricedPhase[],
  wire: Seconds,
  bytes: Bytes,
  physics: CollectivePhysics,
): { seconds: Seconds; latency: Seconds; steps: number } {
  const alphas = stages.map(({ repeat, latency }) => (latency === undefined ? 0 : repeat * (latency + physics.step)));
  const wires = stages.map(({ repeat, secondsPerByte }) => repeat * secondsPerByte * bytes);
  const steps = stages.reduce((sum, { repeat }) => sum + repeat, 0);
  let best = { seconds: Infinity, latency: 0, steps };
  for (let pieces = 1; pieces <= MOST_PIECES && (pieces === 1 || bytes / pieces >= physics.leastPiece); pieces *= 2) {
    let through = 0;
    let slowest = wire / pieces;
    alphas.forEach((alpha, s) => {
      through += alpha + wires[s] / pieces;
      slowest = Math.max(slowest, alpha + wires[s] / pieces);
    });
    const seconds = through + (pieces - 1) * slowest;
    if (seconds < best.seconds) best = { seconds, latency: Math.max(0, seconds - wire), steps: steps + pieces - 1 };
  }
  return best;
}

const MOST_PIECES = 64;
