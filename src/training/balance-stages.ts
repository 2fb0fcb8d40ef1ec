import { headTimes, layerTimes } from './layer-times.js';
import type { StepContext } from './price-step.js';
import type { CompleteJob, CompleteParallelism } from './validate-job.js';

/**
 * Layers for the stages of a pipeline over unequal GPUs so that the slowest stage is as fast as can be: layer by layer to the stage that
 * would finish it first. Every stage keeps at least one layer.
 *
 * @returns counts by stage; empty where an even split is as good, or where layers are not alike (mixtures of experts with dense layers)
 * @complexity O(layers × stages)
 */
export function balanceStages(job: CompleteJob, parallelism: CompleteParallelism, { floors, constants }: StepContext): readonly number[] {
  const { pipeline } = parallelism;
  const { layers, experts } = job.model;
  if (floors.length !== pipeline || pipeline > layers || (experts?.denseLayers ?? 0) > 0) return [];
  const each = floors.map((floor) => {
    const { forward, backward, recompute } = layerTimes(job, parallelism, floor, experts !== undefined, constants);
    return forward + backward + recompute;
  });
  const busy = each.map((seconds, stage) =>
    stage === pipeline - 1 ? seconds + headTimes(job, parallelism, floors[stage], constants).total : seconds,
  );
  const counts = new Array<number>(pipeline).fill(1);
  for (let layer = pipeline; layer < layers; layer++) {
    let best = 0;
    for (let stage = 1; stage < pipeline; stage++) if (busy[stage] + each[stage] < busy[best] + each[best]) best = stage;
    counts[best]++;
    busy[best] += each[best];
  }
  return counts;
}
