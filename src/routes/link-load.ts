import { FabricPlanError, showValue, type Issue } from '../errors.js';
import { gpuIndices } from '../fabric/edit-fabric.js';
import type { Fabric } from '../fabric/types.js';
import type { Bytes, BytesPerSecond, Seconds } from '../quantities.js';
import { borrowMeter } from './load-meter.js';
import type { Routes } from './compute-routes.js';

/** Bytes from one GPU to another; all transfers of a list run at once. */
export interface Transfer {
  readonly source: string;
  readonly target: string;
  readonly bytes: Bytes;
}

/** What a set of concurrent transfers puts on one direction of a link. */
export interface LinkLoad {
  readonly link: string;
  readonly source: string;
  readonly target: string;
  readonly bytes: Bytes;
  /** Usable rate of all its cables in this direction. */
  readonly bandwidth: BytesPerSecond;
  /** Bytes over bandwidth: how long this direction is busy. */
  readonly seconds: Seconds;
}

/** Link loads of a set of transfers, and the link that takes longest. */
export interface LinkLoads {
  /** Busiest first. */
  readonly loads: readonly LinkLoad[];
  readonly bottleneck?: LinkLoad;
  /** Time of the bottleneck plus the largest route latency. */
  readonly seconds: Seconds;
}

/**
 * Loads of all links under concurrent transfers, split fractionally over equal-cost paths.
 *
 * @throws FabricPlanError `invalid-argument` for unknown GPUs or bytes that are no number of 0 or more
 * @complexity O(transfers × arcs on a route)
 * @example
 * computeLinkLoads(routes, [{ source: 'a', target: 'b', bytes: 1e9 }]).bottleneck?.link // 'a–b'
 */
export function computeLinkLoads(routes: Routes, transfers: readonly Transfer[]): LinkLoads {
  const issues: Issue[] = [];
  transfers.forEach(({ bytes }, i) => {
    if (!(Number.isFinite(bytes) && bytes >= 0))
      issues.push({
        path: `transfers[${i}].bytes`,
        message: `computeLinkLoads: transfers[${i}].bytes is ${showValue(bytes)}; expected bytes of 0 or more`,
      });
  });
  if (issues.length > 0) throw new FabricPlanError('invalid-argument', issues.map((issue) => issue.message).join('\n'), issues);
  const meter = borrowMeter(routes);
  let latency = 0;
  for (const { source, target, bytes } of transfers) {
    const [from] = gpuIndices(routes.fabric, [source], 'computeLinkLoads');
    const [to] = gpuIndices(routes.fabric, [target], 'computeLinkLoads');
    if (from !== to && bytes > 0) latency = Math.max(latency, meter.add(from, to, bytes));
  }
  const { arc, seconds } = meter.bottleneck();
  const loads = [...meter.touched()]
    .map((touched) => describeLoad(routes.fabric, touched, meter.bytesOn(touched)))
    .sort((a, b) => b.seconds - a.seconds || (a.link < b.link ? -1 : 1));
  const result = { loads, seconds: seconds + latency };
  return arc < 0 ? result : { ...result, bottleneck: describeLoad(routes.fabric, arc, meter.bytesOn(arc)) };
}

/** Names the link behind an arc and its load. */
export function describeLoad(fabric: Fabric, arc: number, bytes: Bytes): LinkLoad {
  const { arcLink, arcSource, arcTarget, arcBandwidth } = fabric.compiled;
  return {
    link: fabric.links[arcLink[arc]].id,
    source: fabric.devices[arcSource[arc]].id,
    target: fabric.devices[arcTarget[arc]].id,
    bytes,
    bandwidth: arcBandwidth[arc],
    seconds: bytes / arcBandwidth[arc],
  };
}
