import fc from 'fast-check';

// One seed for the whole run: printed by failing laws, and settable to repeat a run.
const seed = Number(process.env['FABRICPLAN_SEED'] ?? Math.floor(performance.timeOrigin % 2 ** 31));
fc.configureGlobal({ seed });
if (process.env['FABRICPLAN_LAW_RUNS'] !== undefined)
  process.stderr.write(`laws run with seed ${seed}; repeat with FABRICPLAN_SEED=${seed}\n`);
