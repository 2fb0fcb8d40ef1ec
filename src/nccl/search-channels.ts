import { createLocality, type Locality } from './locality.js';
import { follow, pciBandwidth } from './link-budget.js';
import type { Path, System, SystemNode } from './system.js';
import { PATH, PATTERN } from './types.js';

/** A graph under construction; `orders` and `nics` grow and shrink with the channels. */
export interface Draft {
  pattern: number;
  channels: number;
  minChannels: number;
  maxChannels: number;
  /** GB/s per channel. */
  bwIntra: number;
  bwInter: number;
  typeIntra: number;
  typeInter: number;
  sameChannels: boolean;
  crossNic: number;
  /** Only NICs that reduce in the network. */
  collNet: boolean;
  latencyInter: number;
  hops: number;
  orders: SystemNode[][];
  nics: (SystemNode | undefined)[][];
}

/** Steps left before a search gives up; `optimal` ends it at once. */
export interface Patience {
  steps: number;
  optimal: boolean;
}

type Order = 'free' | 'as-listed' | 'as-before';

/** A copy that later changes of the original leave alone. */
export function copyDraft(draft: Draft): Draft {
  return { ...draft, orders: draft.orders.map((order) => [...order]), nics: draft.nics.map((pair) => [...pair]) };
}

/**
 * Adds channels one after the other, each taking its rate from every link it passes, and keeps the best set in `best`. A depth-first
 * search that undoes what it took; the most promising next GPU comes first.
 */
export class ChannelSearch {
  constructor(
    private readonly system: System,
    private readonly multiNode: boolean,
    private readonly draft: Draft,
    public best: Draft,
    private patience: Patience,
    private readonly locality: Locality = createLocality(system),
  ) {}

  run(): void {
    const { system, draft } = this;
    const ring = draft.pattern === PATTERN.ring;
    if (this.multiNode) {
      this.fromNet(ring ? system.gpus.length - 1 : draft.pattern === PATTERN.splitTree ? 1 : 0);
      return;
    }
    const toFirst = ring ? system.gpus.length - 1 : -1;
    if (draft.pattern === PATTERN.nvls) {
      this.tryNvls(draft.channels);
      return;
    }
    if (draft.channels === 0) this.tryGpu(undefined, system.gpus[0], 0, -1, toFirst, 'as-listed');
    else this.tryGpu(undefined, this.before(0), 0, -1, toFirst, 'as-before');
    if (!draft.sameChannels || draft.channels === 0) {
      for (const gpu of system.gpus) this.tryGpu(undefined, gpu, 0, -1, toFirst, 'free');
    }
  }

  /** GPU at a position of the previous channel. */
  private before(position: number): SystemNode {
    return this.draft.orders[this.draft.channels - 1][position];
  }

  private fromNet(toNet: number): void {
    const { system, draft } = this;
    const rate = Math.trunc(draft.bwInter);
    const nets = this.locality.nets(draft.typeInter);
    const channel = draft.channels;
    let headFound = false;
    for (let i = 0; i < nets.length; i++) {
      if (draft.pattern === PATTERN.nvls && headFound) break;
      const net = nets[(channel + i) % nets.length];
      if (net.netBandwidth < rate || (draft.collNet && net.net?.collNet !== true)) continue;
      if (draft.pattern === PATTERN.ring && draft.crossNic === 2 && channel % 2 === 1 && net !== draft.nics[channel - 1][1]) continue;
      draft.nics[channel] = [net, undefined];
      draft.latencyInter = net.net?.latency ?? 0;
      const sharing = system.nets.filter((one) => one.net?.asic === net.net?.asic && one.net?.port === net.net?.port);
      for (const one of sharing) one.netBandwidth -= rate;
      if (draft.pattern === PATTERN.nvls) {
        const gpu = channel < nets.length ? this.locality.gpuOf(net) : undefined;
        const isHead = gpu !== undefined && draft.orders.slice(0, channel).some((order) => order[0] === gpu);
        if (gpu !== undefined && !isHead) {
          this.tryGpu(net, gpu, 0, toNet, -1, 'free');
          headFound = true;
        }
      } else if (channel > 0 && draft.sameChannels) {
        this.tryGpu(net, this.before(0), 0, toNet, -1, 'as-before');
      } else {
        if (channel === 0 && system.switches.length === 0) {
          // The listed order sets a reference without costing patience.
          const own = this.patience;
          this.patience = { steps: 1 << 10, optimal: false };
          this.tryGpu(net, system.gpus[0], 0, toNet, -1, 'as-listed');
          if (this.patience.optimal) own.optimal = true;
          this.patience = own;
        }
        for (const gpu of this.locality.near(net)) this.tryGpu(net, gpu, 0, toNet, -1, 'free');
      }
      for (const one of sharing) one.netBandwidth += rate;
      draft.nics.length = channel;
    }
  }

