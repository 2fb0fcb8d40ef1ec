import type { TransformerShape } from '../training/types.js';

/** What a `model_type` of Hugging Face says beyond the sizes in its `config.json`. */
export interface ModelFamily extends Pick<
  TransformerShape,
  'norm' | 'positions' | 'attentionBias' | 'ffnBias' | 'normsPerLayer' | 'qkNorm' | 'headBias' | 'embeddingNorm' | 'attentionSinks'
> {
  /** Default true. */
  readonly gated?: boolean;
  /** Whether input and output embedding are one matrix unless the file says so. Default false. */
  readonly tied?: boolean;
  /** Width of the feed-forward layer over the model's where the file is silent. */
  readonly widening?: number;
  /** Biases of experts and of their router. */
  readonly expertBias?: boolean;
}

const GPT: ModelFamily = { gated: false, norm: 'layer', attentionBias: 'all', ffnBias: true, widening: 4 };

/** Families by `model_type`; any other is read as Llama. Sources: the modelling code of the transformers library. */
export const MODEL_FAMILIES: Readonly<Record<string, ModelFamily>> = {
  gpt2: { ...GPT, positions: 'learned', tied: true },
  gpt_bigcode: { ...GPT, positions: 'learned', tied: true },
  gpt_neo: { ...GPT, positions: 'learned', tied: true, attentionBias: 'none' },
  opt: { ...GPT, positions: 'learned', tied: true },
  bloom: { ...GPT, positions: 'alibi', tied: true, embeddingNorm: true },
  gpt_neox: { ...GPT, positions: 'rotary' },
  // Attention and feed-forward side by side, behind one norm.
  gptj: { ...GPT, positions: 'rotary', attentionBias: 'none', normsPerLayer: 1, headBias: true },
  phi: { ...GPT, positions: 'rotary', normsPerLayer: 1, headBias: true },
  falcon: { ...GPT, positions: 'rotary', tied: true, attentionBias: 'none', ffnBias: false, normsPerLayer: 1 },
  RefinedWeb: { ...GPT, positions: 'rotary', tied: true, attentionBias: 'none', ffnBias: false },
  RefinedWebModel: { ...GPT, positions: 'rotary', tied: true, attentionBias: 'none', ffnBias: false, normsPerLayer: 1 },
  // Norms without a bias count like RMS norms.
  mpt: { gated: false, positions: 'alibi', tied: true, widening: 4 },
  starcoder2: { ...GPT, positions: 'rotary' },
  stablelm: { norm: 'layer' },
  olmo: { norm: 'none' },
  cohere: { tied: true, normsPerLayer: 1 },
  nemotron: { gated: false, norm: 'layer' },
  apertus: { gated: false, qkNorm: 'head' },
  qwen2: { attentionBias: 'qkv' },
  qwen2_moe: { attentionBias: 'qkv' },
  qwen3: { qkNorm: 'head' },
  qwen3_moe: { qkNorm: 'head' },
  olmo2: { qkNorm: 'full' },
  olmoe: { qkNorm: 'full' },
  gemma: { tied: true },
  gemma2: { tied: true, normsPerLayer: 4 },
  gemma3_text: { tied: true, normsPerLayer: 4, qkNorm: 'head' },
  gemma3: { tied: true, normsPerLayer: 4, qkNorm: 'head' },
  gpt_oss: { attentionBias: 'all', expertBias: true, attentionSinks: true },
};
