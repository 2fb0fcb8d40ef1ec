import { gpuIndices } from '../fabric/edit-fabric.js';
import type { DeviceSpec, Fabric, LinkSpec } from '../fabric/types.js';
import type { Routes } from '../routes/compute-routes.js';
import { busFactor } from '../collectives/bus-factor.js';
import type { CollectiveEstimate } from '../collectives/types.js';
import type { Bytes } from '../quantities.js';
import type { HardwareRecord, ScaleUpKind, Transport } from './hardware.js';
import type { ModelSubject, PredictedOperation } from './model.js';
import { preparePrediction, type SystemCalibration } from './predict-collective.js';

const TRANSPORT_PATTERNS: readonly (readonly [RegExp, Transport])[] = [
  [/slingshot|cassini/i, 'slingshot'],
  [/infiniband|\b[FEHNX]DR|quantum/i, 'infiniband'],
  [/\befa\b/i, 'efa'],
  [/omni|\bopa\b/i, 'omni-path'],
  [/roce|ethernet|\bGbE/i, 'roce'],
  [/tcp/i, 'tcp'],
];

/**
 * What the measured model sees of ranks on a fabric: GPU model, links inside the nodes, NICs and their transport, ranks per node. The first
 * rank's node stands for all.
 *
 * @throws FabricPlanError `invalid-argument` for unknown GPUs
 * @complexity O(links)
 */
export function hardwareOf(fabric: Fabric, ranks: readonly string[]): { readonly hardware: HardwareRecord; readonly nodes: number } {
  const indices = gpuIndices(fabric, ranks, 'hardwareOf');
  const byId = new Map(fabric.devices.map((device) => [device.id, device]));
  // GPUs of one place are one node; GPUs whose place is not said are nodes of their own.
  const nodeOf = (gpu: number): string => byId.get(fabric.gpuIds[gpu])?.location.join('/') || fabric.gpuIds[gpu];
  const nodes = new Set(Array.from(indices, nodeOf)).size;
  const first = indices[0];
  const peers = new Set(
    Array.from(indices)
      .filter((gpu) => nodeOf(gpu) === nodeOf(first))
      .map((gpu) => fabric.gpuIds[gpu]),
  );
  const at = (id: string): { link: LinkSpec; other: DeviceSpec }[] =>
    fabric.links.flatMap((link) => {
      const end = link.source === id ? link.target : link.target === id ? link.source : undefined;
      const other = end === undefined ? undefined : byId.get(end);
      return other === undefined ? [] : [{ link, other }];
    });
  const gpu = fabric.gpuIds[first];
  const around = at(gpu);
  const model = byId.get(gpu)?.model ?? '';
  const total = (links: readonly { link: LinkSpec }[]): number =>
    links.reduce((sum, { link }) => sum + link.bandwidth * (link.count ?? 1), 0);
  const toSwitch = around.filter(({ other }) => other.kind === 'nvswitch');
  const toPeers = around.filter(({ other }) => other.kind === 'gpu');
  const domain = toSwitch.length > 0 ? new Set(at(toSwitch[0].other.id).map(({ other }) => other.id)) : new Set<string>();
  const oneDomain = nodes > 1 && ranks.every((id) => domain.has(id));
  const rates = new Set(toPeers.map(({ link }) => link.bandwidth * (link.count ?? 1)));
  const kind: ScaleUpKind =
    toSwitch.length > 0
      ? 'nvswitch'
      : toPeers.length === 0
        ? peers.size > 1
          ? 'pcie'
          : 'none'
        : /MI\d/.test(model)
          ? 'infinity-fabric-mesh'
          : rates.size === 1
            ? 'nvlink-all-to-all'
            : 'nvlink-cube-mesh';
  const scaleUpRate = toSwitch.length > 0 ? total(toSwitch) : total(toPeers);
  const location = byId.get(gpu)?.location.join('/') ?? '';
  const nics = fabric.devices.filter((device) => device.kind === 'nic' && device.location.join('/') === location);
  const uplinks = nics.flatMap((nic) => at(nic.id).filter(({ other }) => other.kind === 'switch' || other.kind === 'gateway'));
  const technology = uplinks[0]?.link.technology ?? '';
  const transport: Transport = oneDomain
    ? 'nvlink'
    : nodes === 1
      ? 'none'
      : (TRANSPORT_PATTERNS.find(([pattern]) => pattern.test(technology))?.[1] ?? 'unknown');
  return {
    nodes,
    hardware: {
      gpu: model,
      gpusPerNode: peers.size,
      scaleUp: {
        kind,
        ...(scaleUpRate > 0 ? { bandwidthPerGpu: scaleUpRate } : {}),
        inSwitchReduction: toSwitch.some(({ other }) => other.reduces === true),
      },
      scaleOut: {
        transport,
        ...(uplinks.length > 0 ? { bandwidthPerNode: total(uplinks), nicsPerNode: nics.length } : {}),
      },
    },
  };
}

/**
 * A collective on a fabric by the measured model: the same answer as `estimateCollective`, from fitted constants instead of first
 * principles. It knows machines of the kinds it was fitted to; contention with others, wide-area links and unequal nodes it does not see.
 *
 * @throws FabricPlanError as hardwareOf and preparePrediction
 * @example
 * predictOnFabric(routes, { operation: 'all-reduce', ranks: ['a', 'b'], bytes: 1e9 }).model // 'measured'
 */
export function predictOnFabric(
  routes: Routes,
  { operation, ranks, bytes }: { readonly operation: PredictedOperation; readonly ranks: readonly string[]; readonly bytes: Bytes },
  calibration?: SystemCalibration,
): CollectiveEstimate {
  const { hardware, nodes } = hardwareOf(routes.fabric, ranks);
  const subject: ModelSubject = { hardware, operation, ranks: ranks.length, nodes };
  const { seconds, low, high, algorithm, algorithmBandwidth } = preparePrediction(subject, calibration).at(bytes);
  return {
    operation,
    rankCount: ranks.length,
    bytes,
    seconds,
    low,
    high,
    model: 'measured',
    algorithm,
    algorithmBandwidth,
    busBandwidth: algorithmBandwidth * busFactor(operation, ranks.length),
    phases: [],
    refusals: [],
  };
}
