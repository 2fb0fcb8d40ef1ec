import { stringify } from 'yaml';
import type { RankMap } from './rank-map.js';

/**
 * A JobSet with one pod per host for Kueue's topology-aware scheduling: pods indexed in rank order, each on its host, all within one
 * domain of the level asked for.
 *
 * @param topologyLevel node label of the level that is to hold all pods, such as `cloud.provider.com/topology-block`
 */
export function jobSet(
  name: string,
  map: RankMap,
  command: readonly string[],
  topologyLevel: string,
  queue: string,
  image: string,
): string {
  const gpus = map.perHost;
  const object = {
    apiVersion: 'jobset.x-k8s.io/v1alpha2',
    kind: 'JobSet',
    metadata: { name, labels: { 'kueue.x-k8s.io/queue-name': queue } },
    spec: {
      network: { enableDNSHostnames: true },
      failurePolicy: { maxRestarts: 0 },
      replicatedJobs: [
        {
          name: 'workers',
          replicas: 1,
          template: {
            spec: {
              parallelism: map.hosts.length,
              completions: map.hosts.length,
              completionMode: 'Indexed',
              backoffLimit: 0,
              template: {
                metadata: { annotations: { 'kueue.x-k8s.io/podset-required-topology': topologyLevel } },
                spec: {
                  restartPolicy: 'Never',
                  affinity: {
                    nodeAffinity: {
                      requiredDuringSchedulingIgnoredDuringExecution: {
                        nodeSelectorTerms: [
                          { matchExpressions: [{ key: 'kubernetes.io/hostname', operator: 'In', values: [...map.hosts] }] },
                        ],
                      },
                    },
                  },
                  containers: [
                    {
                      name: 'trainer',
                      image,
                      command: [...command],
                      env: [
                        { name: 'MASTER_ADDR', value: `${name}-workers-0-0.${name}` },
                        { name: 'MASTER_PORT', value: '29500' },
                        { name: 'NODE_COUNT', value: String(map.hosts.length) },
                        { name: 'GPUS_PER_NODE', value: String(gpus) },
                      ],
                      resources: { limits: { 'nvidia.com/gpu': gpus } },
                    },
                  ],
                },
              },
            },
          },
        },
      ],
    },
  };
  return stringify(object, { lineWidth: 0 });
}
