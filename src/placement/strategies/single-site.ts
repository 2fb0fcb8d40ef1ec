import type { PlacementStrategy, Selection, SelectionContext } from '../types.js';

/** All ranks on one site, packed into as few racks and nodes as hold them; every site with enough free GPUs is tried. */
export const singleSite: PlacementStrategy = {
  name: 'single-site',
  propose(context: SelectionContext) {
    const able = context.sites.filter(({ gpus }) => gpus.length >= context.count);
    if (able.length === 0) {
      const largest = context.sites.reduce((most, { gpus }) => Math.max(most, gpus.length), 0);
      return { selections: [], reason: `no site has ${context.count} free GPUs (the largest has ${largest})` };
    }
    const selections = able
      .flatMap(({ gpus }) => context.grains.map((grain) => context.pack(gpus, context.count, grain)))
      .flatMap((packed): Selection[] => {
        if (packed === undefined) return [];
        const base = { strategy: 'single-site', gpus: packed, sites: [packed.length], unit: 'none', outerEvery: 1 } as const;
        return [
          { ...base, order: ['tensor', 'context', 'data', 'pipeline'] },
          { ...base, order: ['tensor', 'context', 'pipeline', 'data'] },
        ];
      });
    return { selections };
  },
};
