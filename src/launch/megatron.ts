import { stageLayers } from '../training/stage-parameters.js';
import type { CompleteJob, CompleteParallelism } from '../training/validate-job.js';

/**
 * Arguments of Megatron-LM's pretrain scripts (`arguments.py` and `TransformerConfig`) for a job under degrees, data and tokenizer apart.
 *
 * @returns arguments, one per entry with its value, and what Megatron-LM cannot be told
 */
export function megatronArguments(
  job: CompleteJob,
  parallelism: CompleteParallelism,
  isDataOutside: boolean,
): { arguments: string[]; notes: string[] } {
  const { model, sequence, globalBatch, precision } = job;
  const { tensor, pipeline, context, expert, microBatch, zeroStage, recomputation, recomputeEvery, interleave, schedule } = parallelism;
  const args: string[] = [];
  const notes: string[] = [];
  const add = (name: string, value?: number | string): void => {
    args.push(value === undefined ? `--${name}` : `--${name} ${value}`);
  };
  add('num-layers', model.layers);
  add('hidden-size', model.hidden);
  add('ffn-hidden-size', model.ffn);
  add('num-attention-heads', model.heads);
  if (model.kvHeads !== model.heads) {
    add('group-query-attention');
    add('num-query-groups', model.kvHeads);
  }
  if (model.headDim * model.heads !== model.hidden) add('kv-channels', model.headDim);
  add('seq-length', sequence);
  add('max-position-embeddings', Math.max(sequence, model.learnedPositions ?? 0));
  const positions = model.positions ?? ((model.learnedPositions ?? 0) > 0 ? 'learned' : 'rotary');
  if (positions === 'alibi') notes.push('Megatron-LM has no ALiBi positions: choose others.');
  else add('position-embedding-type', positions === 'rotary' ? 'rope' : 'learned_absolute');
  if (model.gated) add('swiglu');
  if (model.norm !== 'layer') add('normalization', 'RMSNorm');
  if (model.ffnBias !== true) add('disable-bias-linear');
  if (!model.tied) add('untie-embeddings-and-output-weights');
  if (model.attentionBias === 'qkv') add('add-qkv-bias');
  if (model.qkNorm !== undefined && model.qkNorm !== 'none') add('qk-layernorm');
  add('vocab-size', model.vocab);
  if (model.experts !== undefined) {
    const { count, topK, ffn, sharedFfn, denseLayers } = model.experts;
    add('num-experts', count);
    add('moe-router-topk', topK);
    add('moe-ffn-hidden-size', ffn);
    add('moe-token-dispatcher-type', 'alltoall');
    add('moe-grouped-gemm');
    if ((sharedFfn ?? 0) > 0) add('moe-shared-expert-intermediate-size', sharedFfn);
    if ((denseLayers ?? 0) > 0) add('moe-layer-freq', `"([0]*${denseLayers}+[1]*${model.layers - denseLayers!})"`);
    add('expert-model-parallel-size', expert);
    const expertTensor = (parallelism.data * context) % expert === 0 ? tensor : 1;
    if (expertTensor !== tensor) add('expert-tensor-parallel-size', expertTensor);
  }
  if (model.latent !== undefined) {
    const { queryRank, keyValueRank, nopeHeadDim, ropeHeadDim, valueHeadDim } = model.latent;
    add('multi-latent-attention');
    if (queryRank > 0) add('q-lora-rank', queryRank);
    add('kv-lora-rank', keyValueRank);
    add('qk-head-dim', nopeHeadDim);
    add('qk-pos-emb-head-dim', ropeHeadDim);
    add('v-head-dim', valueHeadDim);
  }
  add('micro-batch-size', microBatch);
  add('global-batch-size', globalBatch);
  add('tensor-model-parallel-size', tensor);
  add('pipeline-model-parallel-size', pipeline);
  add('context-parallel-size', context);
  if (context > 1) add('cp-comm-type', { ring: 'p2p', ulysses: 'a2a', 'all-gather': 'all_gather' }[parallelism.contextMethod]);
  if (tensor > 1 && parallelism.sequenceParallel) add('sequence-parallel');
  if (interleave > 1) {
    const layersPerStage = model.layers / pipeline / interleave;
    if (Number.isInteger(layersPerStage)) add('num-layers-per-virtual-pipeline-stage', layersPerStage);
    else {
      add('num-virtual-stages-per-pipeline-rank', interleave);
      add('account-for-embedding-in-pipeline-split');
      add('account-for-loss-in-pipeline-split');
    }
  } else if (pipeline > 1) addUnevenStages(job, parallelism, add);
  if (schedule === 'zero-bubble')
    notes.push('Megatron-LM has no zero-bubble schedule: fix `schedule` to `1f1b` for a plan that it can run.');
  if (schedule === 'gpipe') notes.push('Megatron-LM runs 1F1B instead of GPipe: as fast, with less memory.');
  if (isDataOutside) add('use-tp-pp-dp-mapping');
  if (zeroStage === 3) {
    add('use-megatron-fsdp');
    add('data-parallel-sharding-strategy', 'optim_grads_params');
    add('ckpt-format', 'fsdp_dtensor');
  } else if (zeroStage === 2) {
    add('use-megatron-fsdp');
    add('data-parallel-sharding-strategy', 'optim_grads');
    add('ckpt-format', 'fsdp_dtensor');
  } else if (zeroStage === 1) {
    add('use-distributed-optimizer');
    add('overlap-grad-reduce');
    add('overlap-param-gather');
  }
  if (parallelism.shardGroup > 0)
    add('num-distributed-optimizer-instances', Math.max(1, (parallelism.data * context) / parallelism.shardGroup));
  if (recomputation === 'full') {
    add('recompute-granularity', 'full');
    add('recompute-method', recomputeEvery === 1 ? 'uniform' : 'block');
    add('recompute-num-layers', recomputeEvery === 1 ? 1 : Math.ceil(model.layers / pipeline / interleave / recomputeEvery));
  } else if (recomputation !== 'none') {
    add('recompute-granularity', 'selective');
    if (job.attention !== 'unfused') add('recompute-modules', 'layernorm mlp');
    if (recomputation === 'operators') notes.push('Megatron-LM recomputes modules, not single operators: memory and time differ a little.');
  }
  if (job.attention !== 'unfused') add('attention-backend', 'fused');
  if (precision === 'bf16' || precision === 'fp16') add(precision);
  else if (precision === 'fp8') {
    add('bf16');
    add('fp8-format', 'hybrid');
  } else if (precision === 'fp4') {
    add('bf16');
    add('fp4-format', 'e2m1');
  }
  if (job.optimizer === 'sgd' || job.optimizer === 'sgd-momentum') add('optimizer', 'sgd');
  else if (job.optimizer === 'adam') add('optimizer', 'adam');
  else notes.push(`Megatron-LM is not told the optimizer ${job.optimizer} by a flag of its own in every version: check yours.`);
  if (job.offload) {
    add('optimizer-cpu-offload');
    add('overlap-cpu-optimizer-d2h-h2d');
  }
  if (parallelism.outerEvery > 1) notes.push('Synchronising sites every so many steps (DiLoCo) needs an outer loop around Megatron-LM.');
  return { arguments: args, notes };
}

/** Layers by stage where they are not an even split: the ends by their own flags, anything else as a layout. */
function addUnevenStages(job: CompleteJob, parallelism: CompleteParallelism, add: (name: string, value?: number | string) => void): void {
  const { pipeline } = parallelism;
  const counts = Array.from({ length: pipeline }, (_, stage) => {
    const [first, end] = stageLayers(job.model.layers, parallelism, stage);
    return end - first;
  });
  if (counts.every((count) => count === counts[0])) return;
  const layout = counts.map(
    (count, stage) => `${stage === 0 ? 'E' : ''}${count > 0 ? `t*${count}` : ''}${stage === pipeline - 1 ? 'L' : ''}`,
  );
  add('pipeline-model-parallel-layout', `"${layout.map((part) => part.replace(/^Et/, 'E,t').replace(/(\d)L$/, '$1,L')).join('|')}"`);
}
