import fc from 'fast-check';
import { describe, expect } from 'vitest';
import { createCluster } from '../../src/cluster/create-cluster.js';
import type { Cluster, ClusterPolicy } from '../../src/cluster/types.js';
import { FabricPlanError } from '../../src/errors.js';
import { createFabric } from '../../src/fabric/create-fabric.js';
import type { Fabric } from '../../src/fabric/types.js';
import { anyFederation } from '../arbitraries/fabrics.js';
import { law } from '../support/law.js';

type Command = {
  readonly kind: 'ask' | 'release' | 'fail' | 'restore';
  readonly draw: number;
  readonly gpus: number;
  readonly audience: string;
};
const anyCommands = fc.array(
  fc.record({
    kind: fc.constantFrom<Command['kind']>('ask', 'ask', 'ask', 'release', 'fail', 'restore'),
    draw: fc.nat(),
    gpus: fc.integer({ min: 1, max: 5 }),
    audience: fc.constantFrom('academic', 'industry', 'guest'),
  }),
  { minLength: 1, maxLength: 20 },
);
const anyPolicy: fc.Arbitrary<ClusterPolicy> = fc.record({
  shares: fc
    .tuple(fc.integer({ min: 0, max: 50 }), fc.boolean(), fc.integer({ min: 0, max: 40 }), fc.boolean())
    .map(([a, aBorrow, b, bBorrow]) => [
      { audience: 'academic', guaranteed: a / 100, borrowable: aBorrow },
      { audience: 'industry', guaranteed: b / 100, borrowable: bBorrow },
    ]),
});
const anySession = fc.record({ fabric: anyFederation.map((spec) => createFabric(spec)), policy: anyPolicy, commands: anyCommands });

/** Runs one command against a cluster; returns the id of a new allocation. */
function run(cluster: Cluster, fabric: Fabric, { kind, draw, gpus, audience }: Command, step: number): string | undefined {
  const held = cluster.allocations();
  const device = fabric.gpuIds[draw % fabric.gpuIds.length];
  switch (kind) {
    case 'ask': {
      const decision = cluster.place({ id: `j${step}`, audience, gpus });
      if (!decision.accepted) return undefined;
      cluster.commit(decision);
      return `j${step}`;
    }
    case 'release':
      if (held.length > 0) cluster.release(held[draw % held.length].id);
      return undefined;
    case 'fail':
      cluster.fail([device]);
      return undefined;
    case 'restore':
      if (cluster.snapshot().failed.includes(device)) cluster.restore([device]);
      return undefined;
  }
}

/** No GPU twice, none that is not there, free and held apart. */
function checkInvariants(cluster: Cluster, fabric: Fabric): void {
  const held = cluster.allocations().flatMap((allocation) => allocation.gpus);
  expect(new Set(held).size).toBe(held.length);
  for (const id of held) expect(fabric.gpuIds).toContain(id);
  for (const id of cluster.free()) expect(held).not.toContain(id);
}

describe('cluster laws', () => {
  law('any sequence of operations keeps the invariants', anySession, ({ fabric, policy, commands }) => {
    const cluster = createCluster(fabric, policy);
    commands.forEach((command, step) => {
      run(cluster, fabric, command, step);
      checkInvariants(cluster, fabric);
    });
  });
  law(
    'no ring-fenced share is ever invaded: its owner can always have what it is guaranteed',
    anySession,
    ({ fabric, policy, commands }) => {
      const cluster = createCluster(fabric, policy);
      commands.forEach((command, step) => {
        // Broken devices can take what nobody may invade.
        if (command.kind === 'fail' || command.kind === 'restore') return;
        run(cluster, fabric, command, step);
        for (const { audience, pool, guaranteed, used, borrowable } of cluster.usage()) {
          const open = guaranteed - used;
          if (open <= 0) continue;
          const decision = cluster.place({ id: 'probe', audience, gpus: open, site: pool.split('/')[0] });
          expect(decision.accepted, `${audience} in ${pool}: ${open} of ${guaranteed} open, ${decision.reason}`).toBe(true);
          // What may not be borrowed is idle: nobody has to leave for it.
          if (!borrowable) expect(decision.preempts).toEqual([]);
        }
      });
    },
  );
  law('releasing undoes committing', anySession, ({ fabric, policy, commands }) => {
    const cluster = createCluster(fabric, policy);
    commands.forEach((command, step) => run(cluster, fabric, command, step));
    const before = cluster.snapshot();
    const decision = cluster.place({ id: 'x', audience: 'guest', gpus: 1 });
    if (!decision.accepted || decision.preempts.length > 0) return;
    cluster.commit(decision);
    cluster.release('x');
    expect(cluster.snapshot()).toEqual(before);
  });
  law('deciding changes nothing', anySession, ({ fabric, policy, commands }) => {
    const cluster = createCluster(fabric, policy);
    commands.forEach((command, step) => run(cluster, fabric, command, step));
    const before = cluster.snapshot();
    cluster.place({ id: 'x', audience: 'academic', gpus: 3 });
    expect(cluster.snapshot()).toEqual(before);
  });
  law('a snapshot as JSON restores the same state', anySession, ({ fabric, policy, commands }) => {
    const cluster = createCluster(fabric, policy);
    commands.forEach((command, step) => run(cluster, fabric, command, step));
    const copy = createCluster(fabric, policy, JSON.parse(JSON.stringify(cluster.snapshot())));
    expect(copy.snapshot()).toEqual(cluster.snapshot());
    expect(copy.free()).toEqual(cluster.free());
    expect(copy.usage()).toEqual(cluster.usage());
  });
  law('a decision that no longer holds is refused and changes nothing', anySession, ({ fabric, policy }) => {
    const cluster = createCluster(fabric, policy);
    const first = cluster.place({ id: 'a', audience: 'guest', gpus: 1 });
    const second = cluster.place({ id: 'b', audience: 'guest', gpus: 1 });
    if (!first.accepted || !second.accepted || first.gpus[0] !== second.gpus[0]) return;
    cluster.commit(first);
    const before = cluster.snapshot();
    expect(() => cluster.commit(second)).toThrow(FabricPlanError);
    expect(cluster.snapshot()).toEqual(before);
  });
});
