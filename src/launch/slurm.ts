import { compressHostlist } from '../fabric/hostlist.js';
import type { RankMap } from './rank-map.js';

/**
 * A Slurm batch script that starts one task per rank, in rank order.
 *
 * Where ranks fill host after host it asks for a block distribution; otherwise for an arbitrary one with a host file of one line per
 * rank. Every task sees the GPU that the plan gave its rank.
 *
 * @returns the script, and `hosts.txt` where it needs one
 */
export function slurmScript(name: string, map: RankMap, command: string): { script: string; hostFile?: string } {
  const isPlain = map.isByHost && map.perHost > 0;
  // Slurm sorts a node list: only hosts in that order are numbered as planned by a block distribution.
  const isSorted = map.hosts.every((host, i) => i === 0 || compareHosts(map.hosts[i - 1], host) < 0);
  const isBlock = isPlain && isSorted;
  const devices = map.ranks.map(({ device }) => device);
  const lines = [
    '#!/bin/bash',
    `#SBATCH --job-name=${name}`,
    `#SBATCH --nodes=${map.hosts.length}`,
    `#SBATCH --ntasks=${map.ranks.length}`,
    ...(map.perHost > 0 ? [`#SBATCH --ntasks-per-node=${map.perHost}`] : []),
    `#SBATCH --gpus-per-node=${Math.max(...devices) + 1}`,
    `#SBATCH --nodelist=${compressHostlist(map.hosts)}`,
    '#SBATCH --exclusive',
    isBlock ? '#SBATCH --distribution=block' : '#SBATCH --distribution=arbitrary',
    'set -euo pipefail',
    ...(isBlock ? [] : ['export SLURM_HOSTFILE="$PWD/hosts.txt"']),
    `export MASTER_ADDR=${map.hosts[0]}`,
    'export MASTER_PORT=${MASTER_PORT:-29500}',
    ...(map.isInDeviceOrder && isPlain ? [] : ['export RANK_DEVICES="$PWD/rank-devices.txt"']),
    `srun ${isBlock ? '--distribution=block' : '--distribution=arbitrary'} bash -c '`,
    '  export RANK=$SLURM_PROCID WORLD_SIZE=$SLURM_NTASKS',
    map.isInDeviceOrder && isPlain
      ? '  export LOCAL_RANK=$SLURM_LOCALID'
      : '  export LOCAL_RANK=0 CUDA_VISIBLE_DEVICES=$(sed -n "$((SLURM_PROCID + 1))p" "$RANK_DEVICES")',
    `  exec ${command}`,
    "'",
  ];
  return { script: `${lines.join('\n')}\n`, ...(isBlock ? {} : { hostFile: `${map.ranks.map(({ host }) => host).join('\n')}\n` }) };
}

/** The order of Slurm's node lists: by prefix, then by number. */
function compareHosts(a: string, b: string): number {
  const split = (host: string): [string, number] => {
    const found = /^(.*?)(\d{1,9})$/.exec(host);
    return found === null ? [host, -1] : [found[1], Number(found[2])];
  };
  const [prefixA, numberA] = split(a);
  const [prefixB, numberB] = split(b);
  return prefixA < prefixB ? -1 : prefixA > prefixB ? 1 : numberA - numberB;
}
