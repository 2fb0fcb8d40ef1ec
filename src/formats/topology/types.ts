import type { DeviceKind, DeviceSpec, LinkSpec } from '../../fabric/types.js';
import type { BytesPerSecond, Seconds } from '../../quantities.js';

/** A value that a file gives beyond what the model knows, kept as it stands. */
export type Scalar = string | number | boolean;
export type Attributes = Readonly<Record<string, Scalar>>;

/** What a device of a topology file is: a kind of the fabric, a `host` whose inside the file does not show, or a `site` of a map. */
export type TopologyDeviceKind = DeviceKind | 'host' | 'site';

/** One thing that a topology file names. */
export interface TopologyDevice extends Omit<DeviceSpec, 'kind'> {
  readonly kind: TopologyDeviceKind;
  /** Name for people, where it is not the id. */
  readonly label?: string;
  /** GPUs of a host whose inside the file does not show. */
  readonly gpus?: number;
  /** Rate of the network port of a NIC, one direction. */
  readonly portBandwidth?: BytesPerSecond;
  readonly attributes?: Attributes;
}

/** One cable, or several equal ones, as a file gives it: a rate or a latency that the file does not say is absent, never guessed. */
export interface TopologyLink extends Omit<LinkSpec, 'bandwidth' | 'latency'> {
  /** Rate of one cable in one direction. */
  readonly bandwidth?: BytesPerSecond;
  /** One way. */
  readonly latency?: Seconds;
  /** Port or interface of the source and of the target, by the name that the file gives it. */
  readonly sourcePort?: string;
  readonly targetPort?: string;
  readonly attributes?: Attributes;
}

/** How much of the world a file shows; broader ones take narrower ones in when files are composed. */
export type TopologyScope = 'node' | 'cluster' | 'wide-area';

/** Traffic that a file asks for between two places. */
export interface TopologyDemand {
  readonly id: string;
  readonly source: string;
  readonly target: string;
  /** In the unit of the file's capacities. */
  readonly value: number;
}

/** Capacity that a file offers to add to a link, at a price in the file's own currency. */
export interface TopologyOffer {
  readonly link: string;
  /** In the unit of the file's capacities. */
  readonly capacity: number;
  readonly cost: number;
}

export interface TopologyWarning {
  /** Line of the file, counted from 1. */
  readonly line?: number;
  readonly message: string;
}

/** Something that was concluded and not read. */
export interface Inference {
  readonly what: string;
  readonly from: string;
  readonly count: number;
}

/** How complete a topology is. Shares are of 0–1, absent where there is nothing to take a share of. */
export interface Coverage {
  /** Share of the cables that have a bandwidth. */
  readonly bandwidth?: number;
  /** Share of the hosts, switches and sites that have coordinates. */
  readonly coordinates?: number;
  readonly inferred: readonly Inference[];
}

/**
 * What a topology file says, before anything is assumed: hosts and sites as such, links with or without a rate.
 *
 * {@link fabricOfTopology} makes a fabric of it, {@link composeTopologies} joins several, and {@link writeTopology} writes it.
 */
export interface Topology {
  /** Name of the format it was read from. */
  readonly format: string;
  readonly name: string;
  readonly scope: TopologyScope;
  /** Names of the location levels, broad to narrow. */
  readonly levels: readonly string[];
  readonly devices: readonly TopologyDevice[];
  readonly links: readonly TopologyLink[];
  readonly demands?: readonly TopologyDemand[];
  readonly offers?: readonly TopologyOffer[];
  readonly attributes?: Attributes;
  /** What the file holds, in the format's own words. */
  readonly contents: Readonly<Record<string, number>>;
  readonly coverage: Coverage;
  readonly warnings: readonly TopologyWarning[];
}
