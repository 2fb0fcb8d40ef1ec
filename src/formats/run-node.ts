import { FabricPlanError } from '../errors.js';
import type { NodeShape } from '../fabric/builders/node.js';
import { gpuMemory, GPUS, type GpuPreset } from '../presets/gpus.js';
import { linkNamed, NODES } from '../presets/nodes.js';
import type { RunCells } from './run-cells.js';

/** GPUs of a node at most. */
const MOST_PER_NODE = 1024;

/** NICs of a node where a table does not say: what was usual with the generation. Gb/s per NIC, GPUs per NIC. */
const USUAL_NICS: readonly { readonly family: RegExp; readonly gigabits: number; readonly gpusPerNic: number }[] = [
  { family: /^V100/, gigabits: 100, gpusPerNic: 2 },
  { family: /^(A100|MI250X)/, gigabits: 200, gpusPerNic: 1 },
  { family: /^(B300|GB300)/, gigabits: 800, gpusPerNic: 1 },
  { family: /./, gigabits: 400, gpusPerNic: 1 },
];

/** The node that a run used, from the GPU's name, the GPUs of a node and what is said of the network. */
export function nodeOfRun(cells: RunCells, gpus: number): { node: NodeShape; gpu: string } {
  const name = cells.text('gpu');
  if (name === '') throw new FabricPlanError('parse', 'gpu is empty; expected a GPU such as A100-80 or H100-SXM');
  const preset = gpuOfName(name);
  if (preset === undefined)
    throw new FabricPlanError(
      'unknown-name',
      `gpu "${name.slice(0, 40)}" is not known; expected one of ${GPUS.map(({ model }) => model).join(', ')}`,
    );
  const memory = memoryOfName(name);
  const { source: _source, ...shape } = preset;
  const gpu = memory === undefined ? shape : { ...shape, memory: gpuMemory(memory) };
  const family = preset.model.split('-')[0];
  const isRack = /^GB[23]00/.test(preset.model);
  const perNode =
    cells.whole('gpus_per_node') ??
    cells.infer('gpus_per_node', Math.min(gpus, isRack || /^(V100|GH200)/.test(preset.model) ? 4 : 8), 'usual for the GPU');
  if (perNode > MOST_PER_NODE) throw new FabricPlanError('parse', `gpus_per_node is ${perNode}; expected at most ${MOST_PER_NODE}`);
  const base =
    NODES.find((node) => node.gpu.model === preset.model && node.gpus === perNode) ??
    NODES.find((node) => node.gpu.model.split('-')[0] === family && node.gpus === perNode) ??
    NODES.find((node) => node.gpu.model === preset.model) ??
    NODES.find((node) => node.gpu.model.split('-')[0] === family);
  const { count, gigabits } = networkOfRun(cells, preset.model, perNode);
  const nic = { ...linkNamed('RoCE-400'), bandwidth: (gigabits * 1e9) / 8 };
  const node: NodeShape =
    base === undefined
      ? {
          name: 'node',
          gpus: perNode,
          gpu,
          scaleUp: { kind: 'none' },
          attach: { kind: 'pcie-switch', link: linkNamed('PCIe4-x16'), gpusPerSwitch: 2 },
          cpus: 2,
          cpuLink: linkNamed('xGMI-sockets'),
          nics: count,
          nic,
        }
      : { ...base, ...rackOf(cells, base, gpus), gpu, gpus: perNode, scaleUp: scaleUpOf(base, perNode), nics: count, nic };
  return { node, gpu: preset.model };
}

/** Jobs over several racks take a round number of trays of each, so that no group of ranks straddles two. */
function rackOf(cells: RunCells, { nodesPerDomain = 1, gpus: perNode }: NodeShape, gpus: number): Pick<NodeShape, 'nodesPerDomain'> {
  if (nodesPerDomain === 1) return {};
  const round = 2 ** Math.floor(Math.log2(nodesPerDomain));
  if (gpus <= nodesPerDomain * perNode) return { nodesPerDomain };
  return { nodesPerDomain: cells.infer('nodes per rack', round, `of ${nodesPerDomain}, so that groups do not straddle racks`) };
}

