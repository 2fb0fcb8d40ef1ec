// Writes docs/validation.md and its plots from the public data beside this repository. Run: npm run validation
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { collectiveOptimum, computeRoutes, createFabric, prepareCollective } from 'fabricplan';
import { calibrateSystem, crossValidate, curvePoints, fitPopulation, isStalled, summarise } from 'fabricplan/calibration';
import { parseNcclTopology, readFabric } from 'fabricplan/formats';
import { ncclTimes, onNodes, searchNcclGraphs, tabulateNccl, tuneNccl } from 'fabricplan/nccl';
import { gpuFamily, PARAMETERS, predictCollective } from 'fabricplan/prediction';
import { curveChart } from 'fabricplan/report';
import { optimalSchedule, packAllReduceTrees } from 'fabricplan/schedules';
import { bytesInFlight, simulateCollective } from 'fabricplan/simulate';
import { hasRuns } from './training-runs.mjs';
import { writeTraining } from './validation-training.mjs';
import { DATA, hasData, isFitted, measuredRows, trustOf } from './measured-rows.mjs';

if (!hasData()) {
  console.log('validation: the public measurements (../shared/data) are not beside this repository; docs/validation.md stays as it is');
  process.exit(0);
}
const DOCS = new URL('../docs/', import.meta.url);
const MIB64 = 64 * 2 ** 20;
const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
const lines = [];
const write = (...text) => lines.push(...text);
const table = (head, rows) =>
  write(
    `| ${head.join(' | ')} |`,
    `| ${head.map((_, i) => (i === 0 ? '---' : '---:')).join(' | ')} |`,
    ...rows.map((row) => `| ${row.join(' | ')} |`),
    '',
  );
const times = (value) => `×${value.toFixed(value < 10 ? 3 : 1)}`;
const percent = (share) => `${(share * 100).toFixed(share === 1 || share === 0 ? 0 : 1)} %`;
const mean = (values) => values.reduce((a, b) => a + b, 0) / values.length;
const csv = (path) => {
  const [head, ...rows] = readFileSync(new URL(path, DATA), 'utf8')
    .trim()
    .split(/\r?\n/)
    .map((line) => line.split(','));
  return rows.map((cells) => Object.fromEntries(cells.map((cell, i) => [head[i], cell])));
};
const group = (items, key) => {
  const groups = new Map();
  for (const item of items) groups.set(key(item), [...(groups.get(key(item)) ?? []), item]);
  return groups;
};
/** Sets averaged within a system, systems with each other; items carry row and the log of predicted / measured. */
const errorOf = (items) =>
  Math.exp(
    mean(
      [...group(items, ({ row }) => row.system).values()].map((own) =>
        mean([...group(own, ({ row }) => row.set).values()].map((set) => mean(set.map(({ log }) => Math.abs(log))))),
      ),
    ),
  );
const logs = (validated) => validated.map((one) => ({ ...one, log: Math.log(one.prediction.seconds / one.row.seconds) }));

write(
  '# Validation',
  '',
  `Every figure on this page is written by \`npm run validation\` from public data that this repository does not contain (version ${version}, Node ${process.version}, ${cpus()[0].model.trim()}). Error of a set of rows: exp(mean \\|ln(predicted / measured)\\|), so ×1.10 is 10 % off either way; sets are averaged within a system and systems with each other.`,
  '',
);

// ── Measured model ─────────────────────────────────────────────────────────────────────────────────────────────────────────────────
const rows = measuredRows();
const points = curvePoints(rows.filter(isFitted), trustOf);
const population = fitPopulation(points);
const good = rows.filter((row) => row.group === 'good');
const judged = good.filter((row) => !isStalled(row));
const bare = logs(crossValidate(points, judged, 0, population.values));
const six = logs(crossValidate(points, judged, 6, population.values).filter(({ given }) => !given));
const big = (items) => items.filter(({ row }) => row.bytes >= MIB64);

