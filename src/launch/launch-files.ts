import { invalidArgument } from '../errors.js';
import type { Fabric } from '../fabric/types.js';
import { AXES, type Mapping, type TrainingJob } from '../training/types.js';
import { completeJob, completeParallelism } from '../training/validate-job.js';
import { deepspeedConfig } from './deepspeed.js';
import { jobSet } from './kubernetes.js';
import { megatronArguments } from './megatron.js';
import { rankMap, type HostNamer, type RankMap } from './rank-map.js';
import { slurmScript } from './slurm.js';
import { torchtitanConfig } from './torchtitan.js';

/** Training software that a plan can be written for. */
export const FRAMEWORKS = ['megatron', 'torchtitan', 'deepspeed'] as const;
export type Framework = (typeof FRAMEWORKS)[number];

export interface LaunchOptions {
  /** Default `megatron`. */
  readonly framework?: Framework;
  /** Name of the job. Default `fabricplan`. */
  readonly name?: string;
  /** Training script. Default: the one of the framework. */
  readonly script?: string;
  /** Name of a GPU's host. Default: from its id; see hostOfId. */
  readonly hostName?: HostNamer;
  /** Node label that Kueue keeps all pods within. Default `cloud.provider.com/topology-block`. */
  readonly topologyLevel?: string;
  /** Kueue's queue. Default `training`. */
  readonly queue?: string;
  /** Container image. Default `nvcr.io/nvidia/pytorch:25.06-py3`. */
  readonly image?: string;
}

/** Files that launch a plan, and what they cannot say. */
export interface LaunchFiles {
  readonly files: Readonly<Record<string, string>>;
  readonly notes: readonly string[];
  readonly ranks: RankMap;
}

const SCRIPTS: Readonly<Record<Framework, string>> = {
  megatron: 'pretrain_gpt.py',
  torchtitan: '-m torchtitan.train',
  deepspeed: 'train.py',
};

/**
 * Writes what launches a placement: flags or configuration of the framework, a rank file in rank order, host files, a torchrun command,
 * a Slurm script, and a JobSet for Kueue. All agree on one numbering of ranks, the framework's own; every rank runs on the GPU that the
 * mapping gave it.
 *
 * @throws FabricPlanError `invalid-argument` for mappings or names of hosts that cannot be launched
 * @complexity O(GPUs of the fabric)
 * @example
 * Object.keys(launchFiles(fabric, { model, sequence: 2048, globalBatch: 8 }, { parallelism: { tensor: 1, pipeline: 1, data: 2 }, gpus: ['a', 'b'] }).files)
 * // ['ranks.csv', 'hostfile', 'rankfile', 'launch.sh', 'job.sbatch', 'jobset.yaml', 'megatron-args.txt']
 */
