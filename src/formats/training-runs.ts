import { FabricPlanError } from '../errors.js';
import type { NodeShape } from '../fabric/builders/node.js';
import { memoryOf, peakMemory } from '../training/estimate-memory.js';
import {
  ATTENTION_KERNELS,
  type AttentionKernel,
  type Parallelism,
  type Precision,
  type Recomputation,
  type TrainingJob,
} from '../training/types.js';
import { completeJob, completeParallelism, refuseDegrees } from '../training/validate-job.js';
import { parseTable } from './collective-measurements.js';
import { RunCells, type RunColumns } from './run-cells.js';
import { nodeOfRun } from './run-node.js';
import { shapeOfRun } from './run-shape.js';

/** A training run as a job under degrees on nodes, with what the table did not say and how it was filled in. */
export interface TrainingRun {
  readonly id: string;
  readonly columns: RunColumns;
  readonly job: TrainingJob;
  readonly parallelism: Parallelism;
  readonly node: NodeShape;
  readonly gpu: string;
  readonly gpus: number;
  /** Measured seconds per step and peak memory (GiB), where given. */
  readonly seconds?: number;
  readonly peakGiB?: number;
  /** `field: value (why)`, one for each that was not in the table. */
  readonly inferred: readonly string[];
}

/** A row that cannot be priced, and why. */
export interface RefusedRun {
  readonly id: string;
  readonly columns: RunColumns;
  readonly refused: string;
}

/**
 * Reads a table of training runs. Required columns: gpu, gpus, and a shape (layers and hidden), a model name or params_b; everything else
 * is inferred where it is empty, and the inference listed.
 *
 * Columns: id, model, arch, params_b, layers, hidden, heads, kv_heads, ffn, vocab, seq, experts, topk, gpu, gpus, gpus_per_node, network,
 * tp, pp, vpp, dp, cp, ep, dp_shard, mbs, gbs, precision, recompute, iter_s, peak_mem_gib, and optionally attention (flash, unfused).
 *
 * @throws FabricPlanError `parse` for text that is no such table, `too-large`
 */
export function parseTrainingRuns(text: string): (TrainingRun | RefusedRun)[] {
  return parseTable(text, 'parseTrainingRuns', ['gpu', 'gpus']).map(({ columns, line }) => {
    const id = columns['id'] === undefined || columns['id'] === '' ? `line ${line}` : columns['id'];
    try {
      return resolveRun(id, columns);
    } catch (error) {
      if (!(error instanceof FabricPlanError)) throw error;
      return { id, columns, refused: error.message };
    }
  });
}

function resolveRun(id: string, columns: RunColumns): TrainingRun {
  const cells = new RunCells(columns);
  const gpus = cells.whole('gpus');
  if (gpus === undefined) throw new FabricPlanError('parse', 'gpus is empty; expected the number of GPUs');
  if (gpus > MOST_GPUS) throw new FabricPlanError('too-large', `gpus is ${gpus}; expected at most ${MOST_GPUS}`);
  const { node, gpu } = nodeOfRun(cells, gpus);
  const model = shapeOfRun(cells);
  const sequence = cells.whole('seq') ?? cells.infer('seq', 4096, 'a common length');
  const precision = precisionOf(cells, gpu);
  // Software of the fp16 age: attention as matrix multiplies and a softmax, dropout, no sequence parallelism, gradients reduced at the end.
  const isClassic = precision === 'fp16';
  const attentionText = cells.text('attention');
  const recomputeText = cells.text('recompute').toLowerCase();
  const framework = cells.text('framework').toLowerCase();
  const isMegatron = /megatron|nemo/.test(framework);
  const stated = ATTENTION_KERNELS.find((kernel) => kernel === attentionText);
  const kernels = kernelsOf(cells, framework);
  const attention: AttentionKernel =
    stated ??
    (isClassic
      ? cells.infer('attention', 'unfused', 'fp16 software predates fused kernels')
      : VENDOR_KERNELS.test(framework)
        ? cells.infer('attention', 'overlapped', 'vendor kernels, usual for the framework')
        : cells.infer('attention', 'flash', 'usual since 2022'));
  const globalBatch =
    cells.whole('gbs') ??
    cells.infer(
      'gbs',
      (cells.whole('dp') ?? gpus) * (cells.whole('mbs') ?? 1) * Math.max(1, 4 * (cells.whole('pp') ?? 1)),
      'four micro-batches a stage',
    );
  const job: TrainingJob = {
    model,
    sequence,
    globalBatch,
    precision,
    attention,
    gradientBytes: isMegatron && !isClassic ? 4 : 2,
    kernels,
    loss: FUSED_LOSS.test(framework) || framework === '' ? 'fused' : 'eager',
    ...(/async ?tp/.test(cells.text('note').toLowerCase())
      ? { tensorOverlap: cells.infer('tensor overlap', 0.45, 'the note says async TP; 30–60 % reported') }
      : {}),
    dropout: isClassic,
    ...(isClassic ? { overlap: 0 } : {}),
  };
  const parallelism = fillIn(cells, job, recomputeText, gpus, node, framework);
  const refusal = refuseDegrees(job, completeParallelism('parseTrainingRuns', parallelism));
  if (refusal !== undefined) throw new FabricPlanError('invalid-argument', refusal);
  const seconds = cells.number('iter_s');
  const peakGiB = cells.number('peak_mem_gib');
  return {
    id,
    columns,
    job,
    parallelism,
    node,
    gpu,
    gpus,
    ...(seconds === undefined ? {} : { seconds }),
    ...(peakGiB === undefined ? {} : { peakGiB }),
    inferred: cells.inferred,
  };
}

