import type { CompleteJob, CompleteParallelism } from '../training/validate-job.js';

/** Configuration of DeepSpeed (`ds_config.json`). Tensor, pipeline and context degrees belong to the training script. */
export function deepspeedConfig(job: CompleteJob, parallelism: CompleteParallelism): { config: Record<string, unknown>; notes: string[] } {
  const { data, microBatch, zeroStage, recomputation, pipeline, tensor } = parallelism;
  const notes: string[] = [];
  if (zeroStage >= 2 && pipeline > 1) notes.push(`DeepSpeed's pipeline engine takes ZeRO 0 and 1 alone; the plan has ${zeroStage}.`);
  if (tensor > 1 || pipeline > 1)
    notes.push('Tensor and pipeline degrees go to the training script (Megatron-DeepSpeed: the same flags as Megatron-LM).');
  const offload = job.offload ? { offload_optimizer: { device: 'cpu', pin_memory: true } } : {};
  const config = {
    train_batch_size: job.globalBatch,
    train_micro_batch_size_per_gpu: microBatch,
    gradient_accumulation_steps: job.globalBatch / data / microBatch,
    bf16: { enabled: job.precision !== 'fp16' && job.precision !== 'fp32' },
    fp16: { enabled: job.precision === 'fp16' },
    zero_optimization: {
      stage: zeroStage,
      overlap_comm: job.overlap !== 0,
      contiguous_gradients: true,
      reduce_bucket_size: 500_000_000,
      allgather_bucket_size: 500_000_000,
      ...(zeroStage === 3 && parallelism.shardGroup > 0 ? { zero_hpz_partition_size: parallelism.shardGroup } : {}),
      ...offload,
    },
    ...(recomputation === 'full'
      ? { activation_checkpointing: { partition_activations: tensor > 1, contiguous_memory_optimization: false } }
      : {}),
    ...(job.gradientBytes === 4 ? { data_types: { grad_accum_dtype: 'fp32' } } : {}),
  };
  return { config, notes };
}
