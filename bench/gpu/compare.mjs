// Holds what bench/gpu/measure.py measured against the training model. Usage: node bench/gpu/compare.mjs measured.json [GPU preset]
import { readFileSync } from 'node:fs';
import { COMPUTE_MODEL, estimateMemory } from 'fabricplan';
import { GPUS, gpuPreset } from 'fabricplan/presets';

const [file, name] = process.argv.slice(2);
if (file === undefined) {
  console.error('usage: node bench/gpu/compare.mjs measured.json [GPU preset]');
  process.exit(1);
}
const measured = JSON.parse(readFileSync(file, 'utf8'));
if (measured.schema !== 'fabricplan/gpu/1') {
  console.error(`${file} is no output of bench/gpu/measure.py; expected schema fabricplan/gpu/1`);
  process.exit(1);
}
const family = /(V100|A100|H100|H200|GH200|B200|B300|MI\d+[AX]?|L40S)/.exec(measured.gpu)?.[1] ?? '';
const gpu =
  name === undefined
    ? GPUS.filter(({ model }) => model.startsWith(family)).sort(
        (a, b) => Math.abs(a.memory - measured.memory) - Math.abs(b.memory - measured.memory),
      )[0]
    : gpuPreset(name);
if (gpu === undefined) {
  console.error(`no preset for "${measured.gpu}"; name one of ${GPUS.map(({ model }) => model).join(', ')}`);
  process.exit(1);
}
const percent = (share) => `${(share * 100).toFixed(1)} %`;
const middle = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];
console.log(`${measured.gpu} as ${gpu.model}, PyTorch ${measured.torch}, ${measured.cuda}\n`);

const rates = measured.multiplies.map((row) => ({
  ...row,
  share: (2 * row.m * row.n * row.k) / row.seconds / (gpu.peak[row.format] ?? NaN),
}));
for (const format of ['bf16', 'fp16', 'fp8', 'fp32']) {
  const own = rates.filter((row) => row.format === format && Number.isFinite(row.share));
  if (own.length === 0) continue;
  const best = own.reduce((a, b) => (b.share > a.share ? b : a));
  console.log(
    `${format}: best multiply ${percent(best.share)} of peak at ${best.m} × ${best.n} × ${best.k} (preset: ${percent(gpu.computeEfficiency)})`,
  );
  if (format !== 'bf16') continue;
  const errors = own.map(({ m, n, k, seconds }) => {
    const rate = gpu.peak.bf16 * best.share;
    const arithmetic = ((2 * m * n * k) / rate) * (1 + COMPUTE_MODEL.tileFill * (1 / m + 1 / n + 1 / k));
    const traffic = (2 * (m * n + n * k + m * k)) / (gpu.memoryBandwidth * COMPUTE_MODEL.memoryEfficiency);
    return (Math.max(arithmetic, traffic) + COMPUTE_MODEL.kernelTail) / seconds - 1;
  });
  console.log(
    `  time by shape, ${errors.length} shapes: median error ${percent(middle(errors.map(Math.abs)))}, bias ${percent(middle(errors))}`,
  );
}
const copy = Math.max(...measured.bandwidth.map(({ bytesPerSecond }) => bytesPerSecond));
console.log(
  `HBM: ${(copy / 1e12).toFixed(2)} TB/s, ${percent(copy / gpu.memoryBandwidth)} of nominal (model: ${percent(COMPUTE_MODEL.memoryEfficiency)})`,
);
for (const { sequence, heads, headDim, forward, backward } of measured.attention) {
  const flops = 2 * sequence * sequence * heads * headDim;
  console.log(
    `attention, ${heads} heads of ${headDim}, ${sequence} tokens: ${(flops / forward / 1e12).toFixed(0)} TFLOP/s forward, backward ${(backward / forward).toFixed(1)} times as long`,
  );
}
for (const layer of measured.layers) {
  const { hidden, heads, kvHeads, ffn, sequence, activationBytes } = layer;
  const model = { name: 'layer', layers: 1, hidden, heads, kvHeads, headDim: hidden / heads, ffn, gated: true, vocab: 1, tied: true };
  const { parts } = estimateMemory(
    { model, sequence, globalBatch: 1, kernels: 'eager' },
    { tensor: 1, pipeline: 1, data: 1, zeroStage: 0, recomputation: 'none' },
  );
  console.log(
    `layer of ${hidden}, ${sequence} tokens: keeps ${(activationBytes / 2 ** 20).toFixed(0)} MiB (model ${(parts.activations / 2 ** 20).toFixed(0)}), optimizer ${layer.optimizerBytesPerParameter.toFixed(1)} bytes a parameter`,
  );
}
