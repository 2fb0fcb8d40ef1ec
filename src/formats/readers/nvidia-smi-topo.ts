import { draftTopology } from '../topology/draft.js';
import { drawNvlinks, drawPciTree, type MatrixDevice } from '../topology/path-codes.js';
import { linesOf } from '../topology/plain-text.js';
import type { Topology } from '../topology/types.js';

const WHERE = 'readNvidiaSmiTopo';
/** Devices of one host at most; the tree of a matrix takes the cube of it. */
const MOST_DEVICES = 256;
const CODE = /^(?:X|NV\d{1,4}|PIX|PXB|PHB|NODE|SOC|SYS|N\/A)$/;

/** Whether a line is the header of the matrix. */
export const isMatrixHeader = (line: string): boolean =>
  /^\s*GPU\d+(?:\s|$)/.test(line) && !/^\s*GPU\d+\s+(?:X|NV\d|PIX|PXB|PHB|NODE|SYS|SOC)(?:\s|$)/.test(line);

/**
 * The matrix of `nvidia-smi topo -m` (or `-mp`, which hides NVLink), with tabs or blanks. The PCIe tree is the sparest one that the codes
 * allow; no rate is shown, so none is given. A matrix cut off on one side is filled by symmetry, with a warning.
 */
export function readNvidiaSmiTopo(text: string, name: string): Topology {
  const draft = draftTopology(WHERE, 'nvidia-smi-topo', name, 'node');
  let columns: string[] | undefined;
  const rows = new Map<string, { readonly codes: string[]; readonly rest: string; readonly line: number }>();
  const legend = new Map<string, string>();
  let isLegend = false;
  for (const { text: raw, number } of linesOf(text, WHERE)) {
    const line = raw.trim();
    if (columns === undefined) {
      if (isMatrixHeader(raw)) columns = headerColumns(line);
      if (columns !== undefined && columns.length > MOST_DEVICES)
        draft.refuse(`the header names ${columns.length} devices; expected at most ${MOST_DEVICES}`, number);
      draft.check();
      continue;
    }
    if (/^Legend:/.test(line)) isLegend = true;
    const nic = /^(NIC\d+)\s*:\s*(\S+)$/.exec(line);
    if (nic !== null) legend.set(nic[1], nic[2]);
    if (isLegend || line === '') continue;
    const [device, ...cells] = line.split(/\s+/);
    if (!columns.includes(device)) continue;
    const codes: string[] = [];
    while (codes.length < columns.length && codes.length < cells.length && CODE.test(cells[codes.length])) codes.push(cells[codes.length]);
    if (codes.length < columns.length && codes.length < cells.length)
      draft.refuse(
        `row ${device} has "${cells[codes.length].slice(0, 20)}" under ${columns[codes.length]}; expected X, NV#, PIX, PXB, PHB, NODE or SYS`,
        number,
      );
    if (rows.has(device)) draft.refuse(`row ${device} occurs twice; expected one row per device`, number);
    rows.set(device, { codes, rest: cells.slice(codes.length).join(' '), line: number });
  }
  if (columns === undefined) draft.refuse('there is no header with GPU0, GPU1, …; expected the output of nvidia-smi topo -m', 1);
  draft.check();
  const names = columns ?? [];
  const at = (a: number, b: number): string | undefined => rows.get(names[a])?.codes[b];
  let filled = 0;
  const code = (a: number, b: number): string | undefined => at(a, b) ?? at(b, a);
  for (let a = 0; a < names.length; a++) {
    for (let b = 0; b < a; b++) {
      const [one, other] = [at(a, b), at(b, a)];
      if (one === undefined && other === undefined)
        draft.refuse(
          `the path between ${names[b]} and ${names[a]} is missing in both rows; expected a full matrix (was the text cut off?)`,
          rows.get(names[b])?.line,
        );
      else if (one === undefined || other === undefined) filled++;
      else if (one !== other)
        draft.warn(`${names[b]}–${names[a]} is ${other} one way and ${one} the other; the first is taken`, rows.get(names[b])?.line);
    }
    if (at(a, a) !== undefined && at(a, a) !== 'X')
      draft.refuse(`row ${names[a]} has ${at(a, a)} for itself; expected X`, rows.get(names[a])?.line);
  }
  draft.check();
  if (filled > 0) {
    draft.warn(`${filled} of ${(names.length * (names.length - 1)) / 2} pairs are given in one direction only and filled by symmetry`);
    draft.infer('path codes', 'symmetry', filled);
  }
  const devices = names.map((column): MatrixDevice => ({
    id: legend.get(column) ?? column.toLowerCase(),
    kind: /^GPU\d+$/.test(column) ? 'gpu' : 'nic',
  }));
  const upper = (a: number, b: number): string | undefined => (a < b ? code(a, b) : code(b, a));
  names.forEach((column, i) => {
    const rest = rows.get(column)?.rest ?? '';
    if (draft.has(devices[i].id)) draft.refuse(`"${devices[i].id}" occurs twice; expected one column per device`);
    else
      draft.device({
        ...devices[i],
        location: [name],
        ...(column.toLowerCase() === devices[i].id ? {} : { label: column }),
        ...(rest === '' ? {} : { attributes: { affinity: rest } }),
      });
  });
  const isSound = (value: string | undefined): string | undefined =>
    value?.startsWith('NV') === true || value === 'N/A' ? undefined : value === 'SOC' ? 'SYS' : value;
  drawPciTree(
    draft,
    name,
    devices,
    placeByAffinity(devices, names, rows, (a, b) => isSound(upper(a, b))),
  );
  const gpus = devices.flatMap(({ kind }, i) => (kind === 'gpu' ? [i] : []));
  const nvlinks = (a: number, b: number): number => Number(/^NV(\d+)$/.exec(upper(gpus[a], gpus[b]) ?? '')?.[1] ?? 0);
  drawNvlinks(
    draft,
    name,
    gpus.map((i) => devices[i].id),
    nvlinks,
  );
  if (gpus.length === 0) draft.refuse('the matrix shows no GPU; expected columns GPU0, GPU1, …', 1);
  draft.warn(
    'the matrix shows no rates: give a generation to assume (see assume), or compose with nvidia-smi nvlink --status or an NCCL topology',
  );
  return draft.finish({
    levels: ['host'],
    contents: {
      'gpu rows': [...rows.keys()].filter((row) => /^GPU\d/.test(row)).length,
      'nic rows': [...rows.keys()].filter((row) => !/^GPU\d/.test(row)).length,
    },
  });
}

