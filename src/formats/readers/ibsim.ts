import { draftSubnet } from '../topology/infiniband.js';
import { linesOf } from '../topology/plain-text.js';
import type { Topology } from '../topology/types.js';

const WHERE = 'readIbsim';
const HEADER = /^(Switch|Hca|Rt)\s+(\d{1,4})\s+"([^"]+)"/i;
const PORT = /^\[(\d{1,4})\]\s+"([^"]+)"\[(\d{1,4})\](.*)$/;
const RATE = /(\d{1,2})x([A-Z]DR(?:10)?)\b/;

/** Whether a line starts a record of ibsim. */
export const isIbsimHeader = (line: string): boolean => /^(Switch|Hca|Rt)\s+\d+\s+"(?![SHR]-[0-9a-f]{16}")/i.test(line);

/**
 * A network of ibsim (`.net`). A cable may be listed from either end or from both; adapters are named by their id, so each is a host.
 */
export function readIbsim(text: string, name: string): Topology {
  const subnet = draftSubnet(WHERE, 'ibsim', name);
  const contents = { switch: 0, hca: 0, 'port lines': 0 };
  let current: { readonly id: string; readonly ports: number } | undefined;
  const links: {
    readonly id: string;
    readonly port: number;
    readonly far: string;
    readonly farPort: number;
    readonly rest: string;
    readonly line: number;
  }[] = [];
  const known = new Set<string>();
  for (const { text: raw, number } of linesOf(text, WHERE)) {
    const line = raw.replace(/#.*$/, '').trim();
    if (line === '') continue;
    const header = HEADER.exec(line);
    const port = PORT.exec(line);
    if (header !== null) {
      const [, kind, ports, id] = header;
      if (known.has(id)) subnet.draft.refuse(`"${id}" occurs twice; expected unique ids`, number);
      known.add(id);
      current = { id, ports: Number(ports) };
      const isSwitch = kind.toLowerCase() === 'switch';
      contents[isSwitch ? 'switch' : 'hca']++;
      subnet.node(id, isSwitch ? 'switch' : kind.toLowerCase() === 'rt' ? 'router' : 'adapter', id, number);
    } else if (port !== null && current !== undefined) {
      contents['port lines']++;
      const [, own, far, farPort, rest] = port;
      if (Number(own) > current.ports) subnet.draft.refuse(`"${current.id}" has ${current.ports} ports and uses port ${own}`, number);
      links.push({ id: current.id, port: Number(own), far, farPort: Number(farPort), rest, line: number });
    } else if (!/^(module|do|switchguid|hcaguid|sysimgguid|vendid|devid|caguid)/i.test(line))
      subnet.draft.refuse(`"${line.slice(0, 60)}" is no line of ibsim; expected Switch, Hca or [port] "id"[port]`, number);
  }
  for (const { id, port, far, farPort, rest, line } of links) {
    if (!known.has(far)) {
      subnet.draft.refuse(`"${id}" is joined to "${far}", which the file does not describe`, line);
      continue;
    }
    const rate = RATE.exec(rest);
    subnet.cable({ guid: id, port }, { guid: far, port: farPort }, Number(rate?.[1] ?? 0), rate?.[2] ?? '', line);
  }
  if (known.size === 0) subnet.draft.refuse('there is no Switch or Hca record; expected a network of ibsim', 1);
  if (links.every(({ rest }) => !RATE.test(rest))) subnet.draft.warn('the file gives no rates');
  return subnet.finish(contents);
}
