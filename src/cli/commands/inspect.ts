import { createFabric } from '../../fabric/create-fabric.js';
import { summarizeFabric } from '../../fabric/capacity.js';
import { formatFabricJson } from '../../formats/fabric-json.js';
import { readFabric } from '../../formats/read-fabric.js';
import { buildSystem } from '../../presets/build-system.js';
import { formatBandwidth, formatBytes, formatFlops } from '../../quantities.js';
import { formatTable } from '../../report/text-report.js';
import type { Fabric } from '../../fabric/types.js';
import { printJson } from '../output.js';
import { readInput } from '../read-input.js';

export interface InspectOptions {
  readonly json?: boolean;
  readonly system?: string;
  readonly fabric?: boolean;
}

/** Prints what a fabric holds. */
export function inspect(file: string | undefined, options: InspectOptions): void {
  const { format, fabric } = openFabric(file, options.system);
  if (options.fabric === true) {
    process.stdout.write(`${formatFabricJson(fabric)}\n`);
    return;
  }
  const summary = summarizeFabric(fabric);
  const warnings = summary.components > 1 ? [`the fabric is in ${summary.components} parts that are not connected`] : [];
  if (options.json === true) {
    printJson({ schema: 'fabricplan/inspect/1', format, ...summary, warnings });
    return;
  }
  const rows = [
    ...Object.entries(summary.devices)
      .filter(([, count]) => count > 0)
      .map(([kind, count]) => [kind, String(count)]),
    ['cables', String(summary.links)],
    ['connected parts', String(summary.components)],
    ...Object.entries(summary.gpuModels).map(([model, count]) => [`GPU ${model}`, String(count)]),
    ['GPU memory', formatBytes(summary.gpuMemory)],
    ['bf16 peak, dense', formatFlops(summary.bf16Peak)],
    ['NIC bandwidth, one way', formatBandwidth(summary.injectionBandwidth)],
    ...Object.entries(summary.groups).map(([level, count]) => [`level ${level}`, String(count)]),
  ];
  process.stdout.write(`${formatTable([summary.name, format], rows)}\n`);
  for (const warning of warnings) process.stderr.write(`warning: ${warning}\n`);
}

/** A fabric from a file, standard input or a known system. */
export function openFabric(file: string | undefined, system: string | undefined): ReturnType<typeof readFabric> {
  if (system !== undefined) return { format: 'system', fabric: openSystem(system) };
  return readFabric(readInput(file ?? '-'));
}

/** `jean-zay-h100` or `jean-zay-h100:64` for its first 64 GPUs. */
function openSystem(text: string): Fabric {
  const [id, gpus] = text.split(':');
  return createFabric(gpus === undefined ? buildSystem(id) : buildSystem(id, { gpus: Number(gpus) }));
}