  private tryGpu(from: SystemNode | undefined, gpu: SystemNode, step: number, toNet: number, toFirst: number, order: Order): void {
    const channel = this.draft.channels;
    if (from !== undefined && !this.take(from, gpu, 1)) return;
    gpu.used[channel] ^= 1;
    this.visit(gpu, step, toNet, toFirst, order);
    gpu.used[channel] ^= 1;
    if (from !== undefined) this.take(from, gpu, -1);
  }

  private visit(gpu: SystemNode, step: number, toNet: number, toFirst: number, order: Order): void {
    const { system, draft } = this;
    if (this.patience.optimal || this.patience.steps <= 0) return;
    this.patience.steps--;
    const gpuCount = system.gpus.length;
    const channel = draft.channels;
    if (step === gpuCount) {
      draft.channels++;
      if (isBetter(system, draft, this.best)) {
        this.best = copyDraft(draft);
        if (draft.channels === draft.maxChannels) this.patience.optimal = true;
      }
      if (draft.channels < draft.maxChannels) this.run();
      draft.channels--;
      return;
    }
    (draft.orders[channel] ??= [])[step] = gpu;
    draft.orders.length = channel + 1;
    if (step === toNet) this.returnToNet(gpu, step, toFirst, order);
    else if (draft.pattern === PATTERN.nvls) this.tryNvls(gpu.index);
    else if (step < gpuCount - 1) {
      const next =
        order === 'as-listed'
          ? [system.gpus[step + 1]]
          : order === 'as-before'
            ? [this.before(step + 1)]
            : this.nextGpus(gpu, toNet === -1 ? 0 : toNet === step + 1 ? 1 : -1);
      for (const one of next) this.tryGpu(gpu, one, step + 1, toNet, toFirst, order);
    } else if (step === toFirst) {
      const first = draft.orders[channel][0];
      if (this.take(gpu, first, 1)) {
        this.visit(first, step + 1, toNet, -1, order);
        this.take(gpu, first, -1);
      }
    } else this.visit(gpu, gpuCount, -1, -1, order);
  }

  private returnToNet(gpu: SystemNode, step: number, toFirst: number, order: Order): void {
    const { draft } = this;
    const channel = draft.channels;
    const start = draft.nics[channel][0];
    if (start === undefined) return;
    const balanced = draft.pattern === PATTERN.balancedTree;
    for (const net of this.locality.nets(draft.typeInter, gpu)) {
      if (draft.pattern === PATTERN.tree && net !== start) continue;
      if (draft.pattern === PATTERN.ring && draft.crossNic === 2) {
        if (channel % 2 === 1 && net !== draft.nics[channel - 1][0]) continue;
      } else if (draft.crossNic === 0 && (net.net?.asic !== start.net?.asic || net.net?.port !== start.net?.port)) continue;
      // A balanced tree reaches the NIC from its first two GPUs, half the rate each.
      if (balanced && step > 0 && net !== draft.nics[channel][1]) continue;
      const nextToNet = balanced && step === 0 ? 1 : -1;
      const share = balanced ? 0.5 : 1;
      if (!this.take(gpu, net, 1, share)) continue;
      const before = draft.nics[channel][1];
      draft.nics[channel][1] = net;
      this.visit(gpu, step, nextToNet, toFirst, order);
      // Deeper levels cut the list back; restore this channel's pair.
      draft.nics[channel] = [start, before];
      this.take(gpu, net, -1, share);
    }
  }

  /** One channel of in-switch reduction: every GPU sends and receives once, the head twice. */
  private tryNvls(head: number): void {
    const { system } = this;
    const nvs = system.switches[0] as SystemNode | undefined;
    const gpus = system.gpus;
    if (nvs === undefined || head >= gpus.length) return;
    const taken: [SystemNode, SystemNode, number][] = [];
    const takeAll = (): boolean => {
      for (const down of [true, false])
        for (const gpu of gpus) {
          const [a, b] = down ? [nvs, gpu] : [gpu, nvs];
          const times = gpu.index === head ? 2 : 1;
          if (!this.take(a, b, times)) return false;
          taken.push([a, b, times]);
        }
      return true;
    };
    if (takeAll()) {
      (this.draft.orders[this.draft.channels] ??= [])[0] = gpus[head];
      this.visit(gpus[head], gpus.length, -1, -1, 'free');
    }
    for (const [a, b, times] of taken.reverse()) this.take(a, b, -times);
  }

