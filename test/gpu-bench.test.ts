import { spawnSync } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const compare = (...args: string[]): ReturnType<typeof spawnSync> =>
  spawnSync(process.execPath, ['bench/gpu/compare.mjs', ...args], { cwd: ROOT, encoding: 'utf8' });

describe('measurements of a GPU', () => {
  it('are held against the model', () => {
    const file = join(mkdtempSync(join(tmpdir(), 'fabricplan-gpu-')), 'measured.json');
    writeFileSync(
      file,
      JSON.stringify({
        schema: 'fabricplan/gpu/1',
        gpu: 'NVIDIA H100 80GB HBM3',
        memory: 85e9,
        torch: '2.5',
        cuda: '12.4',
        multiplies: [
          { m: 8192, n: 8192, k: 8192, format: 'bf16', seconds: (2 * 8192 ** 3) / 700e12 },
          { m: 1024, n: 1024, k: 1024, format: 'bf16', seconds: 1.2e-5 },
        ],
        bandwidth: [{ bytes: 2 ** 30, bytesPerSecond: 2.9e12 }],
        attention: [{ sequence: 4096, heads: 32, headDim: 128, forward: 3e-4, backward: 8e-4 }],
        layers: [{ hidden: 4096, heads: 32, kvHeads: 8, ffn: 14336, sequence: 2048, activationBytes: 6e8, optimizerBytesPerParameter: 8 }],
      }),
    );
    const { stdout, status } = compare(file);
    expect(status).toBe(0);
    expect(stdout).toContain('as H100-SXM-80');
    expect(stdout).toContain('best multiply 70.8 % of peak at 8192 × 8192 × 8192');
    expect(stdout).toContain('layer of 4096');
  });
  it('are refused when they are something else', () => {
    const { stderr, status } = compare('package.json');
    expect(status).toBe(1);
    expect(stderr).toContain('expected schema');
  });
});
