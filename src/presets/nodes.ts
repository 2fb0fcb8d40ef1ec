import type { LinkShape, NodeShape, ScaleUpShape } from '../fabric/builders/node.js';
import { GPUS } from './gpus.js';
import { LINKS } from './links.js';
import { findPreset } from './find-preset.js';

/** A node type. */
export interface NodePreset extends NodeShape {
  readonly source: string;
}

/** A link technology as builders take it. */
export const linkNamed = (name: string): LinkShape => {
  const { bandwidth, latency, efficiency, technology } = findPreset('link', LINKS, name, (preset) => preset.name);
  return { bandwidth, latency, ...(efficiency === undefined ? {} : { efficiency }), technology };
};
const gpuNamed = (name: string): NodeShape['gpu'] => {
  const { source: _source, ...shape } = findPreset('GPU', GPUS, name, (preset) => preset.model);
  return shape;
};

/** V100 cube mesh of the DGX-1: [GPU, GPU, links]. */
const CUBE_MESH = [
  [0, 1, 1], [0, 2, 1], [0, 3, 2], [0, 4, 2], [1, 2, 2], [1, 3, 1], [1, 5, 2], [2, 3, 2], [2, 6, 1], [3, 7, 1],
  [4, 5, 1], [4, 6, 1], [4, 7, 2], [5, 6, 2], [5, 7, 1], [6, 7, 2],
] as const;
/** Infinity Fabric of the LUMI and Frontier node: eight GCDs, [GCD, GCD, links]. */
const MI250X_MESH = [
  [0, 1, 4], [2, 3, 4], [4, 5, 4], [6, 7, 4], [0, 6, 2], [2, 4, 2], [0, 2, 1], [1, 3, 1], [1, 5, 1], [3, 7, 1], [4, 6, 1], [5, 7, 1],
] as const;
/** Xe Link of a node of four PVC modules, two stacks each: the two stacks of a module and each stack with its peers. */
const PVC_MESH = [
  [0, 1, 6], [2, 3, 6], [4, 5, 6], [6, 7, 6], [0, 2, 1], [0, 4, 1], [0, 6, 1], [2, 4, 1], [2, 6, 1], [4, 6, 1], [1, 3, 1], [1, 5, 1], [1, 7, 1], [3, 5, 1], [3, 7, 1], [5, 7, 1],
] as const;

function node(name: string, gpus: number, gpu: string, scaleUp: ScaleUpShape, attach: NodeShape['attach'], cpus: number, cpuLink: string | undefined, nics: number, nic: string, source: string, rest: Partial<NodeShape> = {}): NodePreset {
  return { name, gpus, gpu: gpuNamed(gpu), scaleUp, attach, cpus, ...(cpuLink === undefined ? {} : { cpuLink: linkNamed(cpuLink) }), nics, nic: linkNamed(nic), source, ...rest };
}

const nvswitch = (link: string, reduces: boolean): ScaleUpShape => ({ kind: 'nvswitch', link: linkNamed(link), reduces });
const allToAll = (link: string): ScaleUpShape => ({ kind: 'all-to-all', link: linkNamed(link) });
const pcie = (link: string, gpusPerSwitch: number): NodeShape['attach'] => ({ kind: 'pcie-switch', link: linkNamed(link), gpusPerSwitch });
const host = (link: string, nicLink: string): NodeShape['attach'] => ({ kind: 'host', link: linkNamed(link), nicLink: linkNamed(nicLink) });
const onGpu = (link: string): NodeShape['attach'] => ({ kind: 'gpu', link: linkNamed(link) });
const NONE: ScaleUpShape = { kind: 'none' };

const DGX = 'NVIDIA DGX system user guides';
const EU = 'system documentation and public descriptions of the European systems that use it (see SYSTEMS)';
const CLOUD = 'public instance documentation';

