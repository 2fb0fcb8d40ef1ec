import { FabricPlanError } from '../errors.js';
import { MODELS } from '../presets/models.js';
import { countParameters } from '../training/parameters.js';
import { shapeOfSize } from '../training/shape-of-size.js';
import type { TransformerShape } from '../training/types.js';
import type { RunCells } from './run-cells.js';

/** What the name of an architecture says beyond sizes. */
const ARCHITECTURES: Readonly<Record<string, Partial<TransformerShape>>> = {
  gpt: { gated: false, tied: true, attentionBias: 'all', ffnBias: true, norm: 'layer' },
  'gpt-alibi': { gated: false, tied: true, norm: 'layer', positions: 'alibi' },
  'gpt-relu2': { gated: false, tied: false, norm: 'layer' },
  'gpt-gqa-relu2': { gated: false, tied: false, norm: 'layer' },
  'gpt-gqa-xielu': { gated: false, tied: false },
  llama: { gated: true, tied: false },
  moe: { gated: true, tied: false },
  'moe-mla': { gated: true, tied: false },
};
const FAMILY_OF_HEADS = 128;

/** The shape of a run's model: its columns, completed from a published model of the same sizes, from its name, or from its size alone. */
export function shapeOfRun(cells: RunCells): TransformerShape {
  const name = cells.text('model') || 'model';
  const layers = cells.whole('layers');
  const hidden = cells.whole('hidden');
  const experts = cells.whole('experts');
  const billions = cells.number('params_b');
  if (layers === undefined || hidden === undefined) {
    const known = MODELS.find((model) => plain(model.name) === plain(name));
    if (known !== undefined) {
      cells.infer('shape', known.name, 'the published model of that name');
      return known;
    }
    if (billions === undefined)
      throw new FabricPlanError('parse', `the shape of "${name.slice(0, 40)}" is not known; expected layers and hidden, or params_b`);
    cells.infer('shape', `${billions} billion parameters`, 'proportions of Llama');
    return { ...shapeOfSize(billions * 1e9), name };
  }
  const twin = MODELS.find((model) => model.layers === layers && model.hidden === hidden && model.experts?.count === experts);
  if (experts !== undefined && twin !== undefined) {
    cells.infer('shape', twin.name, 'the published model of the same layers, width and experts');
    return { ...twin, name };
  }
  const arch = cells.text('arch').toLowerCase() || cells.infer('arch', experts === undefined ? 'llama' : 'moe', 'the usual one');
  const isKnown = Object.hasOwn(ARCHITECTURES, arch);
  if (!isKnown) cells.infer('arch', 'llama', `"${arch.slice(0, 40)}" is not known`);
  const traits = ARCHITECTURES[isKnown ? arch : 'llama'];
  const heads = cells.whole('heads') ?? cells.infer('heads', hidden % FAMILY_OF_HEADS === 0 ? hidden / FAMILY_OF_HEADS : 1, 'heads of 128');
  const kvHeads = cells.whole('kv_heads') ?? heads;
  const gated = traits.gated ?? true;
  const ffn =
    cells.whole('ffn') ??
    cells.infer('ffn', gated ? Math.round((hidden * 8) / 3 / 256) * 256 : 4 * hidden, gated ? '8/3 of the width' : '4 times the width');
  const vocab = cells.whole('vocab') ?? cells.infer('vocab', gated ? 128_256 : 51_200, 'usual for the architecture');
  const learnedPositions = arch === 'gpt' ? (cells.whole('seq') ?? 2048) : 0;
  const shape: TransformerShape = {
    name,
    layers,
    hidden,
    heads,
    kvHeads: Math.min(heads, kvHeads),
    headDim: Math.max(1, Math.round(hidden / heads)),
    ffn,
    vocab,
    gated,
    tied: traits.tied ?? false,
    ...(traits.attentionBias === undefined ? {} : { attentionBias: traits.attentionBias }),
    ...(traits.ffnBias === undefined ? {} : { ffnBias: traits.ffnBias }),
    ...(traits.positions === undefined ? {} : { positions: traits.positions }),
    ...(traits.norm === undefined ? {} : { norm: traits.norm }),
    ...(learnedPositions > 0 ? { learnedPositions } : {}),
    ...(experts === undefined
      ? {}
      : { experts: { count: experts, topK: cells.whole('topk') ?? cells.infer('topk', Math.min(2, experts), 'a common value'), ffn } }),
    ...(arch === 'moe-mla'
      ? {
          latent: { queryRank: 1536, keyValueRank: 512, nopeHeadDim: 128, ropeHeadDim: 64, valueHeadDim: 128 },
        }
      : {}),
  };
  if (arch === 'moe-mla') cells.infer('latent attention', 'ranks 1536 and 512, heads of 128 + 64', 'as published with DeepSeek-V2 and -V3');
  const counted = countParameters(shape).total / 1e9;
  if (billions !== undefined && Math.abs(counted / billions - 1) > 0.15)
    cells.infer('parameters', `${counted.toFixed(2)} billion by the shape`, `the table says ${billions}`);
  return shape;
}

const plain = (name: string): string => name.toLowerCase().replace(/[^a-z0-9]/g, '');
