import type { CompleteJob, CompleteParallelism } from '../training/validate-job.js';

/**
 * Configuration of torchtitan (`[parallelism]`, `[training]`, `[activation_checkpoint]` of its TOML job files), model and data apart.
 */
export function torchtitanConfig(job: CompleteJob, parallelism: CompleteParallelism): { text: string; notes: string[] } {
  const notes: string[] = [];
  const { tensor, pipeline, data, context, expert, microBatch, zeroStage, recomputation, recomputeEvery, interleave, schedule } =
    parallelism;
  const shard = parallelism.shardGroup === 0 ? data : Math.min(data, parallelism.shardGroup);
  const isSharded = zeroStage >= 1;
  if (zeroStage === 1)
    notes.push(
      'torchtitan shards states, gradients and weights alike (FSDP): memory is lower than planned, traffic is that of ZeRO 3 or, kept after the forward pass, ZeRO 2.',
    );
  if (parallelism.outerEvery > 1)
    notes.push('Synchronising sites every so many steps (DiLoCo) goes through torchft: see its semi-sync settings.');
  if (parallelism.stageLayers.length > 0)
    notes.push('Stages of unequal length are set by pipeline_parallel_split_points or module_fqns_per_model_part.');
  const perReplica = job.globalBatch / data;
  const scheduleName =
    interleave > 1 ? 'Interleaved1F1B' : schedule === 'zero-bubble' ? 'ZBVZeroBubble' : schedule === 'gpipe' ? 'GPipe' : '1F1B';
  if (schedule === 'zero-bubble') notes.push('ZBVZeroBubble puts two stages on every rank; the plan assumes one (ZB-H1).');
  const lines = [
    '[training]',
    `local_batch_size = ${pipeline > 1 ? perReplica : microBatch}`,
    `global_batch_size = ${job.globalBatch}`,
    `seq_len = ${job.sequence}`,
    `mixed_precision_param = "${job.precision === 'fp32' ? 'float32' : 'bfloat16'}"`,
    `mixed_precision_reduce = "${job.gradientBytes === 4 ? 'float32' : 'bfloat16'}"`,
    '',
    '[parallelism]',
    `data_parallel_replicate_degree = ${isSharded ? data / shard : data}`,
    `data_parallel_shard_degree = ${isSharded ? shard : 1}`,
    `fsdp_reshard_after_forward = "${zeroStage === 3 && pipeline === 1 ? 'always' : 'never'}"`,
    `tensor_parallel_degree = ${tensor}`,
    `enable_async_tensor_parallel = ${job.tensorOverlap > 0}`,
    `pipeline_parallel_degree = ${pipeline}`,
    ...(pipeline > 1 ? [`pipeline_parallel_schedule = "${scheduleName}"`, `pipeline_parallel_microbatch_size = ${microBatch}`] : []),
    ...(interleave > 1 ? [`pipeline_parallel_layers_per_stage = ${Math.floor(job.model.layers / pipeline / interleave)}`] : []),
    `context_parallel_degree = ${context}`,
    ...(context > 1 ? [`context_parallel_rotate_method = "${parallelism.contextMethod === 'all-gather' ? 'allgather' : 'alltoall'}"`] : []),
    ...(job.model.experts === undefined ? [] : [`expert_parallel_degree = ${expert}`]),
    '',
    '[activation_checkpoint]',
    `mode = "${recomputation === 'full' && recomputeEvery === 1 ? 'full' : recomputation === 'none' ? 'none' : 'selective'}"`,
    ...(recomputation === 'full' && recomputeEvery > 1
      ? [`selective_ac_option = "${recomputeEvery}"`]
      : recomputation === 'selective' || recomputation === 'operators'
        ? ['selective_ac_option = "op"']
        : []),
    '',
    '[compile]',
    `enable = ${job.kernels === 'fused'}`,
  ];
  return { text: `${lines.join('\n')}\n`, notes };
}
