import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FabricPlanError } from '../../src/errors.js';
import { isRun, parseModelConfig, parseTrainingRuns, type TrainingRun } from '../../src/formats/index.js';
import { countParameters } from '../../src/training/parameters.js';
import { law } from '../support/law.js';

const HEADER =
  'id,source,framework,model,arch,params_b,layers,hidden,heads,kv_heads,ffn,vocab,seq,experts,topk,gpu,gpus,gpus_per_node,network,tp,pp,vpp,dp,cp,ep,dp_shard,mbs,gbs,precision,recompute,iter_s,peak_mem_gib,note';
const NAMES = HEADER.split(',');
const table = (...rows: Record<string, string>[]): string =>
  [HEADER, ...rows.map((row) => NAMES.map((name) => row[name] ?? '').join(','))].join('\n');
const one = (row: Record<string, string>): TrainingRun => {
  const [run] = parseTrainingRuns(table(row));
  if (!isRun(run)) throw new Error(run.refused);
  return run;
};
const refusal = (row: Record<string, string>): string => {
  const [run] = parseTrainingRuns(table(row));
  return isRun(run) ? '' : run.refused;
};
const GIVEN = {
  id: '7',
  layers: '32',
  hidden: '4096',
  heads: '32',
  kv_heads: '8',
  ffn: '14336',
  vocab: '128256',
  seq: '8192',
  arch: 'llama',
  gpu: 'H100-SXM',
  gpus: '64',
  gpus_per_node: '8',
  network: '400Gb/GPU',
  tp: '2',
  pp: '2',
  vpp: '4',
  dp: '16',
  dp_shard: 'zero1',
  mbs: '1',
  gbs: '128',
  precision: 'bf16',
  recompute: 'none',
  framework: 'NeMo',
  iter_s: '1.5',
};

