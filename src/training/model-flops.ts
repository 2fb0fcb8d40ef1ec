import { tokenFlops } from './parameters.js';
import type { TransformerShape } from './types.js';

/** FLOPs of training on one token (forward and backward) as different publications count them. */
export interface FlopCount {
  /** Model FLOPs, causal attention counted half: what a causal kernel computes. */
  readonly modelCausal: number;
  /** Model FLOPs with full attention: the PaLM convention, MosaicML's, Megatron-Core's for dense models. */
  readonly modelFull: number;
  /** Six times the active parameters, no attention: the rule of thumb of scaling laws. */
  readonly sixTimesParameters: number;
  /** Hardware FLOPs with every layer recomputed, full attention: the convention of Megatron-LM in 2021. */
  readonly hardwareFullRecomputation: number;
}

/**
 * Training FLOPs per token in each published convention. Utilisations in different conventions differ by a quarter and more at long
 * sequences: compare like with like.
 *
 * @reference Kaplan et al., arXiv 2001.08361; Chowdhery et al., arXiv 2204.02311, appendix B; Narayanan et al., SC 2021, equation 3
 * @example
 * modelFlops(model, 4096).modelFull // 449230405632
 */
export function modelFlops(shape: TransformerShape, sequence: number): FlopCount {
  const { matrices, attentionFull, attentionCausal } = tokenFlops(shape, sequence);
  const head = 2 * shape.vocab * shape.hidden;
  return {
    modelCausal: 3 * (matrices + attentionCausal),
    modelFull: 3 * (matrices + attentionFull),
    sixTimesParameters: 3 * matrices,
    hardwareFullRecomputation: 4 * (matrices - head + attentionFull) + 3 * head,
  };
}
