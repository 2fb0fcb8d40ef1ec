import type { Bytes, BytesPerSecond, FlopsPerSecond, Metres, Seconds } from '../quantities.js';

/** Every kind of device a fabric may hold, in compiled order (the index is the compiled code). */
export const DEVICE_KINDS = ['gpu', 'nvswitch', 'pcie', 'cpu', 'nic', 'switch', 'gateway'] as const;
/** What a device is. `nvswitch` is any scale-up switch; `gateway` is a router of a site or of the wide area. */
export type DeviceKind = (typeof DEVICE_KINDS)[number];

/** Dense arithmetic peak by number format, FLOP per second (no sparsity). */
export interface PeakRates {
  readonly fp32?: FlopsPerSecond;
  readonly tf32?: FlopsPerSecond;
  readonly fp16?: FlopsPerSecond;
  readonly bf16?: FlopsPerSecond;
  readonly fp8?: FlopsPerSecond;
  readonly fp4?: FlopsPerSecond;
}

/** One device: a GPU as software sees it (an MI250X module is two), a switch, a NIC, a router. */
export interface DeviceSpec {
  /** Unique within the fabric. */
  readonly id: string;
  readonly kind: DeviceKind;
  /** Path in the fabric's named levels, broad to narrow; may stop early. */
  readonly location: readonly string[];
  /** High-bandwidth memory of a GPU. */
  readonly memory?: Bytes;
  readonly peak?: PeakRates;
  readonly memoryBandwidth?: BytesPerSecond;
  /** Share (0–1) of the arithmetic peak that a large matrix multiply reaches on this GPU. Default 0.75. */
  readonly computeEfficiency?: number;
  /** Board power of a GPU under load, watts. */
  readonly power?: number;
  /** Label of the preset it came from, such as `H100-SXM-80`. */
  readonly model?: string;
  /** Latitude and longitude in degrees. */
  readonly coordinates?: readonly [number, number];
  /** A switch that can add up what passes through it (SHARP, NVLink SHARP). Default false. */
  readonly reduces?: boolean;
}

/** One link, or a bundle of equal parallel cables, between two devices. */
export interface LinkSpec {
  /** Unique within the fabric. */
  readonly id: string;
  readonly source: string;
  readonly target: string;
  /** Nominal rate of one cable in one direction. */
  readonly bandwidth: BytesPerSecond;
  /** One-way latency, propagation included. */
  readonly latency: Seconds;
  /** Number of parallel cables. Default 1. */
  readonly count?: number;
  /** False for a one-way link (source to target only). Default true: the same rate both ways. */
  readonly duplex?: boolean;
  /** Rate of one cable from target back to source, where it differs. Default: `bandwidth`. */
  readonly reverseBandwidth?: BytesPerSecond;
  /** Label of the technology, such as `NVLink4` or `400ZR`. */
  readonly technology?: string;
  readonly distance?: Metres;
  /** Share (0–1) of the link taken by others. Default 0. */
  readonly backgroundLoad?: number;
  /** Share (0–1] of the nominal rate that bulk transfers reach: framing, protocol, flow control. Default 1. */
  readonly efficiency?: number;
  /** Cost that routing sees, as routers have metrics; higher is avoided. Default: latency + reference bytes / rate of one cable. */
  readonly routingCost?: Seconds;
  /** How sure the figures are: S1 read at source, S2 secondary, G general knowledge, E estimate. */
  readonly confidence?: string;
}

/** A described fabric: plain data, JSON-serialisable. */
export interface FabricSpec {
  readonly name: string;
  /** Names of the location levels, broad to narrow, e.g. `['site', 'group', 'rack', 'node']`. */
  readonly levels: readonly string[];
  readonly devices: readonly DeviceSpec[];
  readonly links: readonly LinkSpec[];
}

/**
 * The integer form of a fabric. Devices are sorted by id (digits by value), arcs by (source, target, link);
 * a duplex link is two arcs. Hot loops run on this and nothing else.
 */
export interface CompiledFabric {
  readonly deviceCount: number;
  readonly arcCount: number;
  /** Index into {@link DEVICE_KINDS}, parallel to devices. */
  readonly kind: Uint8Array;
  /** Devices that are GPUs, in device order; a GPU's place here is its GPU index. */
  readonly gpus: Int32Array;
  /** GPU index of each device, −1 where it is none. */
  readonly gpuOfDevice: Int32Array;
  /** First outgoing arc of each device; parallel to devices, one longer. Arcs of a device are contiguous. */
  readonly outStart: Int32Array;
  /** Parallel to arcs: source and target device. */
  readonly arcSource: Int32Array;
  readonly arcTarget: Int32Array;
  /** Parallel to arcs: usable bytes per second, all cables together, after background load and efficiency. */
  readonly arcBandwidth: Float64Array;
  /** Parallel to arcs: one-way latency in seconds. */
  readonly arcLatency: Float64Array;
  /** Parallel to arcs: index into `links` of the fabric. */
  readonly arcLink: Int32Array;
  /** First incoming arc of each device in `inArcs`; parallel to devices, one longer. */
  readonly inStart: Int32Array;
  /** Arc indices grouped by target device. */
  readonly inArcs: Int32Array;
  /** One array per level, parallel to GPUs: dense id of the GPU's location prefix at that level, in device order. */
  readonly gpuLevel: readonly Int32Array[];
}

/** A validated fabric. Hides the compiled index; everything else of it is plain data. */
export interface Fabric {
  readonly name: string;
  readonly levels: readonly string[];
  /** Sorted by id, digits by value. */
  readonly devices: readonly DeviceSpec[];
  /** Sorted by source, target, id. */
  readonly links: readonly LinkSpec[];
  /** Ids of the GPUs; their order is the GPU index used everywhere. */
  readonly gpuIds: readonly string[];
  readonly compiled: CompiledFabric;
  /** Device index of an id, or undefined. */
  indexOf(id: string): number | undefined;
}
