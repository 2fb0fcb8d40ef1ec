import { readdirSync, readFileSync, statSync } from 'node:fs';
import { it } from 'vitest';
import { readTopology } from '../src/formats/read-topology.js';
import { writeTopology, TOPOLOGY_WRITERS } from '../src/formats/write-topology.js';
const sortKeys = (v: any): any => Array.isArray(v) ? v.map(sortKeys) : v && typeof v === 'object' ? Object.fromEntries(Object.keys(v).sort().map((k) => [k, sortKeys(v[k])])) : v;
const norm = (t: any) => sortKeys({ name: t.name, scope: t.scope, levels: t.levels, devices: t.devices, links: t.links, attributes: t.attributes });
it('x', () => {
  const root = '/work/shared/samples';
  const stat: any = {};
  for (const dir of readdirSync(root).filter((d) => statSync(`${root}/${d}`).isDirectory())) for (const f of readdirSync(`${root}/${dir}`)) {
    const text = readFileSync(`${root}/${dir}/${f}`, 'utf8');
    let t; try { t = readTopology(text); } catch { continue; }
    for (const w of TOPOLOGY_WRITERS) {
      const key = w.name; stat[key] ??= { same: 0, diff: 0, refused: 0 };
      const t0 = performance.now(); let out; try { out = writeTopology(t, w.name); } catch (e: any) { if (e.name !== 'FabricPlanError') console.log(dir, f, key, e.stack); stat[key].refused++; continue; }
      if (performance.now() - t0 > 300) console.log('SLOW', f, key, performance.now() - t0);
      if (['dot','svg','mermaid'].includes(key)) continue;
      try {
        const back = readTopology(out.text, { name: t.name });
        const [a, b] = [JSON.stringify(norm(t)), JSON.stringify(norm(back))];
        const same = a === b;
        stat[key][same ? 'same' : 'diff']++;
        const native = key === t.format || key === 'fabric' || key === 'graphml' || key === 'gexf' || (key==='slurm-yaml' && t.format==='slurm-conf');
        if (!same && native) { let i = 0; while (a[i] === b[i]) i++; console.log('DIFF', dir, f, key, '\n  ', a.slice(Math.max(0, i - 60), i + 160), '\n  ', b.slice(Math.max(0, i - 60), i + 160)); }
      } catch (e: any) { console.log('UNREADABLE', dir, f, key, e.message.slice(0, 300), e.name==='FabricPlanError'?'':e.stack); }
    }
  }
  console.log(stat);
});
