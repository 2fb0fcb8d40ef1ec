import { invalidArgument } from '../errors.js';
import { pciBandwidth } from './link-budget.js';
import { ChannelSearch, copyDraft, type Draft } from './search-channels.js';
import { createLocality } from './locality.js';
import { setPaths } from './paths.js';
import { createSystem, LINK, type System } from './system.js';
import { PATH, PATTERN, type NcclGraph, type NcclGraphs, type NcclTopology } from './types.js';

/** Rates per channel that the search tries, GB/s, by compute capability (facts: NCCL 2.30 search.cc). */
const RATES = {
  intra: {
    70: [40, 30, 20, 18, 15, 12, 10, 9, 7, 6, 5, 4, 3],
    90: [60, 50, 40, 30, 24, 20, 15, 12, 11, 6, 3],
    100: [90, 80, 70, 60, 50, 45, 40, 30, 24, 20, 19, 18],
  },
  inter: {
    70: [48, 30, 28, 24, 20, 18, 15, 12, 10, 9, 7, 6, 5, 4, 3, 2.4, 1.2, 0.24, 0.12],
    90: [48, 45, 42, 40, 30, 24, 22, 20, 17.5, 15, 12, 6, 3, 2.4, 1.2, 0.24, 0.12],
    100: [96, 86, 80, 48, 45.1, 42, 40, 30, 24, 22, 20, 17.5, 15, 12, 6, 3, 2.4, 1.2, 0.24, 0.12],
  },
};

/** Search steps of one attempt and of all together. */
const STEPS = { same: 1 << 8, tree: 1 << 14, other: 1 << 14, all: 1 << 19 };
const MOST_CHANNELS = 64;
const MOST_RING_CHANNELS = MOST_CHANNELS / 2;
const MOST_NVLS_HEADS = 32;

/**
 * NCCL's search on one topology: how many channels of which rate for ring, tree and in-switch reduction, for a job on `nodes` nodes that
 * all look like this one. Deterministic; no lookup of known machines.
 *
 * @throws FabricPlanError `invalid-argument` for a topology without GPUs, or without NIC on several nodes
 * @complexity bounded: at most 2^19 steps a pattern; a few ms on NVSwitch boxes
 */
export function searchNcclGraphs(topology: NcclTopology, nodes: number): NcclGraphs {
  const multiNode = nodes > 1;
  if (!Number.isInteger(nodes) || nodes < 1) throw invalidArgument('searchNcclGraphs', 'nodes', nodes, 'a whole number of at least 1');
  const system = createSystem(topology, multiNode);
  if (multiNode && system.nets.length === 0)
    throw invalidArgument('searchNcclGraphs', `topology "${topology.name}"`, 'without NIC', `a NIC for ${nodes} nodes`);
  setPaths(system);
  const multi = multiNode;
  const limits = bandwidthLimits(system, multi);
  const cc = Math.min(...system.gpus.map((gpu) => gpu.gpu?.cc ?? 70));
  const ring = searchPattern(system, multi, limits, cc, PATTERN.ring, 1, MOST_RING_CHANNELS);
  const tree = searchPattern(system, multi, limits, cc, PATTERN.balancedTree, ring.channels, ring.channels);
  const nvls = searchPattern(system, multi, limits, cc, PATTERN.nvls, 1, MOST_CHANNELS);
  const reducing = multi && system.nets.some(({ net }) => net?.collNet === true);
  // Ring and tree work on as many channels as both found, twice (two trees, rings doubled).
  let channels = 2 * Math.min(ring.channels, tree.channels);
  if (multiNode && cc >= 90 && ring.bwIntra > 45 && channels < 16) channels *= 2;
  return {
    topology: topology.name,
    nodes,
    ranks: nodes * system.gpus.length,
    computeCapability: cc,
    architecture: system.architecture,
    vendor: system.vendor,
    nics: system.nets.length,
    tree: toGraph(tree),
    ring: toGraph(ring),
    nvls: toGraph(nvls),
    ...(reducing
      ? {
          collNet: {
            chain: toGraph(searchPattern(system, multi, limits, cc, PATTERN.tree, ring.channels, ring.channels, true)),
            direct: toGraph(searchPattern(system, multi, limits, cc, PATTERN.nvls, 1, MOST_CHANNELS, true)),
          },
        }
      : {}),
    communicatorChannels: Math.min(channels, MOST_CHANNELS),
    nvlinkSwitch: system.switches.length > 0,
  };
}

interface Limits {
  /** Widest path that a channel may need, and what one GPU can send in all; GB/s. */
  readonly path: number;
  readonly gpu: number;
}

