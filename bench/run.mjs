// Prints the speeds that the README speaks of, as a table with machine and version. Run: npm run bench
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { gzipSync } from 'node:zlib';
import { buildRailOptimised, computeRoutes, createFabric, placeJob, prepareCollective } from 'fabricplan';
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
