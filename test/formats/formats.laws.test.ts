import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FabricPlanError } from '../../src/errors.js';
import { createFabric, describeFabric } from '../../src/fabric/create-fabric.js';
import type { Description } from '../../src/formats/description-schema.js';
import { expandDescription } from '../../src/formats/expand-description.js';
import { formatFabricJson, parseFabricJson } from '../../src/formats/fabric-json.js';
import { parseModelConfig } from '../../src/formats/model-config.js';
import { formatDescription, parseDescription } from '../../src/formats/parse-description.js';
import { readFabric } from '../../src/formats/read-fabric.js';
import { NODES } from '../../src/presets/nodes.js';
import { MODELS } from '../../src/presets/models.js';
import { countParameters } from '../../src/training/parameters.js';
import { formatBandwidth, formatBitRate, formatSeconds, parseQuantity } from '../../src/quantities.js';
import { createUnitEvaluator } from '../../src/units/index.js';
import { fitLatencyBandwidth } from '../../src/calibration/fit-latency-bandwidth.js';
import { anyFabricSpec } from '../arbitraries/fabrics.js';
import { expectClose } from '../support/close.js';
import { law } from '../support/law.js';

const anyDescription: fc.Arbitrary<Description> = fc
  .array(
    fc.tuple(
      fc.constantFrom(...NODES.filter(({ nodesPerDomain }) => nodesPerDomain === undefined).map(({ name }) => name)),
      fc.integer({ min: 1, max: 3 }),
    ),
    { minLength: 1, maxLength: 3 },
  )
  .map((clusters) => ({
    name: 'drawn',
    sites: clusters.map(([node, nodes], i) => ({
      id: `s${i}`,
      clusters: [{ id: `c${i}`, node, nodes }],
      access: { bandwidth: '400 Gb/s' },
    })),
    ...(clusters.length > 1
      ? { wan: clusters.slice(1).map((_, i) => ({ from: `s${i}`, to: `s${i + 1}`, bandwidth: '100 Gb/s', distance: '300 km' })) }
      : {}),
  }));

const readers: readonly (readonly [string, (text: string) => unknown])[] = [
  ['readFabric', readFabric],
  ['parseDescription', parseDescription],
  ['parseFabricJson', parseFabricJson],
  ['parseModelConfig', parseModelConfig],
];

describe('format laws', () => {
  law('a description written and read is the same', anyDescription, (description) => {
    expect(parseDescription(formatDescription(description))).toEqual(description);
  });
  law('a description expands to a sound, connected fabric of the GPUs it names', anyDescription, (description) => {
    const fabric = createFabric(expandDescription(description));
    const expected = description.sites
      .flatMap(({ clusters }) => clusters)
      .reduce((sum, { node, nodes }) => sum + nodes! * NODES.find(({ name }) => name === node)!.gpus, 0);
    expect(fabric.gpuIds.length).toBe(expected);
  });
  law('a fabric written and read is the same', anyFabricSpec, (spec) => {
    const fabric = createFabric(spec);
    expect(describeFabric(parseFabricJson(formatFabricJson(fabric)))).toEqual(describeFabric(fabric));
  });
  describe.each(readers)('%s', (_, read) => {
    const onlyParseErrors = (text: string): void => {
      const start = performance.now();
      try {
        read(text);
      } catch (error) {
        if (!(error instanceof FabricPlanError)) throw error;
      }
      expect(performance.now() - start).toBeLessThan(2000);
    };
    law(
      'arbitrary text gives a value or an error of ours, in bounded time',
      fc.string({ maxLength: 300, unit: 'binary' }),
      onlyParseErrors,
    );
    law('arbitrary JSON gives a value or an error of ours', fc.json(), onlyParseErrors);
    law(
      'a mutated description gives a value or an error of ours',
      fc.tuple(anyDescription, fc.nat(), fc.string({ maxLength: 5 })),
      ([description, draw, insert]) => {
        const text = formatDescription(description);
        const at = draw % text.length;
        onlyParseErrors(text.slice(0, at) + insert + text.slice(at + 1));
      },
    );
  });
});

describe('hostile input', () => {
  const bomb = `a: &a [x,x,x,x,x,x,x,x,x]\n${['b', 'c', 'd', 'e', 'f', 'g', 'h'].map((key, i) => `${key}: &${key} [${new Array(9).fill(`*${'abcdefg'[i]}`).join()}]`).join('\n')}\nname: x`;
  it.each<[string, string, RegExp]>([
    ['an alias bomb', bomb, /alias/i],
    ['a deep nesting', '['.repeat(100_000), /deep|nest/i],
    ['duplicate keys', 'name: a\nname: b', /unique|line 2|line/i],
    ['an unknown key', 'name: a\nsites: [{ id: s, clusters: [{ node: dgx-h100, nodes: 1, nods: 2 }] }]', /nods/],
    [
      'a rate in the wrong unit',
      'name: a\nsites: [{ id: s, access: { bandwidth: 3 km }, clusters: [{ node: dgx-h100, nodes: 1 }] }]',
      /bytes\/second/,
    ],
    ['an unknown preset', 'name: a\nsites: [{ id: s, clusters: [{ node: dgx-h10, nodes: 1 }] }]', /dgx-h100/],
    ['zero GPUs', 'name: a\nsites: [{ id: s, clusters: [{ node: dgx-h100, nodes: 0 }] }]', /nodes/],
    ['too many GPUs', 'name: a\nsites: [{ id: s, clusters: [{ node: dgx-h100, nodes: 3000000 }] }]', /400000/],
    ['a prototype key', '{"name":"a","sites":[],"__proto__":{"x":1}}', /sites/],
    [
      'a site linked to itself',
      'name: a\nsites: [{ id: s, clusters: [{ node: dgx-h100, nodes: 1 }] }]\nwan: [{ from: s, to: s, bandwidth: 1 Gb/s, rtt: 1 ms }]',
      /itself/,
    ],
    ['nothing at all', '', /empty/],
  ])('%s is refused with the culprit', (_, text, expected) => {
    expect(() => readFabric(text)).toThrow(FabricPlanError);
    expect(() => readFabric(text)).toThrow(expected);
  });
});

