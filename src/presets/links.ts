import type { LinkShape } from '../fabric/builders/node.js';

/** A link technology: rate of one direction of one cable, one-way latency of the hop with its port, share of the rate that bulk transfers reach. */
export interface LinkPreset extends LinkShape {
  readonly name: string;
  readonly technology: string;
  readonly source: string;
}

const link = (name: string, bandwidth: number, latency: number, efficiency: number, source: string): LinkPreset => ({ name, technology: name, bandwidth, latency, efficiency, source });

const NVLINK = 'NVIDIA data sheets (halved: they state both directions); efficiency = measured ring bus bandwidth over nominal on one node (nccl-tests)';
const PCIE = 'PCI-SIG rates after encoding, x16; efficiency of large transfers with 256-byte payloads (general knowledge)';
const IB = 'NVIDIA networking data sheets; efficiency = measured ring bus bandwidth over nominal NIC rate, 3 and more nodes (nccl-tests)';

/** Link technologies. 300 GB/s of NVLink 3 is 12 links × 25 GB/s a direction; 400 Gb/s is 50 GB/s. */
export const LINKS: readonly LinkPreset[] = [
  link('NVLink2', 25e9, 0.35e-6, 0.8, `${NVLINK}; per link`),
  link('NVLink2-x6', 150e9, 0.35e-6, 0.8, NVLINK),
  link('NVLink3', 300e9, 0.3e-6, 0.77, NVLINK),
  link('NVLink3-A800', 200e9, 0.3e-6, 0.77, `${NVLINK}; eight of twelve links`),
  link('NVLink4-H800', 200e9, 0.25e-6, 0.81, `${NVLINK}; eight of eighteen links`),
  link('NVLink3-pair-of-4', 100e9, 0.5e-6, 0.77, `${NVLINK}; four links between each pair of a four-GPU board`),
  link('NVLink4', 450e9, 0.25e-6, 0.81, NVLINK),
  link('NVLink4-pair-of-4', 150e9, 0.45e-6, 0.81, `${NVLINK}; six links between each pair of a four-GPU board`),
  link('NVLink5', 900e9, 0.25e-6, 0.76, NVLINK),
  link('NVLink-C2C', 450e9, 0.2e-6, 0.9, 'NVIDIA Grace Hopper architecture white paper: 900 GB/s both directions'),
  link('xGMI3', 50e9, 0.5e-6, 0.72, 'AMD CDNA 2 white paper: 50 GB/s a direction and link'),
  link('xGMI4', 64e9, 0.5e-6, 0.75, 'AMD CDNA 3 white paper: 64 GB/s a direction and link; efficiency from a pair of MI300X (48 GB/s)'),
  link('xGMI-MI300A', 128e9, 0.5e-6, 0.75, 'AMD CDNA 3 white paper: two x16 links between each pair of four'),
  link('XeLink', 26.5e9, 0.6e-6, 0.75, 'Intel data centre GPU Max brief: 26.5 GB/s a direction and port'),
  link('PCIe3-x16', 15.75e9, 0.35e-6, 0.8, PCIE),
  link('PCIe4-x16', 31.5e9, 0.3e-6, 0.85, PCIE),
  link('PCIe5-x16', 63e9, 0.25e-6, 0.85, PCIE),
  link('PCIe6-x16', 121e9, 0.25e-6, 0.85, PCIE),
  link('UPI', 20.8e9, 0.3e-6, 0.8, 'Intel Xeon Scalable: two UPI links of 10.4 GT/s (general knowledge)'),
  link('xGMI-sockets', 64e9, 0.3e-6, 0.8, 'AMD EPYC: three to four socket links (general knowledge)'),
  link('Grace-NVLink', 100e9, 0.3e-6, 0.8, 'coherent NVLink between superchips of a quad board (general knowledge)'),
  link('OmniPath-100', 12.5e9, 0.8e-6, 0.85, 'Intel Omni-Path 100 series brief'),
  link('HDR100', 12.5e9, 0.6e-6, 0.92, IB),
  link('HDR', 25e9, 0.6e-6, 0.95, IB),
  link('NDR200', 25e9, 0.6e-6, 0.95, IB),
  link('NDR', 50e9, 0.6e-6, 0.95, IB),
  link('XDR', 100e9, 0.6e-6, 0.95, IB),
  link('Slingshot-11', 25e9, 0.8e-6, 0.92, 'HPE Slingshot brief; efficiency = Alps all-reduce at 4 to 64 nodes over nominal'),
  link('RoCE-100', 12.5e9, 0.8e-6, 0.9, 'RoCEv2, 100 Gb/s'),
  link('RoCE-200', 25e9, 0.8e-6, 0.9, 'RoCEv2, 200 Gb/s'),
  link('RoCE-400', 50e9, 0.8e-6, 0.9, 'RoCEv2, 400 Gb/s'),
  link('RoCE-800', 100e9, 0.8e-6, 0.9, 'RoCEv2, 800 Gb/s'),
  link('EFA-100', 12.5e9, 6e-6, 0.75, 'AWS EFA; efficiency 0.6–0.9 measured (nccl-tests)'),
  link('EFA-400', 50e9, 6e-6, 0.75, 'AWS EFA; efficiency 0.6–0.9 measured (nccl-tests)'),
  link('Ethernet-TCP-100', 12.5e9, 15e-6, 0.7, '100 Gb/s sockets (general knowledge)'),
  link('wave-100', 12.5e9, 5e-6, 0.9, '100G coherent wave; planning factor for a dedicated lossless wave 0.90–0.95 (estimate)'),
  link('wave-400', 50e9, 5e-6, 0.9, '400ZR+ coherent wave; the same planning factor'),
  link('wave-800', 100e9, 5e-6, 0.9, '800ZR+ coherent wave; the same planning factor'),
];
