import { draftTopology } from '../topology/draft.js';
import { linesOf } from '../topology/plain-text.js';
import type { Topology } from '../topology/types.js';

const WHERE = 'readNvidiaSmiNvlink';

/**
 * `nvidia-smi nvlink --status`: for every GPU its product and the rate of each NVLink, one direction. The far ends are not shown, so no
 * link can be drawn: rates and counts stay with the GPUs, and are used when the file is composed with a matrix of the same host.
 */
export function readNvidiaSmiNvlink(text: string, name: string): Topology {
  const draft = draftTopology(WHERE, 'nvidia-smi-nvlink', name, 'node');
  let gpu: string | undefined;
  const links = new Map<string, { active: number; inactive: number; rate: number; product: string; uuid: string }>();
  let elided = 0;
  let count = 0;
  for (const { text: raw, number } of linesOf(text, WHERE)) {
    const line = raw.trim();
    if (line === '') continue;
    const head = /^GPU (\d{1,4}): (.*?)(?: \(UUID: ([^)]*)\))?$/.exec(line);
    if (head !== null) {
      gpu = `gpu${Number(head[1])}`;
      if (links.has(gpu)) draft.refuse(`GPU ${head[1]} occurs twice; expected each once`, number);
      links.set(gpu, { active: 0, inactive: 0, rate: 0, product: head[2], uuid: head[3] ?? '' });
      continue;
    }
    const link = /^Link (\d{1,4}): (.*)$/.exec(line);
    const own = gpu === undefined ? undefined : links.get(gpu);
    if (link !== null) {
      if (own === undefined) {
        draft.refuse('a link comes before the first GPU; expected "GPU 0: …" first', number);
        continue;
      }
      const rate = /^([\d.]{1,12}) (GB|MB)\/s$/.exec(link[2]);
      if (rate !== null && Number(rate[1]) > 0) {
        count++;
        own.active++;
        const bytes = Number(rate[1]) * (rate[2] === 'GB' ? 1e9 : 1e6);
        if (own.rate > 0 && own.rate !== bytes) draft.warn(`links of ${gpu} have different rates; the lowest is kept`, number);
        own.rate = own.rate > 0 ? Math.min(own.rate, bytes) : bytes;
      } else if (/^<?inactive>?$/i.test(link[2])) own.inactive++;
      else draft.refuse(`link ${link[1]} has "${link[2].slice(0, 40)}"; expected a rate such as 25 GB/s, or <inactive>`, number);
    } else if (/all links are inactive/i.test(line)) continue;
    else if (/^\[?\.{3}/.test(line)) elided++;
    else draft.warn(`"${line.slice(0, 60)}" is not understood and is left out`, number);
  }
  if (links.size === 0) draft.refuse('there is no line "GPU 0: …"; expected the output of nvidia-smi nvlink --status', 1);
  if (elided > 0) draft.warn(`${elided} places are elided with dots: counts may be low`);
  for (const [id, { active, inactive, rate, product, uuid }] of links) {
    draft.device({
      id,
      kind: 'gpu',
      location: [name],
      label: product,
      attributes: { product, uuid, nvlinks: active, 'inactive nvlinks': inactive, ...(rate > 0 ? { 'nvlink rate': rate } : {}) },
    });
  }
  draft.warn('the far ends of the NVLinks are not shown: compose with nvidia-smi topo -m of the same host');
  return draft.finish({ levels: ['host'], contents: { gpus: links.size, 'link lines': count } });
}
