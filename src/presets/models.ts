import type { TransformerShape } from '../training/types.js';

/** A published model: its shape, and what its publishers say its size is. */
export interface ModelPreset extends TransformerShape {
  /** Exact published parameter count, where there is one. */
  readonly publishedParameters?: number;
  /** Size on the label, in parameters. */
  readonly label: number;
  /** Where the shape comes from. */
  readonly source: string;
}

const hf = (repository: string): string => `config.json and safetensors index of ${repository} on Hugging Face`;

function llama(name: string, layers: number, hidden: number, heads: number, kvHeads: number, ffn: number, vocab: number, label: number, source: string, rest: Partial<ModelPreset> = {}): ModelPreset {
  return { name, layers, hidden, heads, kvHeads, headDim: hidden / heads, ffn, gated: true, vocab, tied: false, label, source, ...rest };
}

function gpt(name: string, layers: number, hidden: number, heads: number, vocab: number, positions: number, label: number, source: string, rest: Partial<ModelPreset> = {}): ModelPreset {
  return {
    name, layers, hidden, heads, kvHeads: heads, headDim: hidden / heads, ffn: 4 * hidden, gated: false, vocab, tied: true,
    learnedPositions: positions, attentionBias: 'all', ffnBias: true, norm: 'layer', label, source, ...rest,
  };
}

const MEGATRON = 'Narayanan et al., SC 2021, table 1';
const LLAMA3 = 'Llama Team, arXiv 2407.21783, table 3';

