import { draftTopology } from '../topology/draft.js';
import { linesOf } from '../topology/plain-text.js';
import type { Topology } from '../topology/types.js';
import { hostsOf } from './slurm-conf.js';

const WHERE = 'readScontrolNodes';

/**
 * `scontrol show nodes`, one record per node or one line per node (`-o`), or `NodeName=` lines of slurm.conf: hosts with their GPUs from
 * `Gres`, state, and features.
 */
export function readScontrolNodes(text: string, name: string): Topology {
  const draft = draftTopology(WHERE, 'scontrol-nodes', name, 'cluster');
  let record: Map<string, string> | undefined;
  let start = 1;
  let budget = 1_000_000;
  const models = new Map<string, number>();
  const close = (): void => {
    if (record === undefined) return;
    const name = record.get('nodename') ?? '';
    // slurm.conf sets defaults for the lines that follow under this name.
    const hosts = name.toUpperCase() === 'DEFAULT' ? [] : hostsOf(draft, name, start, budget);
    budget -= hosts.length;
    const gres = record.get('gres') ?? '';
    let gpus = 0;
    let model: string | undefined;
    for (const [, type, count] of gres.replace(/\([^)]*\)/g, '').matchAll(/(?:^|,)gpu(?::([A-Za-z][^:,=]*))?(?::(\d{1,6}))?(?=,|$)/g)) {
      gpus += Number(count ?? 1);
      model ??= type;
    }
    if (model !== undefined) models.set(model, (models.get(model) ?? 0) + hosts.length);
    const state = record.get('state');
    const features = record.get('activefeatures') ?? record.get('availablefeatures') ?? record.get('features');
    for (const host of hosts) {
      if (draft.has(host)) {
        draft.refuse(`node "${host}" occurs twice; expected each once`, start);
        continue;
      }
      draft.device({
        id: host,
        kind: 'host',
        location: [host],
        gpus,
        ...(model === undefined ? {} : { model }),
        attributes: {
          ...(gres === '' || gres === '(null)' ? {} : { Gres: gres }),
          ...(state === undefined ? {} : { State: state }),
          ...(features === undefined || features === '(null)' ? {} : { Features: features }),
        },
      });
    }
    record = undefined;
  };
  for (const { text: raw, number } of linesOf(text, WHERE)) {
    const line = raw.replace(/^#.*$/, '').trim();
    if (line === '') continue;
    if (/^NodeName=/i.test(line)) {
      close();
      record = new Map();
      start = number;
    }
    if (record === undefined) {
      if (!/^[A-Za-z]+=/.test(line)) draft.refuse(`"${line.slice(0, 60)}" comes before the first NodeName=`, number);
      continue;
    }
    for (const [, key, value] of line.matchAll(/(?:^|\s)([A-Za-z]+)=(\S*)/g))
      if (!record.has(key.toLowerCase())) record.set(key.toLowerCase(), value);
  }
  close();
  if (draft.devices.length === 0) draft.refuse('there is no NodeName=; expected the output of scontrol show nodes', 1);
  draft.warn('a list of nodes says nothing of how they are joined: compose it with a topology');
  return draft.finish({ levels: ['host'], contents: { nodes: draft.devices.length, 'GPU types': models.size } });
}