function precisionOf(cells: RunCells, gpu: string): Precision {
  const text = cells.text('precision').toLowerCase();
  if (/fp4/.test(text)) return 'fp4';
  if (/fp8/.test(text)) return 'fp8';
  if (/bf16/.test(text)) return 'bf16';
  if (/fp16|half/.test(text)) return 'fp16';
  if (/fp32|tf32/.test(text)) return 'fp32';
  if (text !== '') throw new FabricPlanError('parse', `precision is "${text.slice(0, 40)}"; expected fp16, bf16, fp8, fp4 or fp32`);
  return cells.infer('precision', gpu.startsWith('V100') ? 'fp16' : 'bf16', 'usual for the GPU');
}

/** GPUs of a run at most: its fabric is built. */
const MOST_GPUS = 131_072;

/** Frameworks that run the vendor's fused kernels (Transformer Engine, cuDNN, XLA). */
const VENDOR_KERNELS = /megatron|nemo|maxtext|primus|transformer.?engine|axlearn|jax|xla/;

/** Frameworks that ship a cross-entropy in one kernel. */
const FUSED_LOSS = /megatron|nemo|maxtext|primus|transformer.?engine|axlearn|jax|xla|foundry|internevo|nanotron|neox/;

/** Megatron's and XLA's kernels are fused; PyTorch's are not unless it compiles. */
function kernelsOf(cells: RunCells, framework: string): 'fused' | 'eager' {
  const stated = cells.text('kernels');
  if (stated === 'fused' || stated === 'eager') return stated;
  if (/\bcompile/.test(cells.text('note').toLowerCase())) return cells.infer('kernels', 'fused', 'the note says that it compiles');
  const isFused = framework === '' || VENDOR_KERNELS.test(framework);
  return cells.infer('kernels', isFused ? 'fused' : 'eager', isFused ? 'usual for the framework' : 'PyTorch without compilation');
}

type Degrees = Required<Pick<Parallelism, 'tensor' | 'pipeline' | 'data' | 'context' | 'expert' | 'interleave'>>;

/** Degrees as stated; where tensor, pipeline and data are all empty, undefined: they are then the smallest that fit. */
function degreesOf(cells: RunCells, gpus: number): Degrees | undefined {
  if (['tp', 'pp', 'dp'].every((name) => cells.text(name) === '')) return undefined;
  const tensor = cells.whole('tp') ?? 1;
  const pipeline = cells.whole('pp') ?? 1;
  const context = cells.whole('cp') ?? 1;
  const rest = gpus / tensor / pipeline / context;
  const data = cells.whole('dp') ?? cells.infer('dp', rest, 'GPUs over the other degrees');
  if (data !== rest)
    throw new FabricPlanError('invalid-argument', `tp ${tensor} × pp ${pipeline} × cp ${context} × dp ${data} are not the ${gpus} GPUs`);
  return { tensor, pipeline, data, context, expert: cells.whole('ep') ?? 1, interleave: pipeline > 1 ? (cells.whole('vpp') ?? 1) : 1 };
}

/** Degrees to try where none is stated: tensor up to a node, then pipeline, as little of both as possible. */
function degreesToTry(cells: RunCells, job: Pick<TrainingJob, 'model'>, gpus: number, perNode: number): Degrees[] {
  const context = cells.whole('cp') ?? 1;
  const expert = cells.whole('ep') ?? 1;
  const found: Degrees[] = [];
  for (let split = 1; split <= gpus; split *= 2) {
    const tensor = Math.min(split, 2 ** Math.floor(Math.log2(perNode)));
    const pipeline = split / tensor;
    const data = gpus / split / context;
    if (Number.isInteger(data) && pipeline <= job.model.layers) found.push({ tensor, pipeline, data, context, expert, interleave: 1 });
  }
  return found;
}

type Sharding = Pick<Parallelism, 'zeroStage' | 'shardGroup'>;

