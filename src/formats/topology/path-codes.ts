import type { Draft } from './draft.js';

/** A device of a matrix of path codes. */
export interface MatrixDevice {
  readonly id: string;
  readonly kind: 'gpu' | 'nic';
}

/** Most NVLinks that a GPU has had so far: 18 on Hopper and Blackwell. */
const MOST_NVLINKS = 18;

/**
 * The PCIe tree behind a matrix of path codes, drawn as sparely as the codes allow: devices one bridge apart share a PCIe switch,
 * switches several bridges apart an upper one, whatever does not cross sockets a CPU.
 *
 * @param code path code of a pair: PIX, PXB, PHB, NODE, SYS, or undefined where only another link is known
 */
export function drawPciTree(
  draft: Draft,
  host: string,
  devices: readonly MatrixDevice[],
  code: (a: number, b: number) => string | undefined,
): void {
  const all = devices.map((_, i) => i);
  const isIn = (a: number, b: number, codes: readonly string[]): boolean => codes.includes(code(a, b) ?? '');
  const sockets = groupBy(all, (a, b) => isIn(a, b, ['PIX', 'PXB', 'PHB', 'NODE']));
  let bridges = 0;
  const cpus: string[] = [];
  for (const [s, members] of sockets.entries()) {
    const cpu = `cpu${s}`;
    cpus.push(cpu);
    draft.device({ id: cpu, kind: 'cpu', location: [host] });
    const attach = (parent: string, child: string): void => {
      draft.link({ source: parent, target: child, technology: 'PCIe' });
    };
    for (const branch of groupBy(members, (a, b) => isIn(a, b, ['PIX', 'PXB']))) {
      const leaves = groupBy(branch, (a, b) => isIn(a, b, ['PIX']));
      let top = cpu;
      if (leaves.length > 1) {
        top = `pcie${bridges++}`;
        draft.device({ id: top, kind: 'pcie', location: [host] });
        attach(cpu, top);
      }
      for (const leaf of leaves) {
        let parent = top;
        if (leaf.length > 1) {
          parent = `pcie${bridges++}`;
          draft.device({ id: parent, kind: 'pcie', location: [host] });
          attach(top, parent);
        }
        for (const member of leaf) attach(parent, devices[member].id);
      }
    }
  }
  for (let i = 1; i < cpus.length; i++) for (let j = 0; j < i; j++) draft.link({ source: cpus[j], target: cpus[i], technology: 'socket' });
  draft.infer('PCIe switches and CPUs', 'path codes', bridges + cpus.length);
}

/**
 * NVLinks of a matrix of counts: through one switch where a GPU would otherwise need more links than any GPU has, else pair by pair.
 *
 * @param count bonded links of a pair, 0 where there are none
 */
export function drawNvlinks(draft: Draft, host: string, gpus: readonly string[], count: (a: number, b: number) => number): void {
  const totals = gpus.map((_, a) => gpus.reduce((sum, __, b) => sum + (a === b ? 0 : count(a, b)), 0));
  if (Math.max(0, ...totals) > MOST_NVLINKS) {
    draft.device({ id: 'nvswitch', kind: 'nvswitch', location: [host] });
    draft.infer('an NVSwitch', `NV# of all pairs adds up to more than the ${MOST_NVLINKS} NVLinks that a GPU has at most`);
    gpus.forEach((gpu, a) => {
      const most = Math.max(...gpus.map((_, b) => (a === b ? 0 : count(a, b))));
      if (most > 0) draft.link({ source: gpu, target: 'nvswitch', count: most, technology: 'NVLink' });
    });
    return;
  }
  for (let a = 0; a < gpus.length; a++)
    for (let b = a + 1; b < gpus.length; b++)
      if (count(a, b) > 0) draft.link({ source: gpus[a], target: gpus[b], count: count(a, b), technology: 'NVLink' });
}

/** Connected groups of a relation, in order of their first member. */
export function groupBy(members: readonly number[], joined: (a: number, b: number) => boolean): number[][] {
  const group = new Map<number, number[]>();
  for (const [i, member] of members.entries()) {
    let own: number[] = [member];
    group.set(member, own);
    for (const other of members.slice(0, i)) {
      const theirs = group.get(other)!;
      if (theirs === own || !joined(member, other)) continue;
      const [keep, merge] = theirs[0] < own[0] ? [theirs, own] : [own, theirs];
      for (const one of merge) {
        keep.push(one);
        group.set(one, keep);
      }
      own = keep;
    }
  }
  return [...new Set(group.values())].map((list) => list.sort((a, b) => a - b)).sort((a, b) => a[0] - b[0]);
}
