import { FabricPlanError, throwIssues, type Issue } from '../errors.js';
import type { TransformerShape } from '../training/types.js';
import { parseText } from './parse-description.js';

/** Families whose attention projections have biases. */
const BIASED_ATTENTION: Readonly<Record<string, 'qkv' | 'all'>> = { qwen2: 'qkv', gpt2: 'all', gpt_neox: 'all', bloom: 'all', opt: 'all' };
const QK_NORM: Readonly<Record<string, 'head' | 'full'>> = {
  qwen3: 'head',
  qwen3_moe: 'head',
  olmo2: 'full',
  olmoe: 'full',
  apertus: 'head',
};
const LAYER_NORM = new Set(['gpt2', 'gpt_neox', 'bloom', 'opt', 'falcon', 'nemotron']);
const PLAIN_FFN = new Set(['gpt2', 'gpt_neox', 'bloom', 'opt', 'falcon', 'nemotron', 'apertus']);

/**
 * Shape of a model from a Hugging Face `config.json`: Llama, Mistral, Qwen, Gemma, GPT-2, GPT-NeoX, Mixtral, DeepSeek and relatives.
 *
 * @throws FabricPlanError `parse` with the names of all fields that are missing or no numbers
 * @example
 * parseModelConfig('{"model_type":"llama","hidden_size":4096,"num_hidden_layers":32,"num_attention_heads":32,"intermediate_size":11008,"vocab_size":32000}').layers // 32
 */
export function parseModelConfig(text: string): TransformerShape {
  const where = 'parseModelConfig';
  const config = parseText(text, where);
  if (typeof config !== 'object' || config === null || Array.isArray(config))
    throw new FabricPlanError('parse', `${where}: expected an object with hidden_size, num_hidden_layers, …`);
  const fields = new Map(Object.entries(config as Record<string, unknown>));
  const issues: Issue[] = [];
  const optional = (...names: string[]): number | undefined => {
    for (const name of names) {
      const value = fields.get(name);
      if (value === undefined || value === null) continue;
      if (typeof value === 'number' && Number.isInteger(value) && value >= 0 && value < 1e9) return value;
      issues.push({ path: name, message: `${name} is ${JSON.stringify(value).slice(0, 40)}; expected a whole number` });
    }
    return undefined;
  };
  const required = (...names: string[]): number => {
    const value = optional(...names);
    if (value === undefined || value === 0)
      issues.push({ path: names[0], message: `${names.join(' or ')} is missing; expected a whole number above 0` });
    return value ?? 1;
  };
  const type = typeof fields.get('model_type') === 'string' ? (fields.get('model_type') as string) : 'llama';
  const hidden = required('hidden_size', 'n_embd');
  const layers = required('num_hidden_layers', 'n_layer');
  const heads = required('num_attention_heads', 'n_head');
  const gptLike = type === 'gpt2' || type === 'bloom';
  const ffn =
    optional('intermediate_size', 'n_inner', 'ffn_dim') ?? (gptLike || type === 'falcon' ? 4 * hidden : required('intermediate_size'));
  const vocab = required('vocab_size');
  const expertCount = optional('num_local_experts', 'num_experts', 'n_routed_experts') ?? 0;
  const expertFfn = optional('moe_intermediate_size') ?? ffn;
  const keyValueRank = optional('kv_lora_rank') ?? 0;
  const attentionBias = Object.hasOwn(BIASED_ATTENTION, type)
    ? BIASED_ATTENTION[type]
    : fields.get('attention_bias') === true
      ? 'all'
      : 'none';
  const shape: TransformerShape = {
    name:
      typeof fields.get('_name_or_path') === 'string' && fields.get('_name_or_path') !== ''
        ? (fields.get('_name_or_path') as string)
        : type,
    layers,
    hidden,
    heads,
    kvHeads: fields.get('multi_query') === true ? 1 : (optional('num_key_value_heads', 'num_kv_heads') ?? heads),
    headDim: optional('head_dim') ?? Math.floor(hidden / heads),
    ffn,
    gated: !PLAIN_FFN.has(type),
    vocab,
    tied:
      typeof fields.get('tie_word_embeddings') === 'boolean'
        ? (fields.get('tie_word_embeddings') as boolean)
        : gptLike || type.startsWith('gemma'),
    attentionBias,
    norm: LAYER_NORM.has(type) ? 'layer' : 'rms',
    ffnBias: type === 'gpt2' || type === 'gpt_neox' || type === 'bloom' || fields.get('mlp_bias') === true,
    ...(type === 'gpt2' ? { learnedPositions: optional('n_positions', 'n_ctx') ?? 1024 } : {}),
    ...(type === 'bloom' ? { embeddingNorm: true } : {}),
    ...(type === 'gemma2' || type === 'gemma3_text' ? { normsPerLayer: 4 } : {}),
    ...(Object.hasOwn(QK_NORM, type) ? { qkNorm: QK_NORM[type] } : {}),
    ...(expertCount > 1
      ? {
          experts: {
            count: expertCount,
            topK: required('num_experts_per_tok'),
            ffn: expertFfn,
            sharedFfn: (optional('n_shared_experts') ?? 0) * expertFfn,
            denseLayers: optional('first_k_dense_replace') ?? 0,
            routerBias: type === 'deepseek_v3',
          },
        }
      : {}),
    ...(keyValueRank > 0
      ? {
          latent: {
            queryRank: optional('q_lora_rank') ?? 0,
            keyValueRank,
            nopeHeadDim: required('qk_nope_head_dim'),
            ropeHeadDim: required('qk_rope_head_dim'),
            valueHeadDim: required('v_head_dim'),
          },
        }
      : {}),
  };
  throwIssues('parse', where, issues);
  return shape;
}
