import { FabricPlanError, throwIssues, type Issue } from '../errors.js';
import type { TransformerShape } from '../training/types.js';
import { MODEL_FAMILIES, type ModelFamily } from './model-families.js';
import { parseText } from './parse-description.js';

/**
 * Shape of a model from a Hugging Face `config.json`: Llama, Mistral, Qwen, Gemma, GPT-2, GPT-NeoX, GPT-J, OPT, BLOOM, Falcon, MPT, Phi,
 * StarCoder, OLMo, Cohere, Mixtral, DeepSeek, gpt-oss and relatives; of models with several parts, the text model.
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
  const outer = config as Record<string, unknown>;
  const textPart = outer['text_config'];
  const inner = typeof textPart === 'object' && textPart !== null && !Array.isArray(textPart) ? (textPart as Record<string, unknown>) : {};
  const fields = new Map(Object.entries({ ...outer, ...inner }));
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
  const family: ModelFamily = Object.hasOwn(MODEL_FAMILIES, type) ? MODEL_FAMILIES[type] : {};
  const flag = (name: string): boolean | undefined => {
    const value = fields.get(name);
    return typeof value === 'boolean' ? value : undefined;
  };
  const hidden = required('hidden_size', 'n_embd', 'd_model');
  const layers = required('num_hidden_layers', 'n_layer', 'n_layers');
  const heads = required('num_attention_heads', 'n_head', 'n_heads');
  const expansion = optional('expansion_ratio') ?? family.widening;
  const ffn =
    optional('intermediate_size', 'n_inner', 'ffn_dim', 'ffn_hidden_size') ??
    (expansion === undefined ? required('intermediate_size') : expansion * hidden);
  const vocab = required('vocab_size');
  const isAlibi = flag('alibi') === true;
  const positions = isAlibi ? 'alibi' : (family.positions ?? 'rotary');
  // OPT keeps two positions for padding.
  const learned =
    positions === 'learned' ? (optional('n_positions', 'n_ctx', 'max_position_embeddings') ?? 1024) + (type === 'opt' ? 2 : 0) : 0;
  const isNewFalcon = flag('new_decoder_architecture') === true || type === 'RefinedWeb';
  const kvHeads =
    flag('multi_query') === true && !isNewFalcon ? 1 : (optional('num_key_value_heads', 'num_kv_heads', 'n_head_kv') ?? heads);
  const stated =
    flag('attention_bias') ?? flag('use_qkv_bias') ?? flag('qkv_bias') ?? (type === 'starcoder2' ? flag('use_bias') : undefined);
  const attentionBias = stated === undefined ? (family.attentionBias ?? 'none') : stated ? (type === 'stablelm' ? 'qkv' : 'all') : 'none';
  const shape: TransformerShape = {
    name:
      typeof fields.get('_name_or_path') === 'string' && fields.get('_name_or_path') !== ''
        ? (fields.get('_name_or_path') as string)
        : type,
    layers,
    hidden,
    heads,
    kvHeads,
    headDim: optional('head_dim') ?? Math.floor(hidden / heads),
    ffn,
    gated: family.gated ?? true,
    vocab,
    tied: flag('tie_word_embeddings') ?? family.tied ?? false,
    attentionBias,
    norm: family.norm ?? 'rms',
    positions,
    ffnBias: flag('mlp_bias') ?? (type === 'starcoder2' ? (flag('use_bias') ?? true) : (family.ffnBias ?? false)),
    ...(learned > 0 ? { learnedPositions: learned } : {}),
    ...(family.embeddingNorm === true ? { embeddingNorm: true } : {}),
    ...(family.attentionSinks === true ? { attentionSinks: true } : {}),
    ...(family.headBias === true ? { headBias: true } : {}),
    ...(isNewFalcon ? { normsPerLayer: 2 } : family.normsPerLayer === undefined ? {} : { normsPerLayer: family.normsPerLayer }),
    ...(family.qkNorm === undefined ? {} : { qkNorm: family.qkNorm }),
    ...expertsOf(),
    ...latentOf(),
  };
  throwIssues('parse', where, issues);
  return shape;

  function expertsOf(): Pick<TransformerShape, 'experts'> {
    const count = optional('num_local_experts', 'num_experts', 'n_routed_experts') ?? 0;
    if (count <= 1) return {};
    const width = optional('moe_intermediate_size') ?? ffn;
    const sharedFfn = optional('shared_expert_intermediate_size') ?? (optional('n_shared_experts') ?? 0) * width;
    return {
      experts: {
        count,
        topK: required('num_experts_per_tok', 'experts_per_token'),
        ffn: width,
        sharedFfn,
        denseLayers: optional('first_k_dense_replace') ?? 0,
        routerBias: type === 'deepseek_v3' || family.expertBias === true,
        ...(family.expertBias === true ? { bias: true } : {}),
        ...(type === 'qwen2_moe' ? { sharedGate: true } : {}),
      },
    };
  }

  function latentOf(): Pick<TransformerShape, 'latent'> {
    const keyValueRank = optional('kv_lora_rank') ?? 0;
    if (keyValueRank === 0) return {};
    return {
      latent: {
        queryRank: optional('q_lora_rank') ?? 0,
        keyValueRank,
        nopeHeadDim: required('qk_nope_head_dim'),
        ropeHeadDim: required('qk_rope_head_dim'),
        valueHeadDim: required('v_head_dim'),
      },
    };
  }
}
