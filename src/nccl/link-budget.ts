import { LINK, type Path, type System, type SystemLink, type SystemNode } from './system.js';
import { PATH } from './types.js';

/** GB/s of a GPU's PCIe link. */
export function pciBandwidth(gpu: SystemNode): number {
  return gpu.links.reduce((most, link) => (link.kind === LINK.pci ? Math.max(most, link.bandwidth) : most), 0);
}

/** Takes a rate from the first links of a path; returns how many had room. */
export function follow(system: System, path: Path, from: SystemNode, most: number, gbps: number): number {
  // GPU-to-GPU traffic through the root complex of Intel CPUs costs a fifth more.
  const throughIntel =
    path.kind === PATH.PHB &&
    from.kind === 'gpu' &&
    system.architecture === 'x86' &&
    path.links.some(({ target }) => target.kind === 'cpu' && target.cpu?.vendor === 'intel');
  let node = from;
  for (let step = 0; step < most; step++) {
    const link = path.links[step];
    const forward = link.kind === LINK.pci && throughIntel ? gbps * 1.2 : gbps;
    let backward = 0;
    let reverse: SystemLink | undefined;
    // Before Ampere a GPU answers writes with flow control worth an eighth; POWER CPUs take NVLink both ways.
    if (link.target.kind === 'gpu' && (link.target.gpu?.cc ?? 80) < 80 && from.kind !== 'gpu') backward += forward / 8;
    if (link.target.kind === 'cpu' && link.target.cpu?.architecture === 'power' && link.kind === LINK.nvlink) backward += forward;
    if (backward !== 0) reverse = link.target.links.find((one) => one.target === node && one.kind === link.kind);
    if (link.bandwidth < forward || (reverse !== undefined && reverse.bandwidth < backward)) return step;
    link.bandwidth = rounded(link.bandwidth - forward);
    if (reverse !== undefined) reverse.bandwidth = rounded(reverse.bandwidth - backward);
    node = link.target;
  }
  return most;
}

/** Links are tracked to a thousandth of a GB/s, so that giving back restores them. */
const rounded = (gbps: number): number => Math.round(gbps * 1000) / 1000;
