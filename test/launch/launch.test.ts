import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parse as parseYaml } from 'yaml';
import { createFabric } from '../../src/fabric/create-fabric.js';
import { compressHostlist, FRAMEWORKS, launchFiles, rankMap, type LaunchFiles } from '../../src/launch/index.js';
import { placeJob } from '../../src/placement/place-job.js';
import { buildSystem } from '../../src/presets/build-system.js';
import { modelPreset } from '../../src/presets/lookups.js';
import { computeRoutes } from '../../src/routes/compute-routes.js';
import { axisGroups } from '../../src/training/axis-groups.js';
import { AXES, type Axis, type Mapping, type TrainingJob } from '../../src/training/types.js';
import { completeParallelism } from '../../src/training/validate-job.js';
import { law } from '../support/law.js';

const fabric = createFabric(buildSystem('jean-zay-h100', { gpus: 32 }));
const job: TrainingJob = { model: modelPreset('llama-3.1-8b'), sequence: 4096, globalBatch: 64, gradientBytes: 4 };
const plain: Mapping = { parallelism: { tensor: 2, pipeline: 2, data: 8 }, gpus: fabric.gpuIds };
const ORDERS: readonly Axis[][] = [
  ['tensor', 'context', 'data', 'pipeline'],
  ['tensor', 'context', 'pipeline', 'data'],
  ['tensor', 'pipeline', 'data', 'context'],
];
const anyMapping: fc.Arbitrary<Mapping> = fc
  .tuple(
    fc.constantFrom(1, 2, 4),
    fc.constantFrom(1, 2, 4),
    fc.constantFrom(1, 2),
    fc.constantFrom(...ORDERS),
    fc.array(fc.nat(), { minLength: 32, maxLength: 32 }),
  )
  .map(([tensor, pipeline, context, order, keys]) => ({
    parallelism: { tensor, pipeline, context, data: 32 / tensor / pipeline / context },
    order,
    gpus: fabric.gpuIds
      .map((id, i) => [keys[i], id] as const)
      .sort((a, b) => a[0] - b[0] || (a[1] < b[1] ? -1 : 1))
      .map(([, id]) => id),
  }));

/** Numbers that Megatron-LM's arguments give. */
const argument = (files: LaunchFiles, name: string): string | undefined =>
  new RegExp(`^--${name} (.*)$`, 'm').exec(files.files['megatron-args.txt'])?.[1];

describe('numbering of ranks', () => {
  law('keeps every group of every axis together, whatever the order of the mapping', anyMapping, (mapping) => {
    for (const order of ORDERS) {
      const { ranks } = rankMap(fabric, mapping, order);
      const degrees = completeParallelism('test', mapping.parallelism);
      for (const axis of AXES) {
        const planned = axisGroups(degrees, mapping.order!, [axis]).map((group) => [...group].map((rank) => mapping.gpus[rank]).join());
        const launched = axisGroups(degrees, order, [axis]).map((group) => [...group].map((rank) => ranks[rank].gpu).join());
        expect(new Set(launched)).toEqual(new Set(planned));
      }
    }
  });
  law('puts every rank on a GPU of its own', anyMapping, (mapping) => {
    const { ranks, hosts } = rankMap(fabric, mapping);
    expect(new Set(ranks.map(({ host, device }) => `${host} ${device}`)).size).toBe(32);
    expect(hosts.length).toBe(8);
    for (const { gpu, host, device } of ranks)
      expect(gpu).toBe(`${host.replaceAll('-', '/').replace('jean/zay/h100', 'jean-zay-h100')}/gpu${device}`);
  });
});

describe('hostlists', () => {
  it.each([
    [['n1', 'n2', 'n3', 'n7', 'login'], 'login,n[1-3,7]'],
    [['a09', 'a10', 'a11'], 'a[09],a[10-11]'.replace('a[09]', 'a09')],
    [['rack1-node3-ib', 'rack1-node4-ib'], 'rack1-node[3-4]-ib'],
    [['x'], 'x'],
  ])('%j', (hosts, expected) => {
    expect(compressHostlist(hosts)).toBe(expected);
  });
});

