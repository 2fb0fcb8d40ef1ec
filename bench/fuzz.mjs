// Feeds every topology reader random bytes and mutated examples; prints what came back and the slowest input per 10 kB.
//   npm run build:fast && node bench/fuzz.mjs [inputs per reader, default 100000] [format …]
import { readdirSync, readFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { readTopology, TOPOLOGY_FORMATS } from '../dist/formats/index.js';

const EXAMPLES = new URL('../docs/examples/formats/', import.meta.url);
const count = Number(process.argv[2] ?? 100_000);
const only = process.argv.slice(3);
const SEED = Number(process.env.FABRICPLAN_SEED ?? 1);

/** Mulberry32: small, seedable. */
function generator(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

const SPECIAL = [
  'NaN',
  'Infinity',
  '-1',
  '1e999',
  '0',
  '[1-999999999]',
  '[',
  ']',
  '{',
  '}',
  '"',
  "'",
  '<',
  '>',
  '&a;',
  '*a',
  '&a',
  '__proto__',
  'constructor',
  '\t',
  '\n',
  '\r',
  '#',
  ',',
  ':',
  '- ',
  '=',
  '\u0000',
  '\ufeff',
  '\ud800',
  'é',
  '9'.repeat(40),
  'x'.repeat(300),
];
const examples = readdirSync(EXAMPLES).map((file) => readFileSync(new URL(file, EXAMPLES), 'utf8'));
const byFormat = new Map();
for (const text of examples) {
  const { format } = readTopology(text);
  byFormat.set(format, [...(byFormat.get(format) ?? []), text]);
}

function mutate(text, random) {
  const at = (length) => Math.floor(random() * (length + 1));
  let now = text;
  for (let n = 1 + Math.floor(random() * 6); n > 0; n--) {
    const place = at(now.length);
    const size = Math.floor(random() ** 3 * 80);
    switch (Math.floor(random() * 6)) {
      case 0:
        now = now.slice(0, place) + now.slice(place + size);
        break;
      case 1:
        now = now.slice(0, place) + now.slice(Math.max(0, place - size), place).repeat(1 + Math.floor(random() * 4)) + now.slice(place);
        break;
      case 2:
        now = now.slice(0, place) + SPECIAL[Math.floor(random() * SPECIAL.length)] + now.slice(place + (random() < 0.5 ? size : 0));
        break;
      case 3:
        now = now.slice(0, place) + String.fromCharCode(Math.floor(random() * (random() < 0.8 ? 128 : 65536))) + now.slice(place + 1);
        break;
      case 4: {
        const other = examples[Math.floor(random() * examples.length)];
        const from = at(other.length);
        now = now.slice(0, place) + other.slice(from, from + size) + now.slice(place);
        break;
      }
      default:
        if (random() < 0.2) now = now.slice(0, place);
    }
  }
  return now;
}

byFormat.set('description', [readFileSync(new URL('../docs/examples/two-sites.yaml', import.meta.url), 'utf8')]);

console.log(`${count} inputs per reader, seed ${SEED}, ${cpus().length} × ${cpus()[0].model}, Node ${process.versions.node}`);
let failed = false;
for (const { name } of TOPOLOGY_FORMATS) {
  if (only.length > 0 && !only.includes(name)) continue;
  const random = generator(SEED);
  const seeds = byFormat.get(name) ?? examples;
  let read = 0;
  let slowest = 0;
  let slow = '';
  const start = performance.now();
  for (let i = 0; i < count; i++) {
    const text =
      random() < 0.15
        ? Array.from({ length: Math.floor(random() * 400) }, () => String.fromCharCode(Math.floor(random() * 256))).join('')
        : mutate(seeds[Math.floor(random() * seeds.length)], random);
    const attempt = () => {
      const before = performance.now();
      try {
        readTopology(text, { from: name });
        read++;
      } catch (error) {
        if (error.name !== 'FabricPlanError') {
          failed = true;
          console.log(`${name}: ${error.stack}\n${JSON.stringify(text).slice(0, 2000)}`);
        }
      }
      return (performance.now() - before) / Math.max(1, text.length / 10_000);
    };
    let time = attempt();
    // Pauses of the collector are no reader's fault: what seems slow is timed again.
    for (let again = 0; again < 4 && time > Math.max(5, slowest); again++) time = Math.min(time, attempt());
    if (time > slowest) {
      slowest = time;
      slow = text;
    }
  }
  console.log(
    `${name.padEnd(18)} ${String(Math.round((read / count) * 100)).padStart(3)} % read, slowest ${slowest.toFixed(1)} ms per 10 kB, ${((performance.now() - start) / 1000).toFixed(0)} s`,
  );
  // A description is built as it is read: its cost is that of the fabric it describes.
  if (slowest > 50 && name !== 'description') {
    failed = true;
    console.log(`  ${JSON.stringify(slow).slice(0, 1000)}`);
  }
}
process.exitCode = failed ? 1 : 0;
