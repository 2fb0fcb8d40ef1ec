// Prints the speeds that the README speaks of, as a table with machine and version. Run: npm run bench
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { gzipSync } from 'node:zlib';
import {
  buildMultiSite,
  buildRailOptimised,
  collectiveOptimum,
  computeRoutes,
  createFabric,
  estimateCollective,
  estimateMemory,
  prepareStep,
  placeJob,
  prepareCollective,
} from 'fabricplan';
import { readFabric } from 'fabricplan/formats';
import { ncclTimes, ncclTopologyOf, NCCL_COLLECTIVES, NCCL_SIZES, searchNcclGraphs, tuneNccl } from 'fabricplan/nccl';
import { preparePrediction } from 'fabricplan/prediction';
import { optimalSchedule } from 'fabricplan/schedules';
import { simulateCollective } from 'fabricplan/simulate';
import { buildSystem, modelPreset, nodePreset } from 'fabricplan/presets';

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
const rows = [];
const milliseconds = (run, times = 1) => {
  const all = [];
  for (let i = 0; i < times; i++) {
    const start = performance.now();
    run();
    all.push(performance.now() - start);
  }
  return all.sort((a, b) => a - b)[Math.floor(all.length / 2)];
};
const row = (what, value, unit, target) => rows.push([what, `${value < 10 ? value.toFixed(2) : value.toFixed(0)} ${unit}`, target]);
const importing = (what) => {
  const script = `const t = performance.now(); await import('${what}'); process.stdout.write(String(performance.now() - t));`;
  const all = Array.from({ length: 5 }, () =>
    Number(spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' }).stdout),
  );
  return all.sort((a, b) => a - b)[2];
};

row('import the root entry', importing('fabricplan'), 'ms', '60 ms');
row(
  'root entry without dependencies, gzip',
  gzipSync(readFileSync(new URL('../dist/index.js', import.meta.url))).length / 1000,
  'kB',
  'see size-limit',
);

const start = performance.now();
const spec = buildRailOptimised({ node: nodePreset('dgx-h100'), nodes: 12_500, unitsPerPod: 32 });
const big = createFabric(spec);
const routes = computeRoutes(big);
row('100,000 GPUs, three tiers: build, validate, index', (performance.now() - start) / 1000, 's', '5 s');
globalThis.gc?.();
row('  memory afterwards', process.memoryUsage().rss / 1e9, 'GB', '2 GB');
const all = big.gpuIds;
row(
  '  all-reduce over all, first time',
  milliseconds(() => prepareCollective(routes, { operation: 'all-reduce', ranks: all }).seconds(2 ** 30)) / 1000,
  's',
  '',
);
row(
  '  all-reduce over all, indexed',
  milliseconds(() => prepareCollective(routes, { operation: 'all-reduce', ranks: all }).seconds(2 ** 30), 3) / 1000,
  's',
  '1 s',
);
for (const [n, target] of [
  [8, ''],
  [64, ''],
  [1024, '5 ms'],
]) {
  const ranks = all.slice(0, n);
  const question = () => prepareCollective(routes, { operation: 'all-reduce', ranks }).seconds(2 ** 30);
  milliseconds(question, 5);
  row(`  all-reduce over ${n}, prepared and estimated`, milliseconds(question, 21), 'ms', target);
  const prepared = prepareCollective(routes, { operation: 'all-reduce', ranks });
  row(`  all-reduce over ${n}, one more size`, milliseconds(() => prepared.estimate(2 ** 20), 101) * 1000, 'us', '');
}
const ranks = all.slice(0, 1024);
const exchange = () => prepareCollective(routes, { operation: 'all-to-all', ranks }).seconds(2 ** 30);
milliseconds(exchange, 3);
row('  all-to-all over 1024', milliseconds(exchange, 11), 'ms', '50 ms');

const few = computeRoutes(createFabric(buildSystem('jupiter-booster', { gpus: 1024 })));
for (const [n, operation, target] of [
  [8, 'all-reduce', '5 us'],
  [64, 'all-reduce', '50 us'],
  [1024, 'all-reduce', '5 ms'],
  [1024, 'all-to-all', '50 ms'],
]) {
  const subject = { operation, ranks: few.fabric.gpuIds.slice(0, n) };
  for (let i = 0; i < 20_000; i++) estimateCollective(few, { ...subject, bytes: 1e6 + i });
  const each = milliseconds(() => {
    for (let i = 0; i < 1000; i++) estimateCollective(few, { ...subject, bytes: 1e6 + 17 * i });
  }, 11);
  row(`estimateCollective, ${operation} over ${n}, another size`, each, 'us', target);
}
const record = {
  gpu: 'H100-SXM5-80GB',
  gpusPerNode: 8,
  scaleUp: { kind: 'nvswitch', bandwidthPerGpu: 450e9, inSwitchReduction: true },
  scaleOut: { transport: 'infiniband', bandwidthPerNode: 400e9, nicsPerNode: 8 },
};
const predictor = preparePrediction({ hardware: record, operation: 'all-reduce', ranks: 64, nodes: 8 });
row(
  'measured model, one size with its range',
  milliseconds(() => {
    for (let i = 0; i < 1000; i++) predictor.at(1e6 + i);
  }, 11),
  'us',
  '',
);
const box = createFabric(buildRailOptimised({ node: nodePreset('dgx-h100'), nodes: 2, unitsPerPod: 1, nodesPerUnit: 2 }));
const inside = ncclTopologyOf(box, box.gpuIds.slice(0, 8));
row(
  'NCCL search, 8 GPUs, several nodes',
  milliseconds(() => searchNcclGraphs(inside, 2), 3),
  'ms',
  '',
);
const graphs = searchNcclGraphs(inside, 16);
const wholeTable = () => {
  const tuning = tuneNccl(graphs);
  for (const collective of NCCL_COLLECTIVES) for (const bytes of NCCL_SIZES) ncclTimes(tuning, collective, bytes);
};
for (let i = 0; i < 2000; i++) wholeTable();
row('NCCL tuner, full table of one node count', milliseconds(wholeTable, 201) * 1000, 'us', '50 us');

/** Eight GPUs a node behind an NVSwitch, one NIC each, rails of leaves under eight spines; perhaps one link at half rate. */
const graph = (nodes, isSick) => {
  const gpus = [];
  const links = [];
  const both = (a, b, rate) => links.push([a, b, rate], [b, a, rate]);
  for (let n = 0; n < nodes; n++)
    for (let g = 0; g < 8; g++) {
      gpus.push(`${n}.${g}`);
      both(`${n}.${g}`, `${n}.nv`, 450);
      both(`${n}.${g}`, `leaf${g}.${n >> 5}`, isSick && n === 3 && g === 2 ? 25 : 50);
    }
  for (let g = 0; g < 8; g++)
    for (let l = 0; l <= (nodes - 1) >> 5; l++) for (let s = 0; s < 8; s++) both(`leaf${g}.${l}`, `spine${s}`, 200);
  return readFabric(JSON.stringify({ gpus, links })).fabric;
};
for (const [nodes, isSick, target, times] of [
  [2, false, '5 ms', 21],
  [16, false, '100 ms', 11],
  [128, false, '2000 ms', 1],
  [128, true, '60000 ms', 1],
]) {
  const fabric = graph(nodes, isSick);
  row(
    `all-gather optimum, ${nodes} x 8${isSick ? ', one sick link' : ''}`,
    milliseconds(() => collectiveOptimum(fabric, { operation: 'all-gather', ranks: fabric.gpuIds }), times),
    'ms',
    target,
  );
  if (nodes <= 16)
    row(
      `  a schedule that reaches it`,
      milliseconds(() => optimalSchedule(fabric, { operation: 'all-gather', ranks: fabric.gpuIds })),
      'ms',
      '',
    );
}
for (const [n, target] of [
  [256, '50 ms'],
  [1024, '1000 ms'],
]) {
  const star = computeRoutes(
    readFabric(
      JSON.stringify({
        gpus: Array.from({ length: n }, (_, i) => `g${i}`),
        links: Array.from({ length: n }, (_, i) => [
          [`g${i}`, 's', 50],
          ['s', `g${i}`, 50],
        ]).flat(),
      }),
    ).fabric,
  );
  const subject = { operation: 'all-reduce', ranks: star.fabric.gpuIds, bytes: 2 ** 28, algorithm: 'ring' };
  row(
    `simulated ring over ${n}`,
    milliseconds(() => simulateCollective(star, subject), 5),
    'ms',
    target,
  );
}

// The search: whole answers, and time per candidate.
const search = (nodes, node, name, sequence, globalBatch, options, what, aim, perCandidate) => {
  const cluster = computeRoutes(createFabric(buildRailOptimised({ node: nodePreset(node), nodes })));
  const question = { model: modelPreset(name), sequence, globalBatch };
  let result;
  const all = Array.from({ length: 3 }, () => milliseconds(() => (result = placeJob(cluster, question, options)))).sort((a, b) => a - b);
  row(what, all[1] / 1000, 's', aim);
  row(`  per candidate, ${result.examined} of them`, (all[1] * 1000) / result.examined, 'us', perCandidate);
};
const SCHEDULES = ['1f1b', 'zero-bubble', 'gpipe'];
search(32, 'dgx-h100', 'llama-3.1-8b', 8192, 512, {}, 'search, Llama 3.1 8B on 256 GPUs', '', '50 us');
search(64, 'dgx-a100-80', 'gpt3-175b', 2048, 1536, { schedules: SCHEDULES }, 'search, GPT-3 175B on 512 GPUs, full space', '1 s', '50 us');
search(128, 'dgx-h100', 'deepseek-v3', 4096, 4096, {}, 'search, DeepSeek-V3 on 1,024 GPUs', '', '50 us');
search(2048, 'dgx-h100', 'llama-3.1-405b', 8192, 2048, {}, 'search, Llama 3.1 405B on 16,384 GPUs', '5 s', '500 us');
{
  const ids = Array.from({ length: 8 }, (_, i) => `s${i}`);
  const federation = computeRoutes(
    createFabric(
      buildMultiSite({
        name: 'federation',
        sites: ids.map((id, i) => ({
          id,
          clusters: [
            buildRailOptimised({ name: id, site: id, node: nodePreset(i % 2 ? 'dgx-h100' : 'dgx-a100-80'), nodes: 1563, unitsPerPod: 32 }),
          ],
          access: { bandwidth: 50e9, latency: 1e-5 },
        })),
        links: ids.slice(1).map((to, i) => ({ from: ids[i], to, bandwidth: 50e9, latency: 5e-3 })),
      }),
    ),
  );
  let state = 7;
  const random = () => (state = (Math.imul(state, 1103515245) + 12345) >>> 0) / 2 ** 32;
  // Half of the nodes are busy; of the others every fifth has holes.
  const free = [];
  for (let node = 0; node < federation.fabric.gpuIds.length / 8; node++) {
    const draw = random();
    for (let g = 0; g < 8; g++) if (draw >= 0.5 && (draw >= 0.6 || random() >= 0.4)) free.push(federation.fabric.gpuIds[node * 8 + g]);
  }
  const question = { model: modelPreset('llama-3.1-70b'), sequence: 8192, globalBatch: 1024 };
  row(
    `search, 1,024 of ${free.length} free GPUs of a federation of ${federation.fabric.gpuIds.length} with holes`,
    milliseconds(() => placeJob(federation, question, { free, gpus: 1024 })) / 1000,
    's',
    '2 s',
  );
}
{
  const cluster = computeRoutes(createFabric(buildSystem('jean-zay-h100', { gpus: 64 })));
  const question = { model: modelPreset('llama-3.1-70b'), sequence: 4096, globalBatch: 512 };
  const parallelism = { tensor: 4, pipeline: 4, data: 4, interleave: 2 };
  milliseconds(() => estimateMemory(question, parallelism), 200);
  row('memory of one candidate, every stage', milliseconds(() => estimateMemory(question, parallelism), 501) * 1000, 'us', '');
  const step = prepareStep(cluster, question, { parallelism, gpus: cluster.fabric.gpuIds });
  milliseconds(() => step(), 200);
  row('a step on prepared links, memory and range included', milliseconds(() => step(), 501) * 1000, 'us', '50 us');
}
const jupiter = computeRoutes(createFabric(buildSystem('jupiter-booster', { gpus: 10_000 })));
const job = { model: modelPreset('llama-3.1-70b'), sequence: 4096, globalBatch: 1024 };
row('placement of 1,024 of 10,000 GPUs, first time', milliseconds(() => placeJob(jupiter, job, { gpus: 1024 })) / 1000, 's', '1 s');
const main = performance.now();
spawnSync(process.execPath, ['dist/cli/main.js', 'plan', 'docs/examples/european-collective.yaml', '--json'], { maxBuffer: 1e9 });
row('the main job', (performance.now() - main) / 1000, 's', '20 s');

console.log(
  `fabricplan ${version}, Node ${process.versions.node}, ${cpus().length} × ${cpus()[0].model}, ${(totalmem() / 2 ** 30).toFixed(0)} GiB\n`,
);
const width = Math.max(...rows.map(([what]) => what.length));
for (const [what, value, target] of rows)
  console.log(`${what.padEnd(width)}  ${value.padStart(10)}  ${target === '' ? '' : `(aim: ${target})`}`);
