import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { calibrateSystem, summarise, validateMeasurements, type CollectiveMeasurement } from '../../src/calibration/index.js';
import { fitLatencyBandwidth } from '../../src/calibration/index.js';
import { createFabric } from '../../src/fabric/create-fabric.js';
import { OPERATION_NAMES, parseMeasuredSets, parseMeasurements } from '../../src/formats/index.js';
import {
  FITTED,
  hardwareOf,
  modelTime,
  PARAMETERS,
  predictCollective,
  preparePrediction,
  prepareSubject,
  PREDICTED_OPERATIONS,
  type HardwareRecord,
  type ModelSubject,
} from '../../src/prediction/index.js';
import { buildSystem } from '../../src/presets/index.js';
import { createRandom } from '../../src/random.js';
import { expectAtMost, expectClose } from '../support/close.js';
import { law } from '../support/law.js';
import { hasShared, readShared } from '../support/shared-data.js';

const anyHardware: fc.Arbitrary<{ hardware: HardwareRecord; nodes: number; g: number }> = fc
  .record({
    gpu: fc.constantFrom('V100-SXM2-32GB', 'A100-SXM4-80GB', 'H100-SXM5-80GB', 'B200', 'MI300X', 'Unknown 9000'),
    kind: fc.constantFrom('nvswitch', 'nvlink-all-to-all', 'infinity-fabric-mesh', 'pcie', 'unknown'),
    rate: fc.constantFrom(150e9, 300e9, 450e9, 900e9),
    reduces: fc.boolean(),
    transport: fc.constantFrom('infiniband', 'roce', 'slingshot', 'efa', 'tcp', 'unknown', 'nvlink'),
    nic: fc.constantFrom(12.5e9, 100e9, 400e9),
    nodes: fc.constantFrom(1, 2, 3, 8, 64),
    g: fc.constantFrom(1, 2, 4, 8),
  })
  .map(({ gpu, kind, rate, reduces, transport, nic, nodes, g }) => ({
    nodes,
    g,
    hardware: {
      gpu,
      gpusPerNode: g,
      scaleUp: { kind: kind as 'nvswitch', ...(kind === 'pcie' ? {} : { bandwidthPerGpu: rate }), inSwitchReduction: reduces },
      scaleOut: { transport: nodes === 1 ? 'none' : (transport as 'roce'), bandwidthPerNode: nic, nicsPerNode: g },
    },
  }));
const anySubject: fc.Arbitrary<ModelSubject> = fc
  .tuple(anyHardware, fc.constantFrom(...PREDICTED_OPERATIONS))
  .map(([{ hardware, nodes, g }, operation]) => ({ hardware, operation, ranks: nodes * g, nodes }));
const anyBytes = fc.integer({ min: 3, max: 34 }).map((power) => 2 ** power);

const box: HardwareRecord = {
  gpu: 'H100-SXM5-80GB',
  gpusPerNode: 8,
  scaleUp: { kind: 'nvswitch', bandwidthPerGpu: 450e9, inSwitchReduction: true },
  scaleOut: { transport: 'none' },
};

