import type { Fabric } from '../fabric/types.js';
import { axisGroups } from './axis-groups.js';
import type { GpuFloor } from './compute-model.js';
import { gpuSet, type GpuSet } from './gpu-floor.js';
import { AXES, type Axis, type Precision } from './types.js';
import type { CompleteParallelism } from './validate-job.js';

/**
 * The weakest GPU of every pipeline stage; one entry for all stages where all GPUs are alike.
 *
 * @complexity O(GPUs) where they are not
 */
export function stageFloors(
  fabric: Fabric,
  gpus: Int32Array,
  set: GpuSet,
  parallelism: CompleteParallelism,
  order: readonly Axis[],
  precision: Precision,
  where: string,
): readonly GpuFloor[] {
  if (!set.isMixed || parallelism.pipeline === 1) return [set.floor];
  const others = AXES.filter((axis) => axis !== 'pipeline');
  return axisGroups(parallelism, order, others).map(
    (ranks) =>
      gpuSet(
        fabric,
        ranks.map((rank) => gpus[rank]),
        precision,
        where,
      ).floor,
  );
}
