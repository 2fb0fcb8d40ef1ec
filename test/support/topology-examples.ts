import { readdirSync, readFileSync } from 'node:fs';
import type { Topology } from '../../src/formats/topology/types.js';

const EXAMPLES = new URL('../../docs/examples/formats/', import.meta.url);

/** The hand-written example of every format, by file name. */
export const topologyExamples: readonly { readonly file: string; readonly text: string }[] = readdirSync(EXAMPLES)
  .sort()
  .map((file) => ({ file, text: readFileSync(new URL(file, EXAMPLES), 'utf8') }));

/** Text of one example. */
export const topologyExample = (file: string): string => readFileSync(new URL(file, EXAMPLES), 'utf8');

/** What a topology says, without how it was read: the part that writing and reading must keep. */
export function contentOf({ name, scope, levels, devices, links, attributes, demands, offers }: Topology): unknown {
  return JSON.parse(JSON.stringify({ name, scope, levels, devices, links, attributes, demands, offers })) as unknown;
}
