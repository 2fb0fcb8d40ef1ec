import { existsSync } from 'node:fs';
import { basename, extname } from 'node:path';
import { FabricPlanError, invalidArgument } from '../errors.js';
import { createFabric } from '../fabric/create-fabric.js';
import type { Fabric } from '../fabric/types.js';
import type { Description } from '../formats/description-schema.js';
import { parseDescription } from '../formats/parse-description.js';
import { readTopology } from '../formats/read-topology.js';
import { ASSUMPTION_KEYS, GENERATIONS, type Assumptions } from '../formats/topology/assumptions.js';
import { composeTopologies, type PlacedTopology } from '../formats/topology/compose-topologies.js';
import { fabricOfTopology } from '../formats/topology/fabric-of-topology.js';
import { MOST_TOPOLOGY_TEXT } from '../formats/topology/plain-text.js';
import type { Inference, Topology } from '../formats/topology/types.js';
import { buildSystem } from '../presets/build-system.js';
import { parseQuantity } from '../quantities.js';
import { readInput } from './read-input.js';

/** Options of every command that opens topology files. */
export interface OpenOptions {
  readonly system?: string;
  readonly from?: string;
  readonly labels?: string;
  readonly assume?: string;
}

/** A file of the command line: `topology.conf`, or `CH=topology.conf` for where it belongs. */
export interface FileArgument {
  readonly path: string;
  readonly at?: string;
}

/** Splits the place off a file argument; a file whose name holds an equal sign is a file. */
export function fileArgument(text: string): FileArgument {
  const equal = text.indexOf('=');
  if (equal <= 0 || existsSync(text)) return { path: text };
  return { at: text.slice(0, equal), path: text.slice(equal + 1) };
}

/** Reads one file; its name is that of the file without its ending. */
export function openTopology({ path, at }: FileArgument, options: OpenOptions, text = readInput(path, MOST_TOPOLOGY_TEXT)): PlacedTopology {
  const stem = path === '-' ? '' : basename(path, extname(path));
  const topology = readTopology(text, {
    ...(options.from === undefined ? {} : { from: options.from }),
    ...(options.labels === undefined ? {} : { labels: options.labels.split(',').map((key) => key.trim()) }),
    ...(stem === '' ? {} : { name: stem }),
  });
  return { topology, ...(at === undefined ? {} : { at }) };
}

/** `hopper,link=400Gb/s,oversubscription=2,groups` as assumptions. */
export function parseAssumptions(text: string | undefined): Assumptions {
  const assume: Record<string, string | number | boolean> = {};
  for (const part of (text ?? '').split(',').map((one) => one.trim())) {
    if (part === '') continue;
    const [key, value] = part.includes('=') ? [part.slice(0, part.indexOf('=')), part.slice(part.indexOf('=') + 1)] : [part, undefined];
    if (value === undefined && GENERATIONS.some(({ name }) => name === key)) assume['generation'] = key;
    else if (key === 'groups' && (value === undefined || value === 'true')) assume[key] = true;
    else if (value !== undefined && (key === 'generation' || key === 'node')) assume[key] = value;
    else if (value !== undefined && key === 'oversubscription') assume[key] = Number(value);
    else if (value !== undefined && key === 'wideAreaLatency') assume[key] = parseQuantity(value, 'seconds');
    else if (value !== undefined && (ASSUMPTION_KEYS as readonly string[]).includes(key))
      assume[key] = parseQuantity(value, 'bytes/second');
    else
      throw invalidArgument(
        '--assume',
        'an assumption',
        part,
        `a generation (${GENERATIONS.map(({ name }) => name).join(', ')}), groups, or one of ${ASSUMPTION_KEYS.join(', ')} with a value`,
      );
  }
  return assume;
}

/** A fabric with what was concluded and assumed for it. */
export interface OpenedFabric {
  readonly format: string;
  readonly fabric: Fabric;
  readonly description?: Description;
  readonly inferred: readonly Inference[];
  readonly assumed: readonly Inference[];
}

/**
 * A fabric from files, standard input or a known system. Several files are composed. What was assumed is said on standard error.
 *
 * @throws FabricPlanError of the readers; `invalid-argument` for what the files do not say and nothing assumes
 */
export function openFabric(files: readonly string[], options: OpenOptions): OpenedFabric {
  if (options.system !== undefined) {
    if (files.length > 0) throw invalidArgument('fabricplan', 'files', files.join(' '), 'none beside --system');
    return { format: 'system', fabric: openSystem(options.system), inferred: [], assumed: [] };
  }
  const parts = (files.length === 0 ? ['-'] : files).map(fileArgument);
  if (parts.length === 1 && parts[0].at === undefined) {
    const text = readInput(parts[0].path, MOST_TOPOLOGY_TEXT);
    const { topology } = openTopology(parts[0], options, text);
    const opened = fabricFrom(topology, options);
    return topology.format === 'description' ? { ...opened, description: parseDescription(text) } : opened;
  }
  return fabricFrom(composeTopologies(parts.map((part) => openTopology(part, options))), options);
}

function fabricFrom(topology: Topology, options: OpenOptions): OpenedFabric {
  const { fabric, inferred, assumed, dropped } = fabricOfTopology(topology, parseAssumptions(options.assume));
  for (const { what, from, count } of assumed) process.stderr.write(`assumed (${from}): ${what}${count > 1 ? `, ${count} times` : ''}\n`);
  for (const what of dropped) process.stderr.write(`left out: ${what}\n`);
  if (topology.format === 'composed') for (const { message } of topology.warnings) process.stderr.write(`warning: ${message}\n`);
  return { format: topology.format, fabric: createFabric(fabric), inferred, assumed };
}

/** `jean-zay-h100` or `jean-zay-h100:64` for its first 64 GPUs. */
function openSystem(text: string): Fabric {
  const [id, gpus] = text.split(':');
  return createFabric(gpus === undefined ? buildSystem(id) : buildSystem(id, { gpus: Number(gpus) }));
}

/** An error as an object for machines. */
export function refusalOf(error: unknown): {
  refused: { code: string; message: string; position?: string; issues: { position: string; message: string }[] };
} {
  if (!(error instanceof FabricPlanError)) throw error;
  const line = /line \d+|character \d+/.exec(error.issues[0]?.path ?? '')?.[0] ?? /line \d+/.exec(error.message)?.[0];
  return {
    refused: {
      code: error.code,
      message: error.message.split('\n')[0],
      ...(line === undefined ? (error.issues[0]?.path ? { position: error.issues[0].path } : {}) : { position: line }),
      ...(line?.startsWith('line ') === true ? { line: Number(line.slice(5)) } : {}),
      issues: error.issues.slice(0, 100).map(({ path, message }) => ({ position: path, message })),
    },
  };
}
