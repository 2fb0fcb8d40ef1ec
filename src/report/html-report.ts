import { formatBitRate, formatBytes, formatCount, formatSeconds, formatShare } from '../quantities.js';
import { breakdownChart, efficiencyChart } from './charts.js';
import { describeDegrees, describeRun, describeRunnersUp, FRONT_HEAD, frontRows } from './describe-placement.js';
import { escapeMarkup as esc } from './escape-markup.js';
import { siteMap } from './site-map.js';
import { bestPerStrategy, formatEuros, summarizeRejections } from './text-report.js';
import type { PlanReport, StudyReport } from './types.js';

const STYLE = `:root{--paper:#fff;--ink:#1b1f24;--soft:#5b6570;--rule:#d9dee4}@media(prefers-color-scheme:dark){:root{--paper:#14171a;--ink:#e6e9ec;--soft:#9aa4ae;--rule:#333a41}}
body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.5 system-ui,sans-serif}main{max-width:1060px;margin:0 auto;padding:24px}
h1{font-size:1.7rem;margin:.2em 0}h2{font-size:1.2rem;margin:2em 0 .5em;border-bottom:1px solid var(--rule)}p.lead{font-size:1.1rem}
.two{display:grid;grid-template-columns:repeat(auto-fit,minmax(340px,1fr));gap:24px;align-items:start}svg{width:100%;height:auto;color:var(--ink)}
.scroll{overflow-x:auto}table{border-collapse:collapse;width:100%;font-size:.92rem}th,td{padding:4px 10px;text-align:right;border-bottom:1px solid var(--rule);white-space:nowrap}th:first-child,td:first-child{text-align:left}th{color:var(--soft);font-weight:600}td.wrap{white-space:normal;text-align:left;min-width:16ch;overflow-wrap:anywhere}
.note{color:var(--soft);font-size:.9rem}.yes{color:#009e73}.no{color:#d55e00}`;

/** A plan as one self-contained HTML page: map, charts and tables, no scripts, nothing fetched. */
export function formatPlanHtml(report: PlanReport): string {
  const { job, fabric } = report;
  const best = bestPerStrategy(report);
  const sections = [
    `<p class="lead">${esc(report.explanation)}</p>`,
    `<p>${fabric.devices.gpu} GPUs (${esc(
      Object.entries(fabric.gpuModels)
        .map(([model, count]) => `${count} ${model}`)
        .join(', '),
    )}). ${esc(job.model)}: ${formatCount(job.parameters)} parameters, ${esc(job.precision)}, sequence ${job.sequence}, ${formatCount(job.tokensPerStep)} tokens a step.</p>`,
    `<div class="two"><div>${siteMap(report.sites, report.links)}</div><div>${sitesTable(report)}</div></div>`,
    '<h2>Best placement per strategy</h2>',
    best.length === 0
      ? '<p class="no">Nothing is feasible.</p>'
      : placementTable(report) +
        searchSections(report).join('') +
        breakdownChart(
          best.map(({ strategy, step: { breakdown } }) => ({
            label: strategy,
            parts: [breakdown.compute, breakdown.bubble, breakdown.exposedCommunication, breakdown.optimizer + breakdown.overhead],
          })),
          ['compute', 'bubble', 'network', 'other'],
        ),
    ...best.flatMap(({ strategy, caveats }) => caveats.map((caveat) => `<p class="note"><b>${esc(strategy)}</b>: ${esc(caveat)}</p>`)),
    `<p class="note">${report.examined} candidates examined, ${report.feasible} feasible. Rejected: ${esc(summarizeRejections(report, 6))}.</p>`,
    ...(report.study === undefined ? [] : studySections(report.study, report)),
    '<p class="note">Times are first-principles estimates with their range; facts carry the marks S1 (read at source), S2 (secondary), G (general knowledge), E (estimate).</p>',
  ];
  return `<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>${esc(report.name)}</title><style>${STYLE}</style></head><body><main><h1>${esc(report.name)}</h1>${sections.join('\n')}</main></body></html>\n`;
}

const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  `<div class="scroll"><table><thead><tr>${head.map((cell) => `<th>${esc(cell)}</th>`).join('')}</tr></thead><tbody>${rows.map((row) => `<tr>${row.map((cell) => (cell.startsWith('<td') ? cell : `<td>${esc(cell)}</td>`)).join('')}</tr>`).join('')}</tbody></table></div>`;

function sitesTable(report: PlanReport): string {
  const sites = table(
    ['site', 'GPUs', 'model', 'access', 'sure'],
    report.sites.map((site) => [
      site.name,
      String(site.gpus),
      site.model,
      site.access === undefined ? '–' : formatBitRate(site.access),
      site.confidence ?? '–',
    ]),
  );
  if (report.links.length === 0) return sites;
  return (
    sites +
    table(
      ['link', 'rate', 'round trip', 'sure'],
      report.links.map((link) => [
        `${link.from}–${link.to}`,
        formatBitRate(link.bandwidth),
        formatSeconds(link.roundTrip),
        link.confidence ?? '–',
      ]),
    )
  );
}

