import type { Bytes, FlopsPerSecond, Seconds } from '../quantities.js';

/** Shape of a decoder-only transformer: all that memory, arithmetic and traffic depend on. */
export interface TransformerShape {
  readonly name: string;
  readonly layers: number;
  /** Width of the residual stream, h. */
  readonly hidden: number;
  /** Attention heads, a. */
  readonly heads: number;
  /** Key-value heads, k; fewer than heads for grouped-query attention. */
  readonly kvHeads: number;
  /** Width of one head, d_h. */
  readonly headDim: number;
  /** Width of the feed-forward layer, f (of one branch when gated). */
  readonly ffn: number;
  /** Whether the feed-forward layer has a gate branch (SwiGLU, GeGLU): three matrices instead of two. */
  readonly gated: boolean;
  readonly vocab: number;
  /** Whether input and output embedding are one matrix. */
  readonly tied: boolean;
  /** Sequence length of learned position embeddings; 0 for none. */
  readonly learnedPositions?: number;
  /** Which attention projections have biases. Default none. */
  readonly attentionBias?: 'none' | 'qkv' | 'all';
  readonly ffnBias?: boolean;
  /** Layer norms have a bias, RMS norms do not. Default `rms`. */
  readonly norm?: 'rms' | 'layer';
  readonly normsPerLayer?: number;
  /** Norm of queries and keys: per head, or over all heads. Default none. */
  readonly qkNorm?: 'none' | 'head' | 'full';
  /** A norm after the embedding. */
  readonly embeddingNorm?: boolean;
  /** Mixture of experts. */
  readonly experts?: {
    readonly count: number;
    readonly topK: number;
    /** Width of one expert. */
    readonly ffn: number;
    /** Total width of shared experts. Default 0. */
    readonly sharedFfn?: number;
    /** First layers that are dense, of width `ffn` of the shape. Default 0. */
    readonly denseLayers?: number;
    readonly routerBias?: boolean;
  };
  /** Multi-head latent attention. */
  readonly latent?: {
    /** Rank of the query compression; 0 for none. */
    readonly queryRank: number;
    readonly keyValueRank: number;
    readonly nopeHeadDim: number;
    readonly ropeHeadDim: number;
    readonly valueHeadDim: number;
  };
}

/** Number formats of weights and arithmetic. */
export const PRECISIONS = ['bf16', 'fp16', 'fp8', 'fp32'] as const;
export type Precision = (typeof PRECISIONS)[number];

/** What activations are kept for the backward pass: all, all but attention scores, or only the inputs of layers. */
export const RECOMPUTATIONS = ['none', 'selective', 'full'] as const;
export type Recomputation = (typeof RECOMPUTATIONS)[number];

/** A training job: what to train, on how many tokens a step. */
export interface TrainingJob {
  readonly model: TransformerShape;
  /** Tokens of one sequence. */
  readonly sequence: number;
  /** Sequences of one step over all replicas. */
  readonly globalBatch: number;
  /** Default `bf16`. */
  readonly precision?: Precision;
  /** Share (0–1) of the data-parallel traffic's best window that really overlaps with compute; see estimateStep. Default 0.5. */
  readonly overlap?: number;
  /** Keep optimizer states in host memory. Default false. */
  readonly offload?: boolean;
}

/** Degrees of parallelism; their product (expert aside) is the number of GPUs. */
export interface Parallelism {
  readonly tensor: number;
  readonly pipeline: number;
  readonly data: number;
  /** Default 1. */
  readonly context?: number;
  /** Experts are spread over this many of the data × context ranks. Default 1. */
  readonly expert?: number;
  /** Sequences in one micro-batch. Default 1. */
  readonly microBatch?: number;
  /** ZeRO stage: 0 nothing, 1 optimizer states, 2 and gradients, 3 and weights are sharded over the data-parallel ranks. Default 1. */
  readonly zeroStage?: 0 | 1 | 2 | 3;
  /** Default `selective`. */
  readonly recomputation?: Recomputation;
  /** Model chunks per pipeline rank (interleaving). Default 1. */
  readonly interleave?: number;
  /** Steps between synchronisations of the outermost data-parallel groups (local SGD, DiLoCo). Default 1: every step. */
  readonly outerEvery?: number;
}

/** The axes of parallelism in the order in which ranks are numbered, fastest first. */
export const AXES = ['tensor', 'context', 'data', 'pipeline'] as const;
export type Axis = (typeof AXES)[number];

/** A job on GPUs: degrees, and which rank sits on which GPU. */
export interface Mapping {
  readonly parallelism: Parallelism;
  /** GPU ids in rank order. */
  readonly gpus: readonly string[];
  /** Axes from the fastest varying rank number to the slowest. Default tensor, context, data, pipeline. */
  readonly order?: readonly Axis[];
}

/** Memory of the GPU that needs most, by what it is for. The parts sum to the total. */
export interface MemoryEstimate {
  readonly total: Bytes;
  readonly parts: {
    readonly weights: Bytes;
    readonly gradients: Bytes;
    readonly optimizer: Bytes;
    readonly activations: Bytes;
    readonly logits: Bytes;
    readonly buffers: Bytes;
    readonly runtime: Bytes;
  };
  /** Optimizer states kept in host memory. */
  readonly host: Bytes;
  /** Pipeline stage that needs most. */
  readonly stage: number;
}

/** Traffic of one parallel axis in one step. */
export interface AxisEstimate {
  readonly axis: 'tensor' | 'context' | 'expert' | 'pipeline' | 'data' | 'outer';
  readonly operation: string;
  /** Ranks of one group, and groups that run at once. */
  readonly groupSize: number;
  readonly groups: number;
  /** Bytes of one call and calls in a step. */
  readonly bytesPerCall: Bytes;
  readonly calls: number;
  /** Seconds of all calls in a step, shared links included. */
  readonly seconds: Seconds;
  /** Part that compute does not hide. */
  readonly exposed: Seconds;
  readonly algorithm: string;
  readonly bottleneck?: { readonly link: string; readonly source: string; readonly target: string };
}

/** Time and efficiency of one step under a mapping. */
export interface StepEstimate {
  readonly seconds: Seconds;
  readonly low: Seconds;
  readonly high: Seconds;
  /** Parts that sum to `seconds`. */
  readonly breakdown: {
    readonly compute: Seconds;
    readonly bubble: Seconds;
    readonly exposedCommunication: Seconds;
    readonly optimizer: Seconds;
    readonly overhead: Seconds;
  };
  readonly axes: readonly AxisEstimate[];
  readonly tokensPerSecond: number;
  /** Model FLOP of a step (causal attention counted half) over peak: model FLOP utilisation, 0–1. */
  readonly modelFlopUtilisation: number;
  readonly hardwareFlopUtilisation: number;
  readonly modelFlops: FlopsPerSecond;
  /** What limits the step: `compute`, or the axis and link with most exposed time. */
  readonly bottleneck: string;
  readonly memory: MemoryEstimate;
  /** Whether the memory fits the smallest GPU used. */
  readonly fits: boolean;
}