describe('tables of training runs', () => {
  it('give job, degrees and node of a row that says everything', () => {
    const run = one(GIVEN);
    expect(run.parallelism).toMatchObject({
      tensor: 2,
      pipeline: 2,
      data: 16,
      interleave: 4,
      zeroStage: 1,
      microBatch: 1,
      recomputation: 'none',
    });
    expect(run.job).toMatchObject({ sequence: 8192, globalBatch: 128, precision: 'bf16', kernels: 'fused', gradientBytes: 4 });
    expect([run.node.gpus, run.node.nics, run.node.nic.bandwidth]).toEqual([8, 8, 50e9]);
    expect(run.seconds).toBe(1.5);
    expect(run.inferred.map((text) => text.split(':')[0])).toEqual(['kernels', 'attention']);
  });
  it('fill in what a row leaves out, and say so', () => {
    const run = one({ gpu: 'A100-80', gpus: '64', params_b: '13' });
    expect(countParameters(run.job.model).total / 13e9).toBeCloseTo(1, 1);
    for (const field of ['gpus_per_node', 'network', 'shape', 'seq', 'precision', 'gbs', 'degrees', 'mbs', 'recompute', 'dp_shard'])
      expect(
        run.inferred.some((text) => text.startsWith(`${field}:`)),
        field,
      ).toBe(true);
  });
  it('know models by name, and mixtures by their sizes', () => {
    expect(one({ ...GIVEN, layers: '', hidden: '', model: 'Llama-3.1-8B' }).job.model.ffn).toBe(14336);
    const moe = one({
      ...GIVEN,
      layers: '61',
      hidden: '7168',
      experts: '256',
      topk: '8',
      model: 'DeepSeek',
      ep: '8',
      tp: '1',
      pp: '8',
      vpp: '',
      dp: '8',
    });
    expect(moe.job.model.latent?.keyValueRank).toBe(512);
    expect(moe.job.model.experts?.denseLayers).toBe(3);
  });
  it.each([
    ['8xHDR200 IB per node', 8, 25],
    ['1600 Gb/s per node RoCE', 8, 25],
    ['4x100Gb RoCE per node', 4, 12.5],
    ['Omni-Path 100Gb (4 per node)', 4, 12.5],
    ['NVLink4 + 400Gb/GPU', 8, 50],
    ['EFA 3200Gb per node', 8, 50],
  ])('read the network "%s"', (network, nics, gigabytes) => {
    const { node } = one({ ...GIVEN, network, gpu: network.includes('400') || network.includes('3200') ? 'H100-SXM' : 'A100-80' });
    expect([node.nics, node.nic.bandwidth / 1e9]).toEqual([nics, gigabytes]);
  });
  it.each([
    ['A100-80', 80],
    ['A100-40', 40],
    ['H100-SXM-96', 96],
    ['V100-32', 32],
    ['H200', 141],
    ['NVIDIA H100 SXM', 80],
    ['MI300X', 192],
    ['A100-SXM4-40GB', 40],
    ['NVIDIA A100 80GB PCIe', 80],
    ['NVIDIA H100 80GB HBM3', 80],
    ['H800', 80],
    ['A800-80', 80],
    ['Tesla V100-SXM2-16GB', 16],
    ['RTX 4090', 24],
    ['NVIDIA RTX A6000', 48],
    ['H20', 96],
    ['AMD Instinct MI250X', 64],
    ['B200', 180],
    ['GH200-96', 96],
  ])('know the GPU "%s"', (gpu, gigabytes) => {
    expect(Math.round(one({ ...GIVEN, gpu, gpus_per_node: '8' }).node.gpu.memory! / 2 ** 30 / 0.99)).toBe(gigabytes);
  });
  it('take a micro-batch that leaves too few of them as the batch of a replica', () => {
    const run = one({ ...GIVEN, framework: 'torchtitan', mbs: '8', vpp: '' });
    expect(run.parallelism.microBatch).toBe(1);
    expect(run.inferred.join()).toContain('fewer micro-batches than stages');
  });
  it.each([
    [{ ...GIVEN, gpu: 'TPU-v4' }, 'gpu "TPU-v4" is not known'],
    [{ ...GIVEN, gpu: '' }, 'gpu is empty'],
    [{ ...GIVEN, gpus: '' }, 'gpus is empty'],
    [{ ...GIVEN, gpus: '6.5' }, 'gpus is "6.5"; expected a whole number'],
    [{ ...GIVEN, gpus: '1000000000' }, 'expected at most 131072'],
    [{ ...GIVEN, gpus_per_node: '100000' }, 'expected at most 1024'],
    [{ ...GIVEN, dp: '8' }, 'are not the 64 GPUs'],
    [{ ...GIVEN, tp: '64', dp: '1', pp: '1', vpp: '' }, 'does not divide the 32 heads'],
    [{ ...GIVEN, gbs: '100' }, 'does not divide by'],
    [{ ...GIVEN, precision: 'posit' }, 'precision is "posit"'],
    [{ ...GIVEN, recompute: 'some' }, 'recompute is "some"'],
    [{ ...GIVEN, hidden: '-4' }, 'hidden is "-4"'],
    [{ ...GIVEN, hidden: 'NaN' }, 'hidden is "NaN"'],
    [{ ...GIVEN, layers: '', hidden: '', model: '?' }, 'is not known; expected layers and hidden, or params_b'],
  ])('refuse a row for what is wrong with it: %#', (row, reason) => {
    expect(refusal(row)).toContain(reason);
  });
  it('refuse a text that is no such table', () => {
    expect(() => parseTrainingRuns('hello')).toThrow(FabricPlanError);
    expect(() => parseTrainingRuns('gpu\nH100')).toThrow('column "gpus" is missing');
  });
  const anyCell = fc.oneof(
    fc.constantFrom('', '0', '-1', '1e400', 'NaN', '8', '64', '__proto__', 'full', 'zero3', 'fp8', '1e15', '"', '💥'),
    fc.string({ maxLength: 12 }),
  );
  law(
    'any cells give a run or a reason, and nothing else',
    fc.dictionary(
      fc.constantFrom(...NAMES),
      anyCell.map((cell) => cell.replace(/[",\r\n]/g, ' ')),
    ),
    (cells) => {
      const [run] = parseTrainingRuns(table({ ...GIVEN, ...cells }));
      expect(isRun(run) || typeof run.refused === 'string').toBe(true);
    },
  );
});

describe('model configurations', () => {
  // Counts as published in the safetensors indices of these models.
  it.each([
    [
      'falcon-7b',
      {
        model_type: 'falcon',
        hidden_size: 4544,
        num_hidden_layers: 32,
        num_attention_heads: 71,
        vocab_size: 65024,
        multi_query: true,
        new_decoder_architecture: false,
      },
      6921720704,
    ],
    [
      'falcon-40b',
      {
        model_type: 'falcon',
        hidden_size: 8192,
        num_hidden_layers: 60,
        num_attention_heads: 128,
        num_kv_heads: 8,
        vocab_size: 65024,
        multi_query: true,
        new_decoder_architecture: true,
      },
      41303293952,
    ],
    [
      'gemma-2b',
      {
        model_type: 'gemma',
        hidden_size: 2048,
        num_hidden_layers: 18,
        num_attention_heads: 8,
        num_key_value_heads: 1,
        head_dim: 256,
        intermediate_size: 16384,
        vocab_size: 256000,
      },
      2506172416,
    ],
    [
      'gemma-3-1b',
      {
        model_type: 'gemma3_text',
        hidden_size: 1152,
        num_hidden_layers: 26,
        num_attention_heads: 4,
        num_key_value_heads: 1,
        head_dim: 256,
        intermediate_size: 6912,
        vocab_size: 262144,
      },
      999885952,
    ],
    [
      'phi-2',
      {
        model_type: 'phi',
        hidden_size: 2560,
        num_hidden_layers: 32,
        num_attention_heads: 32,
        intermediate_size: 10240,
        vocab_size: 51200,
        tie_word_embeddings: false,
      },
      2779683840,
    ],
    [
      'opt-6.7b',
      {
        model_type: 'opt',
        hidden_size: 4096,
        num_hidden_layers: 32,
        num_attention_heads: 32,
        ffn_dim: 16384,
        max_position_embeddings: 2048,
        vocab_size: 50272,
      },
      6658473984,
    ],
    [
      'gpt-j-6b',
      { model_type: 'gptj', n_embd: 4096, n_layer: 28, n_head: 16, n_inner: null, vocab_size: 50400, tie_word_embeddings: false },
      6050882784,
    ],
    ['mpt-7b', { model_type: 'mpt', d_model: 4096, n_layers: 32, n_heads: 32, expansion_ratio: 4, vocab_size: 50432 }, 6649286656],
    [
      'olmo-7b',
      {
        model_type: 'olmo',
        hidden_size: 4096,
        num_hidden_layers: 32,
        num_attention_heads: 32,
        intermediate_size: 11008,
        vocab_size: 50304,
        tie_word_embeddings: false,
      },
      6888095744,
    ],
    [
      'starcoder2-3b',
      {
        model_type: 'starcoder2',
        hidden_size: 3072,
        num_hidden_layers: 30,
        num_attention_heads: 24,
        num_key_value_heads: 2,
        intermediate_size: 12288,
        vocab_size: 49152,
        use_bias: true,
        tie_word_embeddings: true,
      },
      3030371328,
    ],
    [
      'gpt-oss-20b',
      {
        model_type: 'gpt_oss',
        hidden_size: 2880,
        num_hidden_layers: 24,
        num_attention_heads: 64,
        num_key_value_heads: 8,
        head_dim: 64,
        intermediate_size: 2880,
        num_local_experts: 32,
        num_experts_per_tok: 4,
        vocab_size: 201088,
        attention_bias: true,
        tie_word_embeddings: false,
      },
      20914757184,
    ],
    [
      'mixtral-8x7b',
      {
        model_type: 'mixtral',
        hidden_size: 4096,
        num_hidden_layers: 32,
        num_attention_heads: 32,
        num_key_value_heads: 8,
        intermediate_size: 14336,
        num_local_experts: 8,
        num_experts_per_tok: 2,
        vocab_size: 32000,
      },
      46702792704,
    ],
  ])('%s has exactly its published parameters', (_, config, published) => {
    expect(countParameters(parseModelConfig(JSON.stringify(config))).total).toBe(published);
  });
  it('of several parts give the text model', () => {
    const text = { hidden_size: 64, num_hidden_layers: 2, num_attention_heads: 4, intermediate_size: 128, vocab_size: 100 };
    expect(parseModelConfig(JSON.stringify({ model_type: 'gemma3', text_config: text, vision_config: { hidden_size: 9 } })).hidden).toBe(
      64,
    );
  });
});
