import { defineConfig } from 'tsup';

const withTypes = process.env['FABRICPLAN_NO_DTS'] === undefined;

export default defineConfig([
  {
    entry: {
      index: 'src/index.ts',
      'presets/index': 'src/presets/index.ts',
      'formats/index': 'src/formats/index.ts',
      'report/index': 'src/report/index.ts',
      'collectives/simulate': 'src/collectives/simulate.ts',
      'prediction/index': 'src/prediction/index.ts',
      'collectives/schedules/index': 'src/collectives/schedules/index.ts',
      'nccl/index': 'src/nccl/index.ts',
      'graph/index': 'src/graph/index.ts',
      'launch/index': 'src/launch/index.ts',
      'units/index': 'src/units/index.ts',
      'calibration/index': 'src/calibration/index.ts',
    },
    format: ['esm', 'cjs'],
    target: 'node20',
    platform: 'neutral',
    dts: withTypes,
    splitting: true,
    treeshake: true,
    clean: withTypes,
    // ESM-only packages are bundled, so that the CommonJS build works on every supported Node.
    noExternal: [/^d3-/, 'internmap'],
  },
  {
    entry: { 'cli/main': 'src/cli/main.ts' },
    format: ['esm'],
    target: 'node20',
    platform: 'node',
    dts: false,
    splitting: true,
    treeshake: true,
    banner: { js: '#!/usr/bin/env node' },
  },
]);
