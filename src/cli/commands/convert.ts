import { writeFileSync } from 'node:fs';
import { FabricPlanError } from '../../errors.js';
import { topologyOfFabric } from '../../formats/readers/own-formats.js';
import { composeTopologies } from '../../formats/topology/compose-topologies.js';
import { fabricOfTopology } from '../../formats/topology/fabric-of-topology.js';
import { writeTopology } from '../../formats/write-topology.js';
import { fileArgument, openTopology, parseAssumptions, type OpenOptions } from '../open-topology.js';

export interface ConvertOptions extends OpenOptions {
  readonly to: string;
  readonly out?: string;
}

/** Writes topology files, composed where there are several, in another format; what it cannot carry is said on standard error. */
export function convert(files: readonly string[], options: ConvertOptions): void {
  const parts = (files.length === 0 ? ['-'] : files).map(fileArgument).map((part) => openTopology(part, options));
  let topology = parts.length === 1 && parts[0].at === undefined ? parts[0].topology : composeTopologies(parts);
  if (options.assume !== undefined) {
    const { fabric, assumed } = fabricOfTopology(topology, parseAssumptions(options.assume));
    for (const { what, from } of assumed) process.stderr.write(`assumed (${from}): ${what}\n`);
    topology = { ...topologyOfFabric(fabric), scope: topology.scope };
  }
  const { text, lost } = writeTopology(topology, options.to);
  for (const what of lost) process.stderr.write(`not carried: ${what}\n`);
  if (options.out === undefined) {
    process.stdout.write(text);
    return;
  }
  try {
    writeFileSync(options.out, text);
  } catch (cause) {
    throw new FabricPlanError('parse', `cannot write "${options.out}": ${(cause as Error).message}`, [], { cause });
  }
}
