// Prints how fast topology files are read, with machine and version. Run: npm run build:fast && node bench/topologies.mjs
import { cpus } from 'node:os';
import { composeTopologies, fabricOfTopology, insideOfPreset, readTopology, writeTopology } from '../dist/formats/index.js';

const hex = (n) => n.toString(16).padStart(16, '0');

/** A two-tier InfiniBand fabric as ibnetdiscover prints it, about so many lines. */
function subnet(lines) {
  const leaves = Math.round(lines / 140);
  const out = ['# Topology file: generated on Tue Nov 24 12:00:00 2026'];
  const cas = [];
  const spine = (s) => `0b${hex(s).slice(2)}`;
  const leaf = (l) => `0c${hex(l).slice(2)}`;
  const host = (l, h) => `0a${hex(l * 32 + h).slice(2)}`;
  for (let l = 0; l < leaves; l++) {
    out.push(
      '',
      `switchguid=0x${leaf(l)}(${leaf(l)})`,
      `Switch\t65 "S-${leaf(l)}"\t\t# "MF0;leaf${l}:MQM9700/U1" enhanced port 0 lid ${l + 1} lmc 0`,
    );
    for (let h = 0; h < 32; h++) {
      out.push(`[${h + 1}]\t"H-${host(l, h)}"[1](${host(l, h)}) \t\t# "n${l * 4 + (h >> 3)} mlx5_${h & 7}" lid ${h + 9} 4xNDR`);
      cas.push(
        '',
        `Ca\t1 "H-${host(l, h)}"\t\t# "n${l * 4 + (h >> 3)} mlx5_${h & 7}"`,
        `[1](${host(l, h)}) \t"S-${leaf(l)}"[${h + 1}]\t\t# lid ${h + 9} lmc 0 "MF0;leaf${l}:MQM9700/U1" lid ${l + 1} 4xNDR`,
      );
    }
    for (let s = 0; s < 8; s++) out.push(`[${33 + s}]\t"S-${spine(s)}"[${l + 1}]\t\t# "MF0;spine${s}:MQM9700/U1" lid ${s + 7000} 4xNDR`);
  }
  for (let s = 0; s < 8; s++) {
    out.push('', `Switch\t65 "S-${spine(s)}"\t\t# "MF0;spine${s}:MQM9700/U1" enhanced port 0 lid ${s + 7000} lmc 0`);
    for (let l = 0; l < leaves; l++) out.push(`[${l + 1}]\t"S-${leaf(l)}"[${33 + s}]\t\t# "MF0;leaf${l}:MQM9700/U1" lid ${l + 1} 4xNDR`);
  }
  return [...out, ...cas].join('\n');
}

/** A dump of Kubernetes nodes with as much beside the labels as real ones carry. */
const nodes = (count, ballast) => ({
  apiVersion: 'v1',
  kind: 'List',
  items: Array.from({ length: count }, (_, i) => ({
    apiVersion: 'v1',
    kind: 'Node',
    metadata: {
      name: `n${i}`,
      annotations: { note: 'x'.repeat(ballast) },
      labels: {
        'kubernetes.io/hostname': `n${i}`,
        'topology.kubernetes.io/zone': 'z1',
        'network.topology.nvidia.com/spine': `s${i >> 9}`,
        'network.topology.nvidia.com/leaf': `l${i >> 5}`,
        'nvidia.com/gpu.product': 'NVIDIA-H100-80GB-HBM3',
      },
    },
    status: { allocatable: { 'nvidia.com/gpu': '8', cpu: '192' }, conditions: [{ type: 'Ready', status: 'True' }] },
  })),
});

const rows = [];
function time(what, text, aim, run = () => readTopology(text)) {
  const start = performance.now();
  const result = run();
  rows.push(`| ${what} | ${(text.length / 1e6).toFixed(1)} MB | ${((performance.now() - start) / 1000).toFixed(2)} s | ${aim} |`);
  return result;
}

const scan = subnet(100_000);
time(`ibnetdiscover, ${scan.split('\n').length} lines`, scan, '1 s');
const json = JSON.stringify(nodes(10_000, 8000), null, 2);
const cluster = time('10,000 Kubernetes nodes, JSON', json, '2 s');
const yaml = writeTopology(cluster, 'kubernetes').text;
time('10,000 Kubernetes nodes, YAML', yaml, '2 s');
const tree = writeTopology(cluster, 'slurm-conf').text;
const slurm = time('Slurm tree of 10,000 nodes', tree, '–');
time('  composed with the inside of a node and made a fabric of 80,000 GPUs', tree, '–', () =>
  fabricOfTopology(composeTopologies([slurm, insideOfPreset('dgx-h100')]), { oversubscription: 2 }),
);
console.log(
  `${cpus().length} × ${cpus()[0].model}, Node ${process.versions.node}\n\n| what | size | time | aim |\n| --- | --- | --- | --- |\n${rows.join('\n')}`,
);
