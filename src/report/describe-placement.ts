import type { RunEstimate } from '../placement/types.js';
import { formatCount, formatSeconds } from '../quantities.js';
import type { ReportPlacement } from './types.js';

/** `TP 4 · PP 8 · DP 128 · micro-batch 1 · selective · ZeRO 1`: degrees as people write them, ones left out. */
export function describeDegrees(degrees: ReportPlacement['degrees']): string {
  const parts: string[] = [];
  for (const [field, label] of [
    ['tensor', 'TP'],
    ['pipeline', 'PP'],
    ['data', 'DP'],
    ['context', 'CP'],
    ['expert', 'EP'],
  ] as const)
    if (degrees[field] !== undefined && degrees[field] !== 1) parts.push(`${label} ${String(degrees[field])}`);
  if (degrees['interleave'] !== undefined && degrees['interleave'] !== 1) parts.push(`${String(degrees['interleave'])} chunks`);
  parts.push(`micro-batch ${String(degrees['microBatch'] ?? 1)}`);
  if (degrees['schedule'] !== undefined && degrees['schedule'] !== '1f1b') parts.push(String(degrees['schedule']));
  if (Array.isArray(degrees['stageLayers']) && degrees['stageLayers'].length > 0)
    parts.push(`stages of ${degrees['stageLayers'].join('–')} layers`);
  if (degrees['recomputation'] === 'full') parts.push('full recomputation');
  else if (degrees['recomputation'] !== undefined && degrees['recomputation'] !== 'none')
    parts.push(`${String(degrees['recomputation'])} recomputation`);
  if (degrees['zeroStage'] !== undefined && degrees['zeroStage'] !== 0)
    parts.push(
      `ZeRO ${String(degrees['zeroStage'])}${typeof degrees['shardGroup'] === 'number' && degrees['shardGroup'] > 0 ? ` in groups of ${degrees['shardGroup']}` : ''}`,
    );
  if (degrees['outerEvery'] !== undefined && degrees['outerEvery'] !== 1) parts.push(`sites every ${String(degrees['outerEvery'])} steps`);
  return parts.join(' · ');
}

/** Time, GPU-hours, price and energy of a run. */
export function describeRun({ tokens, seconds, gpuHours, euros, energy }: RunEstimate): string {
  return [
    `${formatCount(tokens)} tokens in ${(seconds / 86_400).toPrecision(3)} days`,
    `${formatCount(gpuHours)} GPU-hours`,
    ...(euros === undefined ? [] : [`€ ${formatCount(euros)}`]),
    ...(energy === undefined ? [] : [`${(energy / 3.6e9).toPrecision(3)} MWh`]),
  ].join(', ');
}

/** What every placement but the first loses by, one line each. */
export const describeRunnersUp = (placements: readonly ReportPlacement[]): string[] =>
  placements.flatMap(({ strategy, degrees, lostBy }) =>
    lostBy === undefined ? [] : [`${strategy}, ${describeDegrees(degrees)}: ${lostBy}`],
  );

/** Columns of placements that none beats in all objectives. */
export const FRONT_HEAD = ['GPUs', 'step', 'a run', 'strategy', 'degrees'] as const;
export const frontRows = (front: readonly ReportPlacement[]): string[][] =>
  front.map(({ strategy, degrees, sites, step, run }) => [
    String(Object.values(sites).reduce((a, b) => a + b, 0)),
    formatSeconds(step.seconds),
    run === undefined ? '' : describeRun(run),
    strategy,
    describeDegrees(degrees),
  ]);
