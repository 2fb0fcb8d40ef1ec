import { readdirSync, readFileSync, statSync } from 'node:fs';
import { it } from 'vitest';
import { readTopology } from '/work/main/src/formats/read-topology.js';
import { summarizeTopology } from '/work/main/src/formats/topology/summarize-topology.js';
it('x', () => {
  const root = '/work/shared/samples';
  for (const dir of readdirSync(root).filter((d) => statSync(`${root}/${d}`).isDirectory())) for (const f of readdirSync(`${root}/${dir}`)) {
    const text = readFileSync(`${root}/${dir}/${f}`, 'utf8');
    const t0 = performance.now();
    try { const t = readTopology(text); const s = summarizeTopology(t);
      console.log(`${dir}/${f} [${t.format}] g${s.gpus} n${s.nodes} sw${s.switches} si${s.sites} l${s.links} c${s.components} bw${t.coverage.bandwidth?.toFixed(2)} co${t.coverage.coordinates?.toFixed(2)} ${JSON.stringify(t.contents)} w:${t.warnings.length} ${(performance.now()-t0).toFixed(0)}ms`);
      if (process.env.W) for (const w of t.warnings) console.log('     ', w.line ?? '', w.message);
    } catch (e: any) { console.log(`${dir}/${f} REFUSED ${e.code} ${e.name==='FabricPlanError'?'':e.stack} ${e.message.slice(0, 250)}`); }
  }
});