function placementTable(report: PlanReport): string {
  return table(
    ['strategy', 'step', 'range', 'tokens/s', 'MFU', 'memory', 'degrees', 'limited by'],
    bestPerStrategy(report).map(({ strategy, step, degrees }) => [
      strategy,
      formatSeconds(step.seconds),
      `${formatSeconds(step.low, 2)}–${formatSeconds(step.high, 2)}`,
      formatCount(step.tokensPerSecond),
      formatShare(step.modelFlopUtilisation),
      formatBytes(step.memory.total),
      `<td class="wrap">${esc(describeDegrees(degrees))}</td>`,
      `<td class="wrap">${esc(step.bottleneck)}</td>`,
    ]),
  );
}

/** What the others lose by, the whole run, and what nothing beats in all objectives. */
function searchSections(report: PlanReport): string[] {
  const others = describeRunnersUp(report.placements);
  const run = report.placements.at(0)?.run;
  return [
    ...(run === undefined ? [] : [`<p>The run: ${esc(describeRun(run))}.</p>`]),
    ...(others.length === 0 ? [] : [`<ul>${others.map((line) => `<li>${esc(line)}</li>`).join('')}</ul>`]),
    ...(report.front === undefined ? [] : ['<h2>None beats these in every objective</h2>', table(FRONT_HEAD, frontRows(report.front))]),
  ];
}

function studySections(study: StudyReport, report: PlanReport): string[] {
  const { reference, requirement, upgrade, baseline, tokens } = study;
  const sections: string[] = [];
  if (reference !== undefined) {
    sections.push(
      `<h2>Compared with one site: ${reference.gpus} GPUs of ${esc(reference.system)}</h2>`,
      `<p>${formatSeconds(reference.step.seconds)} a step, ${formatShare(reference.step.modelFlopUtilisation)} MFU.</p>`,
      table(
        ['strategy', 'share of its speed'],
        bestPerStrategy(report).map(({ strategy, step }) => [strategy, formatShare(reference.step.seconds / step.seconds)]),
      ),
    );
  }
  if (requirement !== undefined) {
    const series = requirement.overlaps.map((overlap, o) => ({
      label: `overlap ${formatShare(overlap)}`,
      points: requirement.points.map(({ bandwidth, efficiency }) => ({ x: bandwidth, y: efficiency[o] })),
    }));
    sections.push(
      `<h2>What bandwidth between sites is enough</h2>`,
      efficiencyChart(series, 1 / (1 + requirement.tolerance)),
      table(
        ['', ...requirement.overlaps.map((overlap) => `overlap ${formatShare(overlap)}`)],
        [
          [
            `within ${formatShare(requirement.tolerance)}`,
            ...requirement.required.map((rate) => (rate === null ? 'more than shown' : formatBitRate(rate))),
          ],
        ],
      ),
      '<p class="note">Overlap is the share of the step that hides traffic between sites; 10–30 % is typical with gradient accumulation.</p>',
    );
  }
  if (upgrade !== undefined) {
    sections.push(
      '<h2>Cheapest upgrade that gets there</h2>',
      `<p class="${upgrade.reached ? 'yes' : 'no'}">${formatSeconds(upgrade.secondsBefore)} → ${formatSeconds(upgrade.secondsAfter)} a step for ${formatEuros(upgrade.euros)} (${formatEuros(upgrade.lowEuros)}–${formatEuros(upgrade.highEuros)}, four years of fibre included), at overlap ${formatShare(upgrade.overlap)}. ${upgrade.reached ? 'The target is reached.' : `The target of ${formatSeconds(upgrade.target)} is not reached: ${esc(upgrade.stopped)}.`}</p>`,
      table(
        ['link', '400G waves', 'price'],
        upgrade.purchases.map(({ link, waves, euros }) => [link, `+${waves}`, formatEuros(euros)]),
      ),
    );
  }
  if (baseline !== undefined) {
    sections.push(
      `<h2>The ${baseline.gpus}-GPU cluster people have now</h2>`,
      table(
        ['recomputation', 'ZeRO', 'offload', 'memory', 'fits'],
        baseline.options.map((option) => [
          option.recomputation,
          String(option.zeroStage),
          option.offload ? 'yes' : 'no',
          formatBytes(option.bytes),
          `<td class="${option.fits ? 'yes' : 'no'}">${option.fits ? 'yes' : 'no'}</td>`,
        ]),
      ),
      baseline.best === undefined
        ? '<p class="no">The model does not fit under any of them.</p>'
        : `<p>${esc(baseline.best.description)}: ${formatCount(baseline.best.tokensPerSecond)} tokens/s${baseline.trainingSeconds === undefined ? '' : `, ${formatSeconds(baseline.trainingSeconds)} for ${formatCount(tokens!)} tokens`}.</p>`,
    );
  }
  if (tokens !== undefined) {
    const rows = bestPerStrategy(report).map(({ strategy, step }) => [strategy, formatSeconds(tokens / step.tokensPerSecond)]);
    if (reference !== undefined) rows.push([`one site (${reference.system})`, formatSeconds(tokens / reference.step.tokensPerSecond)]);
    if (baseline?.trainingSeconds !== undefined) rows.push([`${baseline.gpus} GPUs`, formatSeconds(baseline.trainingSeconds)]);
    sections.push(`<h2>Time for ${formatCount(tokens)} tokens</h2>`, table(['', 'time'], rows));
  }
  return sections;
}
