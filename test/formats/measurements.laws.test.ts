import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FabricPlanError } from '../../src/errors.js';
import { looksLikeNcclTests, parseMeasuredSets, parseMeasurements, parseNcclTestsLog } from '../../src/formats/index.js';
import { parseNcclTopology } from '../../src/formats/nccl-topology-xml.js';
import { ncclNodeXml } from '../support/nccl-node.js';
import { law } from '../support/law.js';

const LOG = `# nThread 1 nGpus 1 minBytes 8 maxBytes 1073741824 step: 2(factor) warmup iters: 5 iters: 20
# Using devices
#  Rank  0 Group  0 Pid  11 on    node-a device  0 [0x1b] NVIDIA H100 80GB HBM3
#  Rank  1 Group  0 Pid  12 on    node-a device  1 [0x43] NVIDIA H100 80GB HBM3
#  Rank  2 Group  0 Pid  11 on    node-b device  0 [0x1b] NVIDIA H100 80GB HBM3
#  Rank  3 Group  0 Pid  12 on    node-b device  1 [0x43] NVIDIA H100 80GB HBM3
#
#                                                              out-of-place                       in-place
#       size         count      type   redop    root     time   algbw   busbw #wrong     time   algbw   busbw #wrong
#        (B)    (elements)                               (us)  (GB/s)  (GB/s)            (us)  (GB/s)  (GB/s)
           8             2     float     sum      -1    23.48    0.00    0.00      0    23.10    0.00    0.00      0
  1073741824     268435456     float     sum      -1  4521.00  237.50  356.25      0  4518.2  237.65  356.47    N/A
# Avg bus bandwidth    : 178.4
`;

describe('nccl-tests logs', () => {
  it('give ranks, hosts, GPU and both places of every size', () => {
    const log = parseNcclTestsLog(LOG, 'all_reduce_perf.log');
    expect(looksLikeNcclTests(LOG)).toBe(true);
    expect([log.collective, log.ranks, log.nodes, log.gpu]).toEqual(['all_reduce', 4, 2, 'NVIDIA H100 80GB HBM3']);
    expect(log.rows.map(({ bytes, microseconds, place }) => [bytes, microseconds, place])).toEqual([
      [8, 23.48, 'out'],
      [8, 23.1, 'in'],
      [1073741824, 4521, 'out'],
      [1073741824, 4518.2, 'in'],
    ]);
  });
  it('are found between lines of a launcher', () => {
    expect(parseNcclTestsLog(`srun: job 1\n${LOG}\nbye`, 'x').rows.length).toBe(4);
  });
  it('are refused without a table', () => {
    expect(() => parseNcclTestsLog('hello', 'x')).toThrow('no row');
  });
});

describe('measurement tables', () => {
  it('keep every column and its line', () => {
    const rows = parseMeasurements('\uFEFFset_id,collective,nranks,nodes,size_bytes,time_us,mine\r\na,all_reduce,8,1,1024,10,"x, y"\r\n');
    expect(rows).toEqual([
      {
        line: 2,
        columns: Object.assign(Object.create(null) as object, {
          set_id: 'a',
          collective: 'all_reduce',
          nranks: '8',
          nodes: '1',
          size_bytes: '1024',
          time_us: '10',
          mine: 'x, y',
        }),
      },
    ]);
  });
  it('name every missing column at once', () => {
    expect(() => parseMeasurements('a,b\n1,2')).toThrow(/set_id[\s\S]*time_us/);
  });
  it('name the line with the wrong number of cells', () => {
    expect(() => parseMeasurements('set_id,collective,nranks,nodes,size_bytes,time_us\na,b,c\n')).toThrow('line 2');
  });
  it('take systems with unknown links and transports as unknown', () => {
    const [set] = parseMeasuredSets(
      JSON.stringify([
        {
          set_id: 'a',
          system: 's',
          hardware: { gpu: 'X', gpusPerNode: 4, scaleUp: { kind: 'quantum' }, scaleOut: { transport: 'pigeon', GBpsPerNode: null } },
        },
      ]),
    );
    expect([set.hardware.scaleUp.kind, set.hardware.scaleOut.transport, set.hardware.scaleOut.bandwidthPerNode]).toEqual([
      'unknown',
      'unknown',
      undefined,
    ]);
  });
  it.each(['{', '{}', '[{"hardware":{}}]', '[{"set_id":"a","hardware":{"scaleUp":{"GBpsPerGpu":-1}}}]', '[{"set_id":"a"}]'])(
    'refuse systems %s',
    (text) => {
      expect(() => parseMeasuredSets(text)).toThrow(FabricPlanError);
    },
  );
});

describe('hostile text', () => {
  const xml = ncclNodeXml({ gpus: 2, sm: 90, nvlinks: 4, nics: 1, nicGbps: 400 });
  const mutated = (text: string): fc.Arbitrary<string> =>
    fc
      .tuple(fc.nat(text.length), fc.nat(text.length), fc.string())
      .map(([from, to, extra]) => text.slice(0, Math.min(from, to)) + extra + text.slice(Math.max(from, to)));
  const only = (read: () => unknown): void => {
    try {
      read();
    } catch (error) {
      if (!(error instanceof FabricPlanError)) throw error;
    }
  };
  law(
    'arbitrary and mutated text gives a result or a parse error, never another',
    fc.oneof(
      fc.string(),
      mutated(xml),
      mutated(LOG),
      mutated('set_id,collective,nranks,nodes,size_bytes,time_us\na,all_reduce,8,1,1024,10\n'),
    ),
    (text) => {
      only(() => parseNcclTopology(text, 'x'));
      only(() => parseNcclTestsLog(text, 'x'));
      only(() => parseMeasurements(text));
      only(() => parseMeasuredSets(text));
    },
  );
  it('deep nesting and entity bombs are refused', () => {
    expect(() => parseNcclTopology('<pci>'.repeat(100_000), 'x')).toThrow(FabricPlanError);
    expect(() => parseNcclTopology('<!DOCTYPE a [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><system>&b;</system>', 'x')).toThrow(
      FabricPlanError,
    );
  });
});
