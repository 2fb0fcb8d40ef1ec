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
  const wire = bytes * secondsPerByte(phase, physics);
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
  let steps = 0;
  let alphas = 0;
  let wires = 0;
  for (const stage of stages) {
    steps += stage.repeat;
    if (stage.latency !== undefined) alphas += stage.repeat * (stage.latency + physics.step);
    wires += stage.repeat * secondsPerByte(stage, physics) * bytes;
  }
  let best = alphas + wires;
  let bestPieces = 1;
  for (let pieces = 2; pieces <= MOST_PIECES && bytes / pieces >= physics.leastPiece; pieces *= 2) {
    let slowest = wire / pieces;
    for (const stage of stages) {
      const alpha = stage.latency === undefined ? 0 : stage.repeat * (stage.latency + physics.step);
      slowest = Math.max(slowest, alpha + (stage.repeat * secondsPerByte(stage, physics) * bytes) / pieces);
    }
    const seconds = alphas + wires / pieces + (pieces - 1) * slowest;
    if (seconds < best) {
      best = seconds;
      bestPieces = pieces;
    }
  }
  return { seconds: best, latency: Math.max(0, best - wire), steps: steps + bestPieces - 1 };
}

/** The busiest link, or a connection that waits for acknowledgements of the bytes it has in flight. */
const secondsPerByte = (phase: PricedPhase, { window }: CollectivePhysics): number =>
  phase.stages === undefined ? Math.max(phase.secondsPerByte, phase.roundTrip / window) : phase.secondsPerByte;

const MOST_PIECES = 64;
