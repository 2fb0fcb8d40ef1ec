import { FabricPlanError, throwIssues, type Issue } from '../../errors.js';
import { coverageOf } from './coverage.js';
import type { Inference, Topology, TopologyDevice, TopologyLink, TopologyScope, TopologyWarning } from './types.js';

/** Devices and links of one file at most; a fabric of 400,000 GPUs has some four million of both. */
const MOST_PARTS = 4_000_000;
/** Warnings kept; further ones are counted. */
const MOST_WARNINGS = 100;
const MOST_ISSUES = 1000;

/** A topology under construction: one way to add, to warn, to refuse. */
export interface Draft {
  readonly devices: readonly TopologyDevice[];
  readonly links: readonly TopologyLink[];
  has(id: string): boolean;
  device(device: TopologyDevice): void;
  /** Changes a device that was added before. */
  amend(id: string, change: Partial<TopologyDevice>): void;
  deviceOf(id: string): TopologyDevice | undefined;
  /** Adds a link; its id is `source–target`, with a number where that is taken. */
  link(link: Omit<TopologyLink, 'id'> & { readonly id?: string }): void;
  warn(message: string, line?: number): void;
  /** Notes that something was concluded from something else. */
  infer(what: string, from: string, count?: number): void;
  /** Notes a problem that makes the file unreadable; `finish` throws them all. */
  refuse(message: string, line?: number): void;
  /** Throws what was refused so far. */
  check(): void;
  finish(rest: Partial<Topology> & Pick<Topology, 'levels' | 'contents'>): Topology;
}

/**
 * Starts a topology.
 *
 * @param where name of the reader, for messages
 */
export function draftTopology(where: string, format: string, name: string, scope: TopologyScope): Draft {
  const devices: TopologyDevice[] = [];
  const links: TopologyLink[] = [];
  const places = new Map<string, number>();
  const linkIds = new Map<string, number>();
  const warnings: TopologyWarning[] = [];
  let unshown = 0;
  const inferences = new Map<string, Inference>();
  const issues: Issue[] = [];
  const bounded = (): void => {
    if (devices.length + links.length > MOST_PARTS)
      throw new FabricPlanError('too-large', `${where}: the file holds more than ${MOST_PARTS} devices and links; expected fewer`);
  };
  return {
    devices,
    links,
    has: (id) => places.has(id),
    device(device) {
      bounded();
      places.set(device.id, devices.length);
      devices.push(device);
    },
    amend(id, change) {
      const at = places.get(id);
      if (at !== undefined) devices[at] = { ...devices[at], ...change };
    },
    deviceOf(id) {
      const at = places.get(id);
      return at === undefined ? undefined : devices[at];
    },
    link(link) {
      bounded();
      const base = link.id ?? `${link.source}–${link.target}`;
      const seen = linkIds.get(base) ?? 0;
      linkIds.set(base, seen + 1);
      let id = seen === 0 ? base : `${base}#${seen + 1}`;
      // A file may itself name a link like our own numbering.
      for (let n = seen + 1; seen > 0 && linkIds.has(id); n++) id = `${base}#${n + 1}`;
      if (seen > 0) linkIds.set(id, 1);
      links.push({ ...link, id });
    },
    warn(message, line) {
      if (warnings.length >= MOST_WARNINGS) unshown++;
      else warnings.push(line === undefined ? { message } : { line, message });
    },
    infer(what, from, count = 1) {
      const key = `${what}\u0000${from}`;
      inferences.set(key, { what, from, count: (inferences.get(key)?.count ?? 0) + count });
    },
    refuse(message, line) {
      if (issues.length >= MOST_ISSUES) return;
      issues.push(line === undefined ? { path: '', message } : { path: `line ${line}`, message: `line ${line}: ${message}` });
    },
    check() {
      throwIssues('parse', where, issues);
    },
    finish({ levels, contents, ...rest }) {
      throwIssues('parse', where, issues);
      if (unshown > 0) warnings.push({ message: `… and ${unshown} more warnings` });
      return {
        format,
        name,
        scope,
        levels,
        devices,
        links,
        ...rest,
        contents,
        coverage: coverageOf(devices, links, [...inferences.values()]),
        warnings,
      };
    },
  };
}
