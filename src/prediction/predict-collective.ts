import { busFactor } from '../collectives/bus-factor.js';
import { invalidArgument } from '../errors.js';
import type { Bytes, BytesPerSecond, Seconds } from '../quantities.js';
import { FITTED } from './fitted-values.js';
import { gpuFamily, type HardwareRecord } from './hardware.js';
import { parameterDeviation, type ParameterKnowledge } from './interval.js';
import { modelTime, prepareSubject, PREDICTED_OPERATIONS, type ModelSubject, type ModelTime, type PreparedSubject } from './model.js';

/** A prediction of the measured model. */
export interface CollectivePrediction {
  readonly seconds: Seconds;
  /** A measurement is expected within low and high nine times in ten. */
  readonly low: Seconds;
  readonly high: Seconds;
  readonly model: 'measured';
  /** Named as NCCL names them: RING, TREE, NVLS, NVLS_TREE; PAIRWISE for all-to-all. */
  readonly algorithm: string;
  /** LL and LL128 for small and middle sizes, SIMPLE for bulk: where the time goes, not what a tuner logged. */
  readonly protocol: 'LL' | 'LL128' | 'SIMPLE';
  readonly algorithmBandwidth: BytesPerSecond;
  readonly busBandwidth: BytesPerSecond;
  /** What was not known and stood in for. */
  readonly warnings: readonly string[];
}

/** Sizes at which some network plug-ins stall (seen on Slingshot: up to eight times slower than both neighbours). */
const STALL = { from: 64 * 1024, to: 4 * 2 ** 20, factor: 8 } as const;
export const isStallSize = (bytes: Bytes): boolean => bytes >= STALL.from && bytes <= STALL.to;

/** What measurements of a system add to the fitted constants. Made by `fabricplan/calibration`. */
export interface SystemCalibration {
  readonly knowledge: ParameterKnowledge;
  /** Deviations within which nine of ten measurements fall. */
  readonly reach: number;
  /** Mean and deviation of the log residual that the physics leaves at a place. */
  residual(subject: PreparedSubject, bytes: number): { readonly mean: number; readonly deviation: number };
}

/** Fitted values as a vector that predictions may use. */
export function fittedKnowledge(): ParameterKnowledge {
  return { values: Float64Array.from(FITTED.values), used: [], covariance: new Float64Array(0) };
}

/**
 * A predictor for one machine and rank count: time of a collective by size, from the hardware record alone or sharpened by measurements
 * of the system.
 *
 * Sizes are total buffers as nccl-tests counts them. Constants were fitted to public measurements of some thirty systems; docs/validation.md
 * has the error on systems left out.
 *
 * @throws FabricPlanError `invalid-argument` for other operations, rank or node counts below 1, ranks that do not fill nodes
 * @complexity O(1) a size; about 20 µs with its interval
 * @example
 * const node = { gpu: 'H100-SXM5-80GB', gpusPerNode: 8, scaleUp: { kind: 'nvswitch', bandwidthPerGpu: 450e9, inSwitchReduction: true }, scaleOut: { transport: 'none' } };
 * preparePrediction({ hardware: node, operation: 'all-reduce', ranks: 8, nodes: 1 }).at(2 ** 30).algorithm // 'NVLS'
 */