export function launchFiles(fabric: Fabric, job: TrainingJob, mapping: Mapping, options: LaunchOptions = {}): LaunchFiles {
  const where = 'launchFiles';
  const complete = completeJob(where, job);
  const parallelism = completeParallelism(where, mapping.parallelism);
  const framework = options.framework ?? 'megatron';
  if (!FRAMEWORKS.includes(framework)) throw invalidArgument(where, 'framework', framework, `one of ${FRAMEWORKS.join(', ')}`);
  const name = options.name ?? 'fabricplan';
  if (!/^[a-z0-9]([a-z0-9-]{0,40}[a-z0-9])?$/.test(name))
    throw invalidArgument(where, 'name', name, 'lower-case letters, digits and dashes, at most 42');
  // Megatron-LM can put the pipeline inside the data axis; the others number ranks in one way.
  const isDataOutside =
    framework === 'megatron' &&
    parallelism.pipeline > 1 &&
    (mapping.order ?? AXES).indexOf('pipeline') < (mapping.order ?? AXES).indexOf('data');
  const order = isDataOutside ? (['tensor', 'context', 'pipeline', 'data'] as const) : AXES;
  const ranks = rankMap(fabric, mapping, order, options.hostName);
  const notes: string[] = [];
  const files: Record<string, string> = {
    'ranks.csv': `rank,host,device,gpu\n${ranks.ranks.map(({ rank, host, device, gpu }) => `${rank},${host},${device},${gpu}`).join('\n')}\n`,
    hostfile: `${hostCounts(ranks)
      .map(([host, count]) => `${host} slots=${count}`)
      .join('\n')}\n`,
    rankfile: `${ranks.ranks.map(({ rank, host, device }) => `rank ${rank}=${host} slot=${device}`).join('\n')}\n`,
  };
  const script = options.script ?? SCRIPTS[framework];
  const isPlain = ranks.isByHost && ranks.perHost > 0 && ranks.isInDeviceOrder;
  const settings = frameworkSettings(framework, complete, parallelism, isDataOutside);
  notes.push(...settings.notes);
  const training = `${script} ${settings.arguments}`;
  if (isPlain) files['launch.sh'] = torchrunScript(ranks, training);
  else
    notes.push(
      'torchrun numbers ranks host by host; this plan does not: use job.sbatch, or mpirun with rankfile and CUDA_VISIBLE_DEVICES from rank-devices.txt.',
    );
  const { script: batch, hostFile } = slurmScript(name, ranks, `python ${training}`);
  files['job.sbatch'] = batch;
  if (hostFile !== undefined) files['hosts.txt'] = hostFile;
  if (!isPlain) files['rank-devices.txt'] = `${ranks.ranks.map(({ device }) => device).join('\n')}\n`;
  if (isPlain) {
    const command = [
      'bash',
      '-c',
      `torchrun --nnodes=$NODE_COUNT --nproc-per-node=$GPUS_PER_NODE --node-rank=$JOB_COMPLETION_INDEX --master-addr=$MASTER_ADDR --master-port=$MASTER_PORT ${training}`,
    ];
    files['jobset.yaml'] = jobSet(
      name,
      ranks,
      command,
      options.topologyLevel ?? 'cloud.provider.com/topology-block',
      options.queue ?? 'training',
      options.image ?? 'nvcr.io/nvidia/pytorch:25.06-py3',
    );
    notes.push('Kueue places pods itself within the level: which host gets which index is its choice unless it orders them by topology.');
  } else notes.push('No JobSet: pods are whole hosts with ranks in order, which this plan is not.');
  return { files: { ...files, ...settings.files }, notes, ranks };
}

function hostCounts({ ranks }: RankMap): [string, number][] {
  const counts = new Map<string, number>();
  for (const { host } of ranks) counts.set(host, (counts.get(host) ?? 0) + 1);
  return [...counts];
}

function frameworkSettings(
  framework: Framework,
  job: Parameters<typeof megatronArguments>[0],
  parallelism: Parameters<typeof megatronArguments>[1],
  isDataOutside: boolean,
): { files: Record<string, string>; arguments: string; notes: string[] } {
  switch (framework) {
    case 'megatron': {
      const { arguments: list, notes } = megatronArguments(job, parallelism, isDataOutside);
      return { files: { 'megatron-args.txt': `${list.join('\n')}\n` }, arguments: '$(cat megatron-args.txt)', notes };
    }
    case 'torchtitan': {
      const { text, notes } = torchtitanConfig(job, parallelism);
      return { files: { 'train.toml': text }, arguments: '--job.config_file train.toml', notes };
    }
    case 'deepspeed': {
      const { config, notes } = deepspeedConfig(job, parallelism);
      const extra = megatronArguments(job, { ...parallelism, zeroStage: 0 }, false);
      return {
        files: { 'ds_config.json': `${JSON.stringify(config, null, 2)}\n`, 'megatron-args.txt': `${extra.arguments.join('\n')}\n` },
        arguments: '--deepspeed --deepspeed_config ds_config.json $(cat megatron-args.txt)',
        notes,
      };
    }
  }
}

/** One torchrun per host; the script finds its own place in the list. */
function torchrunScript({ hosts, perHost }: RankMap, training: string): string {
  return `${[
    '#!/bin/bash',
    '# Run on every host, in the folder of these files. NODE_RANK is the place of the host in the list.',
    'set -euo pipefail',
    `HOSTS=(${hosts.join(' ')})`,
    'NODE_RANK=${NODE_RANK:-}',
    'if [ -z "$NODE_RANK" ]; then',
    '  for i in "${!HOSTS[@]}"; do [ "${HOSTS[$i]}" = "$(hostname -s)" ] && NODE_RANK=$i; done',
    'fi',
    `exec torchrun --nnodes=${hosts.length} --nproc-per-node=${perHost} --node-rank="$NODE_RANK" --master-addr=${hosts[0]} --master-port=\${MASTER_PORT:-29500} ${training}`,
  ].join('\n')}\n`;
}
