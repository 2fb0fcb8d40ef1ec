import {
  checkOversubscription,
  connectEvenly,
  domainCount,
  startDraft,
  wholeNumber,
  type ClusterOptions,
  type ClusterSpec,
} from './network.js';

export interface LeafSpineOptions extends ClusterOptions {
  /** Nodes (or rack domains) under one leaf. Default 16. */
  readonly nodesPerLeaf?: number;
  /** Number of spines. Default: 4, at most the number of leaves. */
  readonly spines?: number;
  /** Bandwidth into a leaf over bandwidth out of it; 1 is non-blocking. Default 1. */
  readonly oversubscription?: number;
}

/**
 * Two tiers: all NICs of a node go to one leaf, every leaf to every spine. One leaf gets no spine.
 *
 * @throws FabricPlanError `invalid-argument`
 * @complexity O(nodes + leaves × spines)
 * @example
 * buildLeafSpine({ node, nodes: 4, nodesPerLeaf: 2, spines: 2 }).uplinks // ['cluster/spine0', 'cluster/spine1']
 */
export function buildLeafSpine(options: LeafSpineOptions): ClusterSpec {
  const where = 'buildLeafSpine';
  const perLeaf = options.nodesPerLeaf ?? 16;
  const oversubscription = options.oversubscription ?? 1;
  wholeNumber(where, 'nodesPerLeaf', perLeaf, 1);
  checkOversubscription(where, oversubscription);
  const draft = startDraft(where, options);
  const domains = domainCount(options);
  const leafCount = Math.ceil(domains / perLeaf);
  const spineCount = leafCount === 1 ? 0 : (options.spines ?? Math.min(4, leafCount));
  if (leafCount > 1) wholeNumber(where, 'spines', spineCount, 1);
  const spines = Array.from({ length: spineCount }, (_, s) => draft.addSwitch(`spine${s}`, []));
  const leaves: string[] = [];
  for (let d = 0; d < domains; d++) {
    const leafIndex = Math.floor(d / perLeaf);
    const rack = `r${leafIndex}`;
    if (leaves.length <= leafIndex) leaves.push(draft.addSwitch(`leaf${leafIndex}`, ['g0', rack]));
    const { nics } = draft.addNode(d, ['g0', rack]);
    for (const nic of nics.flat())
      draft.links.push({ id: `${nic}–${leaves[leafIndex]}`, source: nic, target: leaves[leafIndex], ...options.node.nic });
  }
  const down = Math.min(perLeaf, domains) * options.node.nics * (options.node.nodesPerDomain ?? 1) * options.node.nic.bandwidth;
  const cables = Math.max(1, Math.round(down / oversubscription / draft.trunk.bandwidth));
  if (spineCount > 0)
    leaves.forEach((leaf, i) => {
      connectEvenly(draft, leaf, spines, cables, draft.trunk, i);
    });
  return draft.finish(spineCount > 0 ? spines : leaves);
}
