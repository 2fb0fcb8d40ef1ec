import { stageLayers, stageParameters } from './stage-parameters.js';
import type { CompleteJob, CompleteParallelism } from './validate-job.js';

/** Stages of a pipeline, equal ones together. */
export interface StageShape {
  readonly hasDense: boolean;
  readonly hasExperts: boolean;
  /** Most layers of a stage, and most expert layers. */
  readonly layers: number;
  readonly expertLayers: number;
  /** Parameters that a GPU holds of one layer. */
  readonly denseParameters: number;
  readonly expertParameters: number;
  readonly stages: readonly { dense: number; routed: number; isLast: boolean; floor: number; count: number }[];
}

/**
 * Stages of a pipeline.
 *
 * @param isUniform whether all stages run on the same kind of GPU: equal ones are then counted instead of listed
 */
export function stageShape(job: CompleteJob, parallelism: CompleteParallelism, isUniform: boolean): StageShape {
  const { pipeline, stageLayers: given } = parallelism;
  const { layers: total, experts } = job.model;
  const denseUntil = experts === undefined ? total : (experts.denseLayers ?? 0);
  const held = stageParameters(job, parallelism, Math.min(pipeline - 1, 1));
  const each = Math.max(1, held.denseLayers + held.expertLayers);
  const base = {
    hasDense: denseUntil > 0,
    hasExperts: denseUntil < total,
    denseParameters: held.dense / each,
    expertParameters: (held.dense + held.routed) / each,
  };
  if (isUniform && given.length === 0 && (denseUntil === 0 || denseUntil === total)) {
    // Even split of equal layers: the first stages have one more.
    const least = Math.floor(total / pipeline);
    const surplus = total % pipeline;
    const stage = (layers: number, isLast: boolean, count: number): StageShape['stages'][number] =>
      denseUntil === 0 ? { dense: 0, routed: layers, isLast, floor: 0, count } : { dense: layers, routed: 0, isLast, floor: 0, count };
    const stages = [stage(least, true, 1)];
    if (surplus > 0) stages.push(stage(least + 1, false, surplus));
    if (pipeline - surplus - 1 > 0) stages.push(stage(least, false, pipeline - surplus - 1));
    const layers = least + (surplus > 0 ? 1 : 0);
    return { ...base, layers, expertLayers: denseUntil === 0 ? layers : 0, stages };
  }
  const stages: StageShape['stages'][number][] = [];
  let layers = 0;
  let expertLayers = 0;
  for (let stage = 0; stage < pipeline; stage++) {
    const [first, end] = stageLayers(total, parallelism, stage);
    const dense = Math.max(0, Math.min(end, denseUntil) - first);
    const routed = end - first - dense;
    layers = Math.max(layers, end - first);
    expertLayers = Math.max(expertLayers, routed);
    stages.push({ dense, routed, isLast: stage === pipeline - 1, floor: stage, count: 1 });
  }
  return { ...base, layers, expertLayers, stages };
}