/** NCCL's own tuner as a predictor: its search on a node made from the hardware record. */
const tunings = new Map();
function tunerSeconds({ subject, bytes }) {
  const { hardware, operation, ranks, nodes } = subject;
  const collective = { 'all-reduce': 'AllReduce', 'all-gather': 'AllGather', 'reduce-scatter': 'ReduceScatter' }[operation];
  if (collective === undefined || gpuFamily(hardware.gpu) === 'cdna' || gpuFamily(hardware.gpu) === 'other') return undefined;
  const key = JSON.stringify([hardware, ranks, nodes]);
  if (!tunings.has(key)) tunings.set(key, tuningOf(hardware, ranks, nodes));
  const tuning = tunings.get(key);
  if (tuning === undefined) return undefined;
  const found = ncclTimes(tuning, collective, bytes);
  const allowed = subject.ringOnly ? found.filter(({ algorithm }) => algorithm === 'RING') : found;
  return Math.min(...allowed.map(({ seconds }) => seconds));
}
function tuningOf(hardware, ranks, nodes) {
  const shared = hardware.scaleOut.transport === 'nvlink';
  const g = shared ? ranks : Math.round(ranks / nodes);
  const cc = { volta: 70, ampere: 80, hopper: 90, blackwell: 100 }[gpuFamily(hardware.gpu)];
  const perLink = cc >= 100 ? 50e9 : 25e9;
  const links = Math.round((hardware.scaleUp.bandwidthPerGpu ?? 0) / perLink);
  const pcie = `link_speed="${cc >= 90 ? '32.0' : cc >= 80 ? '16.0' : '8.0'} GT/s PCIe" link_width="16"`;
  const bus = (i) => `0000:${(i + 16).toString(16)}:00.0`;
  const byMesh = hardware.scaleUp.kind.startsWith('nvlink');
  const nvlinks = (i) =>
    links === 0
      ? ''
      : byMesh
        ? Array.from({ length: g }, (_, j) =>
            j === i ? '' : `<nvlink target="${bus(j)}" count="${Math.max(1, Math.round(links / Math.max(1, g - 1)))}" tclass="0x030200"/>`,
          ).join('')
        : `<nvlink target="0000:e0:00.0" count="${links}" tclass="0x068000"/>`;
  const nics = nodes > 1 && !shared ? (hardware.scaleOut.nicsPerNode ?? g) : 0;
  const rate = (hardware.scaleOut.bandwidthPerNode ?? (hardware.scaleOut.bandwidthPerNic ?? 12.5e9) * nics) / Math.max(1, nics);
  const perSwitch = Math.ceil(nics / g);
  let xml = '<system version="1"><cpu numaid="0" arch="x86_64" vendor="GenuineIntel" familyid="6" modelid="143">';
  for (let i = 0; i < g; i++) {
    xml += `<pci busid="${(i + 64).toString(16)}" class="0x060400" ${pcie}><pci busid="${bus(i)}" class="0x030200" ${pcie}><gpu dev="${i}" sm="${cc}" rank="${i}" gdr="1">${nvlinks(i)}</gpu></pci>`;
    for (let k = 0; k < perSwitch; k++) {
      const n = Math.floor((i * nics) / g) + k;
      if (n < nics && Math.floor((n * g) / nics) === i)
        xml += `<pci busid="n${n}" class="0x020000" ${pcie}><nic><net name="n${n}" dev="${n}" speed="${(rate * 8) / 1e6}" port="1" guid="0x${n + 1}" gdr="1"/></nic></pci>`;
    }
    xml += '</pci>';
  }
  xml += '</cpu></system>';
  try {
    const graphs = searchNcclGraphs(parseNcclTopology(xml, 'record'), shared ? 1 : Math.min(nodes, 2));
    return tuneNccl(shared || nodes <= 2 ? graphs : onNodes(graphs, nodes));
  } catch {
    return undefined;
  }
}
/** What a spreadsheet does: 85 % of the nominal rate and a fixed latency. */
function spreadsheetSeconds({ subject: { hardware, operation, ranks, nodes }, bytes }) {
  const shared = nodes === 1 || hardware.scaleOut.transport === 'nvlink';
  const rate = shared ? (hardware.scaleUp.bandwidthPerGpu ?? 24e9) : (hardware.scaleOut.bandwidthPerNode ?? 12.5e9 * hardware.gpusPerNode);
  const factor = ((operation === 'all-reduce' ? 2 : 1) * (ranks - 1)) / ranks;
  return (shared ? 15e-6 : 40e-6) + (bytes * factor) / (0.85 * rate);
}
const against = (predict) =>
  bare.flatMap(({ row }) => {
    const seconds = predict(row);
    return seconds === undefined ? [] : [{ row, log: Math.log(seconds / row.seconds) }];
  });
