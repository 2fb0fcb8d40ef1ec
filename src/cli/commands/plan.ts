import { writeFileSync } from 'node:fs';
import { FabricPlanError, invalidArgument } from '../../errors.js';
import { formatPlanHtml } from '../../report/html-report.js';
import { formatPlanMarkdown } from '../../report/markdown-report.js';
import { formatPlanText } from '../../report/text-report.js';
import type { Description } from '../../formats/description-schema.js';
import { buildPlan } from '../build-plan.js';
import { EXIT, printJson, progressBar, terminalStyle } from '../output.js';
import { openFabric } from './inspect.js';

export interface PlanOptions {
  readonly json?: boolean;
  readonly markdown?: boolean;
  readonly html?: string;
  readonly system?: string;
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
}

/** Places the job and prints the plan; returns the exit code. */
export function plan(file: string | undefined, options: PlanOptions): number {
  const opened = openFabric(file, options.system);
  const description = withJob(opened.description ?? { name: opened.fabric.name, sites: [] }, options);
  const bar = progressBar(options.json === true);
  const report = (() => {
    try {
      return buildPlan(opened.fabric, description, {
        ...(options.gpus === undefined ? {} : { gpus: options.gpus === 'fewest' ? 'fewest' : whole('gpus', options.gpus) }),
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
  if (options.json === true) printJson(report);
  else process.stdout.write(options.markdown === true ? formatPlanMarkdown(report) : formatPlanText(report, terminalStyle()));
  return report.placements.length === 0 ? EXIT.infeasible : EXIT.done;
}

function whole(name: string, text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw invalidArgument('plan', `--${name}`, text, 'a whole number of at least 1');
  return value;
}

/** The job of the description with what the command line says instead. */
function withJob(description: Description, options: PlanOptions): Description {
  const { job } = description;
  const model = options.model ?? job?.model;
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
