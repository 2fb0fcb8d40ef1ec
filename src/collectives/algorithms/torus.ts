import type { CollectiveAlgorithm, CollectiveShape, Move, Phase, Trace } from '../types.js';
import { mergeParts, mergeSteps, type ConcurrentPart } from './concurrent.js';
import { adds, copies, modulo } from './transfers.js';

/**
 * Multi-dimensional ring over a grid of d dimensions: the data is split in 2d parts, one per order of the dimensions and direction, so
 * that all links of a torus work at once.
 *
 * Latency 2·Σ(kᵢ − 1)·α; bandwidth term of a balanced torus 1/(2d) of the one-dimensional ring. The dimensions are the locality levels
 * (ranks per node, nodes per group, …), which must be uniform.
 *
 * @complexity O(n × d²)
 * @reference Cho et al., BlueConnect, IBM J. Res. Dev. 63(6), 2019; Sack & Gropp, PPoPP 2012
 */
export const torus: CollectiveAlgorithm = {
  name: 'torus',
  operations: ['all-reduce', 'reduce-scatter', 'all-gather'],
  refusal: (shape) => (gridOf(shape) === undefined ? 'the ranks form no grid of two or more dimensions' : undefined),
  phases(shape, operation): Phase[] {
    const grid = gridOf(shape)!;
    const stages = grid.extents.map((_, s) =>
      mergeParts(
        `dimension stage ${s}`,
        partsOf(grid).map((part) => stagePart(grid, part, s)),
      ),
    );
    return [...(operation === 'all-gather' ? [] : stages), ...(operation === 'reduce-scatter' ? [] : [...stages].reverse())];
  },
  trace(shape, operation): Trace {
    const grid = gridOf(shape)!;
    const steps: Move[][] = [];
    const stages = grid.extents.map((_, s) => s);
    if (operation !== 'all-gather')
      for (const s of stages)
        mergeSteps(
          steps,
          steps.length,
          partsOf(grid).map((part) => stageMoves(grid, part, s, false)),
        );
    if (operation !== 'reduce-scatter')
      for (const s of [...stages].reverse())
        mergeSteps(
          steps,
          steps.length,
          partsOf(grid).map((part) => stageMoves(grid, part, s, true)),
        );
    return { chunks: grid.rankCount * partsOf(grid).length, steps };
  },
};

/** Extents narrow to broad, and the coordinates of every position. */
interface Grid {
  readonly rankCount: number;
  readonly extents: readonly number[];
  readonly coordinates: readonly (readonly number[])[];
  /** The next rank along a dimension. */
  neighbour(rank: number, dimension: number, direction: number): number;
}

interface Part {
  readonly index: number;
  /** Dimensions in the order this part visits them. */
  readonly order: readonly number[];
  readonly direction: 1 | -1;
}

function gridOf(shape: CollectiveShape): Grid | undefined {
  if (shape.levels.length === 0) return undefined;
  // Number of the child within its parent, level by level.
  const finer = [Int32Array.from({ length: shape.rankCount }, (_, i) => i), ...shape.levels];
  const coarser = [...shape.levels, new Int32Array(shape.rankCount)];
  const coordinates: number[][] = Array.from({ length: shape.rankCount }, () => []);
  const extents: number[] = [];
  for (let level = 0; level < finer.length; level++) {
    const numbers = new Map<number, number>();
    const sizes = new Map<number, number>();
    for (let rank = 0; rank < shape.rankCount; rank++) {
      const child = finer[level][rank];
      const parent = coarser[level][rank];
      if (!numbers.has(child)) {
        numbers.set(child, sizes.get(parent) ?? 0);
        sizes.set(parent, (sizes.get(parent) ?? 0) + 1);
      }
      coordinates[rank].push(numbers.get(child)!);
    }
    const distinct = new Set(sizes.values());
    if (distinct.size !== 1) return undefined;
    extents.push([...distinct][0]);
  }
  const numberOf = (at: readonly number[]): number => at.reduce((sum, x, d) => sum + x * strides[d], 0);
  const strides = extents.map((_, d) => extents.slice(0, d).reduce((a, b) => a * b, 1));
  const rankOf = new Int32Array(shape.rankCount);
  coordinates.forEach((at, rank) => (rankOf[numberOf(at)] = rank));
  return {
    rankCount: shape.rankCount,
    extents,
    coordinates,
    neighbour(rank, dimension, direction) {
      const x = coordinates[rank][dimension];
      return rankOf[numberOf(coordinates[rank]) + (modulo(x + direction, extents[dimension]) - x) * strides[dimension]];
    },
  };
}

function partsOf(grid: Grid): Part[] {
  const d = grid.extents.length;
  return Array.from({ length: 2 * d }, (_, index) => ({
    index,
    order: Array.from({ length: d }, (_, s) => (Math.floor(index / 2) + s) % d),
    direction: index % 2 === 0 ? 1 : -1,
  }));
}

function stagePart(grid: Grid, part: Part, s: number): ConcurrentPart {
  const dimension = part.order[s];
  const k = grid.extents[dimension];
  const before = part.order.slice(0, s).reduce((product, d) => product * grid.extents[d], 1);
  const share = 1 / (2 * grid.extents.length) / before / k;
  const ranks = Array.from({ length: grid.rankCount }, (_, rank) => rank);
  return {
    repeat: k - 1,
    source: ranks,
    target: ranks.map((rank) => grid.neighbour(rank, dimension, part.direction)),
    share: ranks.map(() => share),
  };
}

/** Chunks of a part are numbered by mixed radix in its order of dimensions, first dimension most significant. */
function stageMoves(grid: Grid, part: Part, s: number, isGather: boolean): Move[][] {
  const dimension = part.order[s];
  const k = grid.extents[dimension];
  const widthFrom = (stage: number): number => part.order.slice(stage).reduce((product, d) => product * grid.extents[d], 1);
  const held = isGather ? part.direction : 0;
  const moves = (step: number): Move[] =>
    grid.coordinates.map((at, rank) => {
      let start = part.index * grid.rankCount;
      for (let stage = 0; stage < s; stage++)
        start += modulo(at[part.order[stage]] + part.direction, grid.extents[part.order[stage]]) * widthFrom(stage + 1);
      start += modulo(at[dimension] + held - part.direction * step, k) * widthFrom(s + 1);
      const to = grid.neighbour(rank, dimension, part.direction);
      return (isGather ? copies : adds)(rank, to, start, start + widthFrom(s + 1));
    });
  return Array.from({ length: k - 1 }, (_, step) => moves(step));
}
