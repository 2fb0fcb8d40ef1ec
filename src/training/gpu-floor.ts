import { invalidArgument } from '../errors.js';
import type { Fabric } from '../fabric/types.js';
import type { FlopsPerSecond } from '../quantities.js';
import type { GpuFloor } from './compute-model.js';
import type { Precision } from './types.js';

/** Share of peak that a large matrix multiply reaches where the fabric does not say: the middle of the measured GPUs. */
const TYPICAL_EFFICIENCY = 0.75;
/** HBM rate where the fabric does not say: an A100's. */
const TYPICAL_MEMORY_BANDWIDTH = 2e12;

/** What a set of GPUs offers: its weakest figures, sums over all, and how many kinds of GPU there are. */
export interface GpuSet {
  readonly floor: GpuFloor;
  /** The strongest figures: what no GPU of the set exceeds. */
  readonly ceiling: GpuFloor;
  /** Sum of peaks, for utilisation. */
  readonly peakSum: FlopsPerSecond;
  /** Sum of board powers, watts; undefined where a GPU states none. */
  readonly power: number | undefined;
  readonly isMixed: boolean;
}

/**
 * The weakest figures of a set of GPUs.
 *
 * @throws FabricPlanError `invalid-argument` for GPUs without a peak in the precision of the job
 */
export function gpuSet(fabric: Fabric, gpus: Int32Array, precision: Precision, where: string): GpuSet {
  let floor: GpuFloor | undefined;
  let ceiling: GpuFloor | undefined;
  let peakSum = 0;
  let power: number | undefined = 0;
  let isMixed = false;
  for (const gpu of gpus) {
    const device = fabric.devices[fabric.compiled.gpus[gpu]];
    const peak16 = device.peak?.bf16 ?? device.peak?.fp16;
    const peak = precision === 'bf16' || precision === 'fp16' ? (device.peak?.[precision] ?? peak16) : device.peak?.[precision];
    if (peak === undefined)
      throw invalidArgument(
        where,
        `peak.${precision} of GPU "${device.id}"`,
        peak,
        'FLOP per second; name a GPU model in the description or give its peak',
      );
    const efficiency = device.computeEfficiency ?? TYPICAL_EFFICIENCY;
    const memory = device.memory ?? Infinity;
    const memoryBandwidth = device.memoryBandwidth ?? TYPICAL_MEMORY_BANDWIDTH;
    peakSum += peak;
    power = power === undefined || device.power === undefined ? undefined : power + device.power;
    if (floor === undefined || ceiling === undefined) {
      floor = { peak, peak16: peak16 ?? peak, efficiency, memory, memoryBandwidth };
      ceiling = floor;
      continue;
    }
    const isFloor =
      peak === floor.peak &&
      (peak16 ?? peak) === floor.peak16 &&
      efficiency === floor.efficiency &&
      memory === floor.memory &&
      memoryBandwidth === floor.memoryBandwidth;
    if (isFloor) continue;
    isMixed = true;
    const slower = peak * efficiency < floor.peak * floor.efficiency;
    floor = {
      peak: slower ? peak : floor.peak,
      peak16: slower ? (peak16 ?? peak) : floor.peak16,
      efficiency: slower ? efficiency : floor.efficiency,
      memory: Math.min(memory, floor.memory),
      memoryBandwidth: Math.min(memoryBandwidth, floor.memoryBandwidth),
    };
    const faster = peak * efficiency > ceiling.peak * ceiling.efficiency;
    ceiling = {
      peak: faster ? peak : ceiling.peak,
      peak16: faster ? (peak16 ?? peak) : ceiling.peak16,
      efficiency: faster ? efficiency : ceiling.efficiency,
      memory: Math.max(memory, ceiling.memory),
      memoryBandwidth: Math.max(memoryBandwidth, ceiling.memoryBandwidth),
    };
  }
  if (floor === undefined || ceiling === undefined) throw invalidArgument(where, 'gpus', gpus.length, 'at least one GPU');
  return { floor, ceiling, peakSum, power, isMixed };
}
