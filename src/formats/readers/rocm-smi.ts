import { draftTopology } from '../topology/draft.js';
import { drawPciTree } from '../topology/path-codes.js';
import { linesOf } from '../topology/plain-text.js';
import type { Topology } from '../topology/types.js';

const WHERE = 'readRocmSmi';
const MOST_GPUS = 256;
const BLOCKS = ['weight', 'hops', 'type'] as const;

/**
 * `rocm-smi --showtopo`, whole or one of its blocks. XGMI pairs become links without a rate (the tool shows none); hops are kept out,
 * because they are known to be wrong; weights of 40 and less put PCIe pairs on one CPU, higher ones across sockets.
 */
export function readRocmSmi(text: string, name: string): Topology {
  const draft = draftTopology(WHERE, 'rocm-smi', name, 'node');
  const blocks: Partial<Record<(typeof BLOCKS)[number], Map<string, string[]>>> = {};
  const numa = new Map<string, string>();
  let block: (typeof BLOCKS)[number] | undefined;
  let columns: string[] = [];
  let sections = 0;
  for (const { text: raw, number } of linesOf(text, WHERE)) {
    const line = raw.trim();
    const title = /^=+\s*([A-Za-z].*?)\s*=+$/.exec(line)?.[1];
    if (title !== undefined) {
      block = /^Weight between/i.test(title)
        ? 'weight'
        : /^Hops between/i.test(title)
          ? 'hops'
          : /^Link Type between/i.test(title)
            ? 'type'
            : undefined;
      if (block !== undefined || /^Numa Nodes/i.test(title)) sections++;
      if (block !== undefined) blocks[block] = new Map();
      columns = [];
      continue;
    }
    const node = /^GPU\[(\d{1,4})\]\s*:\s*\(Topology\) Numa Node:\s*(-?\d+)/i.exec(line);
    if (node !== null) numa.set(`GPU${node[1]}`, node[2]);
    if (block === undefined || line === '') continue;
    const cells = line.split(/\s+/);
    if (columns.length === 0) {
      if (!cells.every((cell) => /^GPU\d+$/.test(cell)))
        draft.refuse(`the header of a block is "${line.slice(0, 60)}"; expected GPU0, GPU1, …`, number);
      columns = cells;
      if (columns.length > MOST_GPUS) draft.refuse(`a block names ${columns.length} GPUs; expected at most ${MOST_GPUS}`, number);
      draft.check();
      continue;
    }
    const [gpu, ...values] = cells;
    if (!columns.includes(gpu))
      draft.refuse(`row "${gpu.slice(0, 20)}" is not in the header; expected one of ${columns[0]} to ${columns.at(-1)}`, number);
    else if (values.length !== columns.length) draft.refuse(`row ${gpu} has ${values.length} cells; expected ${columns.length}`, number);
    else blocks[block]?.set(gpu, values);
  }
  const known = BLOCKS.map((one) => blocks[one]).filter((one) => one !== undefined && one.size > 0);
  if (known.length === 0) draft.refuse('there is no block of weights, hops or link types; expected the output of rocm-smi --showtopo', 1);
  draft.check();
  const gpus = [...known[0]!.keys()];
  const cell = (one: (typeof BLOCKS)[number], a: number, b: number): string | undefined => blocks[one]?.get(gpus[a])?.[b];
  for (const gpu of gpus)
    draft.device({
      id: gpu.toLowerCase(),
      kind: 'gpu',
      location: [name],
      ...(numa.has(gpu) ? { attributes: { numa: numa.get(gpu)! } } : {}),
    });
  const weight = (a: number, b: number): number => Number(cell('weight', a, b) ?? NaN);
  drawPciTree(
    draft,
    name,
    gpus.map((gpu) => ({ id: gpu.toLowerCase(), kind: 'gpu' })),
    (a, b) => {
      if (numa.has(gpus[a]) && numa.has(gpus[b])) return numa.get(gpus[a]) === numa.get(gpus[b]) ? 'NODE' : 'SYS';
      return weight(a, b) > 40 ? 'SYS' : 'NODE';
    },
  );
  for (let a = 0; a < gpus.length; a++)
    for (let b = a + 1; b < gpus.length; b++) {
      const type = cell('type', a, b) ?? (weight(a, b) === 15 ? 'XGMI' : undefined);
      if (type === 'XGMI') {
        draft.link({ source: gpus[a].toLowerCase(), target: gpus[b].toLowerCase(), technology: 'xGMI' });
        if (cell('type', a, b) === undefined) draft.infer('xGMI links', 'weight 15');
      }
    }
  if (blocks.type === undefined && blocks.weight === undefined) draft.warn('hops alone do not tell how GPUs are joined');
  draft.warn('rocm-smi shows no rates and its hops are unreliable; parallel xGMI links between two GPUs are not told apart');
  return draft.finish({ levels: ['host'], contents: { gpus: gpus.length, sections } });
}
