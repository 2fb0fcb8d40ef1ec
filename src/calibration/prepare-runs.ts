import { buildRailOptimised } from '../fabric/builders/rail-optimised.js';
import type { NodeShape } from '../fabric/builders/node.js';
import { createFabric } from '../fabric/create-fabric.js';
import { computeRoutes, type Routes } from '../routes/compute-routes.js';
import type { Parallelism, TrainingJob } from '../training/types.js';
import { prepareRun, type PreparedRun } from './training-fit.js';

/** A training run as a table gives it: what `parseTrainingRuns` returns. */
export interface TabledRun {
  readonly id: string;
  readonly columns: Readonly<Record<string, string>>;
  readonly job: TrainingJob;
  readonly parallelism: Parallelism;
  readonly node: NodeShape;
  readonly gpu: string;
  readonly gpus: number;
  readonly seconds?: number;
}

/**
 * Puts runs of a table on fabrics of their nodes and prices their links; runs on equal nodes share a fabric. Tables name a network, not
 * its switches: it is taken to be rail-optimised without oversubscription.
 *
 * @returns one function, so that a run that cannot be priced throws alone
 * @complexity O(GPUs) per run
 */
export function runPreparer(): (run: TabledRun) => PreparedRun {
  const known = new Map<string, Routes>();
  return (run) => {
    const key = JSON.stringify([run.node, run.gpus]);
    let routes = known.get(key);
    if (routes === undefined) {
      routes = computeRoutes(createFabric(buildRailOptimised({ node: run.node, nodes: Math.ceil(run.gpus / run.node.gpus) })));
      known.set(key, routes);
    }
    const cell = (name: string): string => (Object.hasOwn(run.columns, name) ? run.columns[name] : '');
    return prepareRun({
      id: run.id,
      // A source is a repository or a paper, whatever the file in it.
      source: cell('source').split(/[@ ]/)[0] || 'table',
      // Variants that differ in memory alone are one type.
      gpu: run.gpu.replace(/-\d+$/, ''),
      sweep: ['source', 'system', 'model', 'gpus', 'seq', 'gbs'].map(cell).join(' | '),
      job: run.job,
      parallelism: run.parallelism,
      routes,
      seconds: run.seconds ?? 1,
    });
  };
}