/** Runs the Slurm script with an srun and a python that only say who they are; what each rank sees, in the order of ranks. */
function runBatch({ files }: LaunchFiles): { rank: number; device: string; args: string }[] {
  const folder = mkdtempSync(join(tmpdir(), 'fabricplan-launch-'));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  const [, perNode] = /--ntasks-per-node=(\d+)/.exec(files['job.sbatch']) ?? [];
  writeFileSync(
    join(folder, 'srun'),
    `#!/bin/bash\nshift\nfor ((p = 0; p < SLURM_NTASKS; p++)); do SLURM_PROCID=$p SLURM_LOCALID=$((p % ${perNode ?? 1})) "$@"; done\n`,
  );
  writeFileSync(join(folder, 'python'), '#!/bin/bash\necho "$RANK $LOCAL_RANK ${CUDA_VISIBLE_DEVICES:-all} $*"\n');
  for (const name of ['srun', 'python']) chmodSync(join(folder, name), 0o755);
  const { stdout, status, stderr } = spawnSync('bash', ['job.sbatch'], {
    cwd: folder,
    encoding: 'utf8',
    env: { PATH: `${folder}:/usr/bin:/bin`, SLURM_NTASKS: '32' },
  });
  expect(stderr).toBe('');
  expect(status).toBe(0);
  return stdout
    .trim()
    .split('\n')
    .map((line) => {
      const [rank, local, visible, ...args] = line.split(' ');
      return { rank: Number(rank), device: visible === 'all' ? local : visible, args: args.join(' ') };
    });
}

