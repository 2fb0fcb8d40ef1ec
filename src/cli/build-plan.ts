import { summarizeFabric } from '../fabric/capacity.js';
import { groupByLevel } from '../fabric/locality.js';
import type { Fabric } from '../fabric/types.js';
import type { Description } from '../formats/description-schema.js';
import { describedJob } from '../formats/expand-description.js';
import { placeJob, type PlaceOptions } from '../placement/place-job.js';
import type { Placement } from '../placement/types.js';
import type { PlanReport, ReportLink, ReportPlacement, ReportSite } from '../report/types.js';
import { computeRoutes } from '../routes/compute-routes.js';
import { countParameters } from '../training/parameters.js';
import type { TrainingJob } from '../training/types.js';
import { buildStudy } from './build-study.js';

export interface PlanRequest extends Pick<
  PlaceOptions,
  'gpus' | 'limit' | 'outerEvery' | 'objective' | 'tokens' | 'limits' | 'pareto' | 'schedules'
> {
  readonly strategies?: readonly string[];
  /** Bytes of an accumulated gradient value, where the software to launch is known. */
  readonly gradientBytes?: 2 | 4;
  /** Price of a GPU for an hour. */
  readonly eurosPerGpuHour?: number;
  readonly listRanks?: boolean;
  readonly signal?: AbortSignal;
  /** Share done and what is being done. */
  readonly onProgress?: (share: number, what: string) => void;
}

/** The report, and the best placement for whoever launches it. */
export interface BuiltPlan {
  readonly report: PlanReport;
  readonly job: TrainingJob;
  readonly best: Placement | undefined;
}

/** Places the job of a description, answers its study, and gathers all in one report. */
export function buildPlan(fabric: Fabric, description: Description, request: PlanRequest): BuiltPlan {
  const job: TrainingJob = {
    ...describedJob(description),
    ...(request.gradientBytes === undefined ? {} : { gradientBytes: request.gradientBytes }),
    ...(request.eurosPerGpuHour === undefined ? {} : { eurosPerGpuHour: request.eurosPerGpuHour }),
  };
  const progress = (share: number, what: string): void => request.onProgress?.(share, what);
  const signal = request.signal === undefined ? {} : { signal: request.signal };
  const routes = computeRoutes(fabric);
  const gpus = request.gpus ?? description.plan?.gpus;
  const strategies = request.strategies ?? description.plan?.strategies;
  progress(0.02, 'placing');
  const result = placeJob(routes, job, {
    ...(gpus === undefined ? {} : { gpus }),
    ...(strategies === undefined ? {} : { strategies }),
    limit: request.limit ?? 3,
    outerEvery: request.outerEvery ?? description.plan?.outerEvery ?? 100,
    ...(request.objective === undefined ? {} : { objective: request.objective }),
    ...(request.tokens === undefined ? {} : { tokens: request.tokens }),
    ...(request.limits === undefined ? {} : { limits: request.limits }),
    ...(request.pareto === undefined ? {} : { pareto: request.pareto }),
    ...(request.schedules === undefined ? {} : { schedules: request.schedules }),
    ...signal,
    onProgress: (share) => {
      progress(0.02 + 0.48 * share, 'placing');
    },
  });
  const study = description.study === undefined ? undefined : buildStudy(fabric, job, description, result.placements, progress);
  progress(1, 'done');
  const listRanks = request.listRanks === true;
  const report: PlanReport = {
    schema: 'fabricplan/plan/1',
    name: description.name,
    fabric: summarizeFabric(fabric),
    sites: describeSites(fabric),
    links: describeLinks(fabric),
    job: {
      model: job.model.name,
      parameters: countParameters(job.model).total,
      sequence: job.sequence,
      globalBatch: job.globalBatch,
      tokensPerStep: job.globalBatch * job.sequence,
      precision: job.precision ?? 'bf16',
    },
    objective: result.objective,
    placements: result.placements.map((placement) => describe(placement, listRanks)),
    ...(result.front === undefined ? {} : { front: result.front.map((placement) => describe(placement, listRanks)) }),
    rejections: result.rejections,
    examined: result.examined,
    feasible: result.feasible,
    proof: result.proof,
    explanation: result.explanation,
    ...(study === undefined ? {} : { study }),
  };
  return { report, job, best: result.placements.at(0) };
}

function describe({ strategy, mapping, step, sites, caveats, run, lostBy }: Placement, listRanks: boolean): ReportPlacement {
  return {
    strategy,
    degrees: { ...mapping.parallelism, order: mapping.order.join('-') },
    sites,
    step,
    caveats,
    ...(run === undefined ? {} : { run }),
    ...(lostBy === undefined ? {} : { lostBy }),
    ...(listRanks ? { gpus: mapping.gpus } : {}),
  };
}

/** Site of a router of the wide area; undefined for other devices. */
function siteOf(fabric: Fabric, id: string): string | undefined {
  const { kind, location } = fabric.devices[fabric.indexOf(id)!];
  return kind === 'gateway' ? location[0] : undefined;
}

/** Sites with their access links: those between two routers of one site. */
export function describeSites(fabric: Fabric): ReportSite[] {
  const accesses = new Map(
    fabric.links.flatMap((link) => {
      const site = siteOf(fabric, link.source);
      return site !== undefined && site === siteOf(fabric, link.target) ? [[site, link] as const] : [];
    }),
  );
  return groupByLevel(fabric, fabric.levels[0] ?? '').map(({ path, gpus }) => {
    const [name] = path;
    const device = fabric.devices[fabric.compiled.gpus[gpus[0]]];
    const access = accesses.get(name);
    const place =
      device.coordinates ?? fabric.devices.find(({ kind, location }) => kind === 'gateway' && location[0] === name)?.coordinates;
    return {
      name,
      ...(place === undefined ? {} : { coordinates: place }),
      gpus: gpus.length,
      model: device.model ?? 'unknown',
      ...(access === undefined ? {} : { access: access.bandwidth * (access.count ?? 1) }),
      ...(access?.confidence === undefined ? {} : { confidence: access.confidence }),
    };
  });
}

/** Links between routers of different sites. */
function describeLinks(fabric: Fabric): ReportLink[] {
  return fabric.links.flatMap((link) => {
    const from = siteOf(fabric, link.source);
    const to = siteOf(fabric, link.target);
    if (from === undefined || to === undefined || from === to) return [];
    return [
      {
        from,
        to,
        bandwidth: link.bandwidth * (link.count ?? 1),
        roundTrip: 2 * link.latency,
        ...(link.confidence === undefined ? {} : { confidence: link.confidence }),
      },
    ];
  });
}