describe('measured model', () => {
  it('says what an eight-GPU box does at three sizes', () => {
    const predictor = preparePrediction({ hardware: box, operation: 'all-reduce', ranks: 8, nodes: 1 });
    const small = predictor.at(1024);
    const bulk = predictor.at(2 ** 33);
    expect(small.protocol).toBe('LL');
    expect(small.seconds).toBeLessThan(30e-6);
    expect(bulk.algorithm).toBe('NVLS');
    // In-switch reduction lifts the bus bandwidth above the nominal 450 GB/s of a GPU.
    expect(bulk.busBandwidth).toBeGreaterThan(450e9);
  });
  it('has one value per parameter', () => {
    expect(FITTED.values.length).toBe(PARAMETERS.length);
  });
  law('low ≤ prediction ≤ high, all finite and positive', fc.tuple(anySubject, anyBytes), ([subject, bytes]) => {
    const { seconds, low, high } = predictCollective(subject, bytes);
    if (subject.ranks === 1) expect(seconds).toBe(0);
    else expect(low > 0 && low <= seconds && seconds <= high && Number.isFinite(high)).toBe(true);
  });
  law('time never falls as the message grows', fc.tuple(anySubject, anyBytes), ([subject, bytes]) => {
    const predictor = preparePrediction(subject);
    expectAtMost(predictor.at(bytes).seconds, predictor.at(bytes * 1.3).seconds);
  });
  law('no prediction beats the NICs of a node or the links of a GPU', fc.tuple(anySubject, anyBytes), ([subject, bytes]) => {
    const { hardware, nodes, ranks, operation } = subject;
    if (ranks === 1) return;
    const { seconds } = predictCollective(subject, bytes);
    const nic = hardware.scaleOut.bandwidthPerNode ?? Infinity;
    // What leaves a node at least: its ranks' shares for a gather, the whole buffer once for an all-reduce.
    const leaves =
      operation === 'all-reduce'
        ? bytes
        : (bytes * (ranks - ranks / nodes)) / ranks / (operation === 'all-to-all' ? 1 / (ranks / nodes) : nodes);
    if (nodes > 1 && hardware.scaleOut.transport !== 'nvlink' && operation !== 'all-to-all')
      expectAtMost(leaves / nic / 1.5, seconds, 'NIC');
    if (hardware.scaleUp.bandwidthPerGpu !== undefined && nodes === 1) {
      const share = operation === 'all-reduce' ? bytes : (bytes * (ranks - 1)) / ranks;
      expectAtMost(share / hardware.scaleUp.bandwidthPerGpu, seconds, 'GPU');
    }
  });
  law('twice the link rates never slow a prediction', fc.tuple(anySubject, anyBytes), ([subject, bytes]) => {
    const { hardware } = subject;
    const faster: HardwareRecord = {
      ...hardware,
      scaleUp: {
        ...hardware.scaleUp,
        ...(hardware.scaleUp.bandwidthPerGpu === undefined ? {} : { bandwidthPerGpu: 2 * hardware.scaleUp.bandwidthPerGpu }),
      },
      scaleOut: { ...hardware.scaleOut, bandwidthPerNode: 2 * (hardware.scaleOut.bandwidthPerNode ?? 1) },
    };
    expectAtMost(predictCollective({ ...subject, hardware: faster }, bytes).seconds, predictCollective(subject, bytes).seconds);
  });
  it('degrades to a class, with a warning and a wider range, for what it does not know', () => {
    const known = predictCollective({ hardware: box, operation: 'all-reduce', ranks: 8, nodes: 1 }, 2 ** 24);
    const strange = predictCollective({ hardware: { ...box, gpu: 'Phi-9' }, operation: 'all-reduce', ranks: 8, nodes: 1 }, 2 ** 24);
    expect(known.warnings).toEqual([]);
    expect(strange.warnings.join()).toContain('Phi-9');
    expect(strange.high / strange.low).toBeGreaterThan(known.high / known.low);
  });
  it.each([
    [{ operation: 'broadcast', ranks: 8, nodes: 1 }, 'operation'],
    [{ operation: 'all-reduce', ranks: 0, nodes: 1 }, 'ranks'],
    [{ operation: 'all-reduce', ranks: 8, nodes: 9 }, 'nodes'],
  ])('refuses %o', (wrong, culprit) => {
    expect(() => predictCollective({ hardware: box, ...(wrong as { operation: 'all-reduce'; ranks: number; nodes: number }) }, 1)).toThrow(
      culprit,
    );
  });
  it('reads the machine off a fabric', () => {
    const fabric = createFabric(buildSystem('jean-zay-h100', { gpus: 16 }));
    const { hardware, nodes } = hardwareOf(fabric, fabric.gpuIds);
    expect([hardware.gpusPerNode, nodes, hardware.scaleOut.transport]).toEqual([4, 4, 'infiniband']);
    expect(hardware.scaleUp.bandwidthPerGpu).toBeGreaterThan(4e11);
  });
});

