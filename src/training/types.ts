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
  /** How positions enter. Default `learned` with learned embeddings, else `rotary`. */
  readonly positions?: 'rotary' | 'learned' | 'alibi';
  /** Which attention projections have biases. Default none. */
  readonly attentionBias?: 'none' | 'qkv' | 'all';
  readonly ffnBias?: boolean;
  /** Layer norms have a bias, RMS norms do not; `none` for norms without parameters. Default `rms`. */
  readonly norm?: 'rms' | 'layer' | 'none';
  readonly normsPerLayer?: number;
  /** Norm of queries and keys: per head, or over all heads. Default none. */
  readonly qkNorm?: 'none' | 'head' | 'full';
  /** One learned score per head that attention may go to instead of a token. */
  readonly attentionSinks?: boolean;
  /** Whether the output head has a bias. */
  readonly headBias?: boolean;
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
    /** Whether experts have biases. */
    readonly bias?: boolean;
    /** A gate on the shared expert's output, one vector of the width. */
    readonly sharedGate?: boolean;
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

/** Number formats of the arithmetic; with `fp8` and `fp4` weights are kept in 16 bit beside their quantised copy. */
export const PRECISIONS = ['bf16', 'fp16', 'fp8', 'fp4', 'fp32'] as const;
export type Precision = (typeof PRECISIONS)[number];

/**
 * What is computed again in the backward pass instead of being kept:
 *
 * - `none`: nothing.
 * - `selective`: what is cheap to compute and large to keep. With unfused attention the scores and what follows from them; with a fused
 *   kernel, which keeps no scores, norms and activation functions.
 * - `operators`: that, and every other matrix multiply (PyTorch's selective checkpointing by operator).
 * - `full`: whole layers, from their input.
 */
export const RECOMPUTATIONS = ['none', 'selective', 'operators', 'full'] as const;
export type Recomputation = (typeof RECOMPUTATIONS)[number];

/**
 * Attention as matrix multiplies and a softmax that write their scores (`unfused`), in one kernel that keeps none but works on
 * exponentials and multiplies in turn (`flash`: the first such kernels), or in one made for its GPU that overlaps them (`overlapped`:
 * FlashAttention-2 on Ampere and -3 on Hopper, cuDNN).
 */
export const ATTENTION_KERNELS = ['unfused', 'flash', 'overlapped'] as const;
export type AttentionKernel = (typeof ATTENTION_KERNELS)[number];

/** Optimizers, by the state they keep per parameter beside the master copy. */
export const OPTIMIZERS = ['adam', 'adam-8bit', 'adafactor', 'muon', 'sgd-momentum', 'sgd'] as const;
export type Optimizer = (typeof OPTIMIZERS)[number];

/** Order in which a pipeline stage works on its micro-batches. Interleaving is `1f1b` with several chunks. */
export const PIPELINE_SCHEDULES = ['1f1b', 'gpipe', 'zero-bubble'] as const;
export type PipelineSchedule = (typeof PIPELINE_SCHEDULES)[number];

/** How sequences are split over context ranks: key-value blocks in a ring, heads by all-to-all, or key-values gathered. */
export const CONTEXT_METHODS = ['ring', 'ulysses', 'all-gather'] as const;
export type ContextMethod = (typeof CONTEXT_METHODS)[number];

/** A training job: what to train, on how many tokens a step, and with which software. */
export interface TrainingJob {
  readonly model: TransformerShape;
  /** Tokens of one sequence. */
  readonly sequence: number;
  /** Sequences of one step over all replicas. */
  readonly globalBatch: number;
  /** Default `bf16`. */
  readonly precision?: Precision;
  /** Default `adam`. */
  readonly optimizer?: Optimizer;
  /** Bytes of one gradient value that is accumulated and reduced: 2, or 4 as Megatron-Core does. Default 2 (4 for fp32). */
  readonly gradientBytes?: 2 | 4;
  /** An fp32 copy of 16-bit weights for the optimizer to update. Default true. */
  readonly masterCopy?: boolean;
  /** How attention is computed; see ATTENTION_KERNELS. Default `overlapped`. */
  readonly attention?: AttentionKernel;
  /** Memory-bound operations in fused kernels (Transformer Engine, compilers), or one by one as a framework runs them. Default `fused`. */
  readonly kernels?: 'fused' | 'eager';
  /** Cross-entropy in one kernel over split logits, or in a framework's own steps, which keep more copies of the logits. Default `fused`. */
  readonly loss?: 'fused' | 'eager';
  /** Whether dropout masks are drawn and kept. Default false. */
  readonly dropout?: boolean;
  /**
   * Share (0–1) of the compute of a step behind which data-parallel traffic can hide. Default: what the software of the day does, the
   * last micro-batch for gradients and every layer for ZeRO 3, times a measured share; see COMPUTE_MODEL.
   */
  readonly overlap?: number;
  /** Share (0–1) of tensor-parallel traffic that is hidden by splitting matrix multiplies (async TP). Default 0. */
  readonly tensorOverlap?: number;
  /** Load of the busiest expert rank over the mean, at least 1. Default 1: balanced routing. */
  readonly expertImbalance?: number;
  /** Keep optimizer states in host memory. Default false. */
  readonly offload?: boolean;
  /** Price of one GPU for an hour, euros; for the cost of steps and runs. */
  readonly eurosPerGpuHour?: number;
  /** Facility power over IT power. Default 1.2. */
  readonly powerUsageEffectiveness?: number;
}

