import { appendTo } from '../topology/append-to.js';
import { FabricPlanError } from '../../errors.js';
import type { Topology, TopologyDevice } from '../topology/types.js';
import { escapeXml } from './graph-xml.js';
import { describeRate } from './labels.js';
import type { Written } from './types.js';

/** Devices of a picture at most: beyond, nothing can be told apart. */
const MOST_DRAWN = 300;
const WIDTH = 1200;
const ROW = 90;
const LOST = ['everything but names, kinds and rates: a picture is for people'];

/** Kinds from top to bottom. */
const ROWS: readonly (readonly TopologyDevice['kind'][])[] = [
  ['site', 'gateway'],
  ['switch'],
  ['host', 'nic'],
  ['pcie'],
  ['cpu'],
  ['gpu'],
  ['nvswitch'],
];
const COLOURS: Readonly<Record<TopologyDevice['kind'], string>> = {
  site: '#3b6ea5',
  gateway: '#3b6ea5',
  switch: '#7a5195',
  host: '#5f7f3f',
  nic: '#b0803a',
  pcie: '#888888',
  cpu: '#667788',
  gpu: '#2e7d32',
  nvswitch: '#a03050',
};

function small(topology: Topology, format: string): void {
  if (topology.devices.length > MOST_DRAWN)
    throw new FabricPlanError(
      'too-large',
      `writeTopology: the topology has ${topology.devices.length} devices; ${format} draws at most ${MOST_DRAWN} (graphml, gexf and dot take any number)`,
    );
}

/** Mermaid flowchart, for pages that render it. */
export function writeMermaid(topology: Topology): Written {
  small(topology, 'mermaid');
  const names = new Map(topology.devices.map(({ id }, i) => [id, `d${i}`]));
  const text = (value: string): string => value.replaceAll('"', '#quot;').replace(/[\r\n]+/g, ' ');
  const lines = [
    'flowchart TB',
    ...topology.devices.map(
      ({ id, kind, label }) =>
        `  ${names.get(id)!}${kind === 'switch' || kind === 'nvswitch' ? `["${text(label ?? id)}"]` : `("${text(label ?? id)}")`}`,
    ),
    ...topology.links.flatMap((link) =>
      names.has(link.source) && names.has(link.target)
        ? [
            `  ${names.get(link.source)!} ${link.duplex === false ? '-->' : '---'}|"${text(describeRate(link))}"| ${names.get(link.target)!}`,
          ]
        : [],
    ),
  ];
  return { text: `${lines.join('\n')}\n`, lost: LOST };
}

/** An SVG picture: a map where all places have coordinates, else rows by kind, switches by their height above the hosts. */
export function writeSvg(topology: Topology): Written {
  small(topology, 'svg');
  const places = topology.devices.every(({ coordinates }) => coordinates !== undefined) ? onMap(topology) : inRows(topology);
  const height = Math.max(120, ...[...places.values()].map(([, y]) => y)) + 60;
  const line = topology.links.flatMap((link) => {
    const [a, b] = [places.get(link.source), places.get(link.target)];
    if (a === undefined || b === undefined) return [];
    return [
      `<line x1="${a[0]}" y1="${a[1]}" x2="${b[0]}" y2="${b[1]}" stroke="#99a" stroke-width="${Math.min(6, 1 + Math.log2(link.count ?? 1))}"><title>${escapeXml(`${link.source} – ${link.target}: ${describeRate(link)}`)}</title></line>`,
    ];
  });
  const dots = topology.devices.map(({ id, kind, label }) => {
    const [x, y] = places.get(id)!;
    return `<circle cx="${x}" cy="${y}" r="7" fill="${COLOURS[kind]}"><title>${escapeXml(`${kind} ${id}`)}</title></circle><text x="${x}" y="${y + 20}" text-anchor="middle">${escapeXml((label ?? id).slice(0, 24))}</text>`;
  });
  const text = [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="sans-serif" font-size="10" role="img" aria-label="${escapeXml(topology.name)}">`,
    `<title>${escapeXml(topology.name)}</title>`,
    ...line,
    ...dots,
    '</svg>',
  ].join('\n');
  return { text: `${text}\n`, lost: LOST };
}

function onMap({ devices }: Topology): Map<string, readonly [number, number]> {
  const latitudes = devices.map(({ coordinates }) => coordinates![0]);
  const middle = ((Math.min(...latitudes) + Math.max(...latitudes)) / 2) * (Math.PI / 180);
  const points = devices.map(({ id, coordinates }) => ({ id, x: coordinates![1] * Math.cos(middle), y: -coordinates![0] }));
  const [left, right] = [Math.min(...points.map(({ x }) => x)), Math.max(...points.map(({ x }) => x))];
  const [top, bottom] = [Math.min(...points.map(({ y }) => y)), Math.max(...points.map(({ y }) => y))];
  const scale = (WIDTH - 160) / Math.max(right - left, (bottom - top) * 1.4, 1e-6);
  return new Map(points.map(({ id, x, y }) => [id, [round(80 + (x - left) * scale), round(40 + (y - top) * scale)] as const]));
}

function inRows(topology: Topology): Map<string, readonly [number, number]> {
  const around = new Map<string, string[]>();
  for (const { source, target } of topology.links) {
    appendTo(around, source, target);
    appendTo(around, target, source);
  }
  const switches = new Set(topology.devices.filter(({ kind }) => kind === 'switch').map(({ id }) => id));
  const height = new Map<string, number>();
  let frontier = [...switches].filter((id) => (around.get(id) ?? []).some((other) => !switches.has(other)));
  if (frontier.length === 0) frontier = [...switches];
  for (const id of frontier) height.set(id, 0);
  for (let at = 1; frontier.length > 0; at++) {
    frontier = [...new Set(frontier.flatMap((id) => around.get(id) ?? []))].filter((id) => switches.has(id) && !height.has(id));
    for (const id of frontier) height.set(id, at);
  }
  const tallest = Math.max(0, ...height.values());
  const rowOf = ({ id, kind }: TopologyDevice): number => {
    const row = ROWS.findIndex((kinds) => kinds.includes(kind));
    return row < 1 ? row : row === 1 ? 1 + tallest - (height.get(id) ?? 0) : row + tallest;
  };
  const rows = new Map<number, string[]>();
  for (const device of topology.devices) appendTo(rows, rowOf(device), device.id);
  const places = new Map<string, readonly [number, number]>();
  [...rows]
    .sort(([a], [b]) => a - b)
    .forEach(([, list], r) => {
      list.forEach((id, i) => places.set(id, [round(((i + 0.5) * WIDTH) / list.length), 40 + r * ROW]));
    });
  return places;
}

const round = (value: number): number => Math.round(value * 10) / 10;