const tuner = against(tunerSeconds);
const sheet = against(spreadsheetSeconds);
const same = (items, others) => {
  const keep = new Set(others.map(({ row }) => row));
  return items.filter(({ row }) => keep.has(row));
};

write(
  '## Collectives: the measured model',
  '',
  `${points.size} systems give the constants; ${new Set(judged.map(({ system }) => system)).size} systems with clean curves are judged, each with constants learned from all others. Slingshot between 64 KiB and 4 MiB is reported apart.`,
  '',
);
table(
  ['predictor', 'all sizes', '64 MiB and above'],
  [
    ['measured model, system left out', times(errorOf(bare)), times(errorOf(big(bare)))],
    ['measured model, six sizes of each curve given', times(errorOf(six)), times(errorOf(big(six)))],
    ["NCCL's tuner (NVIDIA systems; not all-to-all)", times(errorOf(tuner)), times(errorOf(big(tuner)))],
    ['measured model on the same rows as the tuner', times(errorOf(same(bare, tuner))), times(errorOf(big(same(bare, tuner))))],
    ['spreadsheet: 85 % of nominal and a fixed latency', times(errorOf(sheet)), times(errorOf(big(sheet)))],
  ],
);
write('By GPU generation, systems left out:', '');
table(
  ['generation', 'systems', 'measured model', "NCCL's tuner"],
  ['volta', 'ampere', 'hopper', 'blackwell', 'cdna', 'other'].flatMap((family) => {
    const own = bare.filter(({ row }) => gpuFamily(row.subject.hardware.gpu) === family);
    const theirs = tuner.filter(({ row }) => gpuFamily(row.subject.hardware.gpu) === family);
    if (own.length === 0) return [];
    return [
      [
        family,
        new Set(own.map(({ row }) => row.system)).size,
        times(errorOf(theirs.length > 0 ? same(own, theirs) : own)),
        theirs.length > 0 ? times(errorOf(theirs)) : '–',
      ],
    ];
  }),
);
const summary = summarise(bare);
const summarySix = summarise(six);
write(
  `90 % ranges hold ${percent(summary.overall.coverage)} of the measurements without any measurement of the system, and ${percent(summarySix.overall.coverage)} of the rest once six sizes are given.`,
  '',
);
table(
  ['size', 'rows', 'error', 'bias', 'in range'],
  summary.bySize.map(({ name, rows, error, bias, coverage }) => [name, rows, times(error), times(bias), percent(coverage)]),
);
table(
  ['collective', 'rows', 'error', 'bias', 'in range'],
  summary.byCollective.map(({ name, rows, error, bias, coverage }) => [name, rows, times(error), times(bias), percent(coverage)]),
);
const stalled = logs(crossValidate(points, good.filter(isStalled), 0, population.values));
write(
  `Reported apart, Slingshot 64 KiB to 4 MiB: ${times(errorOf(stalled))} over ${stalled.length} rows; the plug-in stalls there and no model of links can tell. The upper end of the range allows for it: it holds ${percent(summarise(stalled).apart.coverage)}.`,
  '',
);
write('Every system, left out, with its bias (above 1: the model is slower than the machine):', '');
const bySystem = [...group(bare, ({ row }) => row.system)]
  .map(([name, own]) => ({ name, own, error: errorOf(own) }))
  .sort((a, b) => b.error - a.error);
table(
  ['system', 'rows', 'left out', '64 MiB and above', 'bias', 'six sizes given'],
  bySystem.map(({ name, own, error }) => {
    const large = big(own);
    const rest = six.filter(({ row }) => row.system === name);
    return [
      name,
      own.length,
      times(error),
      large.length > 0 ? times(errorOf(large)) : '–',
      times(Math.exp(mean(own.map(({ log }) => log)))),
      rest.length > 0 ? times(errorOf(rest)) : '–',
    ];
  }),
);
write(
  '**Where it is poor, and why.** Small messages depend on how the job was launched: one process that drives many GPUs pays tens of microseconds more than one process per GPU, and no hardware record says which it was (the single-process MI300X and V100 nodes). Clouds that put host software between GPU and NIC (GPUDirect-TCPX, the older EFA) differ by a factor of ten between generations of the same product. Middle sizes (64 KiB to 64 MiB) across nodes depend on the version of the library and its plug-in. All of these vanish with a handful of measured sizes.',
  '',
);

