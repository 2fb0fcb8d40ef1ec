import { draftSubnet } from '../topology/infiniband.js';
import { linesOf } from '../topology/plain-text.js';
import { codeOfSignalling } from '../topology/rates.js';
import type { Topology } from '../topology/types.js';

const WHERE = 'readIblinkinfo';
const HEADER = /^(Switch|CA|RT):\s*(?:0x([0-9a-fA-F]{1,16})\s+)?(.*?):?$/;
/** [guid ["name"]] lid port[ext] ==( … )==> [guid] [lid port[ext] "peer" (hints)]. */
const LINK = /^(?:0x([0-9a-fA-F]{1,16})\s+)?(?:"([^"]*)"\s+)?(\d+)\s+(\d{1,4})\[[^\]]*\]\s+==\(([^)]*)\)==>\s*(.*)$/;
const PEER = /^(?:0x([0-9a-fA-F]{1,16})\s+)?(\d+)?\s*(\d{1,4})?\[[^\]]*\]\s+"([^"]*)"\s*(?:\((.*)\))?\s*$/;
const RATE = /(\d{1,2})X\s+([\d.]{1,10})\s+Gbps/;

/** Whether a line is a link of iblinkinfo. */
export const isLinkLine = (line: string): boolean => LINK.test(line.trim());

/**
 * The output of `iblinkinfo`, with or without `-l`. The Gb/s it prints are those of one lane, as signalled: 4X at 53.125 is HDR, 200 Gb/s.
 * Where GUIDs are missing devices are told apart by LID. Ports that are down count as no cable; hints such as "Could be" become warnings.
 */
export function readIblinkinfo(text: string, name: string): Topology {
  const subnet = draftSubnet(WHERE, 'iblinkinfo', name);
  const contents = { 'link lines': 0, down: 0, lines: 0 };
  let owner: { readonly guid?: string; readonly name: string; readonly kind: 'switch' | 'adapter' | 'router' } | undefined;
  // The same device has a GUID on some lines and only a LID on others.
  const guidOfLid = new Map<string, string>();
  interface End {
    readonly lid: string;
    readonly guid?: string;
    readonly port: number;
    readonly name: string;
    readonly kind: 'switch' | 'adapter' | 'router' | undefined;
  }
  const found: { readonly near: End; readonly far: End; readonly width: number; readonly speed: string; readonly line: number }[] = [];
  for (const { text: raw, number } of linesOf(text, WHERE)) {
    const line = raw.trim();
    if (line === '' || line.startsWith('#')) continue;
    contents.lines++;
    const link = LINK.exec(line);
    if (link === null) {
      const header = HEADER.exec(line);
      if (header === null)
        subnet.draft.refuse(
          `"${line.slice(0, 60)}" is no line of iblinkinfo; expected lid port ==( 4X … Gbps … )==> lid port "name"`,
          number,
        );
      else
        owner = {
          ...(header[2] === undefined ? {} : { guid: header[2].toLowerCase().padStart(16, '0') }),
          name: header[3].trim(),
          kind: header[1] === 'Switch' ? 'switch' : header[1] === 'CA' ? 'adapter' : 'router',
        };
      continue;
    }
    contents['link lines']++;
    const [, guidText, ownName, lid, port, state, rest] = link;
    const guid = guidText === undefined ? owner?.guid : guidText.toLowerCase().padStart(16, '0');
    const near: End = {
      lid,
      ...(guid === undefined ? {} : { guid }),
      port: Number(port),
      name: ownName ?? owner?.name ?? '',
      kind: owner?.kind,
    };
    if (guid !== undefined) guidOfLid.set(lid, guid);
    const peer = PEER.exec(rest);
    const rate = RATE.exec(state);
    if (/Down/i.test(state) || rate === null || peer?.[2] === undefined || peer[3] === undefined) {
      contents.down++;
      if (guid !== undefined && (near.kind ?? 'switch') === 'switch') subnet.node(guid, 'switch', near.name, number);
      continue;
    }
    const [, peerGuid, peerLid, peerPort, peerName, hint = ''] = peer;
    if (peerGuid !== undefined) guidOfLid.set(peerLid, peerGuid.toLowerCase().padStart(16, '0'));
    if (hint.trim() !== '') subnet.draft.warn(`the link of lid ${lid} port ${port} to "${peerName}": ${hint.trim()}`, number);
    const speed = codeOfSignalling(Number(rate[2]));
    if (speed === undefined) subnet.draft.warn(`${rate[2]} Gb/s a lane is no known signalling rate`, number);
    found.push({
      near,
      far: { lid: peerLid, port: Number(peerPort), name: peerName, kind: undefined },
      width: Number(rate[1]),
      speed: speed ?? '',
      line: number,
    });
  }
  if (contents['link lines'] === 0) subnet.draft.refuse('there is no link line; expected the output of iblinkinfo', 1);
  const names = new Map<string, string>();
  for (const { near, far } of found) for (const end of [near, far]) if (end.name !== '') names.set(end.lid, end.name);
  const ports = new Map<string, Set<number>>();
  for (const { near, far } of found)
    for (const end of [near, far]) {
      const list = ports.get(end.lid);
      if (list === undefined) ports.set(end.lid, new Set([end.port]));
      else list.add(end.port);
    }
  for (const { near, far, width, speed, line } of found) {
    const ends = [near, far].map((end) => {
      const guid = guidOfLid.get(end.lid) ?? `lid${end.lid}`;
      const description = names.get(end.lid) ?? '';
      subnet.node(guid, end.kind ?? kindOfName(description, ports.get(end.lid)?.size ?? 1), description, line);
      return { guid, port: end.port };
    });
    subnet.cable(ends[0], ends[1], width, speed, line);
  }
  if (contents.down > 0) subnet.draft.warn(`${contents.down} ports are down`);
  return subnet.finish(contents);
}

/** Line mode does not say what a device is; switches bear their model or firmware mark, or use more than two ports. */
function kindOfName(description: string, ports: number): 'switch' | 'adapter' {
  if (/HCA|mlx\d|hfi\d|Aggregation Node/i.test(description)) return 'adapter';
  return /^MF0;|Mellanox Technologies|Switch|Infiniscale|Quantum|spine|leaf/i.test(description) || ports > 2 ? 'switch' : 'adapter';
}
