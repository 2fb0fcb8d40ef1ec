import { scaleBand, scaleLinear, scaleLog } from 'd3-scale';
import { line } from 'd3-shape';
import { formatBitRate, formatBytes, formatSeconds, formatShare } from '../quantities.js';
import { escapeMarkup } from './escape-markup.js';

/** Colours that stay apart for colour-blind readers (Okabe–Ito). */
export const PALETTE = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#e69f00', '#56b4e9'] as const;

const WIDTH = 640;
const HEIGHT = 320;
const MARGIN = { top: 18, right: 150, bottom: 44, left: 56 } as const;

/** One line of a chart. */
export interface ChartSeries {
  readonly label: string;
  readonly points: readonly { readonly x: number; readonly y: number }[];
}

/** Share of the reference speed against line rate (bytes per second, log axis), one line per series, with a rule at the wanted share. */
export function efficiencyChart(series: readonly ChartSeries[], wanted: number): string {
  const xs = series.flatMap(({ points }) => points.map(({ x }) => x));
  if (xs.length === 0) return '';
  const x = scaleLog([Math.min(...xs), Math.max(...xs)], [MARGIN.left, WIDTH - MARGIN.right]);
  const y = scaleLinear(
    [0, Math.max(1, ...series.flatMap(({ points }) => points.map((point) => point.y)))],
    [HEIGHT - MARGIN.bottom, MARGIN.top],
  ).nice();
  const path = line<{ x: number; y: number }>(
    (point) => x(point.x),
    (point) => y(point.y),
  );
  const ticks = [...new Set(series[0].points.map((point) => point.x))];
  return svg(
    'Share of single-site speed against bandwidth per link',
    [
      ...y
        .ticks(6)
        .map(
          (tick) =>
            `<line x1="${MARGIN.left}" x2="${WIDTH - MARGIN.right}" y1="${y(tick)}" y2="${y(tick)}" class="grid"/><text x="${MARGIN.left - 6}" y="${y(tick) + 4}" text-anchor="end">${formatShare(tick)}</text>`,
        ),
      ...ticks.map((tick, i) =>
        i % 2 === 0 ? `<text x="${x(tick)}" y="${HEIGHT - MARGIN.bottom + 16}" text-anchor="middle">${formatBitRate(tick)}</text>` : '',
      ),
      `<line x1="${MARGIN.left}" x2="${WIDTH - MARGIN.right}" y1="${y(wanted)}" y2="${y(wanted)}" class="rule"/>`,
      `<text x="${(MARGIN.left + WIDTH - MARGIN.right) / 2}" y="${HEIGHT - 8}" text-anchor="middle">line rate of every link between sites</text>`,
      ...series.map(
        ({ label, points }, i) =>
          `<path d="${path([...points]) ?? ''}" fill="none" stroke="${PALETTE[i % PALETTE.length]}" stroke-width="2.5"/>${legend(label, i)}`,
      ),
    ].join(''),
  );
}

/** One stacked bar. */
export interface ChartBar {
  readonly label: string;
  /** Parts in the same order for all bars, seconds. */
  readonly parts: readonly number[];
}

/** Stacked horizontal bars of step times in seconds. */
export function breakdownChart(bars: readonly ChartBar[], partLabels: readonly string[]): string {
  const height = 60 + bars.length * 40;
  const longest = Math.max(1e-9, ...bars.map(({ parts }) => parts.reduce((sum, part) => sum + part, 0)));
  const x = scaleLinear([0, longest], [170, WIDTH - 20]);
  const y = scaleBand(
    bars.map(({ label }) => label),
    [24, height - 30],
  ).padding(0.3);
  const body = bars.map(({ label, parts }) => {
    let start = 0;
    const rects = parts.map((part, i) => {
      const rect = `<rect x="${x(start)}" y="${y(label)!}" width="${Math.max(0, x(start + part) - x(start))}" height="${y.bandwidth()}" fill="${PALETTE[i % PALETTE.length]}"><title>${escapeMarkup(partLabels[i])}: ${formatSeconds(part)}</title></rect>`;
      start += part;
      return rect;
    });
    return `<text x="164" y="${y(label)! + y.bandwidth() / 2 + 4}" text-anchor="end">${escapeMarkup(label)}</text>${rects.join('')}`;
  });
  const keys = partLabels.map(
    (label, i) =>
      `<rect x="${170 + i * 92}" y="4" width="11" height="11" fill="${PALETTE[i % PALETTE.length]}"/><text x="${185 + i * 92}" y="14">${escapeMarkup(label)}</text>`,
  );
  const ticks = x
    .ticks(6)
    .map(
      (tick) =>
        `<line x1="${x(tick)}" x2="${x(tick)}" y1="22" y2="${height - 30}" class="grid"/><text x="${x(tick)}" y="${height - 12}" text-anchor="middle">${formatSeconds(tick)}</text>`,
    );
  return svg('Where the time of a step goes', [...ticks, ...body, ...keys].join(''), height);
}