// Alps: fitted on 2–32 nodes, asked for more.
{
  const alps = judged.filter(({ system, subject }) => system.includes('Alps') && subject.nodes >= 2 && subject.ranks / subject.nodes === 4);
  const others = new Map(points);
  others.delete(alps[0]?.system);
  const { values } = fitPopulation(others, population.values, 4);
  const given = alps.filter(({ subject }) => subject.nodes <= 32);
  const asked = alps.filter(({ subject }) => subject.nodes > 32);
  const averagedGiven = [...group(given, ({ set, bytes }) => `${set} ${bytes}`).values()].map((same) => ({
    ...same[0],
    seconds: Math.exp(mean(same.map(({ seconds }) => Math.log(seconds)))),
  }));
  const calibration = calibrateSystem(averagedGiven, values);
  const items = asked.map((row) => ({ row, log: Math.log(predictCollective(row.subject, row.bytes, calibration).seconds / row.seconds) }));
  write(
    `Extrapolation: fitted on the 2–32-node sets of one system and asked for its larger ones (64 to ${Math.max(...asked.map(({ subject }) => subject.nodes))} nodes), the error is ${times(errorOf(items))} over ${items.length} rows.`,
    '',
  );
}

// Bends: where start-up gives way to bandwidth, and where the algorithm changes.
{
  const knee = (curve, of) => {
    const sorted = [...curve].sort((a, b) => a.row.bytes - b.row.bytes);
    const floor = of(sorted[0]);
    const last = sorted[sorted.length - 1];
    return floor * (last.row.bytes / of(last));
  };
  const curves = [...group(bare, ({ row }) => `${row.set} ${row.subject.operation}`).values()].filter((curve) => {
    const sizes = curve.map(({ row }) => row.bytes);
    return Math.max(...sizes) / Math.min(...sizes) >= 2 ** 16 && Math.max(...sizes) >= 2 ** 27;
  });
  const ratios = curves.map((curve) =>
    Math.abs(Math.log2(knee(curve, ({ prediction }) => prediction.seconds) / knee(curve, ({ row }) => row.seconds))),
  );
  const near = ratios.filter((ratio) => ratio <= 1).length;
  const sixCurves = [...group(six, ({ row }) => `${row.set} ${row.subject.operation}`).values()];
  const sixRatios = sixCurves
    .filter((curve) => Math.max(...curve.map(({ row }) => row.bytes)) / Math.min(...curve.map(({ row }) => row.bytes)) >= 2 ** 16)
    .map((curve) => Math.abs(Math.log2(knee(curve, ({ prediction }) => prediction.seconds) / knee(curve, ({ row }) => row.seconds))));
  write(
    `Bend of a curve (the size at which its floor and its bandwidth meet): within a factor of two of the measured one on ${percent(near / ratios.length)} of ${ratios.length} whole curves of systems left out (median factor ${(2 ** [...ratios].sort((a, b) => a - b)[Math.floor(ratios.length / 2)]).toFixed(2)}), on ${percent(sixRatios.filter((ratio) => ratio <= 1).length / sixRatios.length)} with six sizes given. In-switch reduction takes over from rings at 5 GPUs on Hopper and 6 on Blackwell, as published.`,
    '',
  );
}

