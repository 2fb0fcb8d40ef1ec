import {
  checkOversubscription,
  connectEvenly,
  domainCount,
  startDraft,
  wholeNumber,
  type ClusterOptions,
  type ClusterSpec,
  type Draft,
} from './network.js';

export interface DragonflyOptions extends ClusterOptions {
  /** Nodes per group. */
  readonly nodesPerGroup: number;
  /** Switches per group that carry nodes. Default: one per 16 NICs. */
  readonly switchesPerGroup?: number;
  /** Bandwidth of a group's NICs over the bandwidth of its global links. Default 1. */
  readonly globalTaper?: number;
  /** Bandwidth of a group's NICs over the bandwidth between its own switches. Default 1. */
  readonly groupTaper?: number;
  /**
   * `adaptive` (default): detours inside a group balance its local links, so they are seen as one stage of their total rate, a switch
   * named `local`. `minimal`: every pair of switches has its cables and traffic takes the direct ones.
   */
  readonly routing?: 'adaptive' | 'minimal';
}

/**
 * Dragonfly (Kim, Dally, Scott & Abts, ISCA 2008): the switches of a group are joined all to all, the groups all to all by global links
 * that are spread over the switches. The NICs of a node go to different switches, as on Slingshot systems.
 *
 * Global cables between two groups: group injection / globalTaper / (groups − 1), at least one. Between groups routes are minimal;
 * detours over a third group (Valiant) spread load further than this model shows.
 *
 * @throws FabricPlanError `invalid-argument`
 * @complexity O(nodes + groups × switches² + groups²)
 * @example
 * buildDragonfly({ node, nodes: 4, nodesPerGroup: 2, switchesPerGroup: 2 }).uplinks // ['cluster/g0/local', 'cluster/g1/local']
 */
export function buildDragonfly(options: DragonflyOptions): ClusterSpec {
  const where = 'buildDragonfly';
  const draft = startDraft(where, options);
  checkTapers(where, options);
  const shape = groupShape(where, options);
  const routers: string[][] = [];
  for (let g = 0; g < shape.groups; g++) {
    const group = `g${g}`;
    const switches = Array.from({ length: shape.switches }, (_, s) => draft.addSwitch(`${group}/sw${s}`, [group]));
    if (options.routing !== 'minimal') {
      const local = draft.addSwitch(`${group}/local`, [group]);
      const cables = Math.max(1, Math.round(shape.injectionCables / (options.groupTaper ?? 1) / shape.switches));
      for (const one of switches) connectEvenly(draft, one, [local], cables, draft.trunk);
      addGroupNodes(draft, options, shape, g, switches);
      routers.push([local]);
      continue;
    }
    const perPair = Math.max(
      1,
      Math.round((2 * shape.injectionCables) / (options.groupTaper ?? 1) / Math.max(1, shape.switches * (shape.switches - 1))),
    );
    for (let a = 0; a < switches.length; a++)
      for (let b = a + 1; b < switches.length; b++) connectEvenly(draft, switches[a], [switches[b]], perPair, draft.trunk);
    addGroupNodes(draft, options, shape, g, switches);
    routers.push(switches);
  }
  joinGroups(draft, routers, shape, options.globalTaper ?? 1);
  return draft.finish(routers.flat());
}

export type DragonflyPlusOptions = DragonflyOptions & {
  /** Spines per group. Default: the number of leaves. */
  readonly spinesPerGroup?: number;
};

/**
 * Dragonfly+ (Shpiner et al., HiPINEB 2017): each group is a leaf–spine fabric, global links join the spines.
 *
 * `groupTaper` is the oversubscription of a leaf, `globalTaper` the ratio of a group's injection to its global links.
 *
 * @throws FabricPlanError `invalid-argument`
 * @complexity O(nodes + groups × leaves × spines + groups²)
 * @example
 * buildDragonflyPlus({ node, nodes: 4, nodesPerGroup: 2, switchesPerGroup: 2, spinesPerGroup: 2 }).uplinks.length // 4
 */
