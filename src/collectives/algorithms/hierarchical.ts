import type { CollectiveAlgorithm, CollectiveOperation, CollectiveShape, Move, Phase, Trace } from '../types.js';
import { mergeParts, mergeSteps, pipelineStages, type ConcurrentPart } from './concurrent.js';
import { adds, copies, modulo } from './transfers.js';

/**
 * Hierarchical: reduce-scatter inside the narrowest groups (nodes), then across them inside the next level, up to the sites; all-gather
 * back down. What crosses a level is divided by the ranks below it, spread over all their NICs.
 *
 * ```text
 *   level 0   reduce-scatter in each node          bytes / m per rank left
 *   level 1   the same between nodes of a site     each atom of the buffer has one owner per node
 *   top       reduce-scatter + all-gather between sites
 *   …         all-gather back, level by level
 * ```
 *
 * Groups may have unequal sizes (all-reduce): the buffer is cut into atoms at every group's shard borders, and for each atom the owners
 * in the groups form a ring. Over k sites each sends 2(k − 1)/k of the buffer over its access link, whatever its size.
 *
 * The levels work on different pieces at once where that pays. Variants: rings or direct exchange inside the narrowest groups; all
 * levels, only the narrowest or only the broadest.
 *
 * @complexity O(n × levels)
 * @reference Cho et al., BlueConnect, IBM J. Res. Dev. 63(6), 2019, generalised to unequal groups
 */
export const hierarchical: CollectiveAlgorithm = {
  name: 'hierarchical',
  operations: ['all-reduce', 'reduce-scatter', 'all-gather'],
  refusal(shape, operation) {
    if (shape.levels.length === 0) return 'all ranks are of one location';
    if (operation !== 'all-reduce' && !isUniform(shape)) return `hierarchical ${operation} needs groups of equal size`;
    return undefined;
  },
  variants: (shape) => styles(shape).length * levelChoices(shape).length,
  phases(shape, operation, variant): Phase[] {
    const stages = planStages(shape, variant, 1);
    const down = stages.map(({ label, rings }) => mergeParts(`reduce-scatter ${label}`, rings.map(ringPart)));
    const up = down.map((phase, s) => ({ ...phase, label: `all-gather ${stages[s].label}` })).reverse();
    const phases = [...(operation === 'all-gather' ? [] : down), ...(operation === 'reduce-scatter' ? [] : up)];
    return [pipelineStages('all levels, piece by piece', phases)];
  },
  trace(shape, operation: CollectiveOperation, variant): Trace {
    const chunks = exactChunks(shape, variant);
    const stages = planStages(shape, variant, chunks);
    const steps: Move[][] = [];
    const run = (stage: Stage, move: typeof adds, isGather: boolean): void => {
      mergeSteps(
        steps,
        steps.length,
        stage.rings.map((one) => ringMoves(one, move, isGather)),
      );
    };
    if (operation !== 'all-gather') for (const stage of stages) run(stage, adds, false);
    if (operation !== 'reduce-scatter') for (const stage of [...stages].reverse()) run(stage, copies, true);
    return { chunks, steps };
  },
};

/** More ranks than this get the one variant with all levels and rings. */
const MOST_VARIED = 512;

/** Larger groups exchange around rings in every variant: a direct exchange has m² messages. */
const MOST_DIRECT = 16;

/** A range of the buffer and, per child of a ring, the rank that holds it. */
interface Atom {
  readonly start: number;
  readonly end: number;
  readonly owners: readonly number[];
}

/** One exchange among the children of a group. */
interface Ring {
  readonly children: number;
  readonly atoms: readonly Atom[];
  readonly isDirect: boolean;
}

interface Stage {
  readonly label: string;
  readonly rings: readonly Ring[];
}

/** Who owns which range within a group, in order of the ranges. */
type Ownership = readonly { readonly start: number; readonly end: number; readonly owner: number }[];

function planStages(shape: CollectiveShape, variant: number, size: number): Stage[] {
  const choices = levelChoices(shape);
  const levels = choices[variant % choices.length];
  const isDirect = styleOf(shape, variant) === 'direct';
  let groups: Ownership[] = Array.from({ length: shape.rankCount }, (_, rank) => [{ start: 0, end: size, owner: rank }]);
  let groupOf: Int32Array = Int32Array.from({ length: shape.rankCount }, (_, rank) => rank);
  const stages: Stage[] = [];
  for (let level = 0; level <= levels.length; level++) {
    const parentOf = level < levels.length ? levels[level] : new Int32Array(shape.rankCount);
    const children: number[][] = [];
    const seen = new Set<number>();
    groupOf.forEach((group, rank) => {
      if (seen.has(group)) return;
      seen.add(group);
      (children[parentOf[rank]] ??= []).push(group);
    });
    const rings = children.map((members): Ring => ({
      children: members.length,
      atoms: splitAtoms(
        members.map((member) => groups[member]),
        size,
      ),
      isDirect: isDirect && level === 0 && members.length <= MOST_DIRECT,
    }));
    stages.push({ label: `at level ${level}`, rings: rings.filter((one) => one.children > 1) });
    groups = rings.map(ownershipAfter);
    groupOf = parentOf;
  }
  return stages.filter((stage) => stage.rings.length > 0);
}