mkdirSync(new URL('validation/', DOCS), { recursive: true });
write('Measured curves against predictions for systems left out:', '');
const shown = [
  'alps_ofi113_n16',
  'aws_p5_n2',
  'aws_p4d_n2',
  'dgxa100_n2_ring',
  'oci_gb200_2x4',
  'aic_h100_sxm_g8',
  'aic_b200_sxm_g8',
  'mi300x_n1',
  'bessemer_v100pcie_4',
  'gcp_a3mega_n2',
];
for (const set of shown) {
  const own = bare.filter(({ row }) => row.set === set);
  if (own.length === 0) continue;
  const operation = own[0].row.subject.operation;
  const curve = own.filter(({ row }) => row.subject.operation === operation);
  const { system, subject } = curve[0].row;
  const title = `${system}: ${operation}, ${subject.ranks} GPUs on ${subject.nodes} node${subject.nodes > 1 ? 's' : ''}`;
  writeFileSync(
    new URL(`validation/${set}.svg`, DOCS),
    curveChart(
      title,
      curve.map(({ row, prediction }) => ({
        bytes: row.bytes,
        measured: row.seconds,
        predicted: prediction.seconds,
        low: prediction.low,
        high: prediction.high,
      })),
    ),
  );
  write(`![${title}](validation/${set}.svg)`, '');
}
write('### Constants', '', 'Fitted to all systems; spread is how far systems differ from their class (natural log).', '');
table(
  ['parameter', 'class', 'value', 'spread', 'meaning'],
  PARAMETERS.map(({ group: of, class: name }, i) => [
    of.name,
    name === '' ? '–' : name,
    `${Math.exp(population.values[i]).toPrecision(3)} ${of.unit}`,
    of.systemSpread,
    of.meaning,
  ]),
);

// ── NCCL's own answer ──────────────────────────────────────────────────────────────────────────────────────────────────────────────
{
  const expected = { graphs: csv('nccl-tuner/graphs.csv'), latbw: csv('nccl-tuner/latbw.csv'), times: csv('nccl-tuner/times.csv') };
  const names = [...new Set(expected.graphs.map(({ topology }) => topology))];
  const nodes = [...new Set(expected.graphs.map((row) => Number(row.nodes)))];
  const keys = {
    graphs: ['nodes', 'algo'],
    latbw: ['nodes', 'collective', 'algo', 'proto'],
    times: ['nodes', 'collective', 'bytes', 'algo', 'proto'],
  };
  write(
    "## NCCL's own search and tuner",
    '',
    'Rows of the reference (NCCL 2.30.7, its compiled search and tuner on the same XML) that agree in every column; times within 1 %.',
    '',
  );
  table(
    ['topology', 'search', 'graphs', 'latency and bandwidth', 'times', 'choice'],
    names.map((name) => {
      const topology = parseNcclTopology(readFileSync(new URL(`nccl-tuner/topologies/${name}.xml`, DATA), 'utf8'), name);
      const started = performance.now();
      const set = tabulateNccl(topology, nodes);
      const took = performance.now() - started;
      const share = (what, tolerance) => {
        const byKey = new Map(set[what].map((row) => [keys[what].map((column) => row[column]).join(' '), row]));
        const own = expected[what].filter((row) => row.topology === name);
        const agree = own.filter((row) => {
          const found = byKey.get(keys[what].map((column) => row[column]).join(' '));
          return (
            found !== undefined &&
            Object.entries(row).every(
              ([column, cell]) =>
                column === 'topology' ||
                column === 'chosen' ||
                keys[what].includes(column) ||
                Math.abs(Number(found[column]) - Number(cell)) <= tolerance * Math.abs(Number(cell)),
            )
          );
        });
        return `${agree.length} / ${own.length}`;
      };
      const chosen = expected.times.filter((row) => row.topology === name && row.chosen === '1');
      const picks = new Set(set.times.filter((row) => row.chosen === 1).map((row) => keys.times.map((column) => row[column]).join(' ')));
      return [
        name,
        `${took.toFixed(0)} ms`,
        share('graphs', 1e-4),
        share('latbw', 0.01),
        share('times', 0.01),
        `${chosen.filter((row) => picks.has(keys.times.map((column) => row[column]).join(' '))).length} / ${chosen.length}`,
      ];
    }),
  );
}

