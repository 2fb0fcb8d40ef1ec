import { showValue, throwIssues, type Issue } from '../errors.js';
import type { FabricSpec, LinkSpec } from '../fabric/types.js';

/**
 * A bare graph as a fabric: `gpus` is a list of names, `links` a list of directed [from, to, GB/s]; every other name is a switch. Nothing is
 * said of latency, so it is 0.
 *
 * @throws FabricPlanError `parse` with every malformed link and its index
 */
export function expandGraph(value: unknown): FabricSpec {
  const graph = (typeof value === 'object' && value !== null ? value : {}) as {
    readonly name?: unknown;
    readonly gpus: unknown;
    readonly links: unknown;
  };
  const issues: Issue[] = [];
  const gpus = Array.isArray(graph.gpus) ? graph.gpus : [];
  if (!Array.isArray(graph.gpus) || gpus.some((gpu) => typeof gpu !== 'string' || gpu === ''))
    issues.push({ path: 'gpus', message: `gpus is ${showValue(graph.gpus)}; expected a list of names` });
  if (!Array.isArray(graph.links))
    issues.push({ path: 'links', message: `links is ${showValue(graph.links)}; expected a list of [from, to, GB/s]` });
  const links: LinkSpec[] = [];
  const ids = new Map<string, number>();
  const isGpu = new Set<unknown>(gpus);
  const switches = new Set<string>();
  (Array.isArray(graph.links) ? graph.links : []).forEach((link: unknown, i) => {
    const [source, target, rate] = Array.isArray(link) ? (link as unknown[]) : [];
    if (typeof source !== 'string' || typeof target !== 'string' || typeof rate !== 'number' || !(Number.isFinite(rate) && rate > 0)) {
      issues.push({ path: `links[${i}]`, message: `links[${i}] is ${showValue(link)}; expected [from, to, GB/s above 0]` });
      return;
    }
    for (const end of [source, target]) if (!isGpu.has(end)) switches.add(end);
    const base = `${source}→${target}`;
    const count = ids.get(base) ?? 0;
    ids.set(base, count + 1);
    links.push({ id: count === 0 ? base : `${base}#${count + 1}`, source, target, bandwidth: rate * 1e9, latency: 0, duplex: false });
  });
  throwIssues('parse', 'readFabric', issues);
  return {
    name: typeof graph.name === 'string' ? graph.name : 'graph',
    levels: [],
    devices: [
      ...gpus.map((id: string) => ({ id, kind: 'gpu' as const, location: [] })),
      ...[...switches].map((id) => ({ id, kind: 'switch' as const, location: [] })),
    ],
    links,
  };
}