export function buildDragonflyPlus(options: DragonflyPlusOptions): ClusterSpec {
  const where = 'buildDragonflyPlus';
  const draft = startDraft(where, options);
  checkTapers(where, options);
  const shape = groupShape(where, options);
  const spineCount = options.spinesPerGroup ?? shape.switches;
  wholeNumber(where, 'spinesPerGroup', spineCount, 1);
  const routers: string[][] = [];
  for (let g = 0; g < shape.groups; g++) {
    const group = `g${g}`;
    const spines = Array.from({ length: spineCount }, (_, s) => draft.addSwitch(`${group}/spine${s}`, [group]));
    const leaves = Array.from({ length: shape.switches }, (_, l) => draft.addSwitch(`${group}/leaf${l}`, [group]));
    const cables = Math.max(1, Math.round(shape.injectionCables / (options.groupTaper ?? 1) / shape.switches));
    leaves.forEach((leaf, l) => {
      connectEvenly(draft, leaf, spines, cables, draft.trunk, l);
    });
    addGroupNodes(draft, options, shape, g, leaves);
    routers.push(spines);
  }
  joinGroups(draft, routers, shape, options.globalTaper ?? 1);
  return draft.finish(routers.flat());
}

interface GroupShape {
  readonly groups: number;
  readonly switches: number;
  readonly perGroup: number;
  readonly domains: number;
  /** A group's injection in trunk cables. */
  readonly injectionCables: number;
}

function checkTapers(where: string, options: DragonflyOptions): void {
  wholeNumber(where, 'nodesPerGroup', options.nodesPerGroup, 1);
  checkOversubscription(where, options.globalTaper ?? 1);
  checkOversubscription(where, options.groupTaper ?? 1);
}

function groupShape(where: string, options: DragonflyOptions): GroupShape {
  const domains = domainCount(options);
  const perGroup = Math.max(1, Math.floor(options.nodesPerGroup / (options.node.nodesPerDomain ?? 1)));
  const ports = perGroup * options.node.nics * (options.node.nodesPerDomain ?? 1);
  const switches = options.switchesPerGroup ?? Math.max(1, Math.ceil(ports / 16));
  wholeNumber(where, 'switchesPerGroup', switches, 1);
  const trunk = options.trunk ?? options.node.nic;
  return {
    groups: Math.ceil(domains / perGroup),
    switches,
    perGroup,
    domains,
    injectionCables: (ports * options.node.nic.bandwidth) / trunk.bandwidth,
  };
}

function addGroupNodes(draft: Draft, options: ClusterOptions, shape: GroupShape, group: number, switches: readonly string[]): void {
  // Groups of switches that take the NICs of one node each: node i starts where node i − 1 ended.
  let port = 0;
  for (let d = group * shape.perGroup; d < Math.min(shape.domains, (group + 1) * shape.perGroup); d++) {
    const rack = `r${Math.floor(((d - group * shape.perGroup) * Math.min(8, shape.perGroup)) / shape.perGroup)}`;
    for (const nic of draft.addNode(d, [`g${group}`, rack]).nics.flat()) {
      const target = switches[port++ % switches.length];
      draft.links.push({ id: `${nic}–${target}`, source: nic, target, ...options.node.nic });
    }
  }
}

/** Joins groups all to all; the cables of a pair start at a switch that rotates, so that switches carry equal numbers. */
function joinGroups(draft: Draft, routers: readonly (readonly string[])[], shape: GroupShape, taper: number): void {
  if (routers.length < 2) return;
  const perPair = Math.max(1, Math.round(shape.injectionCables / taper / (routers.length - 1)));
  const cursor = routers.map(() => 0);
  for (let a = 0; a < routers.length; a++) {
    for (let b = a + 1; b < routers.length; b++) {
      const width = Math.min(perPair, routers[a].length, routers[b].length);
      for (let i = 0; i < width; i++) {
        const count = Math.floor(perPair / width) + (i < perPair % width ? 1 : 0);
        connectEvenly(
          draft,
          routers[a][cursor[a]++ % routers[a].length],
          [routers[b][cursor[b]++ % routers[b].length]],
          count,
          draft.trunk,
        );
      }
    }
  }
}