// ── Optimum ────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────
write(
  '## Optimum of any graph',
  '',
  'All-gather optimum against the reference; a schedule of packed trees that reaches it; all-reduce by the two phases, by trees that reduce and spread at once, and the cut that no schedule beats. GB/s of algorithm bandwidth.',
  '',
);
table(
  ['graph', 'reference', 'ours ÷ reference − 1', 'time', 'their search', 'schedule', 'all-reduce, two phases', 'trees', 'cut bound'],
  readdirSync(new URL('optimum/', DATA))
    .filter((name) => name.endsWith('.json'))
    .map((name) => {
      const text = readFileSync(new URL(`optimum/${name}`, DATA), 'utf8');
      const { optimalAllGatherGBps: expected, referenceSearchSeconds } = JSON.parse(text);
      const { fabric } = readFabric(text);
      const subject = { operation: 'all-gather', ranks: fabric.gpuIds };
      collectiveOptimum(fabric, subject);
      const started = performance.now();
      const { bandwidth } = collectiveOptimum(fabric, subject);
      const took = performance.now() - started;
      const scheduled = performance.now();
      const schedule = optimalSchedule(fabric, subject);
      const packing = performance.now() - scheduled;
      const bound = collectiveOptimum(fabric, { operation: 'all-reduce', ranks: fabric.gpuIds }).bandwidth;
      return [
        name.replace('.json', ''),
        expected.toFixed(3),
        (bandwidth / 1e9 / expected - 1).toExponential(0),
        `${took.toFixed(1)} ms`,
        referenceSearchSeconds === undefined ? '–' : `${Number(referenceSearchSeconds).toFixed(2)} s`,
        `${percent(schedule.bandwidth / bandwidth)} in ${packing.toFixed(0)} ms`,
        (bandwidth / 2e9).toFixed(1),
        (packAllReduceTrees(fabric, { ranks: fabric.gpuIds }).bandwidth / 1e9).toFixed(1),
        (bound / 1e9).toFixed(1),
      ];
    }),
);