/** Node types. */
export const NODES: readonly NodePreset[] = [
  node('dgx-1v', 8, 'V100-SXM-32', { kind: 'mesh', link: linkNamed('NVLink2'), pairs: CUBE_MESH }, pcie('PCIe3-x16', 2), 2, 'UPI', 4, 'HDR100', DGX),
  node('v100-quad', 4, 'V100-SXM-32', { kind: 'all-to-all', link: { ...linkNamed('NVLink2'), bandwidth: 50e9 } }, pcie('PCIe3-x16', 2), 2, 'UPI', 4, 'OmniPath-100', EU),
  node('v100-pcie-quad', 4, 'V100-PCIE-16', NONE, pcie('PCIe3-x16', 2), 2, 'UPI', 1, 'HDR100', 'typical PCIe server (general knowledge)'),
  node('dgx-a100-40', 8, 'A100-SXM-40', nvswitch('NVLink3', false), pcie('PCIe4-x16', 2), 2, 'xGMI-sockets', 8, 'HDR', DGX),
  node('dgx-a100-80', 8, 'A100-SXM-80', nvswitch('NVLink3', false), pcie('PCIe4-x16', 2), 2, 'xGMI-sockets', 8, 'HDR', DGX),
  node('hgx-a100-80-4nic', 8, 'A100-SXM-80', nvswitch('NVLink3', false), pcie('PCIe4-x16', 2), 2, 'xGMI-sockets', 4, 'OmniPath-100', EU),
  node('hgx-a100-40-4nic', 8, 'A100-SXM-40', nvswitch('NVLink3', false), pcie('PCIe4-x16', 2), 2, 'xGMI-sockets', 4, 'HDR', EU),
  node('a100-40-quad', 4, 'A100-SXM-40', allToAll('NVLink3-pair-of-4'), pcie('PCIe4-x16', 1), 2, 'xGMI-sockets', 4, 'HDR', EU),
  node('a100-40-quad-2nic', 4, 'A100-SXM-40', allToAll('NVLink3-pair-of-4'), pcie('PCIe4-x16', 2), 2, 'xGMI-sockets', 2, 'HDR', EU),
  node('a100-40-quad-2x100', 4, 'A100-SXM-40', allToAll('NVLink3-pair-of-4'), pcie('PCIe4-x16', 2), 2, 'xGMI-sockets', 2, 'HDR100', EU),
  node('a100-80-quad-2nic', 4, 'A100-SXM-80', allToAll('NVLink3-pair-of-4'), pcie('PCIe4-x16', 2), 2, 'xGMI-sockets', 2, 'HDR', EU),
  node('a100-64-quad', 4, 'A100-SXM-64', allToAll('NVLink3-pair-of-4'), pcie('PCIe4-x16', 1), 1, undefined, 4, 'HDR100', EU),
  node('a100-40-quad-1nic', 4, 'A100-SXM-40', allToAll('NVLink3-pair-of-4'), pcie('PCIe4-x16', 4), 2, 'xGMI-sockets', 1, 'HDR', EU),
  node('dgx-h100', 8, 'H100-SXM-80', nvswitch('NVLink4', true), pcie('PCIe5-x16', 2), 2, 'xGMI-sockets', 8, 'NDR', DGX),
  node('hgx-a800', 8, 'A800-SXM-80', nvswitch('NVLink3-A800', false), pcie('PCIe4-x16', 2), 2, 'xGMI-sockets', 8, 'HDR', CLOUD),
  node('hgx-h800', 8, 'H800-SXM-80', nvswitch('NVLink4-H800', true), pcie('PCIe5-x16', 2), 2, 'xGMI-sockets', 8, 'NDR', CLOUD),
  node('hgx-h20', 8, 'H20-SXM-96', nvswitch('NVLink4', true), pcie('PCIe5-x16', 2), 2, 'xGMI-sockets', 8, 'NDR', CLOUD),
  node('hgx-h100-roce', 8, 'H100-SXM-80', nvswitch('NVLink4', true), pcie('PCIe5-x16', 2), 2, 'xGMI-sockets', 8, 'RoCE-400', 'Meta, arXiv 2407.21783 (infrastructure)'),
  node('h100-64-quad', 4, 'H100-SXM-64', allToAll('NVLink4-pair-of-4'), pcie('PCIe5-x16', 1), 2, 'xGMI-sockets', 4, 'NDR200', EU),
  node('h100-80-quad', 4, 'H100-SXM-80', allToAll('NVLink4-pair-of-4'), pcie('PCIe5-x16', 1), 2, 'xGMI-sockets', 4, 'NDR', EU),
  node('h100-94-quad', 4, 'H100-SXM-94', allToAll('NVLink4-pair-of-4'), pcie('PCIe5-x16', 1), 2, 'xGMI-sockets', 4, 'NDR200', EU),
  node('dgx-h200', 8, 'H200-SXM-141', nvswitch('NVLink4', true), pcie('PCIe5-x16', 2), 2, 'xGMI-sockets', 8, 'NDR', DGX),
  node('gh200-quad-ndr', 4, 'GH200-96', allToAll('NVLink4-pair-of-4'), host('NVLink-C2C', 'PCIe5-x16'), 4, 'Grace-NVLink', 4, 'NDR200', 'JUPITER configuration page (apps.fz-juelich.de)'),
  node('gh200-quad-slingshot', 4, 'GH200-96', allToAll('NVLink4-pair-of-4'), host('NVLink-C2C', 'PCIe5-x16'), 4, 'Grace-NVLink', 4, 'Slingshot-11', 'CSCS Alps documentation'),
  node('dgx-b200', 8, 'B200-SXM-180', nvswitch('NVLink5', true), pcie('PCIe5-x16', 2), 2, 'xGMI-sockets', 8, 'NDR', DGX),
  node('dgx-b300', 8, 'B300-SXM-288', nvswitch('NVLink5', true), pcie('PCIe6-x16', 1), 2, 'xGMI-sockets', 8, 'XDR', DGX),
  node('gb200-nvl72', 4, 'GB200-186', nvswitch('NVLink5', true), host('NVLink-C2C', 'PCIe5-x16'), 2, 'Grace-NVLink', 4, 'NDR', 'NVIDIA GB200 NVL72 product page: 18 trays of 4 GPUs on one NVLink switch', { nodesPerDomain: 18 }),
  node('gb300-nvl72', 4, 'GB300-288', nvswitch('NVLink5', true), host('NVLink-C2C', 'PCIe6-x16'), 2, 'Grace-NVLink', 4, 'XDR', 'NVIDIA GB300 NVL72 product page', { nodesPerDomain: 18 }),
  node('gb200-nvl4', 4, 'GB200-186', { kind: 'all-to-all', link: { ...linkNamed('NVLink5'), bandwidth: 300e9 } }, host('NVLink-C2C', 'PCIe6-x16'), 2, 'Grace-NVLink', 4, 'XDR', 'NVIDIA GB200 NVL4 announcement'),
  node('lumi-g', 8, 'MI250X-GCD', { kind: 'mesh', link: linkNamed('xGMI3'), pairs: MI250X_MESH }, onGpu('PCIe4-x16'), 1, undefined, 4, 'Slingshot-11', 'LUMI documentation: four NICs, one per MI250X module'),
  node('mi300a-quad', 4, 'MI300A', allToAll('xGMI-MI300A'), onGpu('PCIe4-x16'), 4, undefined, 4, 'Slingshot-11', 'HLRS Hunter documentation'),
  node('mi300x-8', 8, 'MI300X', allToAll('xGMI4'), pcie('PCIe5-x16', 1), 2, 'xGMI-sockets', 8, 'RoCE-400', 'AMD MI300X platform data sheet'),
  node('mi325x-8', 8, 'MI325X', allToAll('xGMI4'), pcie('PCIe5-x16', 1), 2, 'xGMI-sockets', 8, 'RoCE-400', 'AMD MI325X platform data sheet'),
  node('mi355x-8', 8, 'MI355X', { kind: 'all-to-all', link: { ...linkNamed('xGMI4'), bandwidth: 76.8e9 } }, pcie('PCIe5-x16', 1), 2, 'xGMI-sockets', 8, 'RoCE-400', 'AMD MI355X platform data sheet'),
  node('pvc-quad', 8, 'PVC-1550-stack', { kind: 'mesh', link: linkNamed('XeLink'), pairs: PVC_MESH }, pcie('PCIe5-x16', 2), 2, 'UPI', 4, 'HDR', 'Cambridge Dawn description'),
  node('l40s-8', 8, 'L40S', NONE, pcie('PCIe4-x16', 4), 2, 'xGMI-sockets', 2, 'RoCE-200', 'typical PCIe server (general knowledge)'),
  node('rtx4090-4', 4, 'RTX-4090', NONE, pcie('PCIe4-x16', 2), 1, undefined, 1, 'Ethernet-TCP-100', 'typical workstation server (general knowledge)'),
  node('aws-p4d', 8, 'A100-SXM-40', nvswitch('NVLink3', false), pcie('PCIe4-x16', 2), 2, 'UPI', 4, 'EFA-100', CLOUD),
  node('aws-p5', 8, 'H100-SXM-80', nvswitch('NVLink4', true), pcie('PCIe5-x16', 2), 2, 'xGMI-sockets', 8, 'EFA-400', `${CLOUD}; 32 cards of 100 Gb/s as 8 of 400`),
  node('azure-nd-h100-v5', 8, 'H100-SXM-80', nvswitch('NVLink4', true), pcie('PCIe5-x16', 2), 2, 'UPI', 8, 'NDR', CLOUD),
  node('gcp-a3-mega', 8, 'H100-SXM-80', nvswitch('NVLink4', true), pcie('PCIe5-x16', 2), 2, 'UPI', 8, 'RoCE-200', CLOUD),
];
