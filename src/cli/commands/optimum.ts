import { writeFileSync } from 'node:fs';
import { collectiveOptimum, relieveCut } from '../../collectives/bounds/collective-optimum.js';
import { prepareCollective } from '../../collectives/prepare-collective.js';
import { COLLECTIVE_ALGORITHMS } from '../../collectives/registry.js';
import { formatMscclXml, optimalSchedule, packAllReduceTrees } from '../../collectives/schedules/index.js';
import { FabricPlanError, invalidArgument } from '../../errors.js';
import type { Fabric } from '../../fabric/types.js';
import { formatBandwidth, formatShare } from '../../quantities.js';
import { formatTable } from '../../report/text-report.js';
import { computeRoutes } from '../../routes/compute-routes.js';
import { printJson } from '../output.js';
import { openFabric, type OpenOptions } from '../open-topology.js';

export interface OptimumOptions extends OpenOptions {
  readonly ranks?: string;
  readonly operation: string;
  readonly schedule?: string;
  readonly json?: boolean;
}

/** Size at which start-up costs no longer show. */
const BULK = 64 * 2 ** 30;
/** Beyond this many ranks the packing of all-reduce trees is left out. */
const MOST_PACKED = 256;

/** The best any schedule can do on a fabric, the cut that limits it, and how far the known algorithms are from it. */
export function optimum(files: readonly string[], options: OptimumOptions): void {
  const { fabric } = openFabric(files, options);
  const count = options.ranks === undefined ? fabric.gpuIds.length : Number(options.ranks);
  if (!(Number.isInteger(count) && count >= 2 && count <= fabric.gpuIds.length))
    throw invalidArgument(
      'optimum',
      options.ranks === undefined ? 'GPUs of the fabric' : '--ranks',
      options.ranks ?? count,
      `a whole number from 2 to ${fabric.gpuIds.length}`,
    );
  const ranks = fabric.gpuIds.slice(0, count);
  const gather = collectiveOptimum(fabric, { operation: 'all-gather', ranks });
  const scatter = collectiveOptimum(fabric, { operation: 'reduce-scatter', ranks });
  const bound = collectiveOptimum(fabric, { operation: 'all-reduce', ranks });
  const both = 1 / (1 / gather.bandwidth + 1 / scatter.bandwidth);
  // Trees that reduce and spread at once pay only where the two phases after each other leave a gap.
  const trees = both < bound.bandwidth * 0.999 && count <= MOST_PACKED ? packAllReduceTrees(fabric, { ranks }).bandwidth : undefined;
  const relief = relieveCut(fabric, { operation: 'all-gather', ranks });
  const algorithms = gapsOf(fabric, ranks, { gather: gather.bandwidth, scatter: scatter.bandwidth, bound: bound.bandwidth });
  if (options.schedule !== undefined) {
    const operation = options.operation as 'all-gather';
    writeFileSync(options.schedule, formatMscclXml(optimalSchedule(fabric, { operation, ranks }), `${operation}-${count}`));
  }
  if (options.json === true) {
    printJson({
      schema: 'fabricplan/optimum/1',
      fabric: fabric.name,
      ranks: count,
      allGatherBandwidth: gather.bandwidth,
      reduceScatterBandwidth: scatter.bandwidth,
      allReduceBandwidth: both,
      allReduceBound: bound.bandwidth,
      ...(trees === undefined ? {} : { allReduceTreeBandwidth: trees }),
      bottleneckCut: gather.bottleneckCut,
      allReduceCut: bound.bottleneckCut,
      relief,
      algorithms,
    });
    return;
  }
  const write = (line: string): void => {
    process.stdout.write(`${line}\n`);
  };
  write(`best possible over ${count} GPUs of ${fabric.name}, as algorithm bandwidth`);
  write(
    formatTable(
      ['collective', 'bandwidth', 'how'],
      [
        ['all-gather', formatBandwidth(gather.bandwidth), 'exact'],
        ['reduce-scatter', formatBandwidth(scatter.bandwidth), 'exact'],
        ['all-reduce', formatBandwidth(both), 'reduce-scatter, then all-gather'],
        ...(trees === undefined
          ? []
          : [['all-reduce', formatBandwidth(trees), 'trees that reduce and spread at once (packed, a lower bound)']]),
        ['all-reduce', formatBandwidth(bound.bandwidth), 'no schedule can beat this cut'],
      ],
    ),
  );
  const { gpusInside, links, capacity } = gather.bottleneckCut;
  write(`bottleneck cut: ${listed(gpusInside)} send to the rest over ${listed(links)}, ${formatBandwidth(capacity)} in all`);
  if (relief.bandwidth === Infinity) write('nothing else would limit once these links are wider');
  else if (relief.bandwidth > gather.bandwidth * 1.001)
    write(
      `${formatBandwidth(relief.extraCapacity)} more on ${listed(relief.links)} buys ×${(relief.bandwidth / gather.bandwidth).toFixed(2)}; then the next cut is ${listed(relief.nextCut.links)} around ${listed(relief.nextCut.gpusInside)}`,
    );
  else write('many other cuts are equally tight: widening a few links buys nothing');
  if (algorithms.length > 0)
    write(
      formatTable(
        ['operation', 'algorithm', 'bandwidth', 'of the best possible'],
        algorithms.map((one) => [one.operation, one.algorithm, formatBandwidth(one.bandwidth), formatShare(one.share, 3)]),
      ),
    );
  if (options.schedule !== undefined) write(`schedule written to ${options.schedule}`);
}

const listed = (names: readonly string[]): string =>
  names.length <= 3 ? names.join(', ') : `${names.slice(0, 2).join(', ')} and ${names.length - 2} more`;

interface Gap {
  readonly operation: string;
  readonly algorithm: string;
  readonly bandwidth: number;
  readonly share: number;
}

/** Bandwidth of every algorithm at bulk size against the optimum; empty where the fabric's hosts cannot reach each other by routes. */
function gapsOf(fabric: Fabric, ranks: readonly string[], best: { gather: number; scatter: number; bound: number }): Gap[] {
  const gaps: Gap[] = [];
  try {
    const routes = computeRoutes(fabric);
    for (const [operation, optimum] of [
      ['all-gather', best.gather],
      ['reduce-scatter', best.scatter],
      ['all-reduce', best.bound],
    ] as const) {
      for (const algorithm of COLLECTIVE_ALGORITHMS) {
        if (!algorithm.operations.includes(operation)) continue;
        try {
          const { algorithmBandwidth } = prepareCollective(routes, { operation, ranks }, { algorithm: algorithm.name }).estimate(BULK);
          gaps.push({ operation, algorithm: algorithm.name, bandwidth: algorithmBandwidth, share: algorithmBandwidth / optimum });
        } catch (error) {
          // An algorithm that refuses these ranks has no bandwidth on them.
          if (!(error instanceof FabricPlanError)) throw error;
        }
      }
    }
  } catch (error) {
    if (!(error instanceof FabricPlanError)) throw error;
  }
  return gaps;
}