// Published anchors of large messages, bus bandwidth in GB/s (nccl-tests; stas00/ml-engineering network pages and vendor notes).
describe('anchors', () => {
  const node = (
    gpu: string,
    kind: 'nvswitch' | 'infinity-fabric-mesh' | 'pcie',
    gbps: number,
    inSwitchReduction: boolean,
  ): HardwareRecord => ({
    gpu,
    gpusPerNode: 8,
    scaleUp: { kind, ...(gbps > 0 ? { bandwidthPerGpu: gbps * 1e9 } : {}), inSwitchReduction },
    scaleOut: { transport: 'none' },
  });
  it.each([
    ['8 × H200, all-reduce in the switch', node('H200', 'nvswitch', 450, true), 'all-reduce', 8, 480],
    ['8 × H200, all-gather on rings', node('H200', 'nvswitch', 450, true), 'all-gather', 8, 361],
    ['8 × H200, reduce-scatter on rings', node('H200', 'nvswitch', 450, true), 'reduce-scatter', 8, 363],
    ['8 × B200, all-reduce in the switch', node('B200', 'nvswitch', 900, true), 'all-reduce', 8, 838],
    ['4 × B200, all-reduce on rings', node('B200', 'nvswitch', 900, true), 'all-reduce', 4, 675],
    ['8 × MI300X, all-reduce', node('MI300X', 'infinity-fabric-mesh', 448, false), 'all-reduce', 8, 313],
    ['8 × A100, all-reduce', node('A100-SXM4-80GB', 'nvswitch', 300, false), 'all-reduce', 8, 228],
  ] as const)('%s', (_, hardware, operation, ranks, gbps) => {
    expectClose(predictCollective({ hardware, operation, ranks, nodes: 1 }, 2 ** 34).busBandwidth / 1e9, gbps, 0.12);
  });
  it('four nodes of eight A100 with 200 Gb/s each reach 0.96 of their NICs in a ring', () => {
    const hardware: HardwareRecord = {
      ...node('A100', 'nvswitch', 300, false),
      scaleOut: { transport: 'infiniband', bandwidthPerNode: 200e9, nicsPerNode: 8 },
    };
    expectClose(predictCollective({ hardware, operation: 'all-reduce', ranks: 32, nodes: 4 }, 2 ** 32).busBandwidth / 200e9, 0.96, 0.08);
  });
  it('two nodes cross the network once: algorithm bandwidth near the NIC sum', () => {
    const hardware: HardwareRecord = {
      ...node('GH200', 'nvswitch', 450, false),
      gpusPerNode: 4,
      scaleOut: { transport: 'slingshot', bandwidthPerNode: 100e9, nicsPerNode: 4 },
    };
    expectClose(
      predictCollective({ hardware, operation: 'all-reduce', ranks: 8, nodes: 2 }, 2 ** 32).algorithmBandwidth / 100e9,
      0.9,
      0.08,
    );
  });
  it('hundreds of nodes lose bulk rate to congestion: 0.67 to 0.9 of the NICs at 256, 0.92 at 16', () => {
    const hardware: HardwareRecord = {
      ...node('GH200', 'nvswitch', 450, false),
      gpusPerNode: 4,
      scaleOut: { transport: 'slingshot', bandwidthPerNode: 100e9, nicsPerNode: 4 },
    };
    const at = (nodes: number): number =>
      predictCollective({ hardware, operation: 'all-reduce', ranks: 4 * nodes, nodes }, 2 ** 36).busBandwidth / 100e9;
    expectClose(at(16), 0.92, 0.08);
    expectAtMost(at(256), 0.9);
    expectAtMost(0.6, at(256));
  });
  it('one GPU a node over 400 Gb/s takes 260 us for 16 MiB, far more than start and wire (google/dranet, table 2)', () => {
    const hardware: HardwareRecord = {
      gpu: 'B200',
      gpusPerNode: 1,
      scaleUp: { kind: 'none', inSwitchReduction: false },
      scaleOut: { transport: 'roce', bandwidthPerNode: 50e9, nicsPerNode: 1 },
    };
    expectClose(predictCollective({ hardware, operation: 'all-gather', ranks: 2, nodes: 2 }, 2 ** 24).seconds, 260e-6, 0.18);
  });
  it('a range is neither a point nor a guess', () => {
    const { low, high } = predictCollective({ hardware: box, operation: 'all-reduce', ranks: 8, nodes: 1 }, 2 ** 30);
    expect(high / low).toBeGreaterThan(1.1);
    expect(high / low).toBeLessThan(4);
  });
});

/** Rows of a machine whose parameters differ from the fitted ones by known factors. */
function planted(
  subject: ModelSubject,
  factors: Readonly<Record<string, number>>,
  sizes: readonly number[],
  noise = 0,
  seed = 1,
): CollectiveMeasurement[] {
  const values = Float64Array.from(FITTED.values);
  const prepared = prepareSubject(subject);
  for (const [name, factor] of Object.entries(factors)) values[prepared.index[name]] += Math.log(factor);
  const random = createRandom(seed);
  return sizes.map((bytes) => ({
    subject,
    bytes,
    seconds:
      modelTime(prepared, values, bytes).microseconds * 1e-6 * Math.exp(noise * (random.next() + random.next() + random.next() - 1.5) * 2),
  }));
}
const sizes = Array.from({ length: 14 }, (_, k) => 64 * 4 ** k);