function splitAtoms(children: readonly Ownership[], size: number): Atom[] {
  const tiny = size * 1e-13;
  const at = children.map(() => 0);
  const atoms: Atom[] = [];
  let start = 0;
  while (start < size - tiny) {
    let end = size;
    children.forEach((ownership, i) => {
      while (ownership[at[i]].end <= start + tiny) at[i]++;
      end = Math.min(end, ownership[at[i]].end);
    });
    atoms.push({ start, end, owners: children.map((ownership, i) => ownership[at[i]].owner) });
    start = end;
  }
  return atoms;
}

/** After the reduce-scatter, child j holds part (j + 1) mod k of every atom. */
function ownershipAfter(one: Ring): Ownership {
  const k = one.children;
  return one.atoms.flatMap(({ start, end, owners }) =>
    owners.map((_, part) => ({
      start: start + ((end - start) * part) / k,
      end: start + ((end - start) * (part + 1)) / k,
      owner: owners[modulo(part - 1, k)],
    })),
  );
}

function ringPart(one: Ring): ConcurrentPart {
  const k = one.children;
  const hops = one.isDirect ? k - 1 : 1;
  const count = k * hops * one.atoms.length;
  const source = new Int32Array(count);
  const target = new Int32Array(count);
  const share = new Float64Array(count);
  let at = 0;
  // Child by child, so that neighbouring transfers touch the same nodes.
  for (let i = 0; i < k; i++) {
    for (let hop = 1; hop <= hops; hop++) {
      for (const { start, end, owners } of one.atoms) {
        source[at] = owners[i];
        target[at] = owners[(i + hop) % k];
        share[at++] = (end - start) / k;
      }
    }
  }
  return { repeat: one.isDirect ? 1 : k - 1, source, target, share };
}

function ringMoves(one: Ring, move: typeof adds, isGather: boolean): Move[][] {
  const k = one.children;
  const held = isGather ? 1 : 0;
  const range = ({ start, end }: Atom, part: number): [number, number] => [
    start + ((end - start) / k) * part,
    start + ((end - start) / k) * (part + 1),
  ];
  if (one.isDirect) {
    const moves = one.atoms.flatMap((atom) =>
      atom.owners.flatMap((from, i) =>
        atom.owners.flatMap((to, j) => (i === j ? [] : [move(from, to, ...range(atom, ((isGather ? i : j) + 1) % k))])),
      ),
    );
    return [moves];
  }
  return Array.from({ length: k - 1 }, (_, s) =>
    one.atoms.flatMap((atom) =>
      atom.owners.map((from, i) => move(from, atom.owners[(i + 1) % k], ...range(atom, modulo(i + held - s, k)))),
    ),
  );
}

/** Which levels to use: all; the broadest alone; of two, also the narrowest alone. */
function levelChoices(shape: CollectiveShape): (readonly Int32Array[])[] {
  if (shape.levels.length <= 1 || shape.rankCount > MOST_VARIED) return [shape.levels];
  const broadest = [shape.levels[shape.levels.length - 1]];
  return shape.levels.length === 2 ? [shape.levels, [shape.levels[0]], broadest] : [shape.levels, broadest];
}

type Style = 'rings' | 'direct';

/** Direct exchange is tried where the narrowest groups are small and it differs from a ring. */
function styles(shape: CollectiveShape): readonly Style[] {
  const sizes = new Map<number, number>();
  for (const group of shape.levels[0]) sizes.set(group, (sizes.get(group) ?? 0) + 1);
  const largest = Math.max(...sizes.values());
  return shape.rankCount <= MOST_VARIED && largest > 2 && largest <= MOST_DIRECT ? ['rings', 'direct'] : ['rings'];
}

const styleOf = (shape: CollectiveShape, variant: number): Style => styles(shape)[Math.floor(variant / levelChoices(shape).length)];

/** The smallest number of chunks that every stage divides without rest. */
function exactChunks(shape: CollectiveShape, variant: number): number {
  const rounds = planStages(shape, variant, 1).map((stage) => stage.rings.map((one) => one.children).reduce(leastCommonMultiple, 1));
  return rounds.reduce((a, b) => a * b, 1);
}

function isUniform(shape: CollectiveShape): boolean {
  return [...shape.levels].every((level) => {
    const sizes = new Map<number, number>();
    for (const group of level) sizes.set(group, (sizes.get(group) ?? 0) + 1);
    return new Set(sizes.values()).size === 1;
  });
}

const leastCommonMultiple = (a: number, b: number): number => (a / greatestCommonDivisor(a, b)) * b;
const greatestCommonDivisor = (a: number, b: number): number => (b === 0 ? a : greatestCommonDivisor(b, a % b));
