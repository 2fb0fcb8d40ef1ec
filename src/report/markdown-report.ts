import { formatBytes, formatCount, formatSeconds, formatShare } from '../quantities.js';
import { describeDegrees, describeRun, describeRunnersUp, FRONT_HEAD, frontRows } from './describe-placement.js';
import { bestPerStrategy, summarizeRejections } from './text-report.js';
import type { PlanReport } from './types.js';

/** The placements of a plan as Markdown, for an issue or a wiki page. */
export function formatPlanMarkdown(report: PlanReport): string {
  const cell = (text: string): string => text.replace(/\|/g, '\\|').replace(/\n/g, ' ');
  const rows = bestPerStrategy(report).map(({ strategy, step, degrees }) => [
    strategy,
    formatSeconds(step.seconds),
    formatCount(step.tokensPerSecond),
    formatShare(step.modelFlopUtilisation),
    formatBytes(step.memory.total),
    describeDegrees(degrees),
    step.bottleneck,
  ]);
  const run = report.placements.at(0)?.run;
  return [
    `# ${cell(report.name)}`,
    '',
    report.explanation,
    '',
    '| strategy | step | tokens/s | MFU | memory | degrees | limited by |',
    '| --- | ---: | ---: | ---: | ---: | --- | --- |',
    ...rows.map((row) => `| ${row.map(cell).join(' | ')} |`),
    '',
    ...(run === undefined ? [] : [`The run: ${describeRun(run)}.`, '']),
    ...describeRunnersUp(report.placements).map((line) => `- ${cell(line)}`),
    ...(report.front === undefined
      ? []
      : [
          '',
          `| ${FRONT_HEAD.join(' | ')} |`,
          `| ${FRONT_HEAD.map(() => '---').join(' | ')} |`,
          ...frontRows(report.front).map((row) => `| ${row.map(cell).join(' | ')} |`),
        ]),
    '',
    `${report.examined} candidates examined, ${report.feasible} feasible. Rejected: ${summarizeRejections(report)}.`,
    '',
  ].join('\n');
}