export function preparePrediction(
  subject: ModelSubject,
  calibration?: SystemCalibration,
): { readonly subject: PreparedSubject; at(bytes: Bytes): CollectivePrediction } {
  checkSubject(subject);
  const prepared = prepareSubject(subject);
  const knowledge = calibration?.knowledge ?? fittedKnowledge();
  const warnings = warningsOf(subject.hardware, subject.nodes);
  return {
    subject: prepared,
    at(bytes) {
      if (!(Number.isFinite(bytes) && bytes >= 0)) throw invalidArgument('preparePrediction', 'bytes', bytes, 'a number of at least 0');
      const time = modelTime(prepared, knowledge.values, bytes);
      const residual = calibration?.residual(prepared, bytes) ?? { mean: 0, deviation: FITTED.shape };
      const deviation = Math.hypot(parameterDeviation(prepared, knowledge, bytes), residual.deviation, FITTED.noise);
      const seconds = time.microseconds * Math.exp(residual.mean) * 1e-6;
      const factor = Math.exp(deviation * (calibration?.reach ?? FITTED.reach));
      const artefact = prepared.pluginStalls && isStallSize(bytes);
      const rate = seconds > 0 ? bytes / seconds : 0;
      return {
        seconds,
        low: seconds / factor,
        high: seconds * factor * (artefact ? STALL.factor : 1),
        model: 'measured',
        algorithm: algorithmName(time, prepared),
        protocol: protocolName(time),
        algorithmBandwidth: rate,
        busBandwidth: rate * busFactor(subject.operation, prepared.n),
        warnings,
      };
    },
  };
}

/**
 * One prediction; for many sizes of the same machine use {@link preparePrediction}.
 *
 * @throws FabricPlanError as preparePrediction
 * @example
 * const record = { gpu: 'A100-SXM4-80GB', gpusPerNode: 8, scaleUp: { kind: 'nvswitch', bandwidthPerGpu: 300e9, inSwitchReduction: false }, scaleOut: { transport: 'infiniband', bandwidthPerNode: 200e9, nicsPerNode: 8 } };
 * const { low, seconds, high } = predictCollective({ hardware: record, operation: 'all-reduce', ranks: 32, nodes: 4 }, 2 ** 30);
 * low < seconds && seconds < high // true
 */
export function predictCollective(subject: ModelSubject, bytes: Bytes, calibration?: SystemCalibration): CollectivePrediction {
  return preparePrediction(subject, calibration).at(bytes);
}

function checkSubject({ operation, ranks, nodes }: ModelSubject): void {
  const where = 'preparePrediction';
  if (!PREDICTED_OPERATIONS.includes(operation))
    throw invalidArgument(where, 'operation', operation, `one of ${PREDICTED_OPERATIONS.join(', ')}`);
  for (const [name, value] of [
    ['ranks', ranks],
    ['nodes', nodes],
  ] as const)
    if (!(Number.isInteger(value) && value >= 1)) throw invalidArgument(where, name, value, 'a whole number of at least 1');
  if (nodes > ranks) throw invalidArgument(where, 'nodes', nodes, `at most the ${ranks} ranks`);
}

function warningsOf({ gpu, scaleUp, scaleOut }: HardwareRecord, nodes: number): string[] {
  const warnings: string[] = [];
  if (gpuFamily(gpu) === 'other') warnings.push(`GPU "${gpu}" is of no known family; the mean of all families stands in`);
  if (scaleUp.kind === 'unknown') warnings.push('the links inside a node are not known; NVLink of the usual rate is assumed');
  if (nodes > 1 && scaleOut.transport === 'unknown')
    warnings.push('the transport between nodes is not known; RDMA over Ethernet is assumed');
  if (nodes > 1 && scaleOut.transport === 'slingshot')
    warnings.push('between 64 KiB and 4 MiB some Slingshot plug-ins stall; the upper end of the range allows for it');
  if (nodes > 1 && scaleOut.transport !== 'nvlink' && scaleOut.bandwidthPerNode === undefined)
    warnings.push('the NIC rate of a node is not known; the usual one of the GPU family is assumed');
  return warnings;
}

function algorithmName({ algorithm }: ModelTime, subject: PreparedSubject): string {
  if (algorithm === 'in-switch') return 'NVLS';
  if (algorithm === 'tree') return subject.switchReduces ? 'NVLS_TREE' : 'TREE';
  return algorithm === 'ring' ? 'RING' : 'PAIRWISE';
}

function protocolName({ algorithm, wireShare }: ModelTime): CollectivePrediction['protocol'] {
  if (algorithm === 'in-switch') return 'SIMPLE';
  return wireShare < 0.06 ? 'LL' : wireShare < 0.3 ? 'LL128' : 'SIMPLE';
}
