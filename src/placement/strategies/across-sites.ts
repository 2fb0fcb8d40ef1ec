import type { PlacementStrategy, Selection, SelectionContext } from '../types.js';

/** Synchronous data parallelism over sites: whole replicas inside a site, gradients all-reduced across sites every step. */
export const dataAcrossSites: PlacementStrategy = {
  name: 'data-across-sites',
  propose: (context) => proposeAcross(context, 'data-across-sites', ['tensor', 'context', 'pipeline', 'data'], 'replica', 1),
};

/** Pipeline over sites: whole stages inside a site, activations of each micro-batch cross between neighbours. */
export const pipelineAcrossSites: PlacementStrategy = {
  name: 'pipeline-across-sites',
  propose: (context) => proposeAcross(context, 'pipeline-across-sites', ['tensor', 'context', 'data', 'pipeline'], 'stage', 1),
};

/** Low-communication training over sites: data parallelism inside a site every step, across sites every H steps (local SGD, DiLoCo). */
export const lowCommunication: PlacementStrategy = {
  name: 'low-communication',
  propose: (context) =>
    proposeAcross(context, 'low-communication', ['tensor', 'context', 'pipeline', 'data'], 'replica', context.outerEvery),
};

function proposeAcross(
  context: SelectionContext,
  strategy: string,
  order: Selection['order'],
  unit: Selection['unit'],
  outerEvery: number,
): { selections: Selection[]; reason?: string } {
  const { sites, count } = context;
  if (sites.length < 2) return { selections: [], reason: 'the free GPUs are on one site' };
  const total = sites.reduce((sum, { gpus }) => sum + gpus.length, 0);
  if (total < count) return { selections: [], reason: `only ${total} GPUs are free on all sites together` };
  return {
    selections: splits(
      sites.map(({ gpus }) => gpus.length),
      count,
    ).flatMap((parts) => context.grains.flatMap((grain) => select(context, parts, grain, strategy, order, unit, outerEvery) ?? [])),
  };
}

/** Ways to split the GPUs over sites: in proportion to what is free (all of it when all is wanted), and the largest sites first. */
function splits(free: readonly number[], count: number): number[][] {
  const total = free.reduce((a, b) => a + b, 0);
  if (total === count) return [[...free]];
  const options: number[][] = [];
  // Parts in multiples of a power of two, so that replicas fit.
  for (const grain of [256, 64, 16, 8, 4, 1]) {
    if (count % grain !== 0) continue;
    const parts = free.map((own) => Math.floor((own * count) / total / grain) * grain);
    let rest = count - parts.reduce((a, b) => a + b, 0);
    for (let i = 0; rest > 0 && i < free.length; i++) {
      const more = Math.min(rest, Math.floor((free[i] - parts[i]) / grain) * grain);
      parts[i] += more;
      rest -= more;
    }
    if (rest === 0) {
      options.push(parts);
      break;
    }
  }
  const largest = free.map(() => 0);
  let rest = count;
  for (const i of free.map((_, at) => at).sort((a, b) => free[b] - free[a] || a - b)) {
    largest[i] = Math.min(rest, free[i]);
    rest -= largest[i];
  }
  if (largest.filter((part) => part > 0).length > 1 && options.every((parts) => parts.join() !== largest.join())) options.push(largest);
  return options.filter((parts) => parts.filter((part) => part > 0).length > 1);
}

function select(
  context: SelectionContext,
  parts: readonly number[],
  grain: number,
  strategy: string,
  order: Selection['order'],
  unit: Selection['unit'],
  outerEvery: number,
): Selection | undefined {
  const chosen = context.sites.map(({ gpus }, i) => context.pack(gpus, parts[i], grain));
  if (chosen.some((part) => part === undefined)) return undefined;
  const gpus = new Int32Array(parts.reduce((a, b) => a + b, 0));
  let at = 0;
  for (const part of chosen as Int32Array[]) {
    gpus.set(part, at);
    at += part.length;
  }
  return { strategy, gpus, order, sites: parts.filter((part) => part > 0), unit, outerEvery };
}
