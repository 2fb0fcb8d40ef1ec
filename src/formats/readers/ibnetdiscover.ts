import { draftSubnet, type Subnet } from '../topology/infiniband.js';
import { linesOf } from '../topology/plain-text.js';
import type { Topology } from '../topology/types.js';

const WHERE = 'readIbnetdiscover';
const HEADER = /^(Switch|Ca|Rt)\s+(\d{1,4})\s+"([SHR])-([0-9a-fA-F]{1,16})"\s*(?:#\s*"(.*?)"(?:\s|$).*)?$/;
const PORT =
  /^\[(\d{1,4})\](?:\[[^\]]*\])?(?:\([0-9a-fA-F]+\))?\s+"([SHR])-([0-9a-fA-F]{1,16})"\[(\d{1,4})\](?:\[[^\]]*\])?(?:\([0-9a-fA-F]+\))?\s*(?:#(.*))?$/;
const RATE = /(\d{1,2})x([A-Z]DR(?:10)?)\b/;
/** A line of -p: kind lid port guid width speed [- kind lid port guid] ('name' [- 'name']). */
const PORTS_LINE =
  /^(CA|SW|RT)\s+(\d+)\s+(\d{1,4})\s+0x([0-9a-fA-F]{1,16})\s+(\d{1,2})x\s+(\S+)(?:\s+-\s+(CA|SW|RT)\s+(\d+)\s+(\d{1,4})\s+0x([0-9a-fA-F]{1,16}))?\s*(.*)$/;

/** GUID as sixteen digits: some forms of the output drop leading zeros. */
const guidOf = (text: string): string => text.toLowerCase().padStart(16, '0');
const kindOf = (letter: string): 'switch' | 'adapter' | 'router' =>
  letter === 'S' || letter === 'SW' ? 'switch' : letter === 'R' || letter === 'RT' ? 'router' : 'adapter';

/** Whether a line is one of `ibnetdiscover -p`. */
export const isPortsLine = (line: string): boolean => PORTS_LINE.test(line.trim());
export const isSubnetHeader = (line: string): boolean => HEADER.test(line);

/**
 * The output of `ibnetdiscover`, or of `ibnetdiscover -p`. Every cable is listed from both ends and read as one; hosts are named by the
 * first word of their adapters' descriptions, one host for all its adapters; aggregation nodes mark their switch as reducing.
 *
 * @complexity O(lines)
 */
export function readIbnetdiscover(text: string, name: string): Topology {
  const subnet = draftSubnet(WHERE, 'ibnetdiscover', name);
  const contents = { switch: 0, ca: 0, 'port lines': 0, lines: 0 };
  let current: { readonly guid: string; readonly ports: number } | undefined;
  let isPorts: boolean | undefined;
  let known = 0;
  for (const { text: raw, number } of linesOf(text, WHERE)) {
    if (raw === '' || raw.startsWith('#')) continue;
    const line = raw.trimEnd();
    if (line === '') continue;
    contents.lines++;
    if (isPorts !== true) {
      const code = line.charCodeAt(0);
      // Port lines start with "[" and are by far the most.
      if (code === 91) {
        const port = PORT.exec(line);
        if (port === null)
          subnet.draft.refuse(`"${line.slice(0, 60)}" is no port line; expected [port] "S-guid"[port] # "name" lid n 4xNDR`, number);
        else if (current === undefined) subnet.draft.refuse('a port line comes before the first Switch or Ca line', number);
        else {
          contents['port lines']++;
          known++;
          addPort(subnet, current, port, number);
        }
        continue;
      }
      const header = HEADER.exec(line);
      if (header !== null) {
        const guid = guidOf(header[4]);
        current = { guid, ports: Number(header[2]) };
        if (header[1] === 'Switch') contents.switch++;
        else if (header[1] === 'Ca') contents.ca++;
        known++;
        subnet.node(guid, kindOf(header[3]), header[5] ?? '', number);
        continue;
      }
      if (/^(vendid|devid|sysimgguid|switchguid|caguid|rtguid)=/.test(line)) {
        known++;
        continue;
      }
      if (/^(Chassis|Spine|Line|DR path|Topology|Switch:|Ca:)/.test(line)) continue;
    }
    const ports = isPorts === false ? null : PORTS_LINE.exec(line.trim());
    if (ports !== null) {
      isPorts ??= true;
      known++;
      contents['port lines']++;
      contents[ports[1] === 'CA' ? 'ca' : 'switch']++;
      addPortsLine(subnet, ports, number);
      continue;
    }
    subnet.draft.refuse(`"${line.slice(0, 60)}" is no line of ibnetdiscover`, number);
    if (known === 0 && contents.lines > 50) break;
  }
  if (known === 0) subnet.draft.refuse('there is no line of ibnetdiscover; expected Switch, Ca and port lines', 1);
  return subnet.finish(contents);
}

function addPort(subnet: Subnet, own: { readonly guid: string }, port: RegExpExecArray, line: number): void {
  const [, number, letter, guid, far, comment = ''] = port;
  const peer = guidOf(guid);
  const description = /^\s*"(.*?)"\s+lid/.exec(comment)?.[1] ?? /^\s*"(.*)"/.exec(comment)?.[1];
  // On the lines of a channel adapter the comment names the switch after its lid.
  const name = description ?? /lid \d+ lmc \d+ "(.*?)" lid/.exec(comment)?.[1] ?? '';
  subnet.node(peer, kindOf(letter), name, line);
  const rate = RATE.exec(comment);
  subnet.cable({ guid: own.guid, port: Number(number) }, { guid: peer, port: Number(far) }, Number(rate?.[1] ?? 0), rate?.[2] ?? '', line);
}

function addPortsLine(subnet: Subnet, parts: RegExpExecArray, line: number): void {
  const [, kind, , port, guid, width, speed, farKind, , farPort, farGuid, rest] = parts;
  const names =
    farKind === undefined
      ? [rest.trim().replace(/^'|'$/g, '').trim()]
      : (/^\(\s*'(.*)' - '(.*)'\s*\)$/
          .exec(rest.trim())
          ?.slice(1)
          .map((one) => one.trim()) ?? ['', '']);
  subnet.node(guidOf(guid), kindOf(kind), names[0] ?? '', line);
  if (farKind === undefined) return;
  subnet.node(guidOf(farGuid), kindOf(farKind), names[1] ?? '', line);
  subnet.cable({ guid: guidOf(guid), port: Number(port) }, { guid: guidOf(farGuid), port: Number(farPort) }, Number(width), speed, line);
}
