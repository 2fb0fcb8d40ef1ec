import type { TransformerShape } from './types.js';

/** Parameters of a transformer, by part. */
export interface ParameterCount {
  readonly total: number;
  /** Parameters that one token uses: all but the experts it is not routed to. */
  readonly active: number;
  readonly embedding: number;
  /** One dense or one expert layer, attention included; `expertLayer` equals `layer` for dense models. */
  readonly layer: number;
  readonly expertLayer: number;
  readonly activeExpertLayer: number;
  /** Parameters of the routed experts of one layer. */
  readonly routedExperts: number;
}

/**
 * Counts parameters from the shape.
 *
 * ```text
 * attention  h·a·d + 2·h·k·d + a·d·h          feed-forward  3·h·f gated, 2·h·f plain
 * latent     h·r_q + r_q·a·(d_n + d_r) + h·(r_kv + d_r) + r_kv·a·(d_n + d_v) + a·d_v·h
 * experts    E·3·h·f_e + 3·h·f_s + h·E        embedding     V·h, twice when not tied
 * ```
 *
 * @complexity O(1)
 * @reference Korthikanti et al., arXiv 2205.05198 (dense); DeepSeek-AI, arXiv 2405.04434 (latent attention)
 * @example
 * countParameters(model).total // 70553706496
 */
export function countParameters(shape: TransformerShape): ParameterCount {
  const { hidden: h, layers, vocab } = shape;
  const attention = attentionParameters(shape);
  const norms = (shape.normsPerLayer ?? 2) * normParameters(shape);
  const dense = attention + norms + feedForward(shape, shape.ffn);
  const { experts } = shape;
  const embedding = vocab * h * (shape.tied ? 1 : 2) + (shape.learnedPositions ?? 0) * h + (shape.headBias === true ? vocab : 0);
  const rest = embedding + normParameters(shape) * (shape.embeddingNorm === true ? 2 : 1);
  if (experts === undefined) {
    const total = layers * dense + rest;
    return { total, active: total, embedding, layer: dense, expertLayer: dense, activeExpertLayer: dense, routedExperts: 0 };
  }
  const one = feedForward({ ...shape, ffnBias: experts.bias ?? shape.ffnBias ?? false }, experts.ffn);
  const shared =
    experts.sharedFfn === undefined || experts.sharedFfn === 0
      ? 0
      : feedForward(shape, experts.sharedFfn) + (experts.sharedGate === true ? h : 0);
  const router = h * experts.count + (experts.routerBias === true ? experts.count : 0);
  const routedExperts = experts.count * one;
  const expertLayer = attention + norms + router + shared + routedExperts;
  const activeExpertLayer = expertLayer - routedExperts + experts.topK * one;
  const denseLayers = experts.denseLayers ?? 0;
  return {
    total: denseLayers * dense + (layers - denseLayers) * expertLayer + rest,
    active: denseLayers * dense + (layers - denseLayers) * activeExpertLayer + rest,
    embedding,
    layer: dense,
    expertLayer,
    activeExpertLayer,
    routedExperts,
  };
}

function attentionParameters(shape: TransformerShape): number {
  const { hidden: h, heads: a, kvHeads: k, headDim: d, latent } = shape;
  if (latent !== undefined) {
    const { queryRank, keyValueRank, nopeHeadDim, ropeHeadDim, valueHeadDim } = latent;
    const queryWidth = a * (nopeHeadDim + ropeHeadDim);
    const query = queryRank > 0 ? h * queryRank + queryRank + queryRank * queryWidth : h * queryWidth;
    const keyValue = h * (keyValueRank + ropeHeadDim) + keyValueRank + keyValueRank * a * (nopeHeadDim + valueHeadDim);
    return query + keyValue + a * valueHeadDim * h;
  }
  const matrices = h * a * d + 2 * h * k * d + a * d * h;
  const biases =
    shape.attentionBias === undefined || shape.attentionBias === 'none' ? 0 : a * d + 2 * k * d + (shape.attentionBias === 'all' ? h : 0);
  const qkNorm = shape.qkNorm === 'head' ? 2 * d : shape.qkNorm === 'full' ? a * d + k * d : 0;
  return matrices + biases + qkNorm + (shape.attentionSinks === true ? a : 0);
}

function feedForward(shape: TransformerShape, width: number): number {
  const branches = shape.gated ? 2 : 1;
  return (branches + 1) * shape.hidden * width + (shape.ffnBias === true ? branches * width + shape.hidden : 0);
}

const normParameters = ({ norm, hidden }: TransformerShape): number => (norm === 'none' ? 0 : norm === 'layer' ? 2 : 1) * hidden;

/** Matrix parameters of one layer that a token passes: what its FLOPs count. */
export function activeLayerMatrices(shape: TransformerShape, isExpertLayer: boolean): number {
  const count = countParameters(shape);
  return isExpertLayer ? count.activeExpertLayer : count.layer;
}

/** FLOPs of one token through the whole model; a multiply-add counts two. */
export interface TokenFlops {
  /** Forward pass of all matrices (the output head included, the input embedding not). */
  readonly matrices: number;
  /** Forward attention scores and values over the full sequence, without the causal saving. */
  readonly attentionFull: number;
  /** The same with half of the scores skipped. */
  readonly attentionCausal: number;
}

/**
 * Forward FLOPs per token. Training takes three times as many (six per parameter), full recomputation four times.
 *
 * ```text
 * matrices  2 · (active layer matrices + V·h)     attention  4·s·a·d per layer, half of it when causal
 * ```
 *
 * @reference Narayanan et al., SC 2021 (equation 3); PaLM, arXiv 2204.02311, appendix B (model FLOPs)
 * @example
 * tokenFlops(model, 4096).matrices // 139006050304
 */
export function tokenFlops(shape: TransformerShape, sequence: number): TokenFlops {
  const denseLayers = shape.experts === undefined ? shape.layers : (shape.experts.denseLayers ?? 0);
  const matrices = denseLayers * activeLayerMatrices(shape, false) + (shape.layers - denseLayers) * activeLayerMatrices(shape, true);
  const { latent } = shape;
  const scoreWidth = latent === undefined ? 2 * shape.headDim : latent.nopeHeadDim + latent.ropeHeadDim + latent.valueHeadDim;
  const attentionFull = shape.layers * 2 * sequence * shape.heads * scoreWidth;
  return { matrices: 2 * (matrices + shape.vocab * shape.hidden), attentionFull, attentionCausal: attentionFull / 2 };
}
