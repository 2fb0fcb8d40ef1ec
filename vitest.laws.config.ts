import { mergeConfig } from 'vitest/config';
import base from './vitest.config.js';

/** The long run: up to 10,000 cases a law, each law within a time budget, the seed printed. */
export default mergeConfig(base, {
  test: {
    include: ['test/**/*.laws.test.ts'],
    testTimeout: 300_000,
    env: { FABRICPLAN_LAW_RUNS: process.env['FABRICPLAN_LAW_RUNS'] ?? '10000' },
  },
});
