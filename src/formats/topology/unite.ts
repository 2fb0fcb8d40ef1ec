import { coverageOf } from './coverage.js';
import type { Topology, TopologyDevice, TopologyLink, TopologyWarning } from './types.js';

/** Topologies of one scope as one: devices of one id are one device, links of the same ends and ports one link. */
export function unite(parts: readonly Topology[]): Topology {
  if (parts.length === 1) return parts[0];
  const levels = parts.reduce<readonly string[]>((longest, { levels: own }) => (own.length > longest.length ? own : longest), []);
  const devices = new Map<string, TopologyDevice>();
  const links = new Map<string, TopologyLink>();
  const warnings: TopologyWarning[] = parts.flatMap((part) => part.warnings);
  let conflicts = 0;
  let example = '';
  let shared = 0;
  for (const part of parts) {
    for (const device of part.devices) {
      const own = { ...device, location: padLocation(device, part.levels, levels) };
      const known = devices.get(device.id);
      if (known === undefined) devices.set(device.id, own);
      else {
        shared++;
        const { merged, conflict } = mergeDevices(known, own);
        devices.set(device.id, merged);
        if (conflict !== undefined) {
          conflicts++;
          example ||= `"${device.id}" has ${conflict} in "${part.name}" and another value before`;
        }
      }
    }
    for (const link of part.links) {
      const known = links.get(link.id);
      if (known !== undefined && known.source === link.source && known.target === link.target) links.set(link.id, { ...link, ...known });
      else if (known === undefined) links.set(link.id, link);
      else {
        let id = link.id;
        for (let n = 2; links.has(id); n++) id = `${link.id}@${n}`;
        links.set(id, { ...link, id });
      }
    }
  }
  if (conflicts > 0)
    warnings.push({ message: `${conflicts} devices are described differently by several files; the first is kept: ${example}` });
  if (shared === 0 && parts.length > 1)
    warnings.push({ message: `"${parts.map(({ name }) => name).join('" and "')}" have no device in common and stand side by side` });
  const all = [...devices.values()];
  const joined = [...links.values()];
  const demands = parts.flatMap((part) => part.demands ?? []);
  const offers = parts.flatMap((part) => part.offers ?? []);
  return {
    ...parts[0],
    levels,
    devices: all,
    links: joined,
    ...(demands.length > 0 ? { demands } : {}),
    ...(offers.length > 0 ? { offers } : {}),
    contents: addContents(parts),
    coverage: coverageOf(
      all,
      joined,
      parts.flatMap((part) => part.coverage.inferred),
    ),
    warnings,
  };
}

export function addContents(parts: readonly Topology[]): Record<string, number> {
  const sum: Record<string, number> = {};
  for (const { contents } of parts)
    for (const [key, value] of Object.entries(contents)) sum[key] = (Object.hasOwn(sum, key) ? sum[key] : 0) + value;
  return sum;
}

/** Two descriptions of one device: what only one knows is added, of what both know the first is kept. */
function mergeDevices(first: TopologyDevice, second: TopologyDevice): { merged: TopologyDevice; conflict?: string } {
  const conflict = (['kind', 'gpus', 'model', 'memory'] as const).find(
    (key) => first[key] !== undefined && second[key] !== undefined && first[key] !== second[key],
  );
  const location =
    second.location.length > first.location.length || new Set(second.location).size > new Set(first.location).size
      ? second.location
      : first.location;
  const attributes = { ...second.attributes, ...first.attributes };
  return {
    merged: { ...second, ...first, location, ...(Object.keys(attributes).length > 0 ? { attributes } : {}) },
    ...(conflict === undefined ? {} : { conflict: `${conflict} ${String(second[conflict])}` }),
  };
}

/** A location in longer levels: the broadest part is repeated, so that groups stay what they are. */
export function padLocation({ location, kind }: TopologyDevice, from: readonly string[], to: readonly string[]): readonly string[] {
  if (from.length >= to.length || location.length === 0 || kind === 'site') return location;
  return [...Array.from({ length: to.length - from.length }, () => location[0]), ...location];
}