describe('model configurations', () => {
  it.each([
    [
      'llama-3.1-8b',
      {
        model_type: 'llama',
        hidden_size: 4096,
        num_hidden_layers: 32,
        num_attention_heads: 32,
        num_key_value_heads: 8,
        intermediate_size: 14336,
        vocab_size: 128256,
        tie_word_embeddings: false,
      },
    ],
    [
      'qwen2.5-7b',
      {
        model_type: 'qwen2',
        hidden_size: 3584,
        num_hidden_layers: 28,
        num_attention_heads: 28,
        num_key_value_heads: 4,
        intermediate_size: 18944,
        vocab_size: 152064,
        tie_word_embeddings: false,
      },
    ],
    ['gpt2', { model_type: 'gpt2', n_embd: 768, n_layer: 12, n_head: 12, n_positions: 1024, vocab_size: 50257 }],
    [
      'mixtral-8x7b',
      {
        model_type: 'mixtral',
        hidden_size: 4096,
        num_hidden_layers: 32,
        num_attention_heads: 32,
        num_key_value_heads: 8,
        intermediate_size: 14336,
        vocab_size: 32000,
        num_local_experts: 8,
        num_experts_per_tok: 2,
        tie_word_embeddings: false,
      },
    ],
    [
      'deepseek-v3',
      {
        model_type: 'deepseek_v3',
        hidden_size: 7168,
        num_hidden_layers: 61,
        num_attention_heads: 128,
        num_key_value_heads: 128,
        intermediate_size: 18432,
        vocab_size: 129280,
        n_routed_experts: 256,
        n_shared_experts: 1,
        num_experts_per_tok: 8,
        moe_intermediate_size: 2048,
        first_k_dense_replace: 3,
        q_lora_rank: 1536,
        kv_lora_rank: 512,
        qk_nope_head_dim: 128,
        qk_rope_head_dim: 64,
        v_head_dim: 128,
        tie_word_embeddings: false,
      },
    ],
  ])('config.json of %s gives the published count', (name, config) => {
    expect(countParameters(parseModelConfig(JSON.stringify(config))).total).toBe(
      MODELS.find((model) => model.name === name)!.publishedParameters,
    );
  });
});

describe('quantities', () => {
  const evaluator = createUnitEvaluator();
  const anyData = fc.tuple(fc.integer({ min: 1, max: 9999 }), fc.constantFrom('', 'k', 'M', 'G', 'T'), fc.constantFrom('b', 'B'));
  law('the small parser agrees with mathjs on data sizes', anyData, ([value, prefix, unit]) => {
    expectClose(parseQuantity(`${value} ${prefix}${unit}`, 'bytes'), evaluator.evaluate(`${value} ${prefix}${unit}`, 'bytes'));
  });
  law('the small parser agrees with mathjs on data rates', anyData, ([value, prefix, unit]) => {
    expectClose(
      parseQuantity(`${value} ${prefix}${unit}/s`, 'bytes/second'),
      evaluator.evaluate(`${value} ${prefix}${unit}/s`, 'bytes/second'),
    );
  });
  law(
    'the small parser agrees with mathjs on times and distances',
    fc.tuple(fc.integer({ min: 1, max: 9999 }), fc.constantFrom('ns', 'us', 'ms', 's')),
    ([value, unit]) => {
      expectClose(parseQuantity(`${value} ${unit}`, 'seconds'), evaluator.evaluate(`${value} ${unit}`, 'seconds'));
    },
  );
  law(
    'what is formatted can be read again, to three digits',
    fc.integer({ min: 1, max: 1e9 }).map((n) => n * 1000),
    (rate) => {
      expectClose(parseQuantity(formatBandwidth(rate), 'bytes/second'), rate, 0.006);
      expectClose(parseQuantity(formatBitRate(rate), 'bytes/second'), rate, 0.006);
      expectClose(parseQuantity(formatSeconds(rate * 1e-12), 'seconds'), rate * 1e-12, 0.006);
    },
  );
});

describe('calibration', () => {
  law(
    'recovers planted constants',
    fc.tuple(fc.integer({ min: 1, max: 100 }), fc.integer({ min: 1, max: 500 })),
    ([microseconds, gigabytes]) => {
      const rows = [10, 14, 18, 22, 26, 30].map((power) => ({
        bytes: 2 ** power,
        seconds: microseconds * 1e-6 + 2 ** power / (gigabytes * 1e9),
      }));
      const fit = fitLatencyBandwidth(rows);
      expectClose(fit.latency, microseconds * 1e-6, 1e-5);
      expectClose(fit.bandwidth, gigabytes * 1e9, 1e-5);
      expectClose(fit.error, 1, 1e-6);
    },
  );
});
