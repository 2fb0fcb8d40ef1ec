import type { Move, Phase } from '../types.js';
import { listTransfers } from './transfers.js';

/** A sub-collective that runs beside others: the same transfers, repeated. */
export interface ConcurrentPart {
  readonly repeat: number;
  readonly source: number[];
  readonly target: number[];
  readonly share: number[];
}

/**
 * Phases of parts that start together and have different numbers of steps: first all of them, then those that are not done, and so on.
 */
export function mergeParts(label: string, parts: readonly ConcurrentPart[]): Phase[] {
  const ends = [...new Set(parts.map((part) => part.repeat))].filter((end) => end > 0).sort((a, b) => a - b);
  return ends.map((end, i) => {
    const list = listTransfers();
    for (const part of parts) if (part.repeat >= end) part.source.forEach((source, t) => { list.add(source, part.target[t], part.share[t]); });
    return { label, repeat: end - (i === 0 ? 0 : ends[i - 1]), transfers: list.finish() };
  });
}

/** Adds the moves of concurrent parts to the same steps. */
export function mergeSteps(into: Move[][], from: number, parts: readonly (readonly Move[][])[]): void {
  for (const part of parts) part.forEach((moves, s) => { (into[from + s] ??= []).push(...moves); });
}