// ── Simulator ──────────────────────────────────────────────────────────────────────────────────────────────────────────────────────
{
  const star = (n, gbps, latency, ring = false) =>
    createFabric({
      name: 'net',
      levels: [],
      devices: [
        ...Array.from({ length: n }, (_, i) => ({ id: `g${String(i).padStart(4, '0')}`, kind: 'gpu', location: [] })),
        ...(ring ? [] : [{ id: 's', kind: 'switch', location: [] }]),
      ],
      links: Array.from({ length: n }, (_, i) => ({
        id: `l${i}`,
        source: `g${String(i).padStart(4, '0')}`,
        target: ring ? `g${String((i + 1) % n).padStart(4, '0')}` : 's',
        bandwidth: gbps * 2 ** 30,
        latency,
      })),
    });
  const physics = { launch: 0, step: 0, leastPiece: 1, window: Infinity };
  write('## Simulator', '', 'Evaluator and simulator on an uncontended star of 16 GPUs (50 GB/s, 1 µs), 64 MiB:', '');
  const routes = computeRoutes(star(16, 50, 1e-6));
  table(
    ['all-reduce', 'evaluator ÷ simulator'],
    ['ring', 'recursive-doubling', 'recursive-halving-doubling', 'direct'].map((algorithm) => {
      const subject = { operation: 'all-reduce', ranks: routes.fabric.gpuIds, bytes: 2 ** 26 };
      return [
        algorithm,
        (
          prepareCollective(routes, subject, { algorithm, physics }).seconds(2 ** 26) /
          simulateCollective(routes, { ...subject, algorithm }, { physics }).seconds
        ).toFixed(4),
      ];
    }),
  );
  write(
    'Where the evaluator stops being true: it lets steps wait for each other and shares links in proportion to bytes, the simulator lets ranks drift apart and shares max-min fairly. Contended and uneven fabrics, all-reduce of 64 MiB, evaluator ÷ simulator (the tree in 256 pieces):',
    '',
  );
  const contended = (name, links, gpus) => [name, computeRoutes(readFabric(JSON.stringify({ gpus, links })).fabric)];
  const duplex = (list) =>
    list.flatMap(([x, y, rate]) => [
      [x, y, rate],
      [y, x, rate],
    ]);
  const ids = (n) => Array.from({ length: n }, (_, i) => `g${String(i).padStart(2, '0')}`);
  const fabrics = [
    contended(
      '16 GPUs, two leaves, trunk 1:4',
      duplex([...ids(16).map((id, i) => [id, `leaf${i >> 3}`, 50]), ['leaf0', 'leaf1', 100]]),
      ids(16),
    ),
    contended('16 GPUs on a star, one link at half rate', duplex(ids(16).map((id, i) => [id, 's', i === 3 ? 25 : 50])), ids(16)),
    [
      '16 GPUs on a star, one 100 µs away',
      computeRoutes(
        createFabric({
          name: 'far',
          levels: [],
          devices: [...ids(16).map((id) => ({ id, kind: 'gpu', location: [] })), { id: 's', kind: 'switch', location: [] }],
          links: ids(16).map((id, i) => ({ id: `l${i}`, source: id, target: 's', bandwidth: 50e9, latency: i === 3 ? 1e-4 : 1e-6 })),
        }),
      ),
    ],
    contended(
      '12 GPUs, three leaves in a line, trunks 1:2',
      duplex([...ids(12).map((id, i) => [id, `leaf${i >> 2}`, 50]), ['leaf0', 'leaf1', 100], ['leaf1', 'leaf2', 100]]),
      ids(12),
    ),
  ];
  table(
    ['fabric', 'ring', 'recursive doubling', 'halving and doubling', 'double binary tree'],
    fabrics.map(([name, on]) => [
      name,
      ...['ring', 'recursive-doubling', 'recursive-halving-doubling', 'double-binary-tree'].map((algorithm) => {
        const subject = { operation: 'all-reduce', ranks: on.fabric.gpuIds, bytes: 2 ** 26 };
        try {
          return (
            prepareCollective(on, subject, { algorithm, physics }).seconds(2 ** 26) /
            simulateCollective(on, { ...subject, algorithm, pieces: algorithm === 'double-binary-tree' ? 256 : 1 }, { physics }).seconds
          ).toFixed(3);
        } catch {
          return '–';
        }
      }),
    ]),
  );
  const cases = csv('simulator/astra-sim-allreduce.csv').filter((row) => row.exit === '0' && Number(row.npus) <= 256);
  const rings = cases
    .filter(({ topology, allreduce_impl }) => topology === 'Ring' && allreduce_impl === 'ring')
    .map((row) => {
      const n = Number(row.npus);
      const fabric = star(n, Number(row.bw_GBs), Number(row.latency_ns) * 1e-9, true);
      const quarter = simulateCollective(
        computeRoutes(fabric),
        { operation: 'all-reduce', ranks: fabric.gpuIds, bytes: Number(row.bytes) / 4, algorithm: 'ring' },
        { physics, sharing: 'store-and-forward' },
      ).seconds;
      // Four chunks one after the other, 10 ns of end point a step; the rest is what its local memory takes.
      const network = 4 * (quarter + 2 * (n - 1) * 10e-9);
      return { theirs: Number(row.cycles_ns) * 1e-9, network, memoryBytes: 4 * 2 * (n - 1) * ((3 * Number(row.bytes)) / (4 * n)) };
    });
  const rates = rings
    .filter(({ theirs, network }) => theirs > network * 1.02)
    .map(({ theirs, network, memoryBytes }) => memoryBytes / (theirs - network))
    .sort((a, b) => a - b);
  const memoryRate = rates[Math.floor(rates.length / 2)];
  const off = rings.map(({ theirs, network, memoryBytes }) => theirs / (network + memoryBytes / memoryRate));
  write(
    `ASTRA-sim's rings on a ring (its gigabyte is 2³⁰; four chunks one after the other): our simulated network time plus one local memory rate (${(memoryRate / 2 ** 30).toFixed(0)} GiB/s, the one constant) describes ${rings.length} rows within ${percent(Math.max(...off.map((ratio) => Math.abs(ratio - 1))))}. On a switch its answers are not physical throughout: the Unaware \`direct\` lies below the bandwidth bound (64 MiB on 8: 0.34 ms against 2.19 ms), the Aware ring takes two to three times the bound.`,
    '',
  );
}

