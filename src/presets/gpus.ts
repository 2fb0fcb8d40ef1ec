import type { GpuShape } from '../fabric/builders/node.js';

/** A GPU as software sees it. */
export interface GpuPreset extends GpuShape {
  readonly memory: number;
  readonly memoryBandwidth: number;
  /** Watts. */
  readonly power: number;
  readonly source: string;
}

/** Bytes behind a gigabyte on the label: binary ones, of which the driver and error correction leave 99 % (nvidia-smi: 81,559 MiB of 80). */
const LABEL = 2 ** 30 * 0.99;
/** Usable memory of a GPU sold with so many gigabytes. */
export const gpuMemory = (label: number): number => label * LABEL;
const TFLOPS = 1e12;

function gpu(model: string, memoryLabel: number, bandwidthTBps: number, bf16: number, rest: { fp16?: number; fp8?: number; fp4?: number; fp32?: number }, power: number, computeEfficiency: number, source: string): GpuPreset {
  const scaled = Object.fromEntries(Object.entries({ fp16: bf16, ...(bf16 > 0 ? { bf16 } : {}), ...rest }).map(([format, rate]) => [format, rate * TFLOPS]));
  return { model, memory: gpuMemory(memoryLabel), memoryBandwidth: bandwidthTBps * 1e12, peak: scaled, power, computeEfficiency, source };
}

const MAMF = 'vendor data sheet; efficiency = best measured matrix multiply over peak (stas00/ml-engineering, MAMF)';
const CLASS = 'vendor data sheet; efficiency taken from the nearest measured GPU of its generation';

/** GPUs. Peaks are dense (data sheets often state the sparse double); memory as labelled, less what is reserved. */
export const GPUS: readonly GpuPreset[] = [
  gpu('V100-SXM-16', 16, 0.9, 0, { fp16: 125, fp32: 15.7 }, 300, 0.8, CLASS),
  gpu('V100-SXM-32', 32, 0.9, 0, { fp16: 125, fp32: 15.7 }, 300, 0.8, CLASS),
  gpu('V100-PCIE-16', 16, 0.9, 0, { fp16: 112, fp32: 14 }, 250, 0.78, CLASS),
  gpu('A100-SXM-40', 40, 1.555, 312, { fp32: 19.5 }, 400, 0.869, MAMF),
  gpu('A100-SXM-64', 64, 1.64, 312, { fp32: 19.5 }, 440, 0.85, `${CLASS}; custom variant of Leonardo, peak of the standard part`),
  gpu('A100-SXM-80', 80, 2.039, 312, { fp32: 19.5 }, 400, 0.869, MAMF),
  gpu('A100-PCIE-80', 80, 1.935, 312, { fp32: 19.5 }, 300, 0.81, MAMF),
  gpu('A800-SXM-80', 80, 2.039, 312, { fp32: 19.5 }, 400, 0.869, 'A100 with NVLink at two thirds of its rate; efficiency of the A100 (MAMF)'),
  gpu('A40-48', 48, 0.696, 149.7, { fp32: 37.4 }, 300, 0.8, CLASS),
  gpu('A6000-48', 48, 0.768, 154.8, { fp32: 38.7 }, 300, 0.8, CLASS),
  gpu('H800-SXM-80', 80, 3.35, 989, { fp8: 1979, fp32: 67 }, 700, 0.803, 'H100 with NVLink at less than half of its rate; efficiency of the H100 (MAMF)'),
  gpu('H20-SXM-96', 96, 4.0, 148, { fp8: 296, fp32: 44 }, 400, 0.9, `${CLASS}; few multipliers beside full memory bandwidth`),
  gpu('H100-SXM-64', 64, 2.02, 989, { fp8: 1979, fp32: 67 }, 700, 0.78, `${CLASS}; custom variant of MareNostrum 5`),
  gpu('H100-SXM-80', 80, 3.35, 989, { fp8: 1979, fp32: 67 }, 700, 0.803, MAMF),
  gpu('H100-SXM-94', 94, 2.4, 989, { fp8: 1979, fp32: 67 }, 700, 0.79, CLASS),
  gpu('H100-PCIE-80', 80, 2.0, 756, { fp8: 1513, fp32: 51 }, 350, 0.7, CLASS),
  gpu('H200-SXM-141', 141, 4.8, 989, { fp8: 1979, fp32: 67 }, 700, 0.81, CLASS),
  gpu('GH200-96', 96, 4.0, 989, { fp8: 1979, fp32: 67 }, 680, 0.838, MAMF),
  gpu('GH200-144', 144, 4.9, 989, { fp8: 1979, fp32: 67 }, 680, 0.838, CLASS),
  gpu('B200-SXM-180', 180, 8.0, 2250, { fp8: 4500, fp4: 9000, fp32: 75 }, 1000, 0.776, MAMF),
  gpu('B300-SXM-288', 288, 8.0, 2250, { fp8: 4500, fp4: 13500, fp32: 75 }, 1100, 0.77, CLASS),
  gpu('GB200-186', 186, 8.0, 2500, { fp8: 5000, fp4: 10000, fp32: 80 }, 1200, 0.729, MAMF),
  gpu('GB300-288', 288, 8.0, 2500, { fp8: 5000, fp4: 15000, fp32: 80 }, 1400, 0.73, CLASS),
  gpu('MI250X-GCD', 64, 1.638, 191.5, { fp32: 23.9 }, 280, 0.65, `${CLASS}; one of the two dies of a module`),
  gpu('MI210-64', 64, 1.638, 181, { fp32: 22.6 }, 300, 0.65, CLASS),
  gpu('MI300A', 128, 5.3, 980, { fp8: 1961, fp32: 122 }, 550, 0.5, CLASS),
  gpu('MI300X', 192, 5.3, 1307, { fp8: 2615, fp32: 163 }, 750, 0.514, MAMF),
  gpu('MI325X', 256, 6.0, 1307, { fp8: 2615, fp32: 163 }, 1000, 0.6, MAMF),
  gpu('MI355X', 288, 8.0, 2300, { fp8: 4600, fp4: 9200, fp32: 157 }, 1400, 0.68, MAMF),
  gpu('PVC-1550-stack', 64, 1.64, 419, { fp32: 26 }, 300, 0.5, `${CLASS}; one of the two stacks of a module`),
  gpu('L40-48', 48, 0.864, 181, { fp8: 362, fp32: 90.5 }, 300, 0.65, CLASS),
  gpu('L40S', 48, 0.864, 362, { fp8: 733, fp32: 91.6 }, 350, 0.6, CLASS),
  gpu('RTX-4090', 24, 1.008, 165, { fp8: 330, fp32: 82.6 }, 450, 0.9, CLASS),
];
