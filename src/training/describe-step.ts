import type { GpuFloor } from './compute-model.js';
import { memoryOf } from './estimate-memory.js';
import type { GpuSet } from './gpu-floor.js';
import type { StepPrice } from './price-step.js';
import { stepRange } from './step-range.js';
import type { AxisEstimate, MemoryEstimate, StepEstimate } from './types.js';
import type { CompleteJob, CompleteParallelism } from './validate-job.js';

/** Share of board power that a GPU draws while it waits, and what its node draws on top of all boards (general knowledge). */
export const WAITING_POWER = 0.6;
export const NODE_POWER = 1.25;
/** A part is named as the bottleneck from this share of the step on. */
const NAMED_FROM = 0.1;

/** A price with memory, utilisation, energy and what limits it. */
export function describeStep(
  job: CompleteJob,
  parallelism: CompleteParallelism,
  { seconds, breakdown, axes }: StepPrice,
  set: GpuSet,
  floors: readonly GpuFloor[],
): StepEstimate {
  const tokens = job.globalBatch * job.sequence;
  const { flops } = job;
  const { recomputation, recomputeEvery } = parallelism;
  const modelStep = 3 * tokens * (flops.matrices + flops.attentionCausal);
  const again = recomputation === 'full' ? 1 / recomputeEvery : 0;
  const attentionAgain = recomputation === 'selective' && job.attention === 'unfused' ? 1 : again;
  const hardwareStep = tokens * ((3 + again) * flops.matrices + (3 + attentionAgain) * flops.attentionCausal);
  const memory = memoryOf(job, parallelism);
  const worst = axes.reduce<AxisEstimate | undefined>((a, b) => (a === undefined || b.exposed > a.exposed ? b : a), undefined);
  const { low, high } = stepRange(job, floors[0], seconds, breakdown);
  const busy = (breakdown.compute + breakdown.optimizer) / seconds;
  return {
    seconds,
    low,
    high,
    breakdown,
    axes,
    tokensPerSecond: tokens / seconds,
    modelFlopUtilisation: modelStep / seconds / set.peakSum,
    hardwareFlopUtilisation: hardwareStep / seconds / set.peakSum,
    modelFlops: modelStep / seconds,
    bottleneck: bottleneckOf(breakdown, seconds, worst),
    memory,
    fits: fitsStages(memory, floors),
    ...(set.power === undefined
      ? {}
      : { energy: set.power * (WAITING_POWER + (1 - WAITING_POWER) * busy) * NODE_POWER * job.powerUsageEffectiveness * seconds }),
    ...(job.eurosPerGpuHour === undefined
      ? {}
      : {
          euros:
            (parallelism.tensor * parallelism.pipeline * parallelism.data * parallelism.context * job.eurosPerGpuHour * seconds) / 3600,
        }),
  };
}

/** Whether every stage fits its GPUs, or a share of their memory. */
export function fitsStages(memory: Pick<MemoryEstimate, 'stages'>, floors: readonly GpuFloor[], usable = 1): boolean {
  return memory.stages.every(({ total, stage }) => total <= floors[floors.length === 1 ? 0 : stage].memory * usable);
}

function bottleneckOf(breakdown: StepEstimate['breakdown'], seconds: number, worst: AxisEstimate | undefined): string {
  if (worst !== undefined && worst.exposed >= NAMED_FROM * seconds)
    return `${worst.axis} traffic${worst.bottleneck === undefined ? '' : ` over ${worst.bottleneck.link}`}`;
  if (breakdown.bubble > 0.25 * seconds) return 'the pipeline bubble';
  if (breakdown.overhead > 0.25 * seconds) return 'the host';
  return 'compute';
}
