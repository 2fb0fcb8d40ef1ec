import { appendTo } from '../topology/append-to.js';
import { FabricPlanError } from '../../errors.js';
import { createFabric } from '../../fabric/create-fabric.js';
import type { NcclPci, NcclTopology } from '../../nccl/types.js';
import { ncclTopologyOf } from '../../nccl/topology-of-fabric.js';
import { fabricOfTopology } from '../topology/fabric-of-topology.js';
import type { Attributes, Topology, TopologyDevice, TopologyLink } from '../topology/types.js';
import { escapeXml } from './graph-xml.js';
import type { Written } from './types.js';

/**
 * NCCL topology XML of one host. A topology that was read from such a file is written with all of its attributes and reads back the same;
 * any other needs rates, and the GPU models that tell the generation.
 */
export function writeNcclTopology(topology: Topology): Written {
  const gpus = topology.devices.filter(({ kind }) => kind === 'gpu');
  // Only such files give their CPUs with NCCL's attributes.
  if (topology.devices.some(({ attributes }) => attributes !== undefined && Object.keys(attributes).some((key) => key.startsWith('cpu.'))))
    return { text: rewrite(topology), lost: [] };
  const hosts = new Set(gpus.map(({ location }) => location.join('/')));
  if (gpus.length === 0)
    throw new FabricPlanError('unsupported', 'writeTopology: the topology shows no GPU; nccl-topology needs the inside of a host');
  const [host] = hosts;
  const own = gpus.filter(({ location }) => location.join('/') === host).map(({ id }) => id);
  const { fabric } = fabricOfTopology(topology);
  return {
    text: formatNcclTopology(ncclTopologyOf(createFabric(fabric), own)),
    lost: hosts.size > 1 ? [`all hosts but ${host}`] : ['names of devices: NCCL knows bus ids'],
  };
}

/** XML of a topology as NCCL's search takes it. */
export function formatNcclTopology({ cpus }: NcclTopology): string {
  const lines: string[] = ['<system version="1">'];
  const net = (one: NcclTopology['cpus'][number]['nets'][number]): string =>
    `<net name="${escapeXml(one.name)}" dev="${one.device}" speed="${Math.round(one.megabitsPerSecond)}" port="${one.port}" latency="${one.latency * 1e6}" guid="${escapeXml(one.guid)}" gdr="${one.gpuDirect ? 1 : 0}" coll="${one.collNet ? 1 : 0}"/>`;
  const pci = (one: NcclPci, indent: string): void => {
    const { speed, width } = pcieText(one.bandwidth);
    lines.push(
      `${indent}<pci busid="${escapeXml(one.busId)}" class="${escapeXml(one.deviceClass)}" link_speed="${speed}" link_width="${width}">`,
    );
    if (one.gpu !== undefined) {
      const { gpu } = one;
      lines.push(
        `${indent}  <gpu dev="${gpu.device}" sm="${gpu.computeCapability}" rank="${gpu.rank}" gdr="${gpu.gpuDirect ? 1 : 0}"${gpu.architecture === undefined ? '' : ` gcn="${escapeXml(gpu.architecture)}"`}>`,
      );
      for (const link of gpu.nvlinks)
        lines.push(
          `${indent}    <${gpu.vendor === 'amd' ? 'xgmi' : 'nvlink'} target="${escapeXml(link.target)}" count="${link.count}" tclass="${escapeXml(link.targetClass)}"/>`,
        );
      lines.push(`${indent}  </gpu>`);
    }
    if (one.nets.length > 0) lines.push(`${indent}  <nic>${one.nets.map(net).join('')}</nic>`);
    for (const child of one.children) pci(child, `${indent}  `);
    lines.push(`${indent}</pci>`);
  };
  for (const cpu of cpus) {
    const arch = { x86: 'x86_64', arm: 'arm64', power: 'ppc64' }[cpu.architecture];
    const vendor = { intel: 'GenuineIntel', amd: 'AuthenticAMD', zhaoxin: 'CentaurHauls', other: 'other' }[cpu.vendor];
    lines.push(`  <cpu numaid="${cpu.numa}" arch="${arch}" vendor="${vendor}" familyid="${cpu.family}" modelid="${cpu.model}">`);
    for (const one of cpu.pci) pci(one, '    ');
    if (cpu.nets.length > 0) lines.push(`    <nic>${cpu.nets.map(net).join('')}</nic>`);
    lines.push('  </cpu>');
  }
  lines.push('</system>');
  return `${lines.join('\n')}\n`;
}

