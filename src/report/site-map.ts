import { geoConicConformal, geoPath } from 'd3-geo';
import { formatBitRate, formatSeconds } from '../quantities.js';
import { escapeMarkup } from './escape-markup.js';
import { EUROPE_OUTLINE } from './europe-outline.js';
import type { ReportLink, ReportSite } from './types.js';

const WIDTH = 640;
const HEIGHT = 620;

/** Map of sites (area by GPUs) and wide-area links (width by rate) as SVG; empty where no site has coordinates. */
export function siteMap(sites: readonly ReportSite[], links: readonly ReportLink[]): string {
  const placed = sites.filter((site) => site.coordinates !== undefined);
  if (placed.length === 0) return '';
  // Fit the sites with room around them; Europe's usual projection.
  const corners = placed.map(({ coordinates }) => [coordinates![1], coordinates![0]] as [number, number]);
  const projection = geoConicConformal()
    .parallels([40, 65])
    .rotate([-10, 0])
    .fitExtent(
      [
        [90, 70],
        [WIDTH - 90, HEIGHT - 70],
      ],
      {
        type: 'MultiPoint',
        coordinates:
          corners.length > 1 ? corners : [...corners, [corners[0][0] + 8, corners[0][1] + 6], [corners[0][0] - 8, corners[0][1] - 6]],
      },
    );
  projection.clipExtent([
    [0, 0],
    [WIDTH, HEIGHT],
  ]);
  const path = geoPath(projection);
  // GeoJSON rings of d3 run clockwise; a ring that covers half the globe would fill the picture.
  const land = EUROPE_OUTLINE.map((ring) => path({ type: 'LineString', coordinates: ring.map(([lon, lat]) => [lon, lat]) }) ?? '').join('');
  const at = (name: string): [number, number] | undefined => {
    const site = placed.find((one) => one.name === name);
    return site === undefined ? undefined : (projection([site.coordinates![1], site.coordinates![0]]) ?? undefined);
  };
  const most = Math.max(...placed.map(({ gpus }) => gpus));
  const lines = links.flatMap((link) => {
    const a = at(link.from);
    const b = at(link.to);
    if (a === undefined || b === undefined) return [];
    const width = 1 + 2 * Math.log10(1 + link.bandwidth / 1e9);
    return [
      `<line x1="${a[0]}" y1="${a[1]}" x2="${b[0]}" y2="${b[1]}" stroke="#d55e00" stroke-opacity="0.7" stroke-width="${width.toFixed(1)}"><title>${escapeMarkup(`${link.from}–${link.to}: ${formatBitRate(link.bandwidth)}, ${formatSeconds(link.roundTrip)} round trip`)}</title></line>` +
        `<text x="${(a[0] + b[0]) / 2 + 6}" y="${(a[1] + b[1]) / 2 - 4}" class="small">${formatBitRate(link.bandwidth)}</text>`,
    ];
  });
  const dots = placed.map((site) => {
    const [x, y] = at(site.name)!;
    const radius = 5 + 13 * Math.sqrt(site.gpus / most);
    return `<circle cx="${x}" cy="${y}" r="${radius.toFixed(1)}" fill="#0072b2" fill-opacity="0.85" stroke="white"><title>${escapeMarkup(`${site.name}: ${site.gpus} ${site.model}`)}</title></circle><text x="${x + radius + 4}" y="${y + 4}" font-weight="600">${escapeMarkup(site.name)}</text><text x="${x + radius + 4}" y="${y + 18}" class="small">${site.gpus} GPUs</text>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="Map of sites and links" font-family="system-ui, sans-serif" font-size="13"><title>Map of sites and links</title><style>text{fill:currentColor;paint-order:stroke;stroke:var(--paper,white);stroke-width:3px}.small{font-size:11px}</style><path d="${land}" fill="none" stroke="#8888" stroke-width="0.8"/>${lines.join('')}${dots.join('')}</svg>`;
}
