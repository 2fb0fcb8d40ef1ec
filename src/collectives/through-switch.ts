import type { Routes } from '../routes/compute-routes.js';
import type { LoadMeter } from '../routes/load-meter.js';
import { scaleUpSwitch } from './shape.js';
import type { Transfers } from './types.js';

/** In-network reduction: what ranks send adds up on the way, so each link of the tree carries the share once per direction. */
export function addThroughSwitch(routes: Routes, meter: LoadMeter, gpus: Int32Array, transfers: Transfers): number {
  const { fabric, zones, core } = routes;
  const { compiled } = fabric;
  const n = gpus.length;
  const up = new Map<number, number>();
  const down = new Map<number, number>();
  const most = (map: Map<number, number>, arc: number, share: number): void => {
    map.set(arc, Math.max(map.get(arc) ?? 0, share));
  };
  let latency = 0;
  const top = scaleUpSwitch(routes, gpus);
  const isOneZone = gpus.every((gpu) => zones.zoneOf[compiled.gpus[gpu]] === zones.zoneOf[compiled.gpus[gpus[0]]]);
  if (top !== undefined && isOneZone) {
    const arcBetween = (a: number, b: number): number => {
      for (let arc = compiled.outStart[a]; arc < compiled.outStart[a + 1]; arc++) if (compiled.arcTarget[arc] === b) return arc;
      return -1;
    };
    transfers.source.forEach((source, t) => {
      const target = transfers.target[t];
      const rank = compiled.gpus[gpus[source === n ? target : source]];
      const arc = source === n ? arcBetween(top, rank) : arcBetween(rank, top);
      if (arc < 0) return;
      most(source === n ? down : up, arc, transfers.share[t]);
      latency = Math.max(latency, compiled.arcLatency[arc]);
    });
  } else {
    const heads = Array.from(gpus, (gpu, i) => routes.template(gpu, gpus[(i + 1) % n]));
    const tails = Array.from(gpus, (gpu, i) => routes.template(gpus[(i + n - 1) % n], gpu));
    const borders = [...new Set(heads.flatMap((head) => [...head.coreFrom]).concat(tails.flatMap((tail) => [...tail.coreTo])))];
    const node = meetingPoint(routes, borders);
    const climb = (from: number, to: number, share: number, map: Map<number, number>): void => {
      const paths = core.shares(from, to);
      paths?.arcs.forEach((arc, i) => {
        most(map, zones.coreArcs[arc], share * paths.shares[i]);
      });
    };
    transfers.source.forEach((source, t) => {
      const isDown = source === n;
      const rank = isDown ? transfers.target[t] : source;
      const path = isDown ? tails[rank] : heads[rank];
      const { arcs } = zones.zones[zones.zoneOf[compiled.gpus[gpus[rank]]]];
      (isDown ? path.targetArcs : path.sourceArcs).forEach((arc, i) => {
        most(isDown ? down : up, arcs[arc], transfers.share[t] * (isDown ? path.targetShares : path.sourceShares)[i]);
      });
      path.coreFrom.forEach((from, i) => {
        if (isDown) climb(node, path.coreTo[i], transfers.share[t] * path.coreShares[i], down);
        else climb(from, node, transfers.share[t] * path.coreShares[i], up);
      });
      latency = Math.max(latency, path.latency);
    });
  }
  for (const map of [up, down]) for (const [arc, share] of map) meter.addArc(arc, share);
  return latency;
}

/** The switch whose farthest border is nearest. */
function meetingPoint(routes: Routes, borders: readonly number[]): number {
  const { core, zones } = routes;
  let best = borders[0] ?? 0;
  let bestDistance = Infinity;
  for (let node = 0; node < zones.core.nodeCount; node++) {
    let farthest = 0;
    for (const border of borders) farthest = Math.max(farthest, core.distance(border, node));
    if (farthest < bestDistance) {
      bestDistance = farthest;
      best = node;
    }
  }
  return best;
}