const legend = (label: string, i: number): string =>
  `<line x1="${WIDTH - MARGIN.right + 10}" x2="${WIDTH - MARGIN.right + 30}" y1="${MARGIN.top + 14 + i * 20}" y2="${MARGIN.top + 14 + i * 20}" stroke="${PALETTE[i % PALETTE.length]}" stroke-width="2.5"/><text x="${WIDTH - MARGIN.right + 36}" y="${MARGIN.top + 18 + i * 20}">${escapeMarkup(label)}</text>`;

const svg = (title: string, body: string, height = HEIGHT): string =>
  `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="${escapeMarkup(title)}" font-family="system-ui, sans-serif" font-size="12"><title>${escapeMarkup(title)}</title><style>.grid{stroke:#8884;stroke-width:1}.rule{stroke:#888;stroke-dasharray:5 4}text{fill:currentColor}</style>${body}</svg>`;

/** A size of a curve: what was measured, what was predicted, and the range. */
export interface CurvePoint {
  readonly bytes: number;
  readonly measured: number;
  readonly predicted: number;
  readonly low: number;
  readonly high: number;
}

/** Predicted against measured seconds by message size, both axes logarithmic: dots measured, line predicted, band the range. */
export function curveChart(title: string, points: readonly CurvePoint[]): string {
  if (points.length === 0) return '';
  const sorted = [...points].sort((a, b) => a.bytes - b.bytes);
  const x = scaleLog(
    [sorted[0].bytes, Math.max(sorted[sorted.length - 1].bytes, sorted[0].bytes * 2)],
    [MARGIN.left, WIDTH - MARGIN.right],
  );
  const all = sorted.flatMap(({ measured, low, high }) => [measured, low, high]);
  const y = scaleLog([Math.min(...all), Math.max(...all)], [HEIGHT - MARGIN.bottom, MARGIN.top]);
  const path = (of: (point: CurvePoint) => number, points: readonly CurvePoint[]): string =>
    line<CurvePoint>(
      (point) => x(point.bytes),
      (point) => y(of(point)),
    )([...points]) ?? '';
  const band = `${path(({ high }) => high, sorted)} ${path(({ low }) => low, [...sorted].reverse()).replace(/^M/, 'L')}Z`;
  const decades = (from: number, to: number): number[] =>
    Array.from({ length: Math.floor(Math.log10(to)) - Math.ceil(Math.log10(from)) + 1 }, (_, i) => 10 ** (Math.ceil(Math.log10(from)) + i));
  const sizes = sorted.map(({ bytes }) => bytes).filter((bytes, i, list) => list.indexOf(bytes) === i);
  const every = Math.max(1, Math.ceil(sizes.length / 8));
  return svg(
    title,
    [
      ...decades(Math.min(...all), Math.max(...all)).map(
        (tick) =>
          `<line x1="${MARGIN.left}" x2="${WIDTH - MARGIN.right}" y1="${y(tick)}" y2="${y(tick)}" class="grid" stroke="#ddd"/><text x="${MARGIN.left - 6}" y="${y(tick) + 4}" text-anchor="end">${formatSeconds(tick)}</text>`,
      ),
      ...sizes
        .filter((_, i) => i % every === 0)
        .map((bytes) => `<text x="${x(bytes)}" y="${HEIGHT - MARGIN.bottom + 16}" text-anchor="middle">${formatBytes(bytes)}</text>`),
      `<path d="${band}" fill="${PALETTE[0]}" opacity="0.15"/>`,
      `<path d="${path(({ predicted }) => predicted, sorted)}" fill="none" stroke="${PALETTE[0]}" stroke-width="2"/>`,
      ...sorted.map(({ bytes, measured }) => `<circle cx="${x(bytes)}" cy="${y(measured)}" r="2.5" fill="${PALETTE[1]}"/>`),
      `<text x="${MARGIN.left + 8}" y="${MARGIN.top + 4}">${escapeMarkup(title)}</text>`,
      legend('predicted, 90 % range', 0),
      legend('measured', 1),
    ].join(''),
  );
}
