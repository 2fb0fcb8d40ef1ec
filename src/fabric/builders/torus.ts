import { FabricPlanError, invalidArgument } from '../../errors.js';
import { startDraft, wholeNumber, type ClusterOptions, type ClusterSpec } from './network.js';

export interface TorusOptions extends Omit<ClusterOptions, 'nodes'> {
  /** Extent of each dimension, e.g. `[4, 4, 4]`. */
  readonly dimensions: readonly number[];
}

/**
 * A torus of switches, one per node: each is joined to its neighbour in both directions of every dimension (one cable where the extent
 * is two). All NICs of a node go to its switch.
 *
 * @throws FabricPlanError `invalid-argument`
 * @complexity O(nodes × dimensions)
 * @example
 * buildTorus({ node, dimensions: [2, 2] }).devices.filter((device) => device.kind === 'switch').length // 4
 */
export function buildTorus(options: TorusOptions): ClusterSpec {
  const where = 'buildTorus';
  if (options.dimensions.length === 0 || options.dimensions.length > 6)
    throw invalidArgument(where, 'dimensions', options.dimensions, 'one to six extents');
  options.dimensions.forEach((extent, i) => {
    wholeNumber(where, `dimensions[${i}]`, extent, 1);
  });
  if ((options.node.nodesPerDomain ?? 1) > 1)
    throw new FabricPlanError('unsupported', `${where}: node "${options.node.name}" is a rack domain; expected a node of its own`);
  const nodes = options.dimensions.reduce((a, b) => a * b, 1);
  const draft = startDraft(where, { ...options, nodes });
  const coordinates = Array.from({ length: nodes }, (_, i) => split(i, options.dimensions));
  const switchOf = coordinates.map((at) => draft.addSwitch(`g${at[0]}/sw${at.join('-')}`, [`g${at[0]}`]));
  for (let i = 0; i < nodes; i++) {
    const at = coordinates[i];
    for (const nic of draft.addNode(i, [`g${at[0]}`, `r${at[1] ?? 0}`]).nics.flat())
      draft.links.push({ id: `${nic}–${switchOf[i]}`, source: nic, target: switchOf[i], ...options.node.nic });
    options.dimensions.forEach((extent, d) => {
      if (extent < 2 || (extent === 2 && at[d] === 1)) return;
      const next = join(
        at.map((x, j) => (j === d ? (x + 1) % extent : x)),
        options.dimensions,
      );
      draft.links.push({ id: `${switchOf[i]}–${switchOf[next]}`, source: switchOf[i], target: switchOf[next], ...draft.trunk });
    });
  }
  return draft.finish(switchOf);
}

function split(index: number, dimensions: readonly number[]): number[] {
  const at: number[] = [];
  for (let d = dimensions.length - 1; d >= 0; d--) {
    at.unshift(index % dimensions[d]);
    index = Math.floor(index / dimensions[d]);
  }
  return at;
}

const join = (at: readonly number[], dimensions: readonly number[]): number => at.reduce((index, x, d) => index * dimensions[d] + x, 0);
