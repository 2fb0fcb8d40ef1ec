import type { Draft } from './draft.js';

/** A base block of Slurm's block plug-in, in the order of the file, which carries meaning. */
export interface SlurmBlock {
  readonly id: string;
  readonly hosts: readonly string[];
  readonly line?: number;
}

/**
 * Draws blocks: hosts at the level `block`. Blocks are no switches and say nothing of cables, so there are no links. Aggregated sizes
 * must be powers of two of the base block.
 */
export function drawBlocks(draft: Draft, blocks: readonly SlurmBlock[], sizes: readonly number[], sizesLine?: number): string[] {
  const ids = new Set<string>();
  const owner = new Map<string, string>();
  for (const { id, hosts, line } of blocks) {
    if (ids.has(id)) draft.refuse(`block "${id}" is defined twice; expected unique names`, line);
    ids.add(id);
    if (hosts.length === 0) draft.warn(`block "${id}" is empty and only holds its position`, line);
    for (const host of hosts) {
      const other = owner.get(host);
      if (other !== undefined) draft.refuse(`node "${host}" is in the blocks "${other}" and "${id}"; expected one`, line);
      owner.set(host, id);
    }
  }
  const [base] = sizes;
  for (const size of sizes) {
    const ratio = size / base;
    if (!Number.isInteger(size) || size < 1) draft.refuse(`block size ${size} is no whole number of nodes`, sizesLine);
    else if (!Number.isInteger(Math.log2(ratio)))
      draft.refuse(`block size ${size} is no power of two of the base block size ${base}`, sizesLine);
  }
  for (const { id, hosts, line } of blocks)
    if (base !== undefined && hosts.length > 0 && hosts.length < base)
      draft.warn(`block "${id}" has ${hosts.length} nodes and the base block size is ${base}`, line);
  draft.check();
  for (const [host, block] of owner) draft.device({ id: host, kind: 'host', location: [block, host] });
  draft.warn('blocks say which nodes are close, not how they are joined: there are no links');
  return ['block', 'host'];
}
