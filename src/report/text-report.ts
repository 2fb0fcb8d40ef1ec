import Table from 'cli-table3';
import { formatBitRate, formatBytes, formatCount, formatSeconds, formatShare } from '../quantities.js';
import { describeDegrees, describeRun, describeRunnersUp, FRONT_HEAD, frontRows } from './describe-placement.js';
import type { PlanReport, ReportPlacement, StudyReport } from './types.js';

/** Colours of a terminal; the identity where there are none. */
export interface TextStyle {
  bold(text: string): string;
  dim(text: string): string;
  good(text: string): string;
  bad(text: string): string;
}

const PLAIN: TextStyle = { bold: (text) => text, dim: (text) => text, good: (text) => text, bad: (text) => text };

/** Rows under headings as an aligned table without colours of its own. */
export function formatTable(head: readonly string[], rows: readonly (readonly string[])[], rightFrom = 1): string {
  const table = new Table({
    head: [...head],
    style: { head: [], border: [], compact: true, 'padding-left': 0, 'padding-right': 2 },
    colAligns: head.map((_, i) => (i >= rightFrom ? 'right' : 'left')),
    chars: {
      top: '',
      'top-mid': '',
      'top-left': '',
      'top-right': '',
      bottom: '',
      'bottom-mid': '',
      'bottom-left': '',
      'bottom-right': '',
      left: '',
      'left-mid': '',
      mid: '',
      'mid-mid': '',
      right: '',
      'right-mid': '',
      middle: '',
    },
  });
  table.push(...rows.map((row) => [...row]));
  return table
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n');
}

/** A plan for a terminal: fabric, placements, what was rejected, and the answers of the study. */
export function formatPlanText(report: PlanReport, style: TextStyle = PLAIN): string {
  const { fabric, job } = report;
  const lines: string[] = [];
  const heading = (text: string): void => {
    lines.push('', style.bold(text));
  };
  lines.push(style.bold(report.name));
  lines.push(
    `${fabric.devices.gpu} GPUs (${Object.entries(fabric.gpuModels)
      .map(([model, count]) => `${count} ${model}`)
      .join(', ')}), ${fabric.devices.switch} switches, ${fabric.links} cables`,
  );
  lines.push(
    `${job.model}: ${formatCount(job.parameters)} parameters, ${job.precision}, sequence ${job.sequence}, ${formatCount(job.tokensPerStep)} tokens a step`,
  );
  if (report.sites.length > 1) {
    heading('Sites');
    lines.push(
      formatTable(
        ['site', 'GPUs', 'model', 'access', 'sure'],
        report.sites.map((site) => [
          site.name,
          String(site.gpus),
          site.model,
          site.access === undefined ? '–' : formatBitRate(site.access),
          site.confidence ?? '–',
        ]),
        1,
      ),
    );
    lines.push('');
    lines.push(
      formatTable(
        ['wide-area link', 'rate', 'round trip', 'sure'],
        report.links.map((link) => [
          `${link.from}–${link.to}`,
          formatBitRate(link.bandwidth),
          formatSeconds(link.roundTrip),
          link.confidence ?? '–',
        ]),
      ),
    );
    lines.push(style.dim('sure: S1 read at source, S2 secondary, G general knowledge, E estimate'));
  }
  heading('Best placement per strategy');
  if (report.placements.length === 0) lines.push(style.bad('Nothing is feasible.'));
  else {
    lines.push(
      formatTable(
        ['strategy', 'step', 'range', 'tokens/s', 'MFU', 'memory', 'exposed', 'limited by'],
        bestPerStrategy(report).map(({ strategy, step }) => [
          strategy,
          formatSeconds(step.seconds),
          `${formatSeconds(step.low, 2)}–${formatSeconds(step.high, 2)}`,
          formatCount(step.tokensPerSecond),
          formatShare(step.modelFlopUtilisation),
          formatBytes(step.memory.total),
          formatSeconds(step.breakdown.exposedCommunication),
          step.bottleneck,
        ]),
      ),
    );
    for (const { strategy, degrees, sites, caveats } of bestPerStrategy(report)) {
      lines.push(
        `  ${strategy}: ${describeDegrees(degrees)}; ${Object.entries(sites)
          .map(([site, count]) => `${site} ${count}`)
          .join(', ')}`,
      );
      for (const caveat of caveats) lines.push(style.dim(`    caveat: ${caveat}`));
    }
  }
  const others = describeRunnersUp(report.placements);
  if (others.length > 0) lines.push('  runners-up:', ...others.map((line) => `    ${line}`));
  const [first] = report.placements as readonly (ReportPlacement | undefined)[];
  if (first?.run !== undefined) lines.push(`  the run: ${describeRun(first.run)}`);
  if (report.front !== undefined) {
    heading('None beats these in every objective');
    lines.push(formatTable(FRONT_HEAD, frontRows(report.front)));
  }
  lines.push('', report.explanation);
  lines.push(style.dim(`${report.examined} candidates examined, ${report.feasible} feasible; rejected: ${summarizeRejections(report)}`));
  if (report.study !== undefined) formatStudy(report.study, report, lines, style, heading);
  return `${lines.join('\n')}\n`;
}

