import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const manifest = JSON.parse(readFileSync(`${ROOT}/package.json`, 'utf8')) as {
  exports: Record<string, string | object>;
  dependencies: Record<string, string>;
};
const entries = Object.keys(manifest.exports).filter((key) => !key.endsWith('.json'));
const specifier = (entry: string): string => `fabricplan${entry.slice(1)}`;
const node = (args: readonly string[]): string => execFileSync(process.execPath, args, { cwd: ROOT, encoding: 'utf8' });

// The test command builds before it tests; say so plainly when somebody runs vitest alone.
describe.runIf(existsSync(`${ROOT}/dist/index.js`))('the built package', () => {
  it.each(entries)('%s can be imported and required by name, with the same names', (entry) => {
    const esm = node([
      '--input-type=module',
      '-e',
      `import * as m from '${specifier(entry)}'; console.log(Object.keys(m).sort().join())`,
    ]).trim();
    const cjs = node(['--input-type=commonjs', '-e', `console.log(Object.keys(require('${specifier(entry)}')).sort().join())`]).trim();
    expect(esm.length).toBeGreaterThan(0);
    expect(cjs.replace(/(^|,)(default|module\.exports)(?=,|$)/g, '')).toBe(esm.replace(/(^|,)(default|module\.exports)(?=,|$)/g, ''));
  });
  it('does not load mathjs from the root entry', () => {
    const loaded = node([
      '--input-type=commonjs',
      '-e',
      "require('fabricplan'); console.log(Object.keys(require.cache).filter((file) => /node_modules.(mathjs|zod|yaml|commander)/.test(file)).length)",
    ]);
    expect(loaded.trim()).toBe('0');
  });
  it('carries a JSON Schema of descriptions', () => {
    const schema = JSON.parse(readFileSync(`${ROOT}/dist/schema/description.json`, 'utf8')) as { properties: object };
    expect(Object.keys(schema.properties)).toContain('sites');
  });
  it('keeps graphology types out of all declarations but those of the graph view', () => {
    expect(readFileSync(`${ROOT}/dist/index.d.ts`, 'utf8')).not.toMatch(/from 'graphology'/);
  });
  it('has a lock file without download hosts', () => {
    expect(readFileSync(`${ROOT}/package-lock.json`, 'utf8')).not.toMatch(/"resolved"/);
  });
});
