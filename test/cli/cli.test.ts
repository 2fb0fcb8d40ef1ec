import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const CLI = join(ROOT, 'dist/cli/main.js');
const SMALL = join(ROOT, 'docs/examples/two-sites.yaml');
const folder = mkdtempSync(join(tmpdir(), 'fabricplan-'));

function run(args: readonly string[], input = ''): { code: number; out: string; err: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [CLI, ...args], {
    cwd: ROOT,
    encoding: 'utf8',
    input,
    maxBuffer: 1e9,
    timeout: 100_000,
    env: { ...process.env, NO_COLOR: '1' },
  });
  return { code: status ?? -1, out: stdout, err: stderr };
}

describe.runIf(existsSync(CLI))('command line', () => {
  it('inspects a description from a file and from standard input alike', () => {
    const file = run(['inspect', SMALL, '--json']);
    expect(file.code).toBe(0);
    const object = JSON.parse(file.out) as { schema: string; devices: { gpu: number }; components: number };
    expect(object.schema).toBe('fabricplan/inspect/1');
    expect(object.devices.gpu).toBe(32);
    expect(object.components).toBe(1);
    expect(run(['inspect', '-', '--json'], readFileSync(SMALL, 'utf8')).out).toBe(file.out);
  });
  it('prints the full fabric, which it reads again', () => {
    const { out } = run(['inspect', SMALL, '--fabric']);
    expect((JSON.parse(run(['inspect', '-', '--json'], out).out) as { format: string }).format).toBe('fabric');
  });
  it('estimates a collective of a known system', () => {
    const { code, out } = run(['estimate', '--system', 'jean-zay-h100:16', '--bytes', '1 MiB,1 GiB', '--json']);
    expect(code).toBe(0);
    const { estimates } = JSON.parse(out) as { estimates: { seconds: number; low: number; high: number }[] };
    expect(estimates.length).toBe(2);
    for (const { seconds, low, high } of estimates) expect(low < seconds && seconds < high).toBe(true);
  });
  it('says whether a model fits, by exit code too', () => {
    expect(run(['memory', '70B', '--tensor', '8', '--pipeline', '4', '--gpu', 'H100-SXM-80']).code).toBe(0);
    const { code, out } = run(['memory', '70B', '--gpu', 'H100-SXM-80']);
    expect(code).toBe(3);
    expect(out).toContain('does not fit');
  });
  it('plans, and writes a page', () => {
    const page = join(folder, 'plan.html');
    const { code, out, err } = run(['plan', SMALL, '--html', page]);
    expect(code).toBe(0);
    expect(out).toContain('Best placement per strategy');
    expect(err).toContain('report:');
    const html = readFileSync(page, 'utf8');
    expect(html).toMatch(/^<!doctype html>/);
    expect(html).not.toMatch(/NaN|undefined|<script|https?:\/\/(?!www\.w3\.org)/);
  });
  it('plans as JSON with a schema and without NaN, the same at every run', () => {
    const { out } = run(['plan', SMALL, '--json']);
    expect((JSON.parse(out) as { schema: string }).schema).toBe('fabricplan/plan/1');
    expect(out).not.toMatch(/NaN|Infinity/);
    expect(run(['plan', SMALL, '--json', '--seed', '7']).out).toBe(out);
  });
  it('ranks upgrades', () => {
    const { code, out } = run(['upgrade', SMALL, '--json']);
    expect(code).toBe(0);
    const plan = JSON.parse(out) as { schema: string; secondsBefore: number; secondsAfter: number };
    expect(plan.schema).toBe('fabricplan/upgrade/1');
    expect(plan.secondsAfter).toBeLessThanOrEqual(plan.secondsBefore);
  });
  it.each<[string, string[], number, RegExp]>([
    ['an unknown command', ['inspct'], 1, /Did you mean inspect/],
    ['an unknown option', ['plan', SMALL, '--jsn'], 1, /Did you mean --json/],
    ['an unknown operation', ['estimate', SMALL, '--operation', 'all-reduc'], 1, /Allowed choices/],
    ['a missing file', ['plan', 'nowhere.yaml'], 2, /no such file/],
    ['a folder', ['plan', folder], 2, /folder/],
    ['an unknown model', ['plan', SMALL, '--model', 'lama-3.1-8b'], 2, /llama-3.1-8b/],
    ['a batch that does not divide', ['memory', '8B', '--data', '3', '--batch', '8'], 2, /does not divide/],
    ['an unknown system', ['inspect', '--system', 'jean-zay-h10'], 2, /jean-zay-h100/],
    ['a model that cannot fit', ['plan', SMALL, '--model', '5000B', '--batch', '64'], 3, /^$/],
  ])('%s ends with a clear message and the right code', (_, args, code, message) => {
    const result = run(args);
    expect(result.code).toBe(code);
    expect(result.err).toMatch(message);
    expect(result.err).not.toMatch(/\n\s+at /);
  });
  it('refuses a gigabyte without reading it', () => {
    const path = join(folder, 'big.yaml');
    writeFileSync(path, '');
    truncateSync(path, 1e9);
    const { code, err } = run(['inspect', path]);
    expect(code).toBe(2);
    expect(err).toMatch(/1000000000 bytes/);
  });
  it('prints its version and help on standard output', () => {
    expect(execFileSync(process.execPath, [CLI, '--version'], { encoding: 'utf8' }).trim()).toBe(
      (JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string }).version,
    );
    expect(run(['plan', '--help']).out).toContain('--strategy');
  });
});
