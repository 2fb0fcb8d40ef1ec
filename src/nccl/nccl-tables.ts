import { ncclTimes, tuneNccl, type NcclTuning } from './tune.js';
import type { TunerTables } from './tuner-tables.js';
import { searchNcclGraphs } from './search-graphs.js';
import { NCCL_COLLECTIVES, type NcclGraphs, type NcclTopology } from './types.js';

/** One line of each table, with NCCL's own units: µs, GB/s. */
export type TableRow = Readonly<Record<string, string | number>>;

/** What NCCL would find and choose, as flat tables. */
export interface NcclTableSet {
  readonly graphs: readonly TableRow[];
  readonly latbw: readonly TableRow[];
  readonly times: readonly TableRow[];
}

/** 1 KiB to 4 GiB in steps of four. */
export const NCCL_SIZES: readonly number[] = Array.from({ length: 12 }, (_, k) => 1024 * 4 ** k);

/**
 * Searches once per distinct case (one node; several) and tabulates graphs, latencies and bandwidths, and times with the choice.
 *
 * @throws FabricPlanError as searchNcclGraphs
 */
export function tabulateNccl(
  topology: NcclTopology,
  nodeCounts: readonly number[],
  options: { readonly bytes?: readonly number[]; readonly tables?: TunerTables } = {},
): NcclTableSet {
  const graphs: TableRow[] = [];
  const latbw: TableRow[] = [];
  const times: TableRow[] = [];
  const found = new Map<boolean, NcclGraphs>();
  for (const nodes of nodeCounts) {
    // All node counts above one see the same node, so one search serves them.
    const known = found.get(nodes > 1);
    const graph = known === undefined ? searchNcclGraphs(topology, nodes) : onNodes(known, nodes);
    found.set(nodes > 1, graph);
    const tuning = tuneNccl(graph, options.tables);
    graphs.push(...graphRows(graph));
    latbw.push(...latencyRows(tuning));
    times.push(...timeRows(tuning, options.bytes ?? NCCL_SIZES));
  }
  return { graphs, latbw, times };
}

/** The same search result for another number of nodes, above one. */
export function onNodes(graphs: NcclGraphs, nodes: number): NcclGraphs {
  return { ...graphs, nodes, ranks: (graphs.ranks / graphs.nodes) * nodes };
}

function graphRows(graphs: NcclGraphs): TableRow[] {
  return (['tree', 'ring', 'nvls'] as const).map((algorithm) => {
    const graph = graphs[algorithm];
    return {
      topology: graphs.topology,
      nodes: graphs.nodes,
      ranks: graphs.ranks,
      sm: graphs.computeCapability,
      algo: algorithm.toUpperCase(),
      pattern: graph.pattern,
      nChannels: graph.channels,
      bwIntra_GBs: rounded(graph.bandwidthIntra / 1e9),
      bwInter_GBs: rounded(graph.bandwidthInter / 1e9),
      typeIntra: graph.typeIntra,
      typeInter: graph.typeInter,
      sameChannels: graph.sameChannels ? 1 : 0,
      crossNic: graph.crossNic,
      latencyInter_us: rounded(graph.latencyInter * 1e6),
      commChannels: graphs.communicatorChannels,
    };
  });
}

function latencyRows({ graphs, rows }: NcclTuning): TableRow[] {
  return rows.map((row) => ({
    topology: graphs.topology,
    nodes: graphs.nodes,
    ranks: graphs.ranks,
    collective: row.collective,
    algo: row.algorithm,
    proto: row.protocol,
    latency_us: rounded(row.latency * 1e6),
    algbw_GBs: rounded(row.bandwidth / 1e9),
  }));
}

function timeRows(tuning: NcclTuning, sizes: readonly number[]): TableRow[] {
  const { graphs } = tuning;
  return NCCL_COLLECTIVES.flatMap((collective) =>
    sizes.flatMap((bytes) =>
      ncclTimes(tuning, collective, bytes).map((row) => ({
        topology: graphs.topology,
        nodes: graphs.nodes,
        ranks: graphs.ranks,
        collective,
        bytes,
        algo: row.algorithm,
        proto: row.protocol,
        time_us: rounded(row.seconds * 1e6),
        chosen: row.chosen ? 1 : 0,
      })),
    ),
  );
}

const rounded = (value: number): number => Math.round(value * 1e6) / 1e6;
