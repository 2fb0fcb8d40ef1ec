// Written by bench/fit-training.mjs. Meaning and units: ComputeModel.

/** Constants of the compute model, fitted to public training runs. */
export const FITTED = {
  sustained: 0.947,
  tileFill: 124,
  kernelTail: 0.00000801,
  overlappedAttention: 0.763,
  attentionEfficiency: 0.561,
  softmaxTime: 1.54e-12,
  scoreBytes: 8.82,
  elementwiseTraffic: 1.39,
  lossBytes: 20.4,
  memoryEfficiency: 0.82,
  hostPerLayer: 0.00112,
  hostPerStep: 0.0361,
  trafficScale: 1,
  dataOverlap: 0.642,
  overlapCost: 0.102,
  jitter: 0.00647,
} as const;