/** Degrees of parallelism; their product (expert aside) is the number of GPUs. */
export interface Parallelism {
  readonly tensor: number;
  readonly pipeline: number;
  readonly data: number;
  /** Default 1. */
  readonly context?: number;
  /** Default `ring`. */
  readonly contextMethod?: ContextMethod;
  /** Experts are spread over this many ranks, out of the data × context ranks and, where these do not suffice, the tensor ranks. Default 1. */
  readonly expert?: number;
  /** Sequences in one micro-batch. Default 1. */
  readonly microBatch?: number;
  /** ZeRO stage: 0 nothing, 1 optimizer states, 2 and gradients, 3 and weights are sharded over the data-parallel ranks. Default 1. */
  readonly zeroStage?: 0 | 1 | 2 | 3;
  /** Ranks over which ZeRO shards; groups of them are replicas of each other (hybrid sharding). Default 0: all data × context ranks. */
  readonly shardGroup?: number;
  /** Default `selective`. */
  readonly recomputation?: Recomputation;
  /** With full recomputation: one layer in so many is recomputed, the others keep what they need. Default 1: all. */
  readonly recomputeEvery?: number;
  /** Whether norms and dropouts are split along the sequence over tensor ranks. Default true. */
  readonly sequenceParallel?: boolean;
  /** Default `1f1b`. */
  readonly schedule?: PipelineSchedule;
  /** Model chunks per pipeline rank (interleaving). Default 1. */
  readonly interleave?: number;
  /** Layers of every pipeline stage; empty for an even split. Default even. */
  readonly stageLayers?: readonly number[];
  /** Steps between synchronisations of the outermost data-parallel groups (local SGD, DiLoCo). Default 1: every step. */
  readonly outerEvery?: number;
  /** Fragments into which the outer synchronisation is spread over those steps (streaming); 1 blocks. Default 1. */
  readonly outerFragments?: number;
  /** Steps within which a fragment must have arrived; 0 blocks. Default 0. */
  readonly outerDelay?: number;
  /** Bytes of one outer gradient value on the wire: 4, 2, 1 or 0.5. Default 2. */
  readonly outerBytes?: number;
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

/** Memory of one GPU by what it is for. An alias, so that `Object.values` knows that all are numbers. */
export type MemoryParts = {
  readonly weights: Bytes;
  readonly gradients: Bytes;
  readonly optimizer: Bytes;
  readonly activations: Bytes;
  /** Output of the head and its gradient, last stage only. */
  readonly logits: Bytes;
  /** Gathered weights, communication buffers and allocator slack. */
  readonly buffers: Bytes;
  /** CUDA context, libraries, workspaces. */
  readonly runtime: Bytes;
};

/** Memory of a GPU of one pipeline stage. The parts sum to the total. */
export interface StageMemory {
  readonly stage: number;
  readonly total: Bytes;
  readonly parts: MemoryParts;
  /** Optimizer states kept in host memory. */
  readonly host: Bytes;
  /** Micro-batches whose activations are held at once. */
  readonly inFlight: number;
}

/** Memory of the GPU that needs most. The parts sum to the total. */
export interface MemoryEstimate extends StageMemory {
  /** The smallest and largest total that reports of comparable runs allow. */
  readonly low: Bytes;
  readonly high: Bytes;
  /** Every stage, in order. */
  readonly stages: readonly StageMemory[];
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

/** Where the time of a step goes; the parts sum to it. */
export type StepBreakdown = {
  /** Arithmetic and memory-bound operations of the slowest stage, recomputation included. */
  readonly compute: Seconds;
  /** Waiting of a pipeline that fills and drains. */
  readonly bubble: Seconds;
  readonly exposedCommunication: Seconds;
  readonly optimizer: Seconds;
  /** Waiting for the host to launch kernels, work per step, stragglers, compute slowed down by traffic beside it. */
  readonly overhead: Seconds;
};

/** Time and efficiency of one step under a mapping. */
export interface StepEstimate {
  readonly seconds: Seconds;
  /** 90 % range. */
  readonly low: Seconds;
  readonly high: Seconds;
  /** Parts that sum to `seconds`. */
  readonly breakdown: StepBreakdown;
  readonly axes: readonly AxisEstimate[];
  readonly tokensPerSecond: number;
  /** Model FLOP of a step (causal attention counted half) over peak: model FLOP utilisation, 0–1. */
  readonly modelFlopUtilisation: number;
  /** With recomputation counted. */
  readonly hardwareFlopUtilisation: number;
  readonly modelFlops: FlopsPerSecond;
  /** What limits the step: `compute`, or the axis and link with most exposed time. */
  readonly bottleneck: string;
  readonly memory: MemoryEstimate;
  /** Whether the memory fits the smallest GPU used. */
  readonly fits: boolean;
  /** Energy of a step, joules, facility included; absent where a GPU states no power. */
  readonly energy?: number;
  /** Price of a step; absent without `eurosPerGpuHour`. */
  readonly euros?: number;
}
