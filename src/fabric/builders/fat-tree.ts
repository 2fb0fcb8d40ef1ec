import { invalidArgument } from '../../errors.js';
import {
  checkOversubscription,
  connectEvenly,
  domainCount,
  startDraft,
  wholeNumber,
  type ClusterOptions,
  type ClusterSpec,
} from './network.js';

export interface FatTreeOptions extends ClusterOptions {
  /** Ports of every switch; even. Default: the smallest that holds the nodes. */
  readonly k?: number;
  /** Ports down over ports up of an edge switch. Default 1. */
  readonly oversubscription?: number;
}

/**
 * The k-ary fat tree of Al-Fares, Loukissas & Vahdat (SIGCOMM 2008): k pods of k/2 edge and k/2 aggregation switches, (k/2)² cores,
 * k/2 NIC ports under each edge switch (times the oversubscription). All NICs of a node go to one edge switch; only the pods needed
 * are built. With oversubscription o an edge switch has k/2·o ports down and its k/2 cables up.
 *
 * @throws FabricPlanError `invalid-argument`, also when the nodes do not fit
 * @complexity O(nodes + k³)
 * @example
 * buildFatTree({ node, nodes: 8, k: 4 }).uplinks.length // 4
 */
export function buildFatTree(options: FatTreeOptions): ClusterSpec {
  const where = 'buildFatTree';
  const oversubscription = options.oversubscription ?? 1;
  checkOversubscription(where, oversubscription);
  const draft = startDraft(where, options);
  const domains = domainCount(options);
  const ports = Math.max(1, options.node.nics * (options.node.nodesPerDomain ?? 1));
  const perEdge = (k: number): number => Math.floor(((k / 2) * oversubscription) / ports);
  const capacity = (k: number): number => k * (k / 2) * perEdge(k);
  let k = options.k ?? 2;
  if (options.k === undefined) while (capacity(k) < domains && k < 512) k += 2;
  wholeNumber(where, 'k', k, 2);
  if (k % 2 !== 0 || k > 512) throw invalidArgument(where, 'k', k, 'an even number of ports, at most 512');
  if (capacity(k) < domains)
    throw invalidArgument(where, 'nodes', options.nodes, `at most ${capacity(k)} for k = ${k} with ${ports} ports a node`);

  const half = k / 2;
  const edgeCount = Math.ceil(domains / perEdge(k));
  const podCount = Math.ceil(edgeCount / half);
  const cores = podCount === 1 ? [] : Array.from({ length: half * half }, (_, c) => draft.addSwitch(`core${c}`, []));
  const uplinks = [...cores];
  let node = 0;
  for (let pod = 0; pod < podCount; pod++) {
    const group = `g${pod}`;
    const aggregation = Array.from({ length: half }, (_, a) => draft.addSwitch(`${group}/agg${a}`, [group]));
    aggregation.forEach((agg, a) => {
      if (cores.length > 0) connectEvenly(draft, agg, cores.slice(a * half, (a + 1) * half), half, draft.trunk);
    });
    if (cores.length === 0) uplinks.push(...aggregation);
    for (let e = pod * half; e < Math.min(edgeCount, (pod + 1) * half); e++) {
      const rack = `r${e}`;
      const edge = draft.addSwitch(`${group}/${rack}/edge`, [group, rack]);
      connectEvenly(draft, edge, aggregation, half, draft.trunk);
      for (let i = 0; i < perEdge(k) && node < domains; i++) {
        for (const nic of draft.addNode(node++, [group, rack]).nics.flat())
          draft.links.push({ id: `${nic}–${edge}`, source: nic, target: edge, ...options.node.nic });
      }
    }
  }
  return draft.finish(uplinks);
}
