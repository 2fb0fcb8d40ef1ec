import { FabricPlanError } from '../../errors.js';
import { createFabric } from '../../fabric/create-fabric.js';
import { summarizeFabric, type FabricSummary } from '../../fabric/capacity.js';
import { formatFabricJson } from '../../formats/fabric-json.js';
import { topologyOfFabric } from '../../formats/readers/own-formats.js';
import { composeTopologies, type PlacedTopology } from '../../formats/topology/compose-topologies.js';
import { fabricOfTopology } from '../../formats/topology/fabric-of-topology.js';
import { summarizeTopology, type TopologySummary } from '../../formats/topology/summarize-topology.js';
import type { Topology } from '../../formats/topology/types.js';
import { formatBandwidth, formatBytes, formatFlops, formatShare } from '../../quantities.js';
import { formatTable } from '../../report/text-report.js';
import { describeFabric } from '../../fabric/create-fabric.js';
import { EXIT, printJson } from '../output.js';
import { fileArgument, openFabric, openTopology, parseAssumptions, refusalOf, type OpenOptions } from '../open-topology.js';

export interface InspectOptions extends OpenOptions {
  readonly json?: boolean;
  readonly fabric?: boolean;
}

/** What one file, or what is composed of several, was understood as. */
interface Inspection {
  readonly topology: Topology;
  readonly summary: TopologySummary;
  /** Where nothing is missing for a fabric. */
  readonly fabric?: FabricSummary;
  /** What a fabric would need beyond the file. */
  readonly needs: readonly string[];
}

/** Prints what files were understood as; returns the exit code. */
export function inspect(files: readonly string[], options: InspectOptions): number {
  if (options.fabric === true) {
    process.stdout.write(`${formatFabricJson(openFabric(files, options).fabric)}\n`);
    return EXIT.done;
  }
  if (options.system !== undefined) {
    const { fabric } = openFabric(files, options);
    print(inspectTopology({ ...topologyOfFabric(describeFabric(fabric), 'system') }, options), options);
    return EXIT.done;
  }
  const parts = (files.length === 0 ? ['-'] : files).map(fileArgument);
  const results = parts.map(
    (part): { readonly placed?: PlacedTopology; readonly object: object; readonly inspection?: Inspection; readonly error?: unknown } => {
      try {
        const placed = openTopology(part, options);
        const inspection = inspectTopology(placed.topology, options);
        return { placed, inspection, object: objectOf(inspection) };
      } catch (error) {
        return { object: refusalOf(error), error };
      }
    },
  );
  const isRefused = results.some(({ error }) => error !== undefined);
  if (parts.length === 1) {
    if (options.json === true) printJson({ schema: SCHEMA, ...results[0].object });
    else show(results[0]);
    return isRefused ? EXIT.input : EXIT.done;
  }
  let composed: { readonly object: object; readonly inspection?: Inspection; readonly error?: unknown } | undefined;
  if (isRefused) {
    const count = results.filter(({ error }) => error !== undefined).length;
    composed = { object: { refused: { code: 'parse', message: `${count} of ${parts.length} files are refused` } } };
  } else {
    try {
      const inspection = inspectTopology(composeTopologies(results.map(({ placed }) => placed!)), options);
      composed = { inspection, object: objectOf(inspection) };
    } catch (error) {
      composed = { object: refusalOf(error), error };
    }
  }
  if (options.json === true)
    printJson({
      schema: SCHEMA,
      files: results.map(({ object }, i) => ({
        file: parts[i].path,
        ...(parts[i].at === undefined ? {} : { at: parts[i].at }),
        ...object,
      })),
      ...(composed === undefined ? {} : { composed: composed.object }),
    });
  else for (const one of [...results, ...(composed === undefined || isRefused ? [] : [composed])]) show(one);
  return isRefused || composed?.error !== undefined ? EXIT.input : EXIT.done;
}

const SCHEMA = 'fabricplan/inspect/1';

function inspectTopology(topology: Topology, options: OpenOptions): Inspection {
  const summary = summarizeTopology(topology);
  try {
    return {
      topology,
      summary,
      fabric: summarizeFabric(createFabric(fabricOfTopology(topology, parseAssumptions(options.assume)).fabric)),
      needs: [],
    };
  } catch (error) {
    if (!(error instanceof FabricPlanError)) throw error;
    return { topology, summary, needs: error.issues.map(({ message }) => message) };
  }
}

function objectOf({ topology, summary, fabric, needs }: Inspection): object {
  const { format, name, scope, contents, coverage, warnings } = topology;
  return {
    format,
    ...fabric,
    name,
    scope,
    ...summary,
    devices: { ...fabric?.devices, ...summary.devices },
    contents,
    coverage,
    warnings,
    ...(needs.length > 0 ? { needs } : {}),
  };
}

function print(inspection: Inspection, options: InspectOptions): void {
  if (options.json === true) printJson({ schema: SCHEMA, ...objectOf(inspection) });
  else show({ inspection });
}

function show({ inspection, error }: { readonly inspection?: Inspection; readonly error?: unknown }): void {
  if (inspection === undefined) {
    process.stderr.write(`${(error as Error).message}\n`);
    return;
  }
  const { topology, summary, fabric, needs } = inspection;
  const { coverage } = topology;
  const share = (value: number | undefined): string => (value === undefined ? '–' : formatShare(value));
  const count = (what: string, value: number): string[][] => (value > 0 ? [[what, String(value)]] : []);
  const rows = [
    ...count('GPUs', summary.gpus),
    ...count('hosts', summary.nodes),
    ...count('switches', summary.switches),
    ...count('sites', summary.sites),
    ...Object.entries(summary.devices)
      .filter(([kind]) => !['gpu', 'host', 'switch', 'site'].includes(kind))
      .map(([kind, number]) => [kind, String(number)]),
    ['cables', String(summary.links)],
    ['connected parts', String(summary.components)],
    ...summary.capacities.cables
      .slice(0, 8)
      .map(({ technology, bandwidth, cables }) => [
        `  ${technology || 'links'}`,
        `${cables} × ${bandwidth === undefined ? '?' : formatBandwidth(bandwidth)}`,
      ]),
    ...(fabric === undefined
      ? []
      : [
          ...Object.entries(fabric.gpuModels).map(([model, number]) => [`GPU ${model}`, String(number)]),
          ...(fabric.gpuMemory > 0 ? [['GPU memory', formatBytes(fabric.gpuMemory)]] : []),
          ...(fabric.bf16Peak > 0 ? [['bf16 peak, dense', formatFlops(fabric.bf16Peak)]] : []),
          ...(fabric.injectionBandwidth > 0 ? [['NIC bandwidth, one way', formatBandwidth(fabric.injectionBandwidth)]] : []),
          ...Object.entries(fabric.groups)
            .filter(([, number]) => number > 0)
            .map(([level, number]) => [`level ${level}`, String(number)]),
        ]),
    ['links with a rate', share(coverage.bandwidth)],
    ...(coverage.coordinates === undefined ? [] : [['places with coordinates', share(coverage.coordinates)]]),
    ...coverage.inferred
      .slice(0, 8)
      .map(({ what, from, count: number }) => ['inferred', `${what} from ${from}${number > 1 ? ` (${number})` : ''}`]),
  ];
  process.stdout.write(`${formatTable([topology.name, topology.format], rows)}\n`);
  for (const { line, message } of topology.warnings)
    process.stderr.write(`warning: ${line === undefined ? '' : `line ${line}: `}${message}\n`);
  for (const need of needs) process.stderr.write(`for a fabric: ${need}\n`);
}