describe('launch files', () => {
  it.each(FRAMEWORKS.map((framework) => [framework] as const))('of %s agree with the plan on every number', (framework) => {
    const launched = launchFiles(fabric, job, plain, { framework });
    const { files } = launched;
    expect(files['ranks.csv'].trim().split('\n').length).toBe(33);
    expect(files['hostfile'].trim().split('\n')).toEqual(launched.ranks.hosts.map((host) => `${host} slots=4`));
    for (const script of ['launch.sh', 'job.sbatch'].filter((name) => name in files)) {
      const { status, stderr } = spawnSync('bash', ['-n'], { input: files[script], encoding: 'utf8' });
      expect(`${script} ${status ?? ''} ${stderr}`).toBe(`${script} 0 `);
    }
    if (framework === 'megatron') {
      const [tensor, pipeline, context, micro, global] = [
        'tensor-model-parallel-size',
        'pipeline-model-parallel-size',
        'context-parallel-size',
        'micro-batch-size',
        'global-batch-size',
      ].map((name) => Number(argument(launched, name)));
      expect([tensor, pipeline, context, micro, global]).toEqual([2, 2, 1, 1, 64]);
      expect(files['megatron-args.txt']).toContain('--sequence-parallel');
      expect(files['megatron-args.txt']).toContain('--use-distributed-optimizer');
      for (const line of files['megatron-args.txt'].trim().split('\n')) expect(line).toMatch(/^--[a-z0-9-]+( .+)?$/);
    }
    if (framework === 'torchtitan') {
      const value = (name: string): string => new RegExp(`^${name} = (.+)$`, 'm').exec(files['train.toml'])![1];
      const product = [
        'data_parallel_replicate_degree',
        'data_parallel_shard_degree',
        'tensor_parallel_degree',
        'pipeline_parallel_degree',
        'context_parallel_degree',
      ].reduce((all, name) => all * Number(value(name)), 1);
      expect(product).toBe(32);
      expect(Number(value('local_batch_size')) * 8).toBe(Number(value('global_batch_size')));
      for (const line of files['train.toml'].split('\n')) expect(line).toMatch(/^(\[[a-z_]+\]|[a-z_]+ = ("[^"]*"|true|false|[0-9.]+)|)$/);
    }
    if (framework === 'deepspeed') {
      const config = JSON.parse(files['ds_config.json']) as Record<string, number> & { zero_optimization: { stage: number } };
      expect(config['train_batch_size']).toBe(config['train_micro_batch_size_per_gpu'] * config['gradient_accumulation_steps'] * 8);
      expect(config.zero_optimization.stage).toBe(1);
    }
  });
  it('name nothing in Megatron-LM twice, for any published model', () => {
    for (const name of ['gpt2-xl', 'llama-3.1-70b', 'deepseek-v3', 'mixtral-8x7b', 'qwen2.5-7b', 'gemma-7b'])
      for (const recomputation of ['none', 'selective', 'operators', 'full'] as const) {
        const { files } = launchFiles(
          fabric,
          { ...job, model: modelPreset(name) },
          { ...plain, parallelism: { ...plain.parallelism, recomputation } },
        );
        const names = files['megatron-args.txt']
          .trim()
          .split('\n')
          .map((line) => line.split(' ')[0]);
        expect(new Set(names).size).toBe(names.length);
      }
  });
  it('describe a JobSet that holds all hosts with their GPUs', () => {
    const { files } = launchFiles(fabric, job, plain, { name: 'llama', queue: 'team', topologyLevel: 'rack' });
    const set = parseYaml(files['jobset.yaml']) as {
      kind: string;
      metadata: { labels: Record<string, string> };
      spec: {
        replicatedJobs: {
          template: {
            spec: {
              parallelism: number;
              completions: number;
              completionMode: string;
              template: {
                metadata: { annotations: Record<string, string> };
                spec: { containers: { resources: { limits: Record<string, number> } }[] };
              };
            };
          };
        }[];
      };
    };
    expect(set.kind).toBe('JobSet');
    expect(set.metadata.labels['kueue.x-k8s.io/queue-name']).toBe('team');
    const { spec } = set.spec.replicatedJobs[0].template;
    expect([spec.parallelism, spec.completions, spec.completionMode]).toEqual([8, 8, 'Indexed']);
    expect(spec.template.metadata.annotations['kueue.x-k8s.io/podset-required-topology']).toBe('rack');
    expect(spec.template.spec.containers[0].resources.limits['nvidia.com/gpu']).toBe(4);
  });
  it('start every rank on its GPU under Slurm, host by host', () => {
    const launched = launchFiles(fabric, job, plain);
    const seen = runBatch(launched);
    expect(seen.map(({ rank, device }) => [rank, Number(device)])).toEqual(launched.ranks.ranks.map(({ rank, device }) => [rank, device]));
    expect(seen[0].args).toContain('--tensor-model-parallel-size 2');
    expect(launched.files['hosts.txt']).toBeUndefined();
  });
  it('start every rank on its GPU under Slurm in any order, by a host file and a device for each', () => {
    const [mapping] = fc.sample(anyMapping, { numRuns: 1, seed: 11 });
    const launched = launchFiles(fabric, job, mapping);
    const seen = runBatch(launched);
    expect(seen.map(({ rank, device }) => [rank, Number(device)])).toEqual(launched.ranks.ranks.map(({ rank, device }) => [rank, device]));
    expect(launched.files['hosts.txt'].trim().split('\n')).toEqual(launched.ranks.ranks.map(({ host }) => host));
    expect(launched.files['job.sbatch']).toContain('--distribution=arbitrary');
    expect(launched.notes.join()).toContain('torchrun');
  });
  it('start ranks that fill hosts in another order than their GPUs by a device for each', () => {
    const gpus = fabric.gpuIds.map((_, i) => fabric.gpuIds[i - (i % 4) + (3 - (i % 4))]);
    const launched = launchFiles(fabric, job, { ...plain, gpus });
    expect(launched.ranks.isByHost).toBe(true);
    expect(launched.ranks.isInDeviceOrder).toBe(false);
    expect(launched.files['launch.sh']).toBeUndefined();
    expect(runBatch(launched).map(({ device }) => Number(device))).toEqual(launched.ranks.ranks.map(({ device }) => device));
  });
  it('tell Megatron-LM of a pipeline inside the data axis', () => {
    const order: Axis[] = ['tensor', 'context', 'pipeline', 'data'];
    const { files, ranks } = launchFiles(fabric, job, { ...plain, order });
    expect(files['megatron-args.txt']).toContain('--use-tp-pp-dp-mapping');
    expect(ranks.ranks.map(({ gpu }) => gpu)).toEqual([...fabric.gpuIds]);
  });
  it('launch what the search finds', () => {
    const { placements } = placeJob(computeRoutes(fabric), job, { schedules: ['1f1b'], limit: 1 });
    const { ranks, files } = launchFiles(fabric, job, placements[0].mapping);
    expect(ranks.isByHost).toBe(true);
    expect(Object.keys(files)).toContain('launch.sh');
  });
  it('refuse names that would end up in a shell', () => {
    expect(() => launchFiles(fabric, job, plain, { name: 'a; rm -rf /' })).toThrow('name');
    expect(() => launchFiles(fabric, job, plain, { hostName: () => '$(reboot)' })).toThrow('host of GPU');
    expect(() => launchFiles(fabric, job, plain, { framework: 'caffe' as never })).toThrow('caffe');
  });
  it('leave nothing of the plan unsaid', () => {
    const { notes } = launchFiles(fabric, job, { ...plain, parallelism: { ...plain.parallelism, schedule: 'zero-bubble' } });
    expect(notes.join()).toContain('zero-bubble');
    expect(readFileSync(new URL('../../src/launch/megatron.ts', import.meta.url), 'utf8')).toContain('pipeline-model-parallel-layout');
  });
});
