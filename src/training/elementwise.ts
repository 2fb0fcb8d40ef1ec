import type { CompleteJob } from './validate-job.js';

/** Bytes that memory-bound operations of one layer read and write per token, forward pass, on one GPU. */
export interface ElementwiseTraffic {
  /** Norms, residual additions, dropout: split over tensor ranks with sequence parallelism alone. */
  readonly outside: number;
  /** Rotary embedding, per token: split over tensor ranks. */
  readonly attention: number;
  /** Per value of the feed-forward layer's inner width. */
  readonly perInner: number;
}

/**
 * Memory traffic by kernel, from what each reads (r) and writes (w), 16 bit unless said:
 *
 * ```text
 *                    fused                eager, one framework operation after another
 * norm, layer        r2 w2                r2 w2 (one kernel in every framework)
 * norm, RMS          r2 w2                cast r2 w4, square and mean r4, scale r4 w4, cast r4 w2, weight r2 w2
 * residual           r2 r2 w2             the same
 * dropout            mask w1              r2 w2, mask w1
 * rotary, q and k    r2 w2                cast r2 w4, rotate r4 w4, cast r4 w2
 * GELU               r2 w2                r2 w2
 * SwiGLU             r2 r2 w2             silu r2 w2, product r2 r2 w2
 * ```
 */
export function elementwiseTraffic(job: CompleteJob): ElementwiseTraffic {
  const { model } = job;
  const isEager = job.kernels === 'eager';
  const wide = job.precision === 'fp32' ? 2 : 1;
  const isLayerNorm = model.norm !== undefined && model.norm !== 'rms';
  const norm = isEager && !isLayerNorm ? 28 : 4;
  const dropout = job.dropout ? (isEager ? 5 : 1) : 0;
  const rotary = (model.positions ?? ((model.learnedPositions ?? 0) > 0 ? 'learned' : 'rotary')) === 'rotary' ? (isEager ? 20 : 4) : 0;
  const turned = model.latent === undefined ? (model.heads + model.kvHeads) * model.headDim : (model.heads + 1) * model.latent.ropeHeadDim;
  return {
    outside: ((model.normsPerLayer ?? 2) * norm + 2 * (6 + dropout)) * model.hidden * wide,
    attention: rotary * turned * wide,
    perInner: (model.gated ? (isEager ? 10 : 6) : 4) * wide,
  };
}
