import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { ncclNodeXml } from '../support/nccl-node.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const CLI = join(ROOT, 'dist/cli/main.js');
const SMALL = join(ROOT, 'docs/examples/two-sites.yaml');
const folder = mkdtempSync(join(tmpdir(), 'fabricplan-'));

function run(args: readonly string[], input = ''): { code: number; out: string; err: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [CLI, ...args], {
    cwd: ROOT,
    encoding: 'utf8',
    input,
    maxBuffer: 1e9,
    timeout: 100_000,
    env: { ...process.env, NO_COLOR: '1' },
  });
  return { code: status ?? -1, out: stdout, err: stderr };
}

describe.runIf(existsSync(CLI))('command line', () => {
  it('prints what NCCL would find and choose', () => {
    const file = join(folder, 'box.xml');
    writeFileSync(file, ncclNodeXml({ gpus: 4, sm: 90, nvlinks: 18, nics: 4, nicGbps: 400 }));
    const { code, out } = run(['nccl-tuner', file, '--nodes', '1,4', '--bytes', '1 MiB', '--json']);
    expect(code).toBe(0);
    const { graphs, latbw, times } = JSON.parse(out) as Record<string, Record<string, unknown>[]>;
    expect(Object.keys(graphs[0])).toEqual(
      'topology,nodes,ranks,sm,algo,pattern,nChannels,bwIntra_GBs,bwInter_GBs,typeIntra,typeInter,sameChannels,crossNic,latencyInter_us,commChannels'.split(
        ',',
      ),
    );
    expect(Object.keys(latbw[0])).toEqual('topology,nodes,ranks,collective,algo,proto,latency_us,algbw_GBs'.split(','));
    expect(Object.keys(times[0])).toEqual('topology,nodes,ranks,collective,bytes,algo,proto,time_us,chosen'.split(','));
    expect(graphs[0]['topology']).toBe('box');
    expect(run(['nccl-tuner', file, '--nodes', '0']).code).toBe(2);
  });
  it('validates measurements of a system it has never seen, with and without given sizes', () => {
    const systems = join(folder, 'systems.json');
    const measurements = join(folder, 'rows.csv');
    writeFileSync(
      systems,
      JSON.stringify([
        {
          set_id: 'mine',
          system: 'Mine',
          hardware: {
            gpu: 'Foo 1',
            gpusPerNode: 8,
            scaleUp: { kind: 'nvswitch', GBpsPerGpu: 450, inSwitchReduction: false },
            scaleOut: { transport: 'warp', GBpsPerNode: 100, nicsPerNode: 4 },
          },
        },
      ]),
    );
    const rows = Array.from({ length: 10 }, (_, k) => `mine,all_reduce,32,4,${1024 * 4 ** k},${40 + (2 * 1024 * 4 ** k) / 90e3},x`);
    writeFileSync(
      measurements,
      ['set_id,collective,nranks,nodes,size_bytes,time_us,note', ...rows, 'other,all_reduce,8,1,8,1,', 'mine,all_reduce,32,4,,,'].join(
        '\n',
      ),
    );
    const bare = run(['validate', 'collectives', '--measurements', measurements, '--systems', systems, '--json']);
    expect(bare.code).toBe(0);
    const {
      rows: found,
      summary,
      warnings,
    } = JSON.parse(bare.out) as {
      rows: Record<string, unknown>[];
      summary: { overall: { rows: number; error: number } };
      warnings: string[];
    };
    expect(found.length).toBe(12);
    expect(Object.keys(found[0])).toEqual(
      expect.arrayContaining(['set_id', 'size_bytes', 'note', 'predicted_us', 'low_us', 'high_us', 'algorithm', 'protocol']),
    );
    expect(found.filter((row) => row['refused'] !== undefined).length).toBe(2);
    expect(warnings.join()).toContain('Foo 1');
    const given = JSON.parse(
      run(['validate', 'collectives', '--measurements', measurements, '--systems', systems, '--calibrate', 'rows:4', '--json']).out,
    ) as { rows: { given?: boolean }[]; summary: { overall: { error: number } } };
    expect(given.rows.filter((row) => row.given === true).length).toBe(4);
    expect(given.summary.overall.error).toBeLessThan(summary.overall.error);
    expect(run(['validate', 'collectives', '--measurements', measurements, '--systems', systems, '--calibrate', 'all']).code).toBe(2);
  });
  it('diagnoses a slow node and leaves healthy ones alone', () => {
    const file = join(folder, 'pairs.csv');
    const lines = ['node_a,node_b,gpus_per_node,bytes,busbw_GBps'];
    for (let a = 0; a < 6; a++)
      for (let b = a + 1; b < 6; b++) lines.push(`n${a},n${b},8,1073741824,${(a === 3 || b === 3 ? 45 : 90) + ((a * b) % 3)}`);
    writeFileSync(file, lines.join('\n'));
    const { suspects } = JSON.parse(run(['diagnose', '--pairs', file, '--json']).out) as {
      suspects: { device?: string; confidence: number }[];
    };
    expect(suspects.map(({ device }) => device)).toEqual(['n3']);
    writeFileSync(file, lines.map((line) => line.replace(/,4\d$/, ',90')).join('\n'));
    expect(run(['diagnose', '--pairs', file]).out).toContain('nothing is suspicious');
    writeFileSync(file, 'node_a,node_b\n1,2');
    expect(run(['diagnose', '--pairs', file]).code).toBe(2);
  });
  it('prints the optimum of a bare graph and writes a schedule', () => {
    const file = join(folder, 'graph.json');
    const xml = join(folder, 'schedule.xml');
    writeFileSync(
      file,
      JSON.stringify({
        gpus: ['a', 'b', 'c'],
        links: ['a', 'b', 'c'].flatMap((id) => [
          [id, 's', 10],
          ['s', id, 10],
        ]),
      }),
    );
    const { code, out } = run(['optimum', file, '--schedule', xml, '--json']);
    expect(code).toBe(0);
    const result = JSON.parse(out) as Record<string, number> & { bottleneckCut: { gpusInside: string[]; capacity: number } };
    expect([result['allGatherBandwidth'], result['allReduceBandwidth'], result['allReduceBound']]).toEqual([15e9, 7.5e9, 10e9]);
    expect(result.bottleneckCut.gpusInside.length).toBe(2);
    expect(readFileSync(xml, 'utf8')).toContain('coll="allgather"');
  });
  it('inspects a description from a file and from standard input alike', () => {
    const file = run(['inspect', SMALL, '--json']);
    expect(file.code).toBe(0);
    const object = JSON.parse(file.out) as { schema: string; devices: { gpu: number }; components: number };
    expect(object.schema).toBe('fabricplan/inspect/1');
    expect(object.devices.gpu).toBe(32);
    expect(object.components).toBe(1);
    expect(run(['inspect', '-', '--json'], readFileSync(SMALL, 'utf8')).out).toBe(file.out);
  });
  it('prints the full fabric, which it reads again', () => {
    const { out } = run(['inspect', SMALL, '--fabric']);
    expect((JSON.parse(run(['inspect', '-', '--json'], out).out) as { format: string }).format).toBe('fabric');
  });
  it('estimates a collective of a known system', () => {
    const { code, out } = run(['estimate', '--system', 'jean-zay-h100:16', '--bytes', '1 MiB,1 GiB', '--json']);
    expect(code).toBe(0);
    const { estimates } = JSON.parse(out) as { estimates: { seconds: number; low: number; high: number }[] };
    expect(estimates.length).toBe(2);
    for (const { seconds, low, high } of estimates) expect(low < seconds && seconds < high).toBe(true);
  });
  it('says whether a model fits, by exit code too', () => {
    expect(run(['memory', '70B', '--tensor', '8', '--pipeline', '4', '--gpu', 'H100-SXM-80']).code).toBe(0);
    const { code, out } = run(['memory', '70B', '--gpu', 'H100-SXM-80']);
    expect(code).toBe(3);
    expect(out).toContain('does not fit');
  });
  it('plans, and writes a page', () => {
    const page = join(folder, 'plan.html');
    const { code, out, err } = run(['plan', SMALL, '--html', page]);
    expect(code).toBe(0);
    expect(out).toContain('Best placement per strategy');
    expect(err).toContain('report:');
    const html = readFileSync(page, 'utf8');
    expect(html).toMatch(/^<!doctype html>/);
    expect(html).not.toMatch(/NaN|undefined|<script|https?:\/\/(?!www\.w3\.org)/);
  });
  it('plans as JSON with a schema and without NaN, the same at every run', () => {
    const { out } = run(['plan', SMALL, '--json']);
    expect((JSON.parse(out) as { schema: string }).schema).toBe('fabricplan/plan/1');
    expect(out).not.toMatch(/NaN|Infinity/);
    expect(run(['plan', SMALL, '--json', '--seed', '7']).out).toBe(out);
  });
  it('goes from a config.json and a fabric to files that launch the plan', () => {
    const config = join(folder, 'config.json');
    writeFileSync(
      config,
      '{"model_type":"llama","hidden_size":2048,"num_hidden_layers":16,"num_attention_heads":32,"num_key_value_heads":8,"intermediate_size":8192,"vocab_size":128256,"tie_word_embeddings":true}',
    );
    for (const framework of ['megatron', 'torchtitan', 'deepspeed']) {
      const into = join(folder, framework);
      const { code, out, err } = run([
        'plan',
        '--system',
        'jean-zay-h100:16',
        '--model',
        config,
        '--batch',
        '64',
        '--launch',
        into,
        '--framework',
        framework,
      ]);
      expect(code).toBe(0);
      expect(out).toContain('llama: 1.24 B parameters');
      expect(err).toContain('launch files:');
      expect(readFileSync(join(into, 'ranks.csv'), 'utf8').split('\n').length).toBe(18);
      for (const script of ['launch.sh', 'job.sbatch']) expect(spawnSync('bash', ['-n', join(into, script)]).status).toBe(0);
    }
    expect(readFileSync(join(folder, 'torchtitan', 'train.toml'), 'utf8')).toContain('global_batch_size = 64');
  });
  it('weighs time against price, within a deadline', () => {
    const common = [
      'plan',
      '--system',
      'jean-zay-h100:32',
      '--model',
      '8B',
      '--batch',
      '128',
      '--gpus',
      'any',
      '--tokens',
      '100B',
      '--price',
      '2',
      '--json',
    ];
    const { out } = run([...common, '--pareto', 'time,cost']);
    const { placements, front, proof } = JSON.parse(out) as {
      placements: { run: { seconds: number; euros: number } }[];
      front: { run: { seconds: number; euros: number } }[];
      proof: { gap: number };
    };
    expect(front.length).toBeGreaterThan(1);
    expect(proof.gap).toBeGreaterThanOrEqual(0);
    const cheap = JSON.parse(run([...common, '--objective', 'cost']).out) as typeof JSON & { placements: typeof placements };
    expect(cheap.placements[0].run.euros).toBeLessThanOrEqual(placements[0].run.euros);
    expect(run([...common, '--deadline', '1 s']).code).toBe(3);
    expect(run(['plan', SMALL, '--deadline', '1 s']).err).toContain('tokens');
  });
  it('validates training runs of machines and models it has never seen', () => {
    const file = join(folder, 'runs.csv');
    writeFileSync(
      file,
      [
        'id,source,model,layers,hidden,heads,ffn,vocab,seq,gpu,gpus,tp,pp,dp,mbs,gbs,precision,iter_s,peak_mem_gib',
        'a,paper one,X,32,4096,32,14336,128256,8192,H100-SXM,64,2,1,32,1,256,bf16,4,60',
        'b,paper one,X,32,4096,32,14336,128256,8192,MI300X,64,,,,,256,,6,',
        'c,,Y,,,,,,,TPU,8,,,,,,,1,',
        'd,,tiny,2,128,2,512,1000,128,H100-SXM,3,2,1,1,1,4,bf16,1,',
      ].join('\n'),
    );
    const { code, out } = run(['validate', 'training', '--runs', file, '--json']);
    expect(code).toBe(0);
    const { rows, summary } = JSON.parse(out) as {
      rows: {
        id: string;
        predicted_iter_s?: number;
        low_s: number;
        high_s: number;
        predicted_peak_gib: number;
        fits: boolean;
        refused?: string;
        inferred: string[];
      }[];
      summary: { overall: { rows: number }; bySource: { name: string }[]; byGpu: unknown[]; byParallelism: unknown[] };
    };
    expect(rows.map(({ id, refused }) => [id, refused === undefined])).toEqual([
      ['a', true],
      ['b', true],
      ['c', false],
      ['d', false],
    ]);
    for (const { predicted_iter_s, low_s, high_s, predicted_peak_gib } of rows.slice(0, 2)) {
      expect(low_s).toBeLessThan(predicted_iter_s!);
      expect(high_s).toBeGreaterThan(predicted_iter_s!);
      expect(predicted_peak_gib).toBeGreaterThan(1);
    }
    expect(rows[1].inferred.length).toBeGreaterThan(4);
    expect(rows[2].refused).toContain('TPU');
    expect(summary.overall.rows).toBe(2);
    expect(summary.bySource.map(({ name }) => name)).toEqual(['paper']);
    expect(run(['validate', 'training', '--runs', file]).out).toContain('2 rows predicted');
  });
  it('ranks upgrades', () => {
    const { code, out } = run(['upgrade', SMALL, '--json']);
    expect(code).toBe(0);
    const plan = JSON.parse(out) as { schema: string; secondsBefore: number; secondsAfter: number };
    expect(plan.schema).toBe('fabricplan/upgrade/1');
    expect(plan.secondsAfter).toBeLessThanOrEqual(plan.secondsBefore);
  });
  it.each<[string, string[], number, RegExp]>([
    ['an unknown command', ['inspct'], 1, /Did you mean inspect/],
    ['an unknown option', ['plan', SMALL, '--jsn'], 1, /Did you mean --json/],
    ['an unknown operation', ['estimate', SMALL, '--operation', 'all-reduc'], 1, /Allowed choices/],
    ['a missing file', ['plan', 'nowhere.yaml'], 2, /no such file/],
    ['a folder', ['plan', folder], 2, /folder/],
    ['an unknown model', ['plan', SMALL, '--model', 'lama-3.1-8b'], 2, /llama-3.1-8b/],
    ['a batch that does not divide', ['memory', '8B', '--data', '3', '--batch', '8'], 2, /does not divide/],
    ['a table that is none', ['validate', 'training', '--runs', SMALL], 2, /column "gpu" is missing/],
    [
      'a folder that cannot be written',
      ['plan', '--system', 'jean-zay-h100:8', '--model', '1B', '--batch', '8', '--launch', '/dev/null/x'],
      2,
      /cannot write to/,
    ],
    ['an unknown framework', ['plan', SMALL, '--launch', 'x', '--framework', 'caffe'], 1, /Allowed choices/],
    ['an unknown system', ['inspect', '--system', 'jean-zay-h10'], 2, /jean-zay-h100/],
    ['a model that cannot fit', ['plan', SMALL, '--model', '5000B', '--batch', '64'], 3, /^$/],
  ])('%s ends with a clear message and the right code', (_, args, code, message) => {
    const result = run(args);
    expect(result.code).toBe(code);
    expect(result.err).toMatch(message);
    expect(result.err).not.toMatch(/\n\s+at /);
  });
  it('refuses a gigabyte without reading it', () => {
    const path = join(folder, 'big.yaml');
    writeFileSync(path, '');
    truncateSync(path, 1e9);
    const { code, err } = run(['inspect', path]);
    expect(code).toBe(2);
    expect(err).toMatch(/1000000000 bytes/);
  });
  it('prints its version and help on standard output', () => {
    expect(execFileSync(process.execPath, [CLI, '--version'], { encoding: 'utf8' }).trim()).toBe(
      (JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string }).version,
    );
    expect(run(['plan', '--help']).out).toContain('--strategy');
  });
});