// ── Long links ─────────────────────────────────────────────────────────────────────────────────────────────────────────────────────
{
  const folder = mkdtempSync(join(tmpdir(), 'fabricplan-'));
  const cli = fileURLToPath(new URL('../dist/cli/main.js', import.meta.url));
  const plan = (text, strategy) => {
    const file = join(folder, 'plan.yaml');
    writeFileSync(file, text);
    const { stdout } = spawnSync(
      process.execPath,
      [cli, 'plan', file, '--json', '--limit', '1', ...(strategy === undefined ? [] : ['--strategy', strategy])],
      { encoding: 'utf8', maxBuffer: 1e9 },
    );
    return JSON.parse(stdout).placements[0].step.seconds;
  };
  write(
    '## Long links',
    '',
    'Published anchor: 1,024 GPUs in two halves 500 km apart, 3.2 Tb/s, keep 97–99 % of single-site speed for a 177B model. Batch and GPU are not published; assumed here: H100, sequence 4,096, and the batch of each row.',
    '',
  );
  table(
    ['sequences of a step', 'one site', 'data parallel across', 'of one site', 'pipeline across', 'of one site'],
    [1024, 2048, 4096].map((batch) => {
      const job = `job: { model: 177B, sequence: 4096, globalBatch: ${batch} }\n`;
      const one = plan(`name: one\nsites:\n  - { id: a, clusters: [{ id: x, node: dgx-h100, nodes: 128 }] }\n${job}`);
      const two = `name: two\nsites:\n  - { id: a, coordinates: [48.8, 2.3], clusters: [{ id: x, node: dgx-h100, nodes: 64 }], access: { bandwidth: 3.2 Tb/s } }\n  - { id: b, coordinates: [46.2, 6.1], clusters: [{ id: y, node: dgx-h100, nodes: 64 }], access: { bandwidth: 3.2 Tb/s } }\nwan:\n  - { from: a, to: b, bandwidth: 3.2 Tb/s, distance: 500 km }\n${job}`;
      const data = plan(two, 'data-across-sites');
      const pipeline = plan(two, 'pipeline-across-sites');
      return [
        batch,
        `${one.toFixed(2)} s`,
        `${data.toFixed(2)} s`,
        percent(one / data),
        `${pipeline.toFixed(2)} s`,
        percent(one / pipeline),
      ];
    }),
  );
  const fits = csv('collectives/wan_p2p.csv');
  const zone = Object.keys(fits[0]).filter((name) => /zone/i.test(name));
  const kind = (row) => {
    const [a, b] = zone.map((name) => row[name]);
    if (a === b) return 'in one zone';
    return a.replace(/-[a-z]$/, '') === b.replace(/-[a-z]$/, '')
      ? 'between zones of a region'
      : a.split('-')[0] === b.split('-')[0]
        ? 'between regions of a continent'
        : 'between continents';
  };
  // Round trips of cloud regions, order of magnitude: 0.2 ms in a zone, 1 ms in a region, 30 ms on a continent, 120 ms between.
  const roundTrips = {
    'in one zone': 0.2e-3,
    'between zones of a region': 1e-3,
    'between regions of a continent': 30e-3,
    'between continents': 120e-3,
  };
  write(
    'Cloud rates between zones by distance (measured fits), and the bytes in flight that they imply: beyond a region the window limits, not the fibre.',
    '',
  );
  table(
    ['distance', 'pairs', 'median rate', 'assumed round trip', 'bytes in flight'],
    Object.keys(roundTrips).flatMap((name) => {
      const own = fits
        .filter((row) => kind(row) === name)
        .map((row) => Number(row.max_GBps))
        .sort((a, b) => a - b);
      if (own.length === 0) return [];
      const rate = own[Math.floor(own.length / 2)];
      return [
        [
          name,
          own.length,
          `${rate.toPrecision(3)} GB/s`,
          `${roundTrips[name] * 1e3} ms`,
          `${((rate * 1e9 * roundTrips[name]) / 2 ** 20).toPrecision(2)} MiB`,
        ],
      ];
    }),
  );
  const channels = bytesInFlight({ kind: 'nccl', channels: 16 });
  write(
    `NCCL with 16 channels of 4 MiB has ${channels / 2 ** 20} MiB in flight: ${(channels / 10e-3 / 1e9).toFixed(1)} GB/s over a round trip of 10 ms, ${(channels / 1e-3 / 1e9).toFixed(0)} GB/s over 1 ms.`,
    '',
  );
}
const training = hasRuns() ? writeTraining(write, table) : '';
write('Speeds are measured by `npm run bench`. Which model to trust when: [choosing a model](guide/choosing-a-model.md).', '');
writeFileSync(new URL('validation.md', DOCS), `${lines.join('\n').trimEnd()}\n`);
console.log(
  `docs/validation.md: left out ${times(errorOf(bare))}, bulk ${times(errorOf(big(bare)))}, six sizes ${times(errorOf(six))}; ${training}`,
);
