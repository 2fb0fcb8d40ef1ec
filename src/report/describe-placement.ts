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
