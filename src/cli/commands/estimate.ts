import { invalidArgument } from '../../errors.js';
import { prepareCollective } from '../../collectives/prepare-collective.js';
import type { CollectiveOperation } from '../../collectives/types.js';
import { formatBandwidth, formatBytes, formatSeconds, formatShare, parseQuantity } from '../../quantities.js';
import { formatTable } from '../../report/text-report.js';
import { PREDICTED_OPERATIONS, predictOnFabric, type PredictedOperation } from '../../prediction/index.js';
import { computeRoutes } from '../../routes/compute-routes.js';
import { printJson } from '../output.js';
import { openFabric, type OpenOptions } from '../open-topology.js';

export interface EstimateOptions extends OpenOptions {
  readonly json?: boolean;
  readonly operation: string;
  readonly bytes: string;
  readonly ranks?: string;
  readonly algorithm?: string;
  readonly model: string;
}

/** Prices a collective over the first ranks of a fabric, at one or more sizes. */
export function estimate(files: readonly string[], options: EstimateOptions): void {
  const { fabric } = openFabric(files, options);
  const count = options.ranks === undefined ? fabric.gpuIds.length : Number(options.ranks);
  if (!(Number.isInteger(count) && count >= 1 && count <= fabric.gpuIds.length))
    throw invalidArgument('estimate', '--ranks', options.ranks, `a whole number from 1 to ${fabric.gpuIds.length}`);
  const sizes = options.bytes.split(',').map((text) => parseQuantity(text, 'bytes'));
  const routes = computeRoutes(fabric);
  const ranks = fabric.gpuIds.slice(0, count);
  const operation = options.operation as CollectiveOperation;
  const byMeasurement = options.model === 'measured';
  if (byMeasurement && !(PREDICTED_OPERATIONS as readonly string[]).includes(operation))
    throw invalidArgument('estimate', '--operation', operation, `one of ${PREDICTED_OPERATIONS.join(', ')} with --model measured`);
  const prepared = byMeasurement
    ? { estimate: (bytes: number) => predictOnFabric(routes, { operation: operation as PredictedOperation, ranks, bytes }) }
    : prepareCollective(routes, { operation, ranks }, options.algorithm === undefined ? {} : { algorithm: options.algorithm });
  const estimates = sizes.map((bytes) => prepared.estimate(bytes));
  if (options.json === true) {
    printJson({ schema: 'fabricplan/estimate/1', fabric: fabric.name, estimates });
    return;
  }
  process.stdout.write(`${options.operation} over ${count} GPUs of ${fabric.name}\n`);
  const rows = estimates.map((one) => [
    formatBytes(one.bytes),
    formatSeconds(one.seconds),
    `${formatSeconds(one.low, 2)}–${formatSeconds(one.high, 2)}`,
    formatBandwidth(one.busBandwidth),
    one.algorithm,
    one.runnerUp === undefined ? '–' : `${one.runnerUp.algorithm} ${formatSeconds(one.runnerUp.seconds)}`,
    one.bottleneck === undefined ? '–' : `${one.bottleneck.link} (${formatShare(one.bottleneck.utilisation, 2)} busy)`,
  ]);
  process.stdout.write(`${formatTable(['size', 'time', 'range', 'bus bandwidth', 'algorithm', 'runner-up', 'bottleneck'], rows)}\n`);
}