describe('calibration', () => {
  law(
    'recovers planted latency and bandwidth',
    fc.tuple(fc.double({ min: 0.7, max: 1.5, noNaN: true }), fc.double({ min: 0.85, max: 1.05, noNaN: true })),
    ([launch, net]) => {
      const hardware: HardwareRecord = {
        ...box,
        scaleUp: { ...box.scaleUp, inSwitchReduction: false },
        scaleOut: { transport: 'infiniband', bandwidthPerNode: 400e9, nicsPerNode: 8 },
      };
      const subject: ModelSubject = { hardware, operation: 'all-gather', ranks: 32, nodes: 4 };
      const calibration = calibrateSystem(planted(subject, { netHop: launch, net }, sizes));
      for (const { bytes, seconds } of planted(subject, { netHop: launch, net }, [100, 1e6, 1e9]))
        expectClose(predictCollective(subject, bytes, calibration).seconds, seconds, 0.02);
    },
  );
  law(
    'measuring a size brings the prediction there close to it',
    fc.tuple(anySubject, anyBytes, fc.double({ min: 0.5, max: 2, noNaN: true })),
    ([subject, bytes, factor]) => {
      if (subject.ranks === 1) return;
      const before = predictCollective(subject, bytes).seconds;
      const measured = before * factor;
      const after = predictCollective(subject, bytes, calibrateSystem([{ subject, bytes, seconds: measured }])).seconds;
      expectAtMost(Math.abs(Math.log(after / measured)), Math.abs(Math.log(factor)) * 0.35 + 1e-3);
    },
  );
  law('adding rows never widens the intervals on average', fc.tuple(anySubject, fc.integer({ min: 1, max: 9 })), ([subject, count]) => {
    if (subject.ranks === 1) return;
    const rows = planted(subject, { launch: 1.2 }, sizes, 0.02);
    const few = calibrateSystem(rows.slice(0, count));
    const more = calibrateSystem(rows.slice(0, count + 4));
    const width = (calibration: typeof few): number =>
      sizes.reduce((sum, bytes) => {
        const { low, high } = predictCollective(subject, bytes, calibration);
        return sum + Math.log(high / low);
      }, 0);
    expectAtMost(width(more), width(few) * 1.02);
  });
  it('knows its rows from its judges: given rows are no part of the error', () => {
    const subject: ModelSubject = { hardware: box, operation: 'all-reduce', ranks: 8, nodes: 1 };
    const rows = planted(subject, { launch: 2 }, sizes).map((row) => ({ ...row, system: 's', set: 'a' }));
    const validated = validateMeasurements(rows, 6);
    expect(validated.filter(({ given }) => given).length).toBe(6);
    expect(summarise(validated).overall.rows).toBe(sizes.length - 6);
    expect(summarise(validated).overall.error).toBeLessThan(1.02);
    expect(summarise(validateMeasurements(rows)).overall.error).toBeGreaterThan(1.05);
  });
  it('beats two constants on a curve with a middle', () => {
    const subject: ModelSubject = { hardware: box, operation: 'all-reduce', ranks: 8, nodes: 1 };
    const rows = planted(subject, {}, sizes);
    expect(fitLatencyBandwidth(rows).error).toBeGreaterThan(1.1);
  });
});

describe.runIf(hasShared('collectives'))('against public measurements', () => {
  it('stays within ×1.3 on the good sets and holds nine of ten in its range', () => {
    const sets = new Map(parseMeasuredSets(readShared('collectives/systems.json')).map((set) => [set.id, set]));
    const subjects = new Map<string, ModelSubject>();
    const rows = parseMeasurements(readShared('collectives/measurements.csv')).flatMap(({ columns }) => {
      const set = sets.get(columns['set_id']);
      const [bytes, seconds] = [Number(columns['size_bytes']), Number(columns['time_us']) * 1e-6];
      if (set === undefined || set.group !== 'good' || !(bytes > 0 && seconds > 0)) return [];
      const key = `${set.id} ${columns['collective']} ${columns['nranks']}`;
      const subject = subjects.get(key) ?? {
        hardware: set.hardware,
        operation: OPERATION_NAMES[columns['collective']],
        ranks: Number(columns['nranks']),
        nodes: Number(columns['nodes']),
        ringOnly: set.ringOnly,
      };
      subjects.set(key, subject);
      return [{ system: set.system, set: set.id, subject, bytes, seconds }];
    });
    const { overall } = summarise(validateMeasurements(rows));
    expect(overall.error).toBeLessThan(1.3);
    expect(overall.coverage).toBeGreaterThan(0.85);
    expect(overall.coverage).toBeLessThan(0.97);
    expect(summarise(validateMeasurements(rows, 6)).overall.error).toBeLessThan(1.12);
  });
});
