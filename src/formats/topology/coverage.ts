import type { Coverage, Inference, TopologyDevice, TopologyLink } from './types.js';

const PLACED = new Set(['host', 'site', 'switch', 'gateway']);

/** Shares of the cables with a rate and of the hosts, switches and sites with coordinates. */
export function coverageOf(
  devices: readonly TopologyDevice[],
  links: readonly TopologyLink[],
  inferred: readonly Inference[] = [],
): Coverage {
  let cables = 0;
  let rated = 0;
  for (const link of links) {
    cables += link.count ?? 1;
    if (link.bandwidth !== undefined) rated += link.count ?? 1;
  }
  let places = 0;
  let placed = 0;
  for (const device of devices) {
    if (!PLACED.has(device.kind)) continue;
    places++;
    if (device.coordinates !== undefined) placed++;
  }
  return {
    ...(cables > 0 ? { bandwidth: rated / cables } : {}),
    ...(places > 0 ? { coordinates: placed / places } : {}),
    inferred,
  };
}
