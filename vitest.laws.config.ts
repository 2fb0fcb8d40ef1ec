import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

/** The long run: up to 10,000 cases a law, each law within a time budget, one printed seed for all. */
export default defineConfig({
  resolve: { alias: { '#src': fileURLToPath(new URL('./src', import.meta.url)) } },
  test: {
    include: ['test/**/*.laws.test.ts'],
    testTimeout: 300_000,
    setupFiles: ['test/support/fast-check-setup.ts'],
    env: {
      FABRICPLAN_LAW_RUNS: process.env['FABRICPLAN_LAW_RUNS'] ?? '10000',
      FABRICPLAN_SEED: process.env['FABRICPLAN_SEED'] ?? String(Math.floor(performance.timeOrigin % 2 ** 31)),
    },
  },
});
