import { FabricPlanError, throwIssues, type Issue } from '../errors.js';
import type { ClusterSpec } from '../fabric/builders/network.js';
import { buildMultiSite, type SiteOptions, type WideAreaLink } from '../fabric/builders/multi-site.js';
import type { FabricSpec } from '../fabric/types.js';
import { buildSystem, buildTopology } from '../presets/build-system.js';
import { linkPreset, modelPreset, nodePreset, systemPreset } from '../presets/lookups.js';
import { MODELS } from '../presets/models.js';
import { ROUTE_FACTOR, SITES, WIDE_AREA_LINKS } from '../presets/sites.js';
import type { SystemTopology } from '../presets/system-topology.js';
import { GIGABIT_PER_SECOND, parseQuantity, type QuantityKind } from '../quantities.js';
import { shapeOfSize } from '../training/shape-of-size.js';
import type { TrainingJob, TransformerShape } from '../training/types.js';
import type { Description } from './description-schema.js';
import { greatCircle } from './great-circle.js';

/** GPUs of all clusters together at most. */
const MOST_GPUS = 400_000;
/** Rate of the unit wave in which wide-area rates are counted, so that more waves are more cables. */
const WAVE = 100 * GIGABIT_PER_SECOND;
/** Share of the line rate that bulk transfers reach on a dedicated wave: 0.90–0.95 (planning estimate). */
const WAVE_EFFICIENCY = 0.9;

/**
 * Expands a description to the full fabric: presets by name, clusters by their builders, sites behind their access links. What the
 * description leaves out comes from the presets of European sites and networks where they know the place, and is an error elsewhere.
 *
 * @throws FabricPlanError `invalid-argument` or `unknown-name`, with all problems at once
 * @complexity O(devices + links)
 * @example
 * expandDescription({ name: 'x', sites: [{ id: 'a', clusters: [{ node: 'dgx-h100', nodes: 2 }] }] }).levels // ['site', 'group', 'rack', 'node', 'host']
 */
export function expandDescription(description: Description): FabricSpec {
  const collector = collectIssues();
  const sites = description.sites.map((site, i) => collector.attempt(`sites[${i}]`, () => expandSite(site, collector, i)));
  const links = (description.wan ?? []).map((wan, i) => collector.attempt(`wan[${i}]`, () => expandLink(wan, description)));
  collector.finish();
  return buildMultiSite({ name: description.name, sites: sites.map((site) => site!), links: links.map((link) => link!) });
}

type SiteDescription = Description['sites'][number];
type Collector = ReturnType<typeof collectIssues>;

/** Runs parts that may throw and reports all of their problems together. */
function collectIssues(): { attempt<T>(path: string, run: () => T): T | undefined; finish(): void; gpus: number } {
  const issues: Issue[] = [];
  return {
    gpus: 0,
    attempt(path, run) {
      try {
        return run();
      } catch (error) {
        if (!(error instanceof FabricPlanError)) throw error;
        if (error.code === 'too-large') throw error;
        for (const message of error.issues.length > 0 ? error.issues.map((issue) => issue.message) : [error.message])
          issues.push({ path, message: `${path}: ${message}` });
        return undefined;
      }
    },
    finish() {
      throwIssues('invalid-argument', 'expandDescription', issues);
    },
  };
}

function expandSite(site: SiteDescription, collector: Collector, index: number): SiteOptions {
  const known = SITES.find(({ id }) => id === site.id);
  const coordinates = site.coordinates ?? known?.coordinates;
  const rate =
    site.access?.bandwidth === undefined ? (known?.accessGigabitsPerSecond ?? 100) * GIGABIT_PER_SECOND : rateOf(site.access.bandwidth);
  const clusters = site.clusters.map((cluster, c) =>
    collector.attempt(`sites[${index}].clusters[${c}]`, () => expandCluster(cluster, site, coordinates, collector)),
  );
  return {
    id: site.id,
    clusters: clusters.filter((cluster) => cluster !== undefined),
    access: {
      ...inWaves(rate),
      latency: 5e-6,
      efficiency: site.access?.efficiency ?? WAVE_EFFICIENCY,
      ...(site.access?.backgroundLoad === undefined ? {} : { backgroundLoad: site.access.backgroundLoad }),
      confidence: site.access?.confidence ?? (site.access?.bandwidth === undefined ? (known?.confidence ?? 'E') : 'given'),
    },
    ...(coordinates === undefined ? {} : { coordinates }),
  };
}

/**
 * The fabric of one cluster of a description, on a site of its own.
 *
 * @throws FabricPlanError `invalid-argument` or `unknown-name`
 */
export function expandSingleCluster(cluster: SiteDescription['clusters'][number]): ClusterSpec {
  const collector = collectIssues();
  const site: SiteDescription = { id: cluster.id ?? cluster.system ?? cluster.node ?? 'site', clusters: [cluster] };
  const spec = collector.attempt('cluster', () => expandCluster(cluster, site, undefined, collector));
  collector.finish();
  return spec!;
}

