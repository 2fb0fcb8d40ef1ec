import {
  checkOversubscription,
  connectEvenly,
  domainCount,
  startDraft,
  wholeNumber,
  type ClusterOptions,
  type ClusterSpec,
} from './network.js';

export interface RailOptimisedOptions extends ClusterOptions {
  /** Nodes (or rack domains) of a scalable unit: NIC r of all of them goes to leaf r of the unit. Default 32. */
  readonly nodesPerUnit?: number;
  /** Units per pod. With more than one pod, a third tier joins the pods. Default: all units in one pod. */
  readonly unitsPerPod?: number;
  /** Spines per pod. Default: one per rail and four units, at least the number of rails, at most the cables of a leaf. */
  readonly spinesPerPod?: number;
  /** Core switches above the pods. Default: the number of spines of a pod. */
  readonly cores?: number;
  /** Bandwidth into the leaves over bandwidth out. Default 1. */
  readonly oversubscription?: number;
  /** Bandwidth into the spines from below over bandwidth into the cores. Default 1. */
  readonly coreOversubscription?: number;
}

/**
 * Rail-optimised: NIC r of every node of a unit meets on leaf r, so that GPUs of the same rank in their nodes are one switch apart.
 * Leaves go to all spines of their pod; spine s of every pod goes to its share of the cores, so cores form planes.
 *
 * @throws FabricPlanError `invalid-argument`
 * @complexity O(nodes × rails + leaves × spines)
 * @example
 * buildRailOptimised({ node, nodes: 4, nodesPerUnit: 2 }).name // 'cluster'
 */
export function buildRailOptimised(options: RailOptimisedOptions): ClusterSpec {
  const where = 'buildRailOptimised';
  const perUnit = options.nodesPerUnit ?? 32;
  wholeNumber(where, 'nodesPerUnit', perUnit, 1);
  checkOversubscription(where, options.oversubscription ?? 1);
  checkOversubscription(where, options.coreOversubscription ?? 1);
  const draft = startDraft(where, options);
  const domains = domainCount(options);
  const rails = Math.max(1, options.node.nics);
  const unitCount = Math.ceil(domains / perUnit);
  const perPod = options.unitsPerPod ?? unitCount;
  wholeNumber(where, 'unitsPerPod', perPod, 1);
  const podCount = Math.ceil(unitCount / perPod);
  const hostsPerDomain = options.node.nodesPerDomain ?? 1;
  const down = Math.min(perUnit, domains) * hostsPerDomain * options.node.nic.bandwidth;
  const leafCables = Math.max(1, Math.round(down / (options.oversubscription ?? 1) / draft.trunk.bandwidth));
  const enough = Math.max(rails, Math.ceil((rails * Math.min(perPod, unitCount)) / 4));
  const spineCount = unitCount === 1 ? 0 : (options.spinesPerPod ?? Math.min(enough, leafCables));
  const coreCount = podCount === 1 ? 0 : (options.cores ?? spineCount);
  if (unitCount > 1) wholeNumber(where, 'spinesPerPod', spineCount, 1);
  if (podCount > 1) wholeNumber(where, 'cores', coreCount, 1);

  const cores = Array.from({ length: coreCount }, (_, c) => draft.addSwitch(`core${c}`, []));
  const leavesPerPod = rails * Math.min(perPod, unitCount);
  const spineCables = Math.max(1, Math.round((leafCables * leavesPerPod) / Math.max(1, spineCount) / (options.coreOversubscription ?? 1)));
  const uplinks: string[] = [...cores];
  for (let pod = 0; pod < podCount; pod++) {
    const group = `g${pod}`;
    const spines = Array.from({ length: spineCount }, (_, s) => draft.addSwitch(`${group}/spine${s}`, [group]));
    if (coreCount > 0) {
      const perSpine = Math.max(1, Math.floor(coreCount / spineCount));
      spines.forEach((spine, s) => {
        const plane = Array.from({ length: perSpine }, (_, c) => cores[(s * perSpine + c) % coreCount]);
        connectEvenly(draft, spine, [...new Set(plane)], spineCables, draft.trunk);
      });
    } else uplinks.push(...spines);
    for (let unit = pod * perPod; unit < Math.min(unitCount, (pod + 1) * perPod); unit++) {
      const rack = `r${unit}`;
      const leaves = Array.from({ length: rails }, (_, r) => draft.addSwitch(`${group}/${rack}/leaf${r}`, [group, rack]));
      if (spineCount > 0)
        leaves.forEach((leaf, r) => {
          connectEvenly(draft, leaf, spines, leafCables, draft.trunk, (unit * rails + r) * leafCables);
        });
      else uplinks.push(...leaves);
      for (let d = unit * perUnit; d < Math.min(domains, (unit + 1) * perUnit); d++) {
        for (const host of draft.addNode(d, [group, rack]).nics) {
          host.forEach((nic, r) => draft.links.push({ id: `${nic}–${leaves[r]}`, source: nic, target: leaves[r], ...options.node.nic }));
        }
      }
    }
  }
  return draft.finish(uplinks);
}
