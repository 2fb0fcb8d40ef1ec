import { GIGABIT_PER_SECOND, type BytesPerSecond } from '../../quantities.js';

/** What a link technology is known to carry. */
export interface KnownRate {
  readonly technology: string;
  readonly bandwidth: BytesPerSecond;
  /** Share of the rate that bulk transfers reach. */
  readonly efficiency?: number;
}

/** One direction of one NVLink by compute capability × 10 (NVIDIA data sheets, halved; efficiency as of the link presets). */
export function nvlinkOfCapability(capability: number): KnownRate | undefined {
  if (capability >= 100) return { technology: 'NVLink5', bandwidth: 50e9, efficiency: 0.76 };
  if (capability >= 90) return { technology: 'NVLink4', bandwidth: 25e9, efficiency: 0.81 };
  if (capability === 86) return { technology: 'NVLink3', bandwidth: 14.0625e9, efficiency: 0.77 };
  if (capability >= 80) return { technology: 'NVLink3', bandwidth: 25e9, efficiency: 0.77 };
  if (capability >= 70) return { technology: 'NVLink2', bandwidth: 25e9, efficiency: 0.8 };
  if (capability >= 60) return { technology: 'NVLink1', bandwidth: 20e9, efficiency: 0.8 };
  return undefined;
}

/** One direction of one xGMI link by architecture number (AMD white papers: 46, 50 and 64 GB/s). */
export function xgmiOfArchitecture(architecture: string): KnownRate | undefined {
  if (/94\d|95\d/.test(architecture)) return { technology: 'xGMI4', bandwidth: 64e9, efficiency: 0.75 };
  if (/90a|910/.test(architecture)) return { technology: 'xGMI3', bandwidth: 50e9, efficiency: 0.72 };
  if (/906|908/.test(architecture)) return { technology: 'xGMI2', bandwidth: 46e9, efficiency: 0.72 };
  return undefined;
}

/** Usable bytes per second of one lane and direction by transfer rate in GT/s (PCI-SIG, after line encoding). */
const PCIE_LANE: readonly (readonly [number, string, number])[] = [
  [2.5, 'PCIe1', 0.25e9],
  [5, 'PCIe2', 0.5e9],
  [8, 'PCIe3', (8 / 8) * (128 / 130) * 1e9],
  [16, 'PCIe4', (16 / 8) * (128 / 130) * 1e9],
  [32, 'PCIe5', (32 / 8) * (128 / 130) * 1e9],
  [64, 'PCIe6', 7.5625e9],
];

/** A PCIe link by its transfer rate and lanes; undefined for rates that PCIe does not have. */
export function pcieRate(gigatransfers: number, lanes: number): KnownRate | undefined {
  const found = PCIE_LANE.find(([rate]) => rate === gigatransfers);
  if (found === undefined) return undefined;
  return { technology: found[1], bandwidth: found[2] * lanes, efficiency: 0.85 };
}

/** InfiniBand data rate of one lane, Gb/s (IBTA; SDR to QDR less 8b/10b). */
const INFINIBAND_LANE: Readonly<Record<string, number>> = {
  SDR: 2,
  DDR: 4,
  QDR: 8,
  FDR10: 10,
  FDR: 13.64,
  EDR: 25,
  HDR: 50,
  NDR: 100,
  XDR: 200,
};

/** An InfiniBand cable by its width and speed code, such as `4xNDR`: 400 Gb/s. */
export function infinibandRate(width: number, code: string): KnownRate | undefined {
  const lane = Object.hasOwn(INFINIBAND_LANE, code) ? INFINIBAND_LANE[code] : undefined;
  if (lane === undefined || !(width > 0)) return undefined;
  return { technology: `${width}x${code}`, bandwidth: lane * width * GIGABIT_PER_SECOND, efficiency: 0.95 };
}

/** Speed codes by signalling rate of a lane in Gb/s, as iblinkinfo prints it. */
const SIGNALLING: readonly (readonly [number, string])[] = [
  [2.5, 'SDR'],
  [5, 'DDR'],
  [10, 'QDR'],
  [10.3125, 'FDR10'],
  [14.0625, 'FDR'],
  [25.78125, 'EDR'],
  [53.125, 'HDR'],
  [106.25, 'NDR'],
  [212.5, 'XDR'],
];

/** Speed code of a signalling rate, which tools round differently (25.78, 25.78125). */
export const codeOfSignalling = (gigabits: number): string | undefined =>
  SIGNALLING.find(([rate]) => Math.abs(rate - gigabits) <= 0.011 * rate)?.[1];
