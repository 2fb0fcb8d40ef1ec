import { appendTo } from './append-to.js';
import type { Draft } from './draft.js';
import { nvlinkOfCapability, xgmiOfArchitecture } from './rates.js';
import type { Scalar } from './types.js';
import type { XmlElement } from '../xml.js';

/** A link of a GPU or PCIe switch that is drawn once every device is known. */
export interface PendingLink {
  readonly from: string;
  readonly element: XmlElement;
  readonly gpu: XmlElement;
}

/** Attributes of an element under a prefix, numbers and texts alike as texts. */
export function prefixed(prefix: string, element: XmlElement): Record<string, Scalar> {
  return Object.fromEntries(Object.entries(element.attributes).map(([key, value]) => [`${prefix}${key}`, value]));
}

/** NVLinks, xGMI links, C2C and PCIe peer links; a link that both ends list is one. */
export function joinGpus(draft: Draft, pending: readonly PendingLink[], byBus: ReadonlyMap<string, string>, host: string): void {
  const listed = new Map<string, Map<string, number>>();
  for (const [i, { from, element }] of pending.entries()) {
    const target = byBus.get((element.attributes['target'] ?? '').toLowerCase());
    if (target === undefined) continue;
    const peers = listed.get(from) ?? new Map<string, number>();
    if (!peers.has(target)) peers.set(target, i);
    listed.set(from, peers);
  }
  for (const { from, element, gpu } of pending) {
    const attributes = prefixed('', element);
    if (element.name === 'c2c') {
      const cpu = draft.devices.find(({ kind, location }) => kind === 'cpu' && location[0] === draft.deviceOf(from)?.location[0]);
      const rate = Number(element.attributes['bw'] ?? 0) * 1e9;
      if (cpu !== undefined)
        draft.link({
          source: cpu.id,
          target: from,
          technology: 'NVLink-C2C',
          ...(rate > 0 ? { bandwidth: rate } : {}),
          attributes: { ...attributes, element: 'c2c' },
        });
      continue;
    }
    if (element.name === 'pcilink') {
      const target = byBus.get((element.attributes['busid'] ?? element.attributes['target'] ?? '').toLowerCase());
      if (target !== undefined && target !== from)
        draft.link({ source: from, target, technology: 'PCIe', attributes: { ...attributes, element: 'pcilink' } });
      continue;
    }
    if (element.name !== 'nvlink' && element.name !== 'xgmi') continue;
    const targetClass = element.attributes['tclass'] ?? '0x030200';
    const count = Number(element.attributes['count'] ?? 1);
    if (!Number.isInteger(count) || count < 1 || count > 1024) {
      draft.refuse(`count of <${element.name}> is "${element.attributes['count']}"; expected whole links of at least 1`, element.line);
      continue;
    }
    const bus = (element.attributes['target'] ?? '').toLowerCase();
    if (bus === '') {
      draft.refuse(`<${element.name}> has no target; expected a PCI bus id`, element.line);
      continue;
    }
    const isSwitched = targetClass.startsWith('0x0680') && !targetClass.startsWith('0x068001');
    let target = byBus.get(bus);
    if (target === undefined) {
      // The far end is no device of the file: an NVSwitch, of which NCCL sees one, or a switch hidden from a virtual machine.
      const isHidden = bus.startsWith('fffffff');
      if (!isSwitched && !isHidden && targetClass.startsWith('0x03')) {
        draft.warn(`GPU ${from} has links to ${bus}, which the file does not hold`, element.line);
        continue;
      }
      target = isSwitched || isHidden ? 'nvswitch' : `far:${bus}`;
      if (!draft.has(target)) {
        draft.device({
          id: target,
          kind: isSwitched || isHidden ? 'nvswitch' : 'cpu',
          location: draft.deviceOf(from)?.location ?? [host],
          attributes: { 'far.busid': bus },
        });
        if (isHidden)
          draft.warn(`the far end of the NVLinks of ${from} is hidden (virtual machine); it is taken as one switch`, element.line);
      }
      if (isSwitched) draft.infer('one NVSwitch for all switch links', 'tclass 0x0680, as NCCL counts');
    }
    const capability = Number(gpu.attributes['sm'] ?? 0);
    const rate = element.name === 'xgmi' ? xgmiOfArchitecture(gpu.attributes['gcn'] ?? '') : nvlinkOfCapability(capability);
    if (rate !== undefined)
      draft.infer(
        `${rate.technology} at ${rate.bandwidth / 1e9} GB/s a link and direction`,
        element.name === 'xgmi' ? `gcn ${gpu.attributes['gcn']}` : `sm ${capability}`,
        count,
      );
    const isPair = draft.deviceOf(target)?.kind === 'gpu' && target !== from;
    const back = isPair ? listed.get(target)?.get(from) : undefined;
    // Of the two entries of a pair the first makes the link; its partner only confirms it.
    if (back !== undefined && back < (listed.get(from)?.get(target) ?? 0)) {
      if (Number(pending[back].element.attributes['count'] ?? 1) !== count)
        draft.warn(`${from} and ${target} list different numbers of links to each other`, element.line);
      continue;
    }
    if (target === from) {
      draft.warn(`GPU ${from} links to itself; left out`, element.line);
      continue;
    }
    draft.link({
      source: from,
      target,
      count,
      technology: element.name === 'xgmi' ? 'xGMI' : 'NVLink',
      ...rate,
      ...(isPair && back === undefined ? { duplex: false } : {}),
      attributes: { ...attributes, element: element.name },
    });
  }
}

/** CPUs of one host reach each other over sockets, which the file does not list; NCCL assumes the same. */
export function joinSockets(draft: Draft): void {
  const cpus = draft.devices.filter(({ kind, id }) => kind === 'cpu' && !id.startsWith('far:'));
  const byHost = new Map<string, string[]>();
  for (const { id, location } of cpus) {
    appendTo(byHost, location[0], id);
  }
  for (const ids of byHost.values()) {
    for (let i = 1; i < ids.length; i++)
      for (let j = 0; j < i && j < 64; j++)
        draft.link({ source: ids[j], target: ids[i], technology: 'socket', attributes: { inferred: true } });
    if (ids.length > 1) draft.infer('links between NUMA nodes', 'CPUs of one host reach each other', (ids.length * (ids.length - 1)) / 2);
  }
}
