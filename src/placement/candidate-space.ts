import { COMPUTE_MODEL } from '../training/compute-model.js';
import { NODE_POWER, WAITING_POWER } from '../training/describe-step.js';
import { peakMemory } from '../training/estimate-memory.js';
import type { GpuSet } from '../training/gpu-floor.js';
import { stepFloor, type GpuTimes, type StepContext } from '../training/price-step.js';
import { refuseDegrees, type CompleteJob, type CompleteParallelism } from '../training/validate-job.js';
import { compareScores, exceeds, scoreStep, type Objective, type RunLimits, type Score, type ScoreContext } from './objective.js';
import { parallelismSpace, type SpaceOptions } from './parallelism-space.js';

/** Degrees that may work, with the least that any mapping of them can score. */
export interface SpaceEntry {
  readonly parallelism: CompleteParallelism;
  readonly bound: Score;
}

/** All degrees for a number of equal GPUs: those that may work, best bound first, and why the others do not, counted. */
export interface CandidateSpace {
  readonly entries: readonly SpaceEntry[];
  readonly rejections: ReadonlyMap<string, number>;
  readonly examined: number;
}

/** What a run must keep to: its number of steps and its limits. */
export interface RunFrame {
  readonly steps: number;
  readonly limits: RunLimits;
}

/**
 * Examines all degrees on a set of GPUs: whether they divide what they must, fit memory, and can keep the limits; and bounds their score.
 *
 * @complexity O(degrees), a few microseconds each
 */
export function candidateSpace(
  job: CompleteJob,
  set: GpuSet,
  gpus: number,
  widestTensor: number,
  egress: number,
  usableMemory: number,
  objective: Objective,
  run: RunFrame,
  options: SpaceOptions,
): CandidateSpace {
  const rejections = new Map<string, number>();
  const reject = (reason: string): void => {
    rejections.set(reason, (rejections.get(reason) ?? 0) + 1);
  };
  const contextOf = (floor: GpuSet['floor']): StepContext => ({
    floors: [floor],
    gpuCount: gpus,
    constants: COMPUTE_MODEL,
    cache: new Map<string, GpuTimes>(),
  });
  // One stage runs at the pace of its weakest GPU; of several, each may have the strongest.
  const weakest = contextOf(set.floor);
  const strongest = set.isMixed ? contextOf(set.ceiling) : weakest;
  const scoring = scoreContext(job, set, gpus);
  const hasPrice = job.eurosPerGpuHour !== undefined;
  const all = parallelismSpace(job, gpus, widestTensor, options);
  const entries: SpaceEntry[] = [];
  for (const parallelism of all) {
    const refusal = refuseDegrees(job, parallelism);
    if (refusal !== undefined) {
      reject(refusal);
      continue;
    }
    const context = parallelism.pipeline > 1 ? strongest : weakest;
    if (peakMemory(job, parallelism) > context.floors[0].memory * usableMemory) {
      reject('does not fit GPU memory');
      continue;
    }
    const floor = stepFloor(job, parallelism, context, egress);
    const bound = scoreStep(floor.seconds, floor.breakdown, scoring);
    const tooMuch = exceeds(bound, run.steps, run.limits, hasPrice);
    if (tooMuch !== undefined) {
      reject(tooMuch);
      continue;
    }
    entries.push({ parallelism, bound });
  }
  entries.sort((a, b) => compareScores(objective, a.bound, b.bound));
  return { entries, rejections, examined: all.length };
}

/** What scores of a set of GPUs depend on. */
export function scoreContext(job: CompleteJob, set: GpuSet, gpus: number): ScoreContext {
  return {
    gpus,
    eurosPerGpuHour: job.eurosPerGpuHour,
    watts: (set.power ?? 0) * NODE_POWER * job.powerUsageEffectiveness,
    waitingShare: WAITING_POWER,
  };
}
