// Writes docs/formats/README.md: every format with what it carries, what it lacks, its coverage over public samples and an example.
//   npm run build:fast && node bench/formats.mjs [folder of samples]
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readTopology, summarizeTopology, TOPOLOGY_FORMATS, TOPOLOGY_WRITERS } from '../dist/formats/index.js';

const root = new URL('..', import.meta.url).pathname;
const samples = process.argv[2] ?? join(root, '../shared/samples');
const examples = join(root, 'docs/examples/formats');

const byFormat = new Map();
const add = (format, key, value) => {
  const own = byFormat.get(format) ?? { files: 0, refused: 0, cables: 0, rated: 0, places: 0, placed: 0, example: '' };
  own[key] = typeof value === 'number' ? own[key] + value : value;
  byFormat.set(format, own);
};
for (const file of readdirSync(examples).sort()) {
  const { format } = readTopology(readFileSync(join(examples, file), 'utf8'));
  if (!byFormat.has(format)) add(format, 'example', file);
}
add('description', 'example', '../two-sites.yaml');
let read = 0;
const refused = [];
if (existsSync(samples))
  for (const path of readdirSync(samples, { recursive: true })
    .filter((name) => name.includes('/'))
    .sort()) {
    try {
      const topology = readTopology(readFileSync(join(samples, path), 'utf8'));
      const { links } = summarizeTopology(topology);
      const places = topology.devices.filter(({ kind }) => ['host', 'site', 'switch', 'gateway'].includes(kind));
      read++;
      add(topology.format, 'files', 1);
      add(topology.format, 'cables', links);
      add(topology.format, 'rated', Math.round(links * (topology.coverage.bandwidth ?? 0)));
      add(topology.format, 'places', places.length);
      add(topology.format, 'placed', places.filter(({ coordinates }) => coordinates !== undefined).length);
    } catch (error) {
      refused.push([
        path,
        error.message
          .split('\n')[0]
          .replace(/^read\w+: /, '')
          .replace(/; expected one of nccl-topology.*$/, ''),
      ]);
    }
  }
const share = (part, whole) => (whole === 0 ? '–' : `${Math.round((100 * part) / whole)} %`);
const readers = TOPOLOGY_FORMATS.map(({ name, title, carries, lacks }) => {
  const own = byFormat.get(name) ?? { files: 0, cables: 0, rated: 0, places: 0, placed: 0, example: '' };
  const example =
    own.example === ''
      ? ''
      : `[${own.example.replace('../', '')}](../examples/${own.example.startsWith('../') ? own.example.slice(3) : `formats/${own.example}`})`;
  return `| \`${name}\` | ${title} | ${carries} | ${lacks || '–'} | ${own.files} | ${share(own.rated, own.cables)} | ${share(own.placed, own.places)} | ${example} |`;
});
const writers = TOPOLOGY_WRITERS.map(({ name, title, carries, loses }) => `| \`${name}\` | ${title} | ${carries} | ${loses || '–'} |`);
const page = `# Formats

\`fabricplan inspect FILE\` says what it understood of a topology file, \`fabricplan convert FILE --to FORMAT\` writes it in another format, and every command that takes a fabric takes any of these files, or several: they are composed. A format is recognised by its content, or named with \`--from\`. Three tasks from start to end: [my Slurm cluster](slurm-cluster.md), [my Kubernetes cluster](kubernetes-cluster.md), [my national network](national-network.md).

What a file does not say stays unknown. Rates and latencies that a plan needs are taken from \`--assume\`, which is off by default, and everything that was concluded or assumed is listed.

## Read

Coverage is over ${read + refused.length} public files (${read} read, ${refused.length} refused): the share of cables with a rate, and of hosts, switches and sites with coordinates. This page is written by \`node bench/formats.mjs\`.

| name | format | carries | lacks | files | rates | places | example |
| --- | --- | --- | --- | --- | --- | --- | --- |
${readers.join('\n')}

Every example is read by the tests; readers are fuzzed with random bytes and mutated examples (\`npm run fuzz\`: 100,000 inputs per reader).

## Written

What a format cannot carry of a topology is said on standard error, and in \`lost\`.

| name | format | carries | loses |
| --- | --- | --- | --- |
${writers.join('\n')}

## Refused

Of the public files these hold no topology, or a broken one:

| file | why |
| --- | --- |
${refused.map(([path, why]) => `| ${path} | ${why.replaceAll('|', '\\|')} |`).join('\n')}

## Bounds

A text has at most 256 MiB (YAML 48 MiB, XML 64 MiB), a hostlist range 65,536 hosts and a file a million of them, nesting 100 levels of YAML or JSON and 200 elements of XML. Entities are refused, YAML aliases are references and refused where they unfold into more than 30 million values; nothing is fetched or executed. A broken file gives every problem with its line in one error. A description is built as it is read, so its cost is that of the fabric it describes (at most 400,000 GPUs).
`;
writeFileSync(join(root, 'docs/formats/README.md'), page);
console.log(`docs/formats/README.md: ${read} files read, ${refused.length} refused`);