/** The first placement of every strategy, in ranked order. */
export function bestPerStrategy(report: PlanReport): PlanReport['placements'] {
  return report.placements.filter(({ strategy }, i) => report.placements.findIndex((other) => other.strategy === strategy) === i);
}

export function summarizeRejections(report: PlanReport, most = 4): string {
  const shown = report.rejections.slice(0, most).map(({ reason, count }) => `${reason} (${count})`);
  const rest = report.rejections.slice(most).reduce((sum, { count }) => sum + count, 0);
  return [...shown, ...(rest > 0 ? [`other reasons (${rest})`] : [])].join('; ') || 'none';
}

function formatStudy(study: StudyReport, report: PlanReport, lines: string[], style: TextStyle, heading: (text: string) => void): void {
  const { reference, requirement, upgrade, baseline, tokens } = study;
  if (reference !== undefined) {
    heading(`Compared with one site: ${reference.gpus} GPUs of ${reference.system}`);
    lines.push(`${formatSeconds(reference.step.seconds)} a step, ${formatShare(reference.step.modelFlopUtilisation)} MFU`);
    for (const { strategy, step } of bestPerStrategy(report))
      lines.push(`  ${strategy.padEnd(24)} ${formatShare(reference.step.seconds / step.seconds)} of its speed`);
  }
  if (requirement !== undefined) {
    heading(`What bandwidth between sites brings ${requirement.strategy} within ${formatShare(requirement.tolerance)} of it`);
    lines.push(
      formatTable(
        ['rate of every link', ...requirement.overlaps.map((overlap) => `overlap ${formatShare(overlap)}`)],
        requirement.points.map(({ bandwidth, efficiency }) => [formatBitRate(bandwidth), ...efficiency.map((value) => formatShare(value))]),
      ),
    );
    lines.push(
      formatTable(
        ['needed', ...requirement.required.map(() => '')],
        [['', ...requirement.required.map((rate) => (rate === null ? 'more than shown' : formatBitRate(rate)))]],
      )
        .split('\n')
        .map((line) => line.trimEnd())
        .filter((line) => line !== '')
        .join(' '),
    );
    lines.push(style.dim('overlap: share of the step that hides traffic between sites; 10–30 % is typical with gradient accumulation'));
  }
  if (upgrade !== undefined) {
    heading(`Cheapest upgrade that gets there (overlap ${formatShare(upgrade.overlap)})`);
    lines.push(
      formatTable(
        ['link', '400G waves', 'price'],
        upgrade.purchases.map(({ link, waves, euros }) => [link, `+${waves}`, formatEuros(euros)]),
      ),
    );
    lines.push(
      `${formatSeconds(upgrade.secondsBefore)} → ${formatSeconds(upgrade.secondsAfter)} a step for ${formatEuros(upgrade.euros)} (${formatEuros(upgrade.lowEuros)}–${formatEuros(upgrade.highEuros)}, four years of fibre included)`,
    );
    lines.push(
      upgrade.reached
        ? style.good(`The target of ${formatSeconds(upgrade.target)} is reached.`)
        : style.bad(`The target of ${formatSeconds(upgrade.target)} is not reached: ${upgrade.stopped}.`),
    );
  }
  if (baseline !== undefined) {
    heading(`The ${baseline.gpus}-GPU cluster people have now (${baseline.system}, ${formatBytes(baseline.gpuMemory)} a GPU)`);
    lines.push(
      formatTable(
        ['recomputation', 'ZeRO', 'offload', 'memory', 'fits'],
        baseline.options.map((option) => [
          option.recomputation,
          String(option.zeroStage),
          option.offload ? 'yes' : 'no',
          formatBytes(option.bytes),
          option.fits ? style.good('yes') : style.bad('no'),
        ]),
      ),
    );
    if (baseline.best === undefined) lines.push(style.bad('The model does not fit under any of them.'));
    else
      lines.push(
        `${baseline.best.description}: ${formatCount(baseline.best.tokensPerSecond)} tokens/s${baseline.trainingSeconds === undefined ? '' : `, ${formatSeconds(baseline.trainingSeconds)} for ${formatCount(tokens!)} tokens`}`,
      );
  }
  if (tokens !== undefined && report.placements.length > 0) {
    heading(`Time for ${formatCount(tokens)} tokens`);
    for (const { strategy, step } of bestPerStrategy(report))
      lines.push(`  ${strategy.padEnd(24)} ${formatSeconds(tokens / step.tokensPerSecond)}`);
    if (reference !== undefined) lines.push(`  ${'one site'.padEnd(24)} ${formatSeconds(tokens / reference.step.tokensPerSecond)}`);
    if (baseline?.trainingSeconds !== undefined)
      lines.push(`  ${`${baseline.gpus} GPUs`.padEnd(24)} ${formatSeconds(baseline.trainingSeconds)}`);
  }
}

/** `1234567` → `1.23 MEUR`. */
export function formatEuros(euros: number): string {
  const text = formatCount(euros);
  const [value, prefix = ''] = text.split(' ');
  return `${value} ${prefix === 'K' ? 'k' : prefix === 'B' ? 'G' : prefix}EUR`;
}