/** Names of the devices, up to the affinity columns. */
function headerColumns(line: string): string[] {
  const end = /\s+(?:CPU|NUMA)\s+Affinity|\s+GPU NUMA ID/.exec(line);
  return (end === null ? line : line.slice(0, end.index)).trim().split(/\s+/);
}

/**
 * NVLink hides the PCIe path of a pair of GPUs. Where they say the same NUMA node they are taken as NODE apart, elsewhere as SYS, unless
 * a NIC one bridge away from both shows that they share its switch.
 */
function placeByAffinity(
  devices: readonly MatrixDevice[],
  names: readonly string[],
  rows: ReadonlyMap<string, { readonly rest: string }>,
  code: (a: number, b: number) => string | undefined,
): (a: number, b: number) => string | undefined {
  const affinity = names.map((name) => rows.get(name)?.rest ?? '');
  return (a, b) => {
    const known = code(a, b);
    if (known !== undefined) return known;
    const shared = (wanted: string): boolean =>
      devices.some(
        ({ kind }, nic) =>
          kind === 'nic' &&
          nic !== a &&
          nic !== b &&
          code(Math.min(a, nic), Math.max(a, nic)) === wanted &&
          code(Math.min(b, nic), Math.max(b, nic)) === wanted,
      );
    if (shared('PIX')) return 'PIX';
    if (devices[a].kind !== 'gpu' || devices[b].kind !== 'gpu') return undefined;
    return affinity[a] === affinity[b] ? 'NODE' : 'SYS';
  };
}