function expandCluster(
  cluster: SiteDescription['clusters'][number],
  site: SiteDescription,
  coordinates: readonly [number, number] | undefined,
  collector: Collector,
): ClusterSpec {
  const fail = (message: string): never => {
    throw new FabricPlanError('invalid-argument', message);
  };
  if ((cluster.system === undefined) === (cluster.node === undefined))
    return fail('a cluster has either a system or a node type; expected exactly one');
  const nodeName = cluster.system === undefined ? cluster.node! : systemPreset(cluster.system).node;
  const node = nodePreset(nodeName);
  const gpus =
    cluster.gpus ??
    (cluster.system === undefined ? (cluster.nodes ?? 0) * node.gpus : (cluster.nodes ?? systemPreset(cluster.system).nodes) * node.gpus);
  if (gpus === 0) return fail(`the cluster of ${nodeName} has neither nodes nor gpus; expected one of them`);
  collector.gpus += gpus;
  if (collector.gpus > MOST_GPUS) throw new FabricPlanError('too-large', `expandDescription: more than ${MOST_GPUS} GPUs; expected fewer`);
  if (cluster.system !== undefined) {
    if (cluster.topology !== undefined) return fail(`system ${cluster.system} brings its topology; expected none here`);
    return buildSystem(cluster.system, { gpus, name: cluster.id ?? cluster.system, site: site.id });
  }
  const trunk = cluster.trunk === undefined ? {} : { trunk: linkPreset(cluster.trunk) };
  return buildTopology((cluster.topology ?? { kind: 'leaf-spine' }) as SystemTopology, {
    node,
    nodes: Math.ceil(gpus / node.gpus),
    name: cluster.id ?? `${site.id}-${nodeName}`,
    site: site.id,
    ...trunk,
    ...(cluster.reduces === undefined ? {} : { reduces: cluster.reduces }),
    ...(coordinates === undefined ? {} : { coordinates }),
  });
}

function expandLink(wan: NonNullable<Description['wan']>[number], description: Description): WideAreaLink {
  const known = WIDE_AREA_LINKS.find(
    ({ kind, from, to }) => kind === 'modelled' && ((from === wan.from && to === wan.to) || (from === wan.to && to === wan.from)),
  );
  if (wan.bandwidth === undefined && known === undefined)
    throw new FabricPlanError(
      'invalid-argument',
      `link "${wan.from}"–"${wan.to}" has no bandwidth and is not in the table of research networks; expected a rate such as "200 Gb/s"`,
    );
  const rate = wan.bandwidth === undefined ? known!.gigabitsPerSecond * GIGABIT_PER_SECOND : rateOf(wan.bandwidth);
  const distance =
    wan.distance === undefined
      ? known === undefined
        ? estimatedFibre(wan.from, wan.to, description)
        : known.fibreKilometres * 1000
      : read(wan.distance, 'metres');
  const rtt = wan.rtt === undefined ? undefined : read(wan.rtt, 'seconds');
  if (distance === undefined && rtt === undefined)
    throw new FabricPlanError(
      'invalid-argument',
      `link "${wan.from}"–"${wan.to}" has neither distance nor rtt, and the sites have no coordinates; expected one of them`,
    );
  return {
    from: wan.from,
    to: wan.to,
    ...inWaves(rate),
    ...(distance === undefined ? {} : { distance }),
    ...(rtt === undefined ? {} : { latency: rtt / 2 }),
    efficiency: wan.efficiency ?? WAVE_EFFICIENCY,
    ...(wan.backgroundLoad === undefined ? {} : { backgroundLoad: wan.backgroundLoad }),
    confidence: wan.confidence ?? (wan.bandwidth === undefined ? known!.confidence : 'given'),
  };
}

/** Great circle times the usual detour of research networks. */
function estimatedFibre(from: string, to: string, description: Description): number | undefined {
  const place = (id: string): readonly [number, number] | undefined =>
    description.sites.find((site) => site.id === id)?.coordinates ?? SITES.find((site) => site.id === id)?.coordinates;
  const a = place(from);
  const b = place(to);
  return a === undefined || b === undefined ? undefined : greatCircle(a, b) * ROUTE_FACTOR.default;
}

/** A rate as a number of unit waves where it divides, as one cable where not. */
function inWaves(rate: number): { bandwidth: number; count: number } {
  const waves = rate / WAVE;
  return Number.isInteger(waves) && waves >= 1 ? { bandwidth: WAVE, count: waves } : { bandwidth: rate, count: 1 };
}

function rateOf(text: string | number): number {
  const rate = read(text, 'bytes/second');
  if (rate <= 0) throw new FabricPlanError('invalid-argument', `bandwidth is ${text}; expected a rate above 0`);
  return rate;
}

const read = (text: string | number, kind: QuantityKind): number => parseQuantity(text, kind);

/**
 * The training job of a description: a known model, a size or a shape; the batch in sequences or tokens.
 *
 * @throws FabricPlanError `invalid-argument` where it has none, or no batch; `unknown-name` for models
 */
export function describedJob(description: Description): TrainingJob {
  const { job } = description;
  if (job === undefined)
    throw new FabricPlanError(
      'invalid-argument',
      'describedJob: the description has no job; expected a job with model, sequence and batch',
    );
  if ((job.globalBatch === undefined) === (job.tokensPerStep === undefined))
    throw new FabricPlanError(
      'invalid-argument',
      'describedJob: the job has to state either globalBatch or tokensPerStep; expected exactly one',
    );
  const globalBatch = job.globalBatch ?? Math.max(1, Math.round(read(job.tokensPerStep!, 'tokens') / job.sequence));
  return {
    model: describedModel(job.model),
    sequence: job.sequence,
    globalBatch,
    ...(job.precision === undefined ? {} : { precision: job.precision }),
    ...(job.overlap === undefined ? {} : { overlap: job.overlap }),
  };
}

/** A model by name, by size (`70B`) or by shape. */
export function describedModel(model: NonNullable<Description['job']>['model']): TransformerShape {
  if (typeof model !== 'string') {
    const { kvHeads = model.heads, headDim = Math.floor(model.hidden / model.heads), gated = true, tied = false, ...rest } = model;
    return { name: 'given shape', kvHeads, headDim, gated, tied, ...rest };
  }
  if (MODELS.some(({ name }) => name === model.toLowerCase())) return modelPreset(model);
  return /^\d+(?:\.\d+)?\s*[MBTK]$/i.test(model) ? shapeOfSize(model.toUpperCase()) : modelPreset(model);
}