function bandwidthLimits(system: System, multi: boolean): Limits {
  if (!multi && system.gpus.length === 1) return { path: 5000, gpu: 5000 };
  let path = 0;
  let gpu = 0;
  for (const one of system.gpus) {
    for (const route of multi ? one.paths.net : one.paths.gpu) if (route.links.length > 0) path = Math.max(path, route.bandwidth);
    const nvlink = one.links.reduce((sum, link) => sum + (link.kind === LINK.nvlink ? link.bandwidth : 0), 0);
    gpu = Math.max(gpu, nvlink, pciBandwidth(one));
  }
  return { path, gpu };
}

function kindRange(system: System, kind: 'gpu' | 'net'): [number, number] {
  let [least, most]: [number, number] = [PATH.SYS, PATH.LOC];
  for (const gpu of system.gpus)
    gpu.paths[kind].forEach((path, i) => {
      if (kind === 'gpu' && i === gpu.index) return;
      least = Math.min(least, path.kind);
      most = Math.max(most, path.kind);
    });
  return [least, most];
}

/** Two equal NVLink islands with a slower link between them. */
function isSplit(system: System): boolean {
  const islands: number[][] = [];
  for (const gpu of system.gpus) {
    const island = islands.find(([first]) => gpu.paths.gpu[first].kind === PATH.NVL);
    if (island === undefined) islands.push([gpu.index]);
    else island.push(gpu.index);
  }
  return islands.length === 2 && islands.every((island) => island.length > 1);
}

function searchPattern(
  system: System,
  multi: boolean,
  limits: Limits,
  cc: number,
  wanted: number,
  least: number,
  most: number,
  collNet = false,
): Draft {
  const gpuCount = system.gpus.length;
  const crossing = multi && system.nets.length > 1 && wanted !== PATTERN.nvls ? 2 : 0;
  let [minIntra, maxIntra]: [number, number] = [PATH.LOC, PATH.SYS];
  let [minInter, maxInter]: [number, number] = [PATH.PIX, PATH.SYS];
  if (gpuCount > 1) [minIntra, maxIntra] = kindRange(system, 'gpu');
  if (multi) {
    [minInter, maxInter] = kindRange(system, 'net');
    maxIntra = maxInter;
  }
  const pattern = gpuCount === 1 && wanted !== PATTERN.ring && wanted !== PATTERN.nvls ? PATTERN.tree : wanted;
  const nvls = pattern === PATTERN.nvls;
  const startSame = !nvls;
  const best: Draft = {
    pattern,
    channels: 0,
    minChannels: least,
    maxChannels: nvls ? Math.min(most, MOST_NVLS_HEADS, gpuCount) : most,
    bwIntra: 0,
    bwInter: 0,
    typeIntra: minIntra,
    typeInter: minInter,
    sameChannels: startSame,
    crossNic: 0,
    collNet,
    latencyInter: 0,
    hops: 0,
    orders: [],
    nics: [],
  };
  if (nvls) {
    if (system.switches.length === 0 || (cc < 90 && !collNet)) return { ...best, sameChannels: false, typeIntra: 0, typeInter: 0 };
    if (!multi) best.minChannels = best.maxChannels;
  }
  if (pattern === PATTERN.ring && best.minChannels === 1 && isSplit(system)) best.minChannels = 2;
  const family = cc >= 100 ? 100 : cc >= 90 ? 90 : 70;
  const rates = RATES[multi ? 'inter' : 'intra'][family];
  const inNode = gpuCount > 1 && pattern !== PATTERN.ring ? (limits.gpu * gpuCount) / (gpuCount - 1) : limits.gpu;
  let index = 0;
  while ((rates[index] > limits.path || rates[index] * best.minChannels > inNode) && index < rates.length - 1) index++;
  const draft = copyDraft(best);
  draft.bwIntra = draft.bwInter = rates[index];
  const locality = createLocality(system);
  let found = best;
  /** Runs one attempt with the draft's settings; returns the steps that were left, Infinity when it ended as good as possible. */
  const attempt = (): number => {
    const patience = {
      steps: draft.sameChannels ? STEPS.same : draft.pattern === PATTERN.tree ? STEPS.tree : STEPS.other,
      optimal: false,
    };
    draft.channels = 0;
    draft.orders = [];
    draft.nics = [];
    const search = new ChannelSearch(system, multi, draft, found, patience, locality);
    search.run();
    found = search.best;
    return patience.optimal ? Infinity : patience.steps;
  };
  const throughAmd = system.architecture === 'x86' && system.vendor === 'amd';
  let budget = STEPS.all;
  for (;;) {
    budget -= draft.sameChannels ? STEPS.same : STEPS.other;
    const left = attempt();
    if (left === Infinity || found.channels * found.bwInter >= limits.gpu) break;
    // Loosen one condition at a time, in this order, then lower the rate.
    if (draft.sameChannels && !(throughAmd && draft.typeIntra === PATH.SYS)) {
      draft.sameChannels = false;
      continue;
    }
    draft.sameChannels = startSame;
    budget += left;
    if (budget < 0 && found.channels > 0) break;
    if (cc >= 90 && draft.pattern === PATTERN.balancedTree) {
      draft.pattern = PATTERN.tree;
      continue;
    }
    draft.pattern = pattern;
    const intraLimit = multi ? draft.typeInter : maxIntra;
    if (draft.typeIntra < intraLimit && (found.channels === 0 || draft.typeIntra < found.typeIntra)) {
      draft.typeIntra++;
      if (draft.typeIntra < PATH.DIS) continue;
    }
    draft.typeIntra = minIntra;
    if (multi && draft.typeInter < maxInter && (found.channels === 0 || draft.typeInter < found.typeInter || draft.typeInter < PATH.PXN)) {
      draft.typeInter++;
      if (draft.typeInter < PATH.DIS) continue;
    }
    draft.typeInter = minInter;
    if (crossing === 2 && draft.crossNic === 0 && (pattern === PATTERN.ring || pattern === PATTERN.balancedTree)) {
      draft.crossNic = 2;
      continue;
    }
    draft.crossNic = 0;
    if (index < rates.length - 1 && (found.channels === 0 || rates[index + 1] / found.bwInter > 0.49)) {
      draft.bwInter = draft.bwIntra = rates[++index];
      continue;
    }
    break;
  }
  found = raise(doubleChannels(found, cc), rates, (candidate, best) => {
    Object.assign(draft, candidate);
    found = best;
    const left = attempt();
    return { best: found, timedOut: left === 0 };
  });
  if (found.channels === 0 && !nvls) {
    return { ...found, channels: 1, bwIntra: 0.1, bwInter: 0.1, typeIntra: PATH.SYS, typeInter: PATH.SYS, orders: [[...system.gpus]] };
  }
  return found;
}

