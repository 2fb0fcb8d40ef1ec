import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const FOLDER = join(ROOT, 'docs/notebooks');
const notebooks = readdirSync(FOLDER).filter((name) => name.endsWith('.ipynb'));

describe.runIf(existsSync(join(ROOT, 'dist/index.js')))('notebooks', () => {
  it.each(notebooks)('%s: its cells run as TypeScript without Jupyter', (name) => {
    const { cells, metadata } = JSON.parse(readFileSync(join(FOLDER, name), 'utf8')) as {
      cells: { cell_type: string; source: string[]; outputs?: unknown[] }[];
      metadata: { kernelspec: { name: string } };
    };
    expect(metadata.kernelspec.name).toBe('deno');
    const code = cells.filter(({ cell_type }) => cell_type === 'code');
    expect(code.length).toBeGreaterThan(3);
    expect(
      code.every(({ outputs }) => outputs?.length === 0),
      'outputs are not committed',
    ).toBe(true);
    const source = code.map(({ source: lines }) => lines.join('')).join('\n;\n');
    // Outside Jupyter a rich output is just its markup.
    const stub =
      'globalThis.Deno ??= { jupyter: { svg: (parts, ...values) => String.raw({ raw: parts }, ...values), display: () => undefined } };\n';
    const js =
      stub + ts.transpileModule(source, { compilerOptions: { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext } }).outputText;
    const { status, stderr, stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', js], { cwd: ROOT, encoding: 'utf8' });
    expect(stderr).toBe('');
    expect(status).toBe(0);
    expect(stdout.length).toBeGreaterThan(100);
  });
});