/** Sharding as stated; where it is not, what to try in order. */
function shardingOf(cells: RunCells, framework: string): Sharding[] {
  const text = cells.text('dp_shard').toLowerCase();
  const group = Number(/\((\d+)-?gpu/.exec(text)?.[1] ?? /\((\d+)\)/.exec(text)?.[1] ?? 0);
  const inGroup = group > 0 ? { shardGroup: group } : {};
  if (/zero-?3|fsdp|full_shard/.test(text)) return [{ zeroStage: 3, ...inGroup }];
  if (/zero-?2/.test(text)) return [{ zeroStage: 2, ...inGroup }];
  if (/zero-?1|distributed/.test(text)) return [{ zeroStage: 1, ...inGroup }];
  if (text.startsWith('none') || text === 'ddp') return [{ zeroStage: 0 }];
  if (framework.includes('fsdp')) return [{ zeroStage: 3 }];
  return framework.includes('deepspeed') ? [{ zeroStage: 1 }, { zeroStage: 3 }] : [{ zeroStage: 0 }, { zeroStage: 1 }, { zeroStage: 3 }];
}

/** What a table left open: the first of the likely settings that fits the GPU. */
function fillIn(cells: RunCells, job: TrainingJob, recomputeText: string, gpus: number, node: NodeShape, framework: string): Parallelism {
  const memory = node.gpu.memory ?? Infinity;
  const stated: Recomputation | undefined = recomputeText.startsWith('full')
    ? 'full'
    : recomputeText.startsWith('selective-op') || recomputeText === 'operators'
      ? 'operators'
      : recomputeText.startsWith('selective')
        ? 'selective'
        : recomputeText === 'none'
          ? 'none'
          : undefined;
  if (recomputeText !== '' && stated === undefined)
    throw new FabricPlanError('parse', `recompute is "${recomputeText.slice(0, 40)}"; expected none, selective or full`);
  const isClassic = job.attention === 'unfused';
  const sequenceParallel = job.precision !== 'fp16' || recomputeText.includes('sp');
  const recomputations: readonly Recomputation[] = stated !== undefined ? [stated] : isClassic ? ['full'] : ['none', 'selective', 'full'];
  const degrees = degreesOf(cells, gpus);
  const shardings = shardingOf(cells, framework);
  const statedBatch = cells.whole('mbs');
  const options = (degrees === undefined ? degreesToTry(cells, job, gpus, node.gpus) : [degrees]).flatMap((base) =>
    shardings.flatMap((sharding) =>
      microBatchesOf(job, base, statedBatch).flatMap((microBatch) =>
        recomputations.map((recomputation): Parallelism => ({ ...base, ...sharding, sequenceParallel, microBatch, recomputation })),
      ),
    ),
  );
  const complete = completeJob('parseTrainingRuns', job);
  const fits = (option: Parallelism): boolean => {
    const all = completeParallelism('parseTrainingRuns', option);
    return refuseDegrees(job, all) === undefined && peakMemory(complete, all) <= memory;
  };
  const found = options.find(fits) ?? options.at(-1);
  if (found === undefined) throw new FabricPlanError('invalid-argument', `no degrees suit ${gpus} GPUs`);
  const first = 'the first that fits';
  if (degrees === undefined) cells.infer('degrees', `tensor ${found.tensor}, pipeline ${found.pipeline}, data ${found.data}`, first);
  if (cells.text('dp_shard') === '') cells.infer('dp_shard', `ZeRO ${found.zeroStage ?? 0}`, first);
  if (statedBatch === undefined) cells.infer('mbs', found.microBatch, 'the largest up to 8 that fits');
  else if (statedBatch !== found.microBatch)
    cells.infer('mbs', found.microBatch, `${statedBatch} leaves fewer micro-batches than stages: taken as the batch of a replica`);
  if (stated === undefined)
    cells.infer('recompute', found.recomputation, isClassic ? 'usual practice of fp16 software' : 'the least that fits');
  return found;
}

/** The micro-batch that is stated, one sequence where it is the batch of a whole pipeline, or sizes to try, largest first. */
function microBatchesOf(job: TrainingJob, { data, pipeline }: Degrees, stated: number | undefined): number[] {
  const perReplica = job.globalBatch / data;
  if (stated !== undefined) return [stated > 1 && perReplica / stated < pipeline ? 1 : stated];
  const sizes = [8, 4, 2, 1].filter((size) => perReplica % size === 0 && perReplica / size >= Math.min(perReplica, 4 * pipeline));
  return sizes.length === 0 ? [1] : sizes;
}

/** Whether a row could be read. */
export const isRun = (row: TrainingRun | RefusedRun): row is TrainingRun => !('refused' in row);

/** Predicted peak memory of a run, GiB. */
export const peakOfRun = ({ job, parallelism }: TrainingRun): { readonly total: number; readonly low: number; readonly high: number } =>
  memoryOf(completeJob('peakOfRun', job), completeParallelism('peakOfRun', parallelism));
