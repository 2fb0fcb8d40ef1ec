import type { CollectiveAlgorithm } from './types.js';
import { direct } from './algorithms/direct.js';
import { doubleBinaryTree } from './algorithms/double-binary-tree.js';
import { hierarchical } from './algorithms/hierarchical.js';
import { inNetwork } from './algorithms/in-network.js';
import { pairwise } from './algorithms/pairwise.js';
import { recursiveDoubling } from './algorithms/recursive-doubling.js';
import { recursiveHalvingDoubling } from './algorithms/recursive-halving-doubling.js';
import { ring } from './algorithms/ring.js';
import { torus } from './algorithms/torus.js';

/** Every algorithm that `estimateCollective` tries unless one is named. Ties go to the first. */
export const COLLECTIVE_ALGORITHMS: readonly CollectiveAlgorithm[] = [
  ring,
  doubleBinaryTree,
  hierarchical,
  torus,
  inNetwork,
  recursiveDoubling,
  recursiveHalvingDoubling,
  direct,
  pairwise,
];