/** Published models, dense and mixture of experts. Counts are computed from the shapes; see countParameters. */
export const MODELS: readonly ModelPreset[] = [
  gpt('gpt2', 12, 768, 12, 50257, 1024, 124e6, hf('openai-community/gpt2'), { publishedParameters: 124_439_808 }),
  gpt('gpt2-xl', 48, 1600, 25, 50257, 1024, 1.56e9, hf('openai-community/gpt2-xl'), { publishedParameters: 1_557_611_200 }),
  gpt('gpt3-175b', 96, 12288, 96, 51200, 2048, 175e9, 'Brown et al., arXiv 2005.14165, table 2.1; vocabulary padded as in Megatron'),
  gpt('megatron-530b', 105, 20480, 128, 51200, 2048, 530e9, 'Smith et al., arXiv 2201.11990'),
  gpt('megatron-1t', 128, 25600, 160, 51200, 2048, 1008e9, MEGATRON),
  gpt('bloom-176b', 70, 14336, 112, 250880, 0, 176e9, hf('bigscience/bloom'), { embeddingNorm: true, positions: 'alibi', publishedParameters: 176_247_271_424 }),
  gpt('gpt-neox-20b', 44, 6144, 64, 50432, 0, 20.6e9, hf('EleutherAI/gpt-neox-20b'), { tied: false, publishedParameters: 20_554_567_680 }),
  gpt('pythia-12b', 36, 5120, 40, 50688, 0, 11.8e9, hf('EleutherAI/pythia-12b'), { tied: false, publishedParameters: 11_846_072_320 }),
  llama('llama-65b', 80, 8192, 64, 64, 22016, 32000, 65.2e9, 'Touvron et al., arXiv 2302.13971, table 2', { publishedParameters: 65_285_660_672 }),
  llama('llama-2-7b', 32, 4096, 32, 32, 11008, 32000, 6.74e9, hf('meta-llama/Llama-2-7b-hf'), { publishedParameters: 6_738_415_616 }),
  llama('llama-2-13b', 40, 5120, 40, 40, 13824, 32000, 13e9, hf('meta-llama/Llama-2-13b-hf'), { publishedParameters: 13_015_864_320 }),
  llama('llama-2-70b', 80, 8192, 64, 8, 28672, 32000, 69e9, hf('meta-llama/Llama-2-70b-hf'), { publishedParameters: 68_976_648_192 }),
  llama('llama-3.1-8b', 32, 4096, 32, 8, 14336, 128256, 8.03e9, LLAMA3, { publishedParameters: 8_030_261_248 }),
  llama('llama-3.1-70b', 80, 8192, 64, 8, 28672, 128256, 70.6e9, LLAMA3, { publishedParameters: 70_553_706_496 }),
  llama('llama-3.1-405b', 126, 16384, 128, 8, 53248, 128256, 405e9, LLAMA3, { publishedParameters: 405_853_388_800 }),
  llama('mistral-7b', 32, 4096, 32, 8, 14336, 32000, 7.24e9, hf('mistralai/Mistral-7B-v0.1'), { publishedParameters: 7_241_732_096 }),
  llama('yi-34b', 60, 7168, 56, 8, 20480, 64000, 34.4e9, hf('01-ai/Yi-34B'), { publishedParameters: 34_388_917_248 }),
  llama('smollm3-3b', 36, 2048, 16, 4, 11008, 128256, 3.08e9, hf('HuggingFaceTB/SmolLM3-3B'), { tied: true, publishedParameters: 3_075_098_624 }),
  llama('qwen2.5-0.5b', 24, 896, 14, 2, 4864, 151936, 0.49e9, hf('Qwen/Qwen2.5-0.5B'), { tied: true, attentionBias: 'qkv', publishedParameters: 494_032_768 }),
  llama('qwen2.5-7b', 28, 3584, 28, 4, 18944, 152064, 7.62e9, hf('Qwen/Qwen2.5-7B'), { attentionBias: 'qkv', publishedParameters: 7_615_616_512 }),
  llama('qwen2.5-72b', 80, 8192, 64, 8, 29568, 152064, 72.7e9, hf('Qwen/Qwen2.5-72B'), { attentionBias: 'qkv', publishedParameters: 72_706_203_648 }),
  llama('qwen3-8b', 36, 4096, 32, 8, 12288, 151936, 8.19e9, hf('Qwen/Qwen3-8B'), { qkNorm: 'head', publishedParameters: 8_190_735_360 }),
  llama('qwen3-32b', 64, 5120, 64, 8, 25600, 151936, 32.8e9, hf('Qwen/Qwen3-32B'), { headDim: 128, qkNorm: 'head', publishedParameters: 32_762_123_264 }),
  llama('gemma-7b', 28, 3072, 16, 16, 24576, 256000, 8.54e9, hf('google/gemma-7b'), { headDim: 256, tied: true, publishedParameters: 8_537_680_896 }),
  llama('gemma-2-9b', 42, 3584, 16, 8, 14336, 256000, 9.24e9, hf('google/gemma-2-9b'), { headDim: 256, tied: true, normsPerLayer: 4, publishedParameters: 9_241_705_984 }),
  llama('olmo-2-7b', 32, 4096, 32, 32, 11008, 100352, 7.3e9, hf('allenai/OLMo-2-1124-7B'), { qkNorm: 'full', publishedParameters: 7_298_617_344 }),
  llama('apertus-8b', 32, 4096, 32, 8, 21504, 131072, 8.05e9, 'Apertus team, arXiv 2509.14233', { gated: false, qkNorm: 'head' }),
  llama('apertus-70b', 80, 8192, 64, 8, 43008, 131072, 70.6e9, 'Apertus team, arXiv 2509.14233', { gated: false, qkNorm: 'head' }),
  llama('nemotron-4-340b', 96, 18432, 96, 8, 73728, 256000, 340e9, 'NVIDIA, arXiv 2406.11704', { gated: false, norm: 'layer' }),
  llama('mixtral-8x7b', 32, 4096, 32, 8, 14336, 32000, 46.7e9, hf('mistralai/Mixtral-8x7B-v0.1'), { experts: { count: 8, topK: 2, ffn: 14336 }, publishedParameters: 46_702_792_704 }),
  llama('mixtral-8x22b', 56, 6144, 48, 8, 16384, 32000, 141e9, hf('mistralai/Mixtral-8x22B-v0.1'), { experts: { count: 8, topK: 2, ffn: 16384 }, publishedParameters: 140_620_634_112 }),
  llama('grok-1', 64, 6144, 48, 8, 32768, 131072, 314e9, 'xai-org/grok-1 release (model card)', { tied: true, normsPerLayer: 4, experts: { count: 8, topK: 2, ffn: 32768 } }),
  llama('qwen3-30b-a3b', 48, 2048, 32, 4, 6144, 151936, 30.5e9, hf('Qwen/Qwen3-30B-A3B'), { headDim: 128, qkNorm: 'head', experts: { count: 128, topK: 8, ffn: 768 }, publishedParameters: 30_532_122_624 }),
  llama('qwen3-235b-a22b', 94, 4096, 64, 4, 12288, 151936, 235e9, hf('Qwen/Qwen3-235B-A22B'), { headDim: 128, qkNorm: 'head', experts: { count: 128, topK: 8, ffn: 1536 }, publishedParameters: 235_093_634_560 }),
  llama('deepseek-v2-lite', 27, 2048, 16, 16, 10944, 102400, 15.7e9, hf('deepseek-ai/DeepSeek-V2-Lite'), {
    experts: { count: 64, topK: 6, ffn: 1408, sharedFfn: 2816, denseLayers: 1 },
    latent: { queryRank: 0, keyValueRank: 512, nopeHeadDim: 128, ropeHeadDim: 64, valueHeadDim: 128 },
    publishedParameters: 15_706_484_224,
  }),
  llama('deepseek-v2', 60, 5120, 128, 128, 12288, 102400, 236e9, hf('deepseek-ai/DeepSeek-V2'), {
    experts: { count: 160, topK: 6, ffn: 1536, sharedFfn: 3072, denseLayers: 1 },
    latent: { queryRank: 1536, keyValueRank: 512, nopeHeadDim: 128, ropeHeadDim: 64, valueHeadDim: 128 },
    publishedParameters: 235_741_434_880,
  }),
  llama('deepseek-v3', 61, 7168, 128, 128, 18432, 129280, 671e9, hf('deepseek-ai/DeepSeek-V3, without the multi-token prediction layer'), {
    experts: { count: 256, topK: 8, ffn: 2048, sharedFfn: 2048, denseLayers: 3, routerBias: true },
    latent: { queryRank: 1536, keyValueRank: 512, nopeHeadDim: 128, ropeHeadDim: 64, valueHeadDim: 128 },
    publishedParameters: 671_026_419_200,
  }),
];