/** A mesh is wired for one number of GPUs; another number is taken as a full mesh of its links. */
function scaleUpOf(base: NodeShape, gpus: number): NodeShape['scaleUp'] {
  const { scaleUp } = base;
  return scaleUp.kind === 'mesh' && base.gpus !== gpus ? { kind: 'all-to-all', link: scaleUp.link } : scaleUp;
}

/** The preset of a GPU's name as tables write it: `A100-80`, `H100-SXM`, `V100-32`, `GH200-96`, `MI300X`. */
function gpuOfName(name: string): GpuPreset | undefined {
  const wanted = name
    .toUpperCase()
    .replace(/[\s_]+/g, '-')
    .replace(/^(NVIDIA|AMD|TESLA|INSTINCT)-/, '')
    .replace(/^(NVIDIA|AMD|TESLA|INSTINCT)-/, '');
  const exact = GPUS.find(({ model }) => model.toUpperCase() === wanted);
  if (exact !== undefined) return exact;
  const parts = wanted.split('-');
  // `RTX-4090` and `RTX-A6000` are named in two parts.
  const family = parts[0] === 'RTX' ? (parts[1] === 'A6000' ? 'A6000' : 'RTX') : parts[0];
  const kin = GPUS.filter(({ model }) => model.toUpperCase().split('-')[0] === family);
  const form = parts.some((part) => /^SXM/.test(part)) ? 'SXM' : parts.some((part) => /^PCIE/.test(part)) ? 'PCIE' : undefined;
  const formed = kin.filter(({ model }) => form === undefined || model.toUpperCase().includes(form));
  const memory = memoryOfName(name);
  return (
    nearest(formed, memory === undefined ? undefined : gpuMemory(memory)) ??
    formed.find(({ model }) => model.includes('SXM-80')) ??
    formed.at(0) ??
    kin.at(0)
  );
}

/** The variant with the memory nearest to what is asked for. */
const nearest = (gpus: readonly GpuPreset[], memory: number | undefined): GpuPreset | undefined =>
  memory === undefined || gpus.length === 0
    ? undefined
    : gpus.reduce((a, b) => (Math.abs(b.memory - memory) < Math.abs(a.memory - memory) ? b : a));

/** Gigabytes in a GPU's name: `A100-80`, `A100-SXM4-40GB`, `NVIDIA H100 80GB HBM3`. */
function memoryOfName(name: string): number | undefined {
  const found = /[-\s_](\d{2,3})\s*G(?:i?B)?\b/i.exec(name)?.[1] ?? /-(\d{2,3})$/.exec(name)?.[1];
  return found === undefined || Number(found) < 8 ? undefined : Number(found);
}

/** NICs of a node and Gb/s of each, from words such as `8xHDR200`, `1600 Gb/s per node`, `400Gb/GPU`, `Omni-Path 100Gb (4 per node)`. */
function networkOfRun(cells: RunCells, gpu: string, perNode: number): { count: number; gigabits: number } {
  const text = cells.text('network');
  const times = /(\d+)\s*x\s*[A-Za-z-]*(\d{2,4})/.exec(text);
  if (times !== null) return { count: Number(times[1]), gigabits: Number(times[2]) };
  const bracket = /(\d{2,4})\s*Gb\S*\s*\((\d+) per node\)/i.exec(text);
  if (bracket !== null) return { count: Number(bracket[2]), gigabits: Number(bracket[1]) };
  const perGpu = /(\d{2,4})(?:-\d+)?\s*Gb(?:it)?(?:\/s|ps)?\s*(?:\/|per)\s*GPU/i.exec(text);
  if (perGpu !== null) return { count: perNode, gigabits: Number(perGpu[1]) };
  const perHost = /(\d{2,5})\s*Gb(?:it)?(?:\/s|ps)?\s*(?:\/|per)\s*node/i.exec(text);
  const usual = USUAL_NICS.find(({ family }) => family.test(gpu))!;
  if (perHost !== null) {
    const total = Number(perHost[1]);
    const count = Math.max(1, Math.min(perNode, Math.round(total / usual.gigabits)));
    return { count, gigabits: total / count };
  }
  const count = Math.max(1, Math.round(perNode / usual.gpusPerNic));
  if (Number(cells.text('gpus')) > perNode) cells.infer('network', `${count} × ${usual.gigabits} Gb/s`, 'usual for the GPU');
  return { count, gigabits: usual.gigabits };
}
