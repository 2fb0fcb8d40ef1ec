import { showValue } from '../../errors.js';
import { appendTo } from '../topology/append-to.js';
import type { Draft } from '../topology/draft.js';
import { listOf, numberOf, own, textOf } from '../topology/plain-text.js';

/** Multipliers of Kubernetes quantities. */
const SUFFIXES: Readonly<Record<string, number>> = {
  '': 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
};

/** A Kubernetes quantity, such as `10Gi`. */
export function kubernetesQuantity(value: unknown): number | undefined {
  const found = /^([\d.]{1,18})(k|M|G|T|Ki|Mi|Gi|Ti)?$/.exec(textOf(value) ?? '');
  const number = found === null ? undefined : numberOf(found[1]);
  return number === undefined ? undefined : number * SUFFIXES[found?.[2] ?? ''];
}

/**
 * NetworkTopology of Diktyo: pairwise costs between regions and between zones, with a bandwidth where given. The object does not say
 * whether it counts bits or bytes; the project's examples are read as bit/s, and noted.
 */
export function drawDiktyo(draft: Draft, objects: readonly Record<string, unknown>[]): string[] {
  const links = new Map<string, { source: string; target: string; rate?: number; cost?: number }[]>();
  let read = 0;
  for (const object of objects)
    for (const weight of listOf(own(own(object, 'spec'), 'weights')))
      for (const costs of listOf(own(weight, 'costList') ?? own(weight, 'topologyList'))) {
        const key = textOf(own(costs, 'topologyKey')) ?? '';
        for (const origin of listOf(own(costs, 'originCosts') ?? own(costs, 'originList'))) {
          const source = textOf(own(origin, 'origin')) ?? '';
          if (source === '') draft.refuse(`${key} has an origin without a name; expected one`);
          for (const cost of listOf(own(origin, 'costs') ?? own(origin, 'costList'))) {
            const target = textOf(own(cost, 'destination')) ?? '';
            if (target === '') draft.refuse(`origin "${source}" has a destination without a name; expected one`);
            const capacity = own(cost, 'bandwidthCapacity');
            const rate = capacity === undefined ? undefined : kubernetesQuantity(capacity);
            if (capacity !== undefined && rate === undefined)
              draft.refuse(`${source} to ${target} has bandwidthCapacity ${showValue(capacity)}; expected a quantity such as 10Gi`);
            for (const id of [source, target])
              if (!draft.has(id))
                draft.device({ id, kind: 'site', location: [id], attributes: { level: key.slice(key.lastIndexOf('/') + 1) } });
            const price = numberOf(own(cost, 'networkCost'));
            const one = {
              source,
              target,
              ...(rate === undefined || rate === 0 ? {} : { rate }),
              ...(price === undefined ? {} : { cost: price }),
            };
            if (rate !== undefined) read++;
            const pair = JSON.stringify([source, target].sort());
            appendTo(links, pair, one);
          }
        }
      }
  for (const list of links.values()) {
    const [first] = list;
    const back = list.find((one) => one.source === first.target && one !== first);
    const attributes = first.cost === undefined ? {} : { attributes: { networkCost: first.cost } };
    const bandwidth = first.rate === undefined ? {} : { bandwidth: first.rate / 8 };
    const reverse = back?.rate !== undefined && back.rate !== first.rate ? { reverseBandwidth: back.rate / 8 } : {};
    draft.link({
      source: first.source,
      target: first.target,
      technology: 'wide-area',
      ...bandwidth,
      ...reverse,
      ...(back === undefined ? { duplex: false } : {}),
      ...attributes,
    });
  }
  if (read > 0) draft.infer('rates in bit/s', 'bandwidthCapacity, whose unit the object does not say', read);
  return ['site'];
}

/** NodeResourceTopology: hosts with their NUMA zones and what each holds. */
export function drawNodeResources(draft: Draft, objects: readonly Record<string, unknown>[]): string[] {
  for (const object of objects) {
    const host = textOf(own(own(object, 'metadata'), 'name')) ?? '';
    if (host === '') draft.refuse('a NodeResourceTopology has no metadata.name; expected one');
    let gpus = 0;
    const zones: string[] = [];
    for (const zone of listOf(own(object, 'zones'))) {
      const name = textOf(own(zone, 'name')) ?? String(zones.length);
      zones.push(name);
      for (const resource of listOf(own(zone, 'resources')))
        if (/^(nvidia|amd)\.com\/gpu$/.test(textOf(own(resource, 'name')) ?? '')) gpus += numberOf(own(resource, 'capacity')) ?? 0;
    }
    if (draft.has(host)) draft.refuse(`node "${host}" occurs twice; expected each once`);
    else draft.device({ id: host, kind: 'host', location: [host], gpus, attributes: { 'NUMA zones': zones.join(',') } });
  }
  draft.warn('NUMA zones say what a node holds, not how nodes are joined');
  return ['host'];
}