  /** Next GPUs to try, best first. With `sortNet` 1 those near the NIC come first, with −1 last of equals. */
  private nextGpus(gpu: SystemNode, sortNet: -1 | 0 | 1): SystemNode[] {
    const { system, draft } = this;
    const gpuCount = system.gpus.length;
    if (system.switches.length > 0) {
      // NVSwitches prefer few peers: neighbours only.
      const up = system.gpus[(gpu.index + 1) % gpuCount];
      const down = system.gpus[(gpu.index - 1 + gpuCount) % gpuCount];
      const preferred =
        draft.pattern === PATTERN.ring
          ? [down, up]
          : draft.pattern === PATTERN.splitTree || draft.pattern === PATTERN.balancedTree
            ? [up, down]
            : [up];
      const free = (other: SystemNode): boolean => gpu.paths.gpu[other.index].links.length > 0 && other.used[draft.channels] === 0;
      return (up === down ? [up] : preferred).filter(free);
    }
    const start = draft.nics[draft.channels]?.[0];
    const scored: number[][] = [];
    for (let i = 1; i < gpuCount; i++) {
      const other = system.gpus[(gpu.index + i) % gpuCount];
      const path = gpu.paths.gpu[other.index];
      if (path.links.length === 0 || other.used[draft.channels] === 1) continue;
      const toNet = sortNet !== 0 && start !== undefined ? start.paths.gpu[other.index] : undefined;
      scored.push([
        toNet === undefined ? 0 : -Math.trunc(toNet.bandwidth),
        toNet === undefined ? 0 : -Math.trunc(pciBandwidth(other)),
        toNet?.links.length ?? 0,
        -Math.trunc(path.bandwidth),
        path.links.length,
        i,
        other.index,
      ]);
    }
    scored.sort((a, b) => {
      for (let k = 0; k < 6; k++) if (a[k] !== b[k]) return a[k] - b[k];
      return 0;
    });
    const alike = scored.every((one) => one[3] === scored[0][3] && one[4] === scored[0][4]);
    if (sortNet === -1 && alike) scored.reverse();
    return scored.map((one) => system.gpus[one[6]]);
  }

  /** Takes (or with a negative count gives back) the rate of the pattern on a path; false and nothing taken where it does not fit. */
  private take(from: SystemNode, to: SystemNode, times: number, share = 1): boolean {
    if (from === to) return true;
    const { draft, system } = this;
    const intra = from.kind !== 'net' && to.kind !== 'net';
    const path = pathTo(from, to);
    if (path.kind >= PATH.DIS) return false;
    if (path.links.length === 0) return true;
    const limit = intra ? draft.typeIntra : draft.typeInter;
    if (times === 1) {
      if (path.kind > limit) return false;
      const tree = draft.pattern === PATTERN.tree || draft.pattern === PATTERN.splitTree || draft.pattern === PATTERN.balancedTree;
      if (tree && pathTo(to, from).kind > limit) return false;
    }
    const rate = (intra ? draft.bwIntra : draft.bwInter * share) * times;
    const done = follow(system, path, from, path.links.length, rate);
    if (done === path.links.length) {
      draft.hops += times * path.links.length;
      return true;
    }
    follow(system, path, from, done, -rate);
    return false;
  }
}

/** Whether the draft beats the best so far: more channels for in-switch reduction, else more bandwidth, then fewer hops. */
function isBetter(system: System, draft: Draft, best: Draft): boolean {
  if (draft.channels < draft.minChannels) return false;
  if (draft.pattern === PATTERN.nvls) {
    return (
      (draft.channels > best.channels && draft.channels <= system.gpus.length) ||
      draft.channels * draft.bwInter > best.channels * best.bwInter
    );
  }
  const gain = draft.channels * draft.bwIntra - best.channels * best.bwIntra;
  if (gain !== 0) return gain > 0;
  return draft.pattern === best.pattern && draft.crossNic === best.crossNic && draft.hops < best.hops;
}

function pathTo(from: SystemNode, to: SystemNode): Path {
  const kind = to.kind === 'net' ? 'net' : to.kind === 'nvs' ? 'nvs' : 'gpu';
  return from.paths[kind][to.index];
}