/** Splits wide channels in two: more, narrower channels keep more of the GPU busy. */
function doubleChannels(found: Draft, cc: number): Draft {
  if (found.channels === 0 || found.pattern === PATTERN.nvls || found.bwIntra < 25) return found;
  if (cc > 80 && found.bwIntra < 50 && found.channels > 4) return found;
  const channels = Math.min(found.channels * 2, found.maxChannels);
  const parts = Math.ceil(channels / found.channels);
  return {
    ...found,
    channels,
    bwIntra: found.bwIntra / parts,
    bwInter: found.bwInter / parts,
    orders: Array.from({ length: channels }, (_, c) => found.orders[c % found.channels]),
    nics: found.nics.length === 0 ? [] : Array.from({ length: channels }, (_, c) => found.nics[c % found.channels]),
  };
}

/** Second pass: raises the rate step by step while the same number of channels still fits. */
function raise(
  found: Draft,
  rates: readonly number[],
  attempt: (candidate: Draft, best: Draft) => { best: Draft; timedOut: boolean },
): Draft {
  let best = found;
  const candidate = copyDraft(best);
  let index = 0;
  while (rates[index] > best.bwInter && index < rates.length - 1) index++;
  candidate.bwIntra = candidate.bwInter = rates[index];
  candidate.minChannels = best.channels;
  let timedOut = false;
  while (!timedOut && index > 0) {
    if (best.pattern === PATTERN.ring) candidate.bwIntra = candidate.bwInter = rates[--index];
    else if (best.pattern === PATTERN.nvls) {
      if (!(candidate.bwInter === best.bwInter && candidate.bwInter < candidate.bwIntra * 2)) break;
      candidate.minChannels = candidate.maxChannels = best.channels;
      candidate.bwInter = rates[--index];
    } else {
      if (!(candidate.bwIntra === best.bwIntra && candidate.bwIntra < candidate.bwInter * 2)) break;
      candidate.bwIntra = rates[--index];
    }
    const result = attempt(candidate, best);
    best = result.best;
    timedOut = result.timedOut;
  }
  return best;
}

function toGraph(draft: Draft): NcclGraph {
  return {
    pattern: draft.pattern,
    channels: draft.channels,
    bandwidthIntra: draft.bwIntra * 1e9,
    bandwidthInter: draft.bwInter * 1e9,
    typeIntra: draft.typeIntra,
    typeInter: draft.typeInter,
    sameChannels: draft.sameChannels,
    crossNic: draft.crossNic,
    latencyInter: draft.latencyInter * 1e-6,
    orders: draft.orders.slice(0, draft.channels).map((order) => order.map((gpu) => gpu.gpu?.rank ?? gpu.index)),
    nics: draft.nics.slice(0, draft.channels).map(([enter, leave]) => [enter?.index ?? 0, leave?.index ?? enter?.index ?? 0] as const),
  };
}
