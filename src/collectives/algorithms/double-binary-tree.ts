import type { CollectiveAlgorithm, CollectiveShape, Move, Phase, Trace } from '../types.js';
import { adds, copies, listTransfers } from './transfers.js';

/**
 * Double binary tree: two trees over the nodes, each carrying half of the data, with a chain inside every node; reduce towards the
 * root and broadcast back run as one pipeline.
 *
 * ```text
 *  tree 0 over 8 nodes        tree 1 = tree 0 with nodes renumbered, so that
 *  0                          an inner node of one tree is a leaf of the other
 *  └─ 4                       (for an even number of nodes)
 *     ├─ 2 ─┬ 1, 3
 *     └─ 6 ─┴ 5, 7
 * ```
 *
 * On a uniform fabric: about 2h·α + bytes·2β with h = log2 n, both directions of all links in use. Latency logarithmic in the number of
 * nodes; for large messages the ring moves fewer bytes per link.
 *
 * @complexity O(n × channels)
 * @reference Sanders, Speck & Träff, Parallel Computing 35(12), 2009; node numbering as in NCCL 2.30 (src/graph/trees.cc)
 */
export const doubleBinaryTree: CollectiveAlgorithm = {
  name: 'double-binary-tree',
  operations: ['all-reduce', 'broadcast', 'reduce'],
  phases(shape, operation): Phase[] {
    const trees = channelTrees(shape);
    const edges = listTransfers();
    let depth = 0;
    for (const { parent, share, height } of trees) {
      depth = Math.max(depth, height);
      parent.forEach((up, rank) => {
        if (up < 0) return;
        if (operation !== 'broadcast') edges.add(rank, up, share);
        if (operation !== 'reduce') edges.add(up, rank, share);
      });
    }
    const steps = operation === 'all-reduce' ? 2 * depth : depth;
    return [{ label: operation === 'all-reduce' ? 'reduce and broadcast' : operation, depth: steps, transfers: edges.finish() }];
  },
  trace(shape, operation): Trace {
    const trees = channelTrees(shape);
    const steps: Move[][] = [];
    const down: Move[][] = [];
    trees.forEach(({ parent }, tree) => {
      const depth = parent.map((_, rank) => depthOf(parent, rank));
      const deepest = Math.max(...depth);
      for (let level = deepest; level > 0; level--) {
        const isLevel = (rank: number): boolean => depth[rank] === level;
        const ranks = Array.from(parent.keys()).filter(isLevel);
        if (operation !== 'broadcast') (steps[deepest - level] ??= []).push(...ranks.map((rank) => adds(rank, parent[rank], tree, tree + 1)));
        if (operation !== 'reduce') (down[level - 1] ??= []).push(...ranks.map((rank) => copies(parent[rank], rank, tree, tree + 1)));
      }
    });
    return { chunks: trees.length, steps: [...steps, ...down].filter((moves) => (moves as unknown) !== undefined) };
  },
};

interface ChannelTree {
  /** Parent of every rank, −1 at the root. */
  readonly parent: number[];
  readonly share: number;
  readonly height: number;
}

const MOST_CHANNELS = 8;

/** For every channel two trees; the chain of a node starts at a different rank per channel, so that channels use different NICs. */
function channelTrees(shape: CollectiveShape): ChannelTree[] {
  const nodes = nodeMembers(shape);
  const channels = nodes.length === 1 ? 1 : Math.min(MOST_CHANNELS, ...nodes.map((members) => members.length));
  const trees: ChannelTree[] = [];
  const rootNode = 0;
  for (let c = 0; c < channels; c++) {
    for (let t = 0; t < 2; t++) {
      const nodeParent = t === 0 ? binaryTree(nodes.length) : secondTree(nodes.length);
      // The root of both trees must be the same node where data starts or ends at position 0: swap labels.
      const root = nodeParent.indexOf(-1);
      const relabel = (node: number): number => (node === root ? rootNode : node === rootNode ? root : node);
      const parent = new Array<number>(shape.rankCount).fill(-1);
      nodes.forEach((members, node) => {
        const start = node === rootNode ? Math.max(0, members.indexOf(0)) : c;
        const chain = members.map((_, i) => members[(start + i) % members.length]);
        for (let i = 1; i < chain.length; i++) parent[chain[i]] = chain[i - 1];
      });
      nodes.forEach((members, node) => {
        const up = nodeParent[relabel(node)];
        if (up < 0) return;
        const upMembers = nodes[relabel(up)];
        const upNode = relabel(up);
        parent[headOf(members, node, c)] = upNode === rootNode ? upMembers[c % upMembers.length] : headOf(upMembers, upNode, c);
      });
      const depths = parent.map((_, rank) => depthOf(parent, rank));
      trees.push({ parent, share: 1 / (2 * channels), height: Math.max(0, ...depths) });
    }
  }
  return trees;

  function headOf(members: readonly number[], node: number, c: number): number {
    return node === rootNode ? members[Math.max(0, members.indexOf(0))] : members[c % members.length];
  }
}

/** Positions by node (narrowest level); without levels all ranks are their own node. The node of position 0 comes first. */
function nodeMembers(shape: CollectiveShape): number[][] {
  if (shape.levels.length === 0) return Array.from({ length: shape.rankCount }, (_, i) => [i]);
  const members: number[][] = [];
  shape.levels[0].forEach((node, rank) => (members[node] ??= []).push(rank));
  return members;
}

function depthOf(parent: readonly number[], rank: number): number {
  let depth = 0;
  for (let at = rank; parent[at] >= 0; at = parent[at]) depth++;
  return depth;
}

/** Parents of the first tree over n nodes: node 0 is the root, and a node's lowest set bit gives its height. */
export function binaryTree(n: number): number[] {
  return Array.from({ length: n }, (_, r) => {
    if (r === 0) return -1;
    const bit = r & -r;
    const up = (r ^ bit) | (bit << 1);
    return up < n ? up : r ^ bit;
  });
}

/** The second tree: the first one reflected (n even) or shifted by one (n odd). */
export function secondTree(n: number): number[] {
  const first = binaryTree(n);
  const rename = (r: number): number => (n % 2 === 0 ? n - 1 - r : (r + 1) % n);
  const parent = new Array<number>(n);
  first.forEach((up, r) => (parent[rename(r)] = up < 0 ? -1 : rename(up)));
  return parent;
}