/** Transfer rate and lanes that NCCL counts as so many bytes per second. */
function pcieText(bandwidth: number): { speed: string; width: number } {
  const steps: readonly (readonly [string, number])[] = [
    ['2.5', 15],
    ['5.0', 30],
    ['8.0', 60],
    ['16.0', 120],
    ['32.0', 240],
    ['64.0', 480],
  ];
  for (const width of [16, 8, 4, 2, 1])
    for (const [speed, unit] of steps)
      if (Math.abs((width * unit) / 80 - bandwidth / 1e9) < 1e-6) return { speed: `${speed} GT/s PCIe`, width };
  return { speed: '8.0 GT/s PCIe', width: Math.max(1, Math.min(64, Math.round((bandwidth / 1e9) * (80 / 60)))) };
}

/** Attributes under a prefix as XML. */
const attributesOf = (attributes: Attributes | undefined, prefix: string): string =>
  Object.entries(attributes ?? {})
    .filter(([key]) => key.startsWith(prefix))
    .map(([key, value]) => ` ${key.slice(prefix.length)}="${escapeXml(String(value))}"`)
    .join('');

/** The file again: the tree of PCIe links, and the attributes of every element. */
function rewrite(topology: Topology): string {
  const byId = new Map(topology.devices.map((device) => [device.id, device]));
  const children = new Map<string, string[]>();
  const isChild = new Set<string>();
  const touching = new Map<string, TopologyLink[]>();
  for (const link of topology.links) {
    const element = link.attributes?.['element'];
    if (element !== undefined) {
      const isPair = byId.get(link.target)?.kind === 'gpu' && link.duplex !== false;
      for (const end of isPair && element !== 'pcilink' && element !== 'c2c'
        ? [link.source, link.target]
        : [element === 'c2c' ? link.target : link.source])
        appendTo(touching, end, link);
    } else if (link.technology !== 'socket') {
      appendTo(children, link.source, link.target);
      isChild.add(link.target);
    }
  }
  const lines: string[] = [];
  const busOf = (id: string): string => String(byId.get(id)?.attributes?.['pci.busid'] ?? byId.get(id)?.attributes?.['far.busid'] ?? '');
  const links = (device: TopologyDevice, indent: string): void => {
    for (const link of touching.get(device.id) ?? []) {
      const { element, target, ...rest } = link.attributes as Record<string, string>;
      const far = link.source === device.id ? target : busOf(link.source);
      lines.push(
        `${indent}<${element}${element === 'c2c' ? '' : ` target="${escapeXml(far)}"`}${Object.entries(rest)
          .map(([key, value]) => ` ${key}="${escapeXml(value)}"`)
          .join('')}/>`,
      );
    }
  };
  const nets = (device: TopologyDevice, indent: string): void => {
    const own = device.attributes ?? {};
    const count = new Set(Object.keys(own).flatMap((key) => /^net(\d+)\./.exec(key)?.[1] ?? [])).size;
    if (count === 0 && !Object.keys(own).some((key) => key.startsWith('nic.'))) return;
    const attributes = attributesOf(own, 'nic.').replace(/ direct="true"/, '');
    lines.push(`${indent}<nic${attributes}>`);
    for (let i = 0; i < count; i++) lines.push(`${indent}  <net${attributesOf(own, `net${i}.`)}/>`);
    lines.push(`${indent}</nic>`);
  };
  const visit = (id: string, indent: string): void => {
    const device = byId.get(id)!;
    const own = device.attributes ?? {};
    if (own['nic.direct'] === true) {
      nets(device, indent);
      return;
    }
    lines.push(`${indent}<pci${attributesOf(own, 'pci.')}>`);
    if (Object.keys(own).some((key) => key.startsWith('gpu.'))) {
      lines.push(`${indent}  <gpu${attributesOf(own, 'gpu.')}>`);
      links(device, `${indent}    `);
      lines.push(`${indent}  </gpu>`);
    } else links(device, `${indent}  `);
    nets(device, `${indent}  `);
    for (const child of children.get(id) ?? []) visit(child, `${indent}  `);
    lines.push(`${indent}</pci>`);
  };
  lines.push(`<system${attributesOf(topology.attributes, 'system.') || ' version="1"'}>`);
  for (const device of topology.devices) {
    if (device.kind === 'cpu' && device.attributes?.['far.busid'] === undefined) {
      lines.push(`  <cpu${attributesOf(device.attributes, 'cpu.')}>`);
      for (const child of children.get(device.id) ?? []) visit(child, '    ');
      lines.push('  </cpu>');
    } else if (
      !isChild.has(device.id) &&
      device.kind !== 'cpu' &&
      device.attributes?.['far.busid'] === undefined &&
      (device.attributes?.['pci.busid'] !== undefined || device.attributes?.['nic.direct'] === true)
    )
      visit(device.id, '  ');
  }
  lines.push('</system>');
  return `${lines.join('\n')}\n`;
}
