import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { FabricPlanError, invalidArgument } from '../../errors.js';
import { formatPlanHtml } from '../../report/html-report.js';
import { formatPlanMarkdown } from '../../report/markdown-report.js';
import { formatPlanText } from '../../report/text-report.js';
import type { Description } from '../../formats/description-schema.js';
import { parseModelConfig } from '../../formats/model-config.js';
import { launchFiles, type Framework } from '../../launch/index.js';
import type { Objective } from '../../placement/objective.js';
import { parseQuantity } from '../../quantities.js';
import { buildPlan, type PlanRequest } from '../build-plan.js';
import { EXIT, printJson, progressBar, terminalStyle } from '../output.js';
import { readInput } from '../read-input.js';
import { openFabric, type OpenOptions } from '../open-topology.js';

export interface PlanOptions extends OpenOptions {
  readonly json?: boolean;
  readonly markdown?: boolean;
  readonly html?: string;
  readonly model?: string;
  readonly sequence?: string;
  readonly batch?: string;
  readonly tokensPerStep?: string;
  readonly precision?: string;
  readonly overlap?: string;
  readonly gpus?: string;
  readonly strategy?: string[];
  readonly limit?: string;
  readonly outerEvery?: string;
  readonly ranks?: boolean;
  readonly objective?: Objective;
  readonly tokens?: string;
  readonly price?: string;
  readonly deadline?: string;
  readonly budget?: string;
  readonly pareto?: string;
  readonly launch?: string;
  readonly framework?: Framework;
}

/** Places the job and prints the plan; returns the exit code. */
export function plan(files: readonly string[], options: PlanOptions): number {
  const opened = openFabric(files, options);
  const description = withJob(opened.description ?? { name: opened.fabric.name, sites: [] }, options);
  const bar = progressBar(options.json === true);
  const { report, job, best } = (() => {
    try {
      return buildPlan(opened.fabric, description, {
        ...(options.gpus === undefined
          ? {}
          : { gpus: options.gpus === 'fewest' || options.gpus === 'any' ? options.gpus : whole('gpus', options.gpus) }),
        ...objectiveOptions(options),
        ...(options.strategy === undefined ? {} : { strategies: options.strategy }),
        ...(options.limit === undefined ? {} : { limit: whole('limit', options.limit) }),
        ...(options.outerEvery === undefined ? {} : { outerEvery: whole('outer-every', options.outerEvery) }),
        listRanks: options.ranks ?? false,
        onProgress: bar.update,
      });
    } finally {
      bar.stop();
    }
  })();
  // The page is complete before it is written: nothing half-written is left behind.
  if (options.html !== undefined) {
    const page = formatPlanHtml(report);
    try {
      writeFileSync(options.html, page);
    } catch (cause) {
      throw new FabricPlanError('parse', `cannot write "${options.html}": ${(cause as Error).message}`, [], { cause });
    }
    process.stderr.write(`report: ${options.html}\n`);
  }
  if (options.launch !== undefined && best !== undefined) {
    const { files, notes } = launchFiles(
      opened.fabric,
      job,
      best.mapping,
      options.framework === undefined ? {} : { framework: options.framework },
    );
    writeFolder(options.launch, files);
    for (const note of notes) process.stderr.write(`note: ${note}\n`);
    process.stderr.write(`launch files: ${Object.keys(files).join(', ')} in ${options.launch}\n`);
  }
  if (options.json === true) printJson(report);
  else process.stdout.write(options.markdown === true ? formatPlanMarkdown(report) : formatPlanText(report, terminalStyle()));
  return report.placements.length === 0 ? EXIT.infeasible : EXIT.done;
}

/** Objective, run and limits as the search takes them. */
function objectiveOptions(options: PlanOptions): Partial<PlanRequest> {
  const amount = (name: string, text: string): number => {
    const value = Number(text);
    if (!(Number.isFinite(value) && value > 0)) throw invalidArgument('plan', `--${name}`, text, 'a number above 0');
    return value;
  };
  const limits = {
    ...(options.deadline === undefined ? {} : { seconds: parseQuantity(options.deadline, 'seconds') }),
    ...(options.budget === undefined ? {} : { euros: amount('budget', options.budget) }),
  };
  // Megatron-LM and DeepSpeed run 1F1B: a plan that is to be launched keeps to what its framework has.
  const isPlain = options.launch !== undefined && options.framework !== 'torchtitan';
  return {
    ...(options.objective === undefined ? {} : { objective: options.objective }),
    ...(options.tokens === undefined ? {} : { tokens: parseQuantity(options.tokens, 'tokens') }),
    ...(options.price === undefined ? {} : { eurosPerGpuHour: amount('price', options.price) }),
    ...(Object.keys(limits).length === 0 ? {} : { limits }),
    ...(options.pareto === undefined ? {} : { pareto: options.pareto.split(',').map((name) => name.trim()) as Objective[] }),
    ...(isPlain ? { schedules: ['1f1b'] as const } : {}),
    // Megatron-LM adds gradients up in 32 bit.
    ...(isPlain && options.framework !== 'deepspeed' ? { gradientBytes: 4 as const } : {}),
  };
}

/** Writes files into a folder that it makes where it is missing; none of them is half-written. */
function writeFolder(folder: string, files: Readonly<Record<string, string>>): void {
  try {
    mkdirSync(folder, { recursive: true });
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text, name.endsWith('.sh') ? { mode: 0o755 } : {});
  } catch (cause) {
    throw new FabricPlanError('parse', `cannot write to "${folder}": ${(cause as Error).message}`, [], { cause });
  }
}

function whole(name: string, text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw invalidArgument('plan', `--${name}`, text, 'a whole number of at least 1');
  return value;
}

/** The job of the description with what the command line says instead. */
function withJob(description: Description, options: PlanOptions): Description {
  const { job } = description;
  const isFile = options.model !== undefined && (options.model === '-' || options.model.endsWith('.json') || existsSync(options.model));
  const model = isFile ? parseModelConfig(readInput(options.model)) : (options.model ?? job?.model);
  const sequence =
    options.sequence === undefined
      ? (job?.sequence ?? (options.model === undefined ? undefined : 4096))
      : whole('sequence', options.sequence);
  if (model === undefined || sequence === undefined)
    throw new FabricPlanError('invalid-argument', 'plan: there is no job; expected a job in the description, or --model with --batch');
  const batch = options.batch === undefined ? job?.globalBatch : whole('batch', options.batch);
  const tokens = options.tokensPerStep ?? (options.batch === undefined ? job?.tokensPerStep : undefined);
  return {
    ...description,
    job: {
      model,
      sequence,
      ...(tokens === undefined ? (batch === undefined ? {} : { globalBatch: batch }) : { tokensPerStep: tokens }),
      ...(options.precision === undefined
        ? job?.precision === undefined
          ? {}
          : { precision: job.precision }
        : { precision: options.precision as 'bf16' }),
      ...(options.overlap === undefined
        ? job?.overlap === undefined
          ? {}
          : { overlap: job.overlap }
        : { overlap: Number(options.overlap) }),
    },
  };
}
