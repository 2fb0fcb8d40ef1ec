import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const SRC = fileURLToPath(new URL('../src/', import.meta.url));
const files = (readdirSync(SRC, { recursive: true }) as string[])
  .filter((name) => name.endsWith('.ts'))
  .map((name) => name.replace(/\\/g, '/'));

/** Folders and what they may import from, beside themselves; the layers of the house. */
const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  root: [],
  fabric: ['root'],
  routes: ['root', 'fabric'],
  collectives: ['root', 'fabric', 'routes'],
  training: ['root', 'fabric', 'routes', 'collectives'],
  placement: ['root', 'fabric', 'routes', 'collectives', 'training'],
  cluster: ['root', 'fabric', 'routes', 'collectives', 'training', 'placement'],
  upgrades: ['root', 'fabric', 'routes', 'collectives', 'training', 'placement'],
  // The graphology view of a fabric, apart so that the root does not carry graphology.
  graph: ['root', 'fabric', 'routes'],
  units: ['root'],
  prediction: ['root', 'fabric', 'routes', 'collectives'],
  calibration: ['root', 'fabric', 'routes', 'collectives', 'training', 'prediction'],
  // Presets know the shapes they hold and the builders that systems name.
  presets: ['root', 'fabric', 'training'],
  // NCCL's search and tuner stand beside the evaluator: another model of the same collectives.
  nccl: ['root', 'fabric'],
  formats: ['root', 'fabric', 'training', 'presets', 'nccl', 'prediction'],
  // What launches a mapping: a writer beside the formats.
  launch: ['root', 'fabric', 'training'],
  report: ['root', 'fabric', 'routes', 'collectives', 'training', 'placement', 'cluster', 'upgrades'],
  cli: [
    'root',
    'fabric',
    'routes',
    'collectives',
    'training',
    'placement',
    'cluster',
    'upgrades',
    'units',
    'calibration',
    'nccl',
    'prediction',
    'presets',
    'formats',
    'launch',
    'report',
  ],
  index: ['root', 'fabric', 'routes', 'collectives', 'training', 'placement', 'cluster', 'upgrades'],
};

interface Import {
  readonly target: string;
  readonly isTypeOnly: boolean;
}

function importsOf(file: string): Import[] {
  const text = readFileSync(join(SRC, file), 'utf8');
  return [...text.matchAll(/^(import|export)\s+(type\s+)?(?:[^'"]*?\sfrom\s+)?'([^']+)'/gms)].map(([, , type, target]) => ({
    target,
    isTypeOnly: type !== undefined,
  }));
}

const folderOf = (file: string): string => (file === 'index.ts' ? 'index' : file.includes('/') ? file.split('/')[0] : 'root');
const localTarget = (file: string, target: string): string =>
  normalize(join(dirname(file), target))
    .replace(/\\/g, '/')
    .replace(/\.js$/, '.ts');

describe('architecture', () => {
  it.each(files)('%s imports only from lower layers', (file) => {
    for (const { target } of importsOf(file).filter((one) => one.target.startsWith('.'))) {
      const from = folderOf(file);
      const to = folderOf(localTarget(file, target));
      if (from !== to) expect(ALLOWED[from], `${file} imports ${target}`).toContain(to);
    }
  });
  it('has no import cycles at run time', () => {
    const graph = new Map(
      files.map((file) => [
        file,
        importsOf(file)
          .filter((one) => one.target.startsWith('.') && !one.isTypeOnly)
          .map(({ target }) => localTarget(file, target)),
      ]),
    );
    const state = new Map<string, 'open' | 'done'>();
    const visit = (file: string, path: readonly string[]): void => {
      if (state.get(file) === 'done') return;
      if (state.get(file) === 'open') expect.fail(`cycle: ${[...path.slice(path.indexOf(file)), file].join(' → ')}`);
      state.set(file, 'open');
      for (const next of graph.get(file) ?? []) visit(next, [...path, file]);
      state.set(file, 'done');
    };
    for (const file of files) visit(file, []);
  });
  it('keeps heavy packages and Node behind their doors', () => {
    const doors: Readonly<Record<string, RegExp>> = {
      mathjs: /^(units|calibration)\//,
      graphology: /^fabric\/graph\.ts$|^routes\/find-path\.ts$/,
      zod: /^formats\//,
      yaml: /^formats\/|^launch\//,
      saxes: /^formats\//,
      'js-yaml': /^formats\//,
      papaparse: /^formats\//,
      commander: /^cli\//,
      'cli-table3': /^report\//,
      'd3-geo': /^report\//,
      'd3-scale': /^report\//,
      'd3-shape': /^report\//,
      'graphology-shortest-path/dijkstra.js': /^routes\/find-path\.ts$/,
      picocolors: /^cli\//,
      'cli-progress': /^cli\//,
      'graphology-types': /^fabric\/graph\.ts$/,
    };
    for (const file of files) {
      for (const { target } of importsOf(file).filter((one) => !one.target.startsWith('.'))) {
        if (target.startsWith('node:')) expect(file.startsWith('cli/'), `${file} imports ${target}`).toBe(true);
        else expect(doors[target]?.test(file), `${file} imports ${target}`).toBe(true);
      }
    }
  });
  it('has no folder of leftovers', () => {
    expect(files.filter((file) => /utils?|helpers?|misc|common/.test(file))).toEqual([]);
  });
  it('says nothing of sessions, tools or paths of a machine', () => {
    for (const file of files) expect(readFileSync(join(SRC, file), 'utf8')).not.toMatch(/\/work\/|\/home\/|TODO|FIXME/);
  });
});
