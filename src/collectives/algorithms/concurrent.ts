import type { Move, Phase } from '../types.js';

/** A sub-collective that runs beside others: the same transfers, repeated. */
export interface ConcurrentPart {
  readonly repeat: number;
  readonly source: ArrayLike<number>;
  readonly target: ArrayLike<number>;
  readonly share: ArrayLike<number>;
}

/**
 * One phase of parts that start together and advance on their own: as many steps as the longest part has, the bytes of the shorter ones
 * spread evenly over them. Parts wait for their own members only, so what counts on a link is the sum of bytes, not the sum of steps.
 */
export function mergeParts(label: string, parts: readonly ConcurrentPart[]): Phase {
  const repeat = Math.max(1, ...parts.map((part) => part.repeat));
  const count = parts.reduce((sum, part) => sum + part.source.length, 0);
  const source = new Int32Array(count);
  const target = new Int32Array(count);
  const share = new Float64Array(count);
  let at = 0;
  for (const part of parts) {
    for (let t = 0; t < part.source.length; t++, at++) {
      source[at] = part.source[t];
      target[at] = part.target[t];
      share[at] = (part.share[t] * part.repeat) / repeat;
    }
  }
  return { label, repeat, transfers: { source, target, share } };
}

/** One phase of stages that the data passes piece by piece. */
export function pipelineStages(label: string, stages: readonly Phase[]): Phase {
  return { label, transfers: { source: new Int32Array(0), target: new Int32Array(0), share: new Float64Array(0) }, stages };
}

/** Adds the moves of concurrent parts to the same steps. */
export function mergeSteps(into: Move[][], from: number, parts: readonly (readonly Move[][])[]): void {
  for (const part of parts)
    part.forEach((moves, s) => {
      (into[from + s] ??= []).push(...moves);
    });
}
