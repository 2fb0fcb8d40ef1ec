import { existsSync } from 'node:fs';
import { describedModel } from '../../formats/expand-description.js';
import { parseModelConfig } from '../../formats/model-config.js';
import { gpuPreset } from '../../presets/lookups.js';
import { formatBytes, formatCount } from '../../quantities.js';
import { formatTable } from '../../report/text-report.js';
import { estimateMemory } from '../../training/estimate-memory.js';
import { countParameters } from '../../training/parameters.js';
import type {
  AttentionKernel,
  Optimizer,
  PipelineSchedule,
  Parallelism,
  Precision,
  Recomputation,
  TrainingJob,
} from '../../training/types.js';
import { refuseParallelism } from '../../training/validate-job.js';
import { FabricPlanError, invalidArgument } from '../../errors.js';
import { EXIT, printJson } from '../output.js';
import { readInput } from '../read-input.js';

export interface MemoryOptions {
  readonly json?: boolean;
  readonly sequence: string;
  readonly batch?: string;
  readonly tensor: string;
  readonly pipeline: string;
  readonly data: string;
  readonly microBatch: string;
  readonly zero: string;
  readonly recompute: string;
  readonly precision: string;
  readonly offload?: boolean;
  readonly gpu?: string;
  readonly context: string;
  readonly expert: string;
  readonly interleave: string;
  readonly schedule: string;
  readonly optimizer: string;
  readonly gradientBytes: string;
  readonly attention: string;
}

/** Prints the memory of the fullest GPU; returns the exit code. */
export function memory(model: string, options: MemoryOptions): number {
  const whole = (name: string, text: string): number => {
    const value = Number(text);
    if (!Number.isInteger(value)) throw invalidArgument('memory', `--${name}`, text, 'a whole number');
    return value;
  };
  const shape = model === '-' || model.endsWith('.json') || existsSync(model) ? parseModelConfig(readInput(model)) : describedModel(model);
  const parallelism: Parallelism = {
    context: whole('context', options.context),
    expert: whole('expert', options.expert),
    interleave: whole('interleave', options.interleave),
    schedule: options.schedule as PipelineSchedule,
    tensor: whole('tensor', options.tensor),
    pipeline: whole('pipeline', options.pipeline),
    data: whole('data', options.data),
    microBatch: whole('micro-batch', options.microBatch),
    zeroStage: whole('zero', options.zero) as 0 | 1 | 2 | 3,
    recomputation: options.recompute as Recomputation,
  };
  const globalBatch =
    options.batch === undefined ? parallelism.data * (parallelism.microBatch ?? 1) * parallelism.pipeline : whole('batch', options.batch);
  const job: TrainingJob = {
    model: shape,
    sequence: whole('sequence', options.sequence),
    globalBatch,
    precision: options.precision as Precision,
    offload: options.offload ?? false,
    optimizer: options.optimizer as Optimizer,
    gradientBytes: options.gradientBytes === '4' ? 4 : 2,
    attention: options.attention as AttentionKernel,
  };
  const refusal = refuseParallelism(job, parallelism);
  if (refusal !== undefined) throw new FabricPlanError('invalid-argument', `memory: ${refusal}`);
  const result = estimateMemory(job, parallelism);
  const gpu = options.gpu === undefined ? undefined : gpuPreset(options.gpu);
  const fits = gpu === undefined ? undefined : result.total <= gpu.memory;
  if (options.json === true) {
    printJson({
      schema: 'fabricplan/memory/1',
      model: shape,
      parameters: countParameters(shape).total,
      parallelism,
      ...result,
      ...(gpu === undefined ? {} : { gpu: gpu.model, gpuMemory: gpu.memory, fits }),
    });
  } else {
    process.stdout.write(
      `${shape.name}: ${formatCount(countParameters(shape).total)} parameters, fullest GPU (pipeline stage ${result.stage})\n`,
    );
    process.stdout.write(
      `${formatTable(['part', 'memory'], [...Object.entries(result.parts).map(([part, bytes]) => [part, formatBytes(bytes)]), ['total', formatBytes(result.total)], ...(result.host > 0 ? [['on the host', formatBytes(result.host)]] : [])])}\n`,
    );
    if (result.stages.length > 1)
      process.stdout.write(
        `${formatTable(
          ['stage', 'weights, gradients, optimizer', 'activations', 'logits', 'total'],
          result.stages.map(({ stage, parts, total }) => [
            String(stage),
            formatBytes(parts.weights + parts.gradients + parts.optimizer),
            formatBytes(parts.activations),
            formatBytes(parts.logits),
            formatBytes(total),
          ]),
        )}\n`,
      );
    process.stdout.write(`likely between ${formatBytes(result.low)} and ${formatBytes(result.high)}\n`);
    if (gpu !== undefined) process.stdout.write(`${fits === true ? 'fits' : 'does not fit'} ${gpu.model} (${formatBytes(gpu.memory)})\n`);
  }
  return fits === false ? EXIT.infeasible : EXIT.done;
}
