import { z } from 'zod';

const quantity = (what: string, example: string): z.ZodType<string | number> =>
  z
    .union([z.number(), z.string()])
    .describe(`${what}: a text with a unit such as "${example}", or a bare number in the house unit (bytes per second, seconds, metres)`);
const share = z.number().min(0).max(1);
const count = z.number().int().min(1).max(4_000_000);

const topology = z
  .discriminatedUnion('kind', [
    z.strictObject({
      kind: z.literal('leaf-spine'),
      nodesPerLeaf: count.optional(),
      spines: count.optional(),
      oversubscription: z.number().positive().optional(),
    }),
    z.strictObject({
      kind: z.literal('rail-optimised'),
      nodesPerUnit: count.optional(),
      unitsPerPod: count.optional(),
      spinesPerPod: count.optional(),
      cores: count.optional(),
      oversubscription: z.number().positive().optional(),
      coreOversubscription: z.number().positive().optional(),
    }),
    z.strictObject({ kind: z.literal('fat-tree'), k: count.optional(), oversubscription: z.number().positive().optional() }),
    z.strictObject({
      kind: z.literal('dragonfly'),
      nodesPerGroup: count,
      switchesPerGroup: count.optional(),
      groupTaper: z.number().positive().optional(),
      globalTaper: z.number().positive().optional(),
    }),
    z.strictObject({
      kind: z.literal('dragonfly+'),
      nodesPerGroup: count,
      switchesPerGroup: count.optional(),
      spinesPerGroup: count.optional(),
      groupTaper: z.number().positive().optional(),
      globalTaper: z.number().positive().optional(),
    }),
    z.strictObject({ kind: z.literal('torus'), dimensions: z.array(count).min(1).max(6) }),
  ])
  .describe('how the nodes are joined');

const cluster = z
  .strictObject({
    id: z.string().min(1).optional().describe('prefix of all ids of the cluster; default: the system or node name'),
    system: z.string().optional().describe('a known system, such as jupiter-booster'),
    gpus: count.optional().describe('GPUs to use of the system, or of the cluster'),
    node: z.string().optional().describe('a node type, such as dgx-h100'),
    nodes: count.optional().describe('number of nodes'),
    topology: topology.optional(),
    trunk: z.string().optional().describe('link between switches; default: as the NICs'),
    reduces: z.boolean().optional().describe('switches can add up what passes'),
  })
  .describe('a cluster: either a known system, or a number of nodes under a topology');

const access = z.strictObject({
  bandwidth: quantity('line rate of the site', '200 Gb/s').optional(),
  efficiency: share.optional(),
  backgroundLoad: share.optional(),
  confidence: z.string().optional(),
});

const site = z.strictObject({
  id: z.string().min(1).describe('name of the site; a known place brings its coordinates and access rate'),
  coordinates: z.tuple([z.number(), z.number()]).optional().describe('latitude and longitude in degrees'),
  access: access.optional().describe("the site's own link to the wide area"),
  clusters: z.array(cluster).min(1).max(1000),
});

const wan = z.strictObject({
  from: z.string(),
  to: z.string(),
  bandwidth: quantity('line rate', '200 Gb/s').optional(),
  distance: quantity('fibre length', '741 km').optional(),
  rtt: quantity('round-trip time', '7.3 ms').optional(),
  efficiency: share.optional(),
  backgroundLoad: share.optional(),
  confidence: z.string().optional(),
});

const shape = z.strictObject({
  layers: count,
  hidden: count,
  heads: count,
  kvHeads: count.optional(),
  headDim: count.optional(),
  ffn: count,
  gated: z.boolean().optional(),
  vocab: count,
  tied: z.boolean().optional(),
});

const job = z.strictObject({
  model: z.union([z.string(), shape]).describe('a known model, a size such as 70B, or a shape'),
  sequence: count.describe('tokens of a sequence'),
  globalBatch: count.optional().describe('sequences of a step'),
  tokensPerStep: quantity('tokens of a step', '16.8M').optional(),
  precision: z.enum(['bf16', 'fp16', 'fp8', 'fp32']).optional(),
  overlap: share.optional().describe('share of the step that may hide data-parallel traffic; default: what the last micro-batch allows'),
});

const small = z.strictObject({ system: z.string(), gpus: count });

/** Schema of the declarative description. Sizes and rates may carry units; unknown keys are refused. */
export const descriptionSchema = z.strictObject({
  $schema: z.string().optional(),
  name: z.string().min(1),
  sites: z.array(site).min(1).max(1000),
  wan: z.array(wan).max(10_000).optional(),
  job: job.optional(),
  plan: z
    .strictObject({
      gpus: z.union([count, z.literal('fewest')]).optional(),
      strategies: z.array(z.string()).optional(),
      outerEvery: count.optional(),
    })
    .optional(),
  study: z
    .strictObject({
      reference: cluster.optional().describe('the single site to compare with: a known system or so many nodes'),
      tolerance: share.optional().describe('accepted slowdown; default 0.05'),
      overlaps: z.array(share).min(1).max(10).optional(),
      baseline: small.optional().describe('the small cluster that people have now'),
      tokens: quantity('tokens of the whole training', '15T').optional(),
    })
    .optional()
    .describe('questions beyond the placement'),
});

/** A parsed description. */
export type Description = z.infer<typeof descriptionSchema>;

/** The JSON Schema of descriptions, for editors. */
export const descriptionJsonSchema = (): object => ({ title: 'fabricplan description', ...z.toJSONSchema(descriptionSchema) });
