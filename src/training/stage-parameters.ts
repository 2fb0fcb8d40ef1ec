import { expertTensor, type CompleteJob, type CompleteParallelism } from './validate-job.js';

/** Parameters and layers that one GPU of a stage holds, before sharding over data-parallel ranks. */
export interface StageParameters {
  readonly dense: number;
  readonly routed: number;
  /** Largest layer, experts included: what ZeRO 3 gathers at once. */
  readonly largestLayer: number;
  readonly denseLayers: number;
  readonly expertLayers: number;
}

/** Parameters on a GPU of a pipeline stage: layers and embeddings over tensor ranks, routed experts over expert ranks too. */
export function stageParameters(job: CompleteJob, parallelism: CompleteParallelism, stage: number): StageParameters {
  const { model, count } = job;
  const { tensor, pipeline, expert } = parallelism;
  const [first, end] = stageLayers(model.layers, parallelism, stage);
  const denseUntil = model.experts === undefined ? model.layers : (model.experts.denseLayers ?? 0);
  const denseLayers = Math.max(0, Math.min(end, denseUntil) - first);
  const expertLayers = end - first - denseLayers;
  const table = model.vocab * model.hidden;
  const isFirst = stage === 0;
  const isLast = stage === pipeline - 1;
  // A tied table is needed at both ends of a pipeline.
  const tables = pipeline === 1 ? (model.tied ? 1 : 2) : (isFirst ? 1 : 0) + (isLast ? 1 : 0);
  const outside = tables * table + (isFirst ? (model.learnedPositions ?? 0) * model.hidden : 0);
  const expertDense = count.expertLayer - count.routedExperts;
  const routedShare = expertTensor(parallelism) * expert;
  return {
    dense: (denseLayers * count.layer + expertLayers * expertDense + outside) / tensor,
    routed: (expertLayers * count.routedExperts) / routedShare,
    largestLayer: Math.max(
      expertLayers > 0 ? expertDense / tensor + count.routedExperts / routedShare : 0,
      denseLayers > 0 ? count.layer / tensor : 0,
    ),
    denseLayers,
    expertLayers,
  };
}

/** First layer of a stage and the one after its last; in an even split surplus layers go to the first stages. */
export function stageLayers(
  layers: number,
  { pipeline, stageLayers: given }: Pick<CompleteParallelism, 'pipeline' | 'stageLayers'>,
  stage: number,
): [number, number] {
  if (given.length > 0) {
    let start = 0;
    for (let i = 0; i < stage; i++) start += given[i];
    return [start, start + given[stage]];
  }
  const base = Math.floor(layers / pipeline);
  const surplus = layers % pipeline;
  const start = stage * base + Math.min(stage, surplus);
  return [start, start + base + (stage < surplus ? 1 : 0)];
}
