import type { CollectiveAlgorithm, CollectiveShape, Move, Phase, Trace } from '../types.js';
import { adds, copies } from './transfers.js';

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
    const edges = channelEdges(shape);
    const isUp = operation !== 'broadcast';
    const isDown = operation !== 'reduce';
    const length = edges.child.length;
    const both = isUp && isDown;
    const source = new Int32Array(both ? 2 * length : length);
    const target = new Int32Array(source.length);
    const share = new Float64Array(source.length);
    const write = (at: number, from: Int32Array, to: Int32Array): void => {
      source.set(from, at);
      target.set(to, at);
      share.set(edges.share, at);
    };
    if (isUp) write(0, edges.child, edges.parent);
    if (isDown) write(both ? length : 0, edges.parent, edges.child);
    return [
      {
        label: both ? 'reduce and broadcast' : operation,
        depth: both ? 2 * edges.height : edges.height,
        transfers: { source, target, share },
      },
    ];
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
        if (operation !== 'broadcast')
          (steps[deepest - level] ??= []).push(...ranks.map((rank) => adds(rank, parent[rank], tree, tree + 1)));
        if (operation !== 'reduce') (down[level - 1] ??= []).push(...ranks.map((rank) => copies(parent[rank], rank, tree, tree + 1)));
      }
    });
    return { chunks: trees.length, steps: [...steps, ...down].filter((moves) => (moves as unknown) !== undefined) };
  },
};

interface ChannelTree {
  /** Parent of every rank, −1 at the root. */
  readonly parent: number[];
}

const MOST_CHANNELS = 8;

/** How the trees of one channel hang together: chains inside nodes, the same for both trees, and two trees between nodes. */
interface Channel {
  /** Ranks of each node from the one nearest the root on. */
  readonly chains: readonly (readonly number[])[];
  /** For both trees: parent node of each node (−1 for the root), and the rank there that children hang on. */
  readonly nodeParents: readonly (readonly number[])[];
  attach(node: number): number;
}

/** Node 0, which holds position 0, is the root of both trees; chains start at a different rank per channel, so that channels use different NICs. */
function planChannels(shape: CollectiveShape): Channel[] {
  const nodes = nodeMembers(shape);
  const channels = nodes.length === 1 ? 1 : Math.min(MOST_CHANNELS, ...nodes.map((members) => members.length));
  const nodeParents = [rootedAtFirst(binaryTree(nodes.length)), rootedAtFirst(secondTree(nodes.length))];
  return Array.from({ length: channels }, (_, c) => {
    const chains = nodes.map((members, node) => {
      const start = node === 0 ? Math.max(0, members.indexOf(0)) : c;
      return members.map((_, i) => members[(start + i) % members.length]);
    });
    // Data enters and leaves the root's node at member c, not always at position 0.
    return { chains, nodeParents, attach: (node) => (node === 0 ? chains[0][c % chains[0].length] : chains[node][0]) };
  });
}

/** The same tree with the labels of its root and of node 0 exchanged. */
function rootedAtFirst(parent: readonly number[]): number[] {
  const root = parent.indexOf(-1);
  const swap = (node: number): number => (node === root ? 0 : node === 0 ? root : node);
  return parent.map((_, node) => (parent[swap(node)] < 0 ? -1 : swap(parent[swap(node)])));
}

function channelTrees(shape: CollectiveShape): ChannelTree[] {
  return planChannels(shape).flatMap(({ chains, nodeParents, attach }) =>
    nodeParents.map((nodeParent) => {
      const parent = new Array<number>(shape.rankCount).fill(-1);
      chains.forEach((chain, node) => {
        for (let i = 1; i < chain.length; i++) parent[chain[i]] = chain[i - 1];
        if (nodeParent[node] >= 0) parent[chain[0]] = attach(nodeParent[node]);
      });
      return { parent };
    }),
  );
}

/** All edges of all trees as flat lists; the chains of a channel are listed once, with the share of both trees. */
function channelEdges(shape: CollectiveShape): { child: Int32Array; parent: Int32Array; share: Float64Array; height: number } {
  const plan = planChannels(shape);
  const nodeCount = plan[0].chains.length;
  const perChannel = shape.rankCount - nodeCount + 2 * (nodeCount - 1);
  const child = new Int32Array(perChannel * plan.length);
  const parent = new Int32Array(child.length);
  const share = new Float64Array(child.length);
  let at = 0;
  let height = 0;
  const add = (from: number, to: number, part: number): void => {
    child[at] = from;
    parent[at] = to;
    share[at++] = part / plan.length;
  };
  // Node by node, all channels: neighbouring edges touch the same node.
  for (let node = 0; node < nodeCount; node++) {
    for (const { chains } of plan) {
      const chain = chains[node];
      for (let i = 1; i < chain.length; i++) add(chain[i], chain[i - 1], 1);
    }
  }
  plan.forEach(({ chains, nodeParents, attach }) => {
    for (const nodeParent of nodeParents) {
      const depth = new Int32Array(nodeCount).fill(-1);
      const depthAt = (node: number): number => {
        if (depth[node] < 0) {
          const up = nodeParent[node];
          depth[node] = up < 0 ? 0 : depthAt(up) + 1 + (up === 0 ? chains[0].indexOf(attach(0)) : 0);
        }
        return depth[node];
      };
      nodeParent.forEach((up, node) => {
        if (up >= 0) add(chains[node][0], attach(up), 1 / 2);
        height = Math.max(height, depthAt(node) + chains[node].length - 1);
      });
    }
  });
  return { child, parent, share, height };
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
