import { appendTo } from './append-to.js';
import type { Draft } from './draft.js';

/** A switch of a tree, or of a forest, or of several trees over the same leaves. */
export interface TreeSwitch {
  readonly id: string;
  readonly children: readonly string[];
  readonly hosts: readonly string[];
  readonly line?: number;
  readonly attributes?: Readonly<Record<string, string | number | boolean>>;
}

/**
 * Draws switches with their child switches and hosts. Where every host has one path to the top, and all of them the same depth, the
 * switches are also the location levels of the hosts, `tierN` to `tier0`, 0 nearest.
 *
 * @returns the levels
 * @complexity O(switches + hosts × depth)
 */
export function drawHostTree(draft: Draft, switches: readonly TreeSwitch[], technology: string): string[] {
  const byId = new Map<string, TreeSwitch>();
  for (const one of switches) {
    if (byId.has(one.id)) draft.refuse(`switch "${one.id}" is defined twice; expected unique names`, one.line);
    byId.set(one.id, one);
  }
  const parents = new Map<string, string[]>();
  const hosts = new Map<string, string[]>();
  for (const one of switches) {
    for (const child of one.children) {
      if (child === one.id) draft.refuse(`switch "${one.id}" is its own child`, one.line);
      else if (!byId.has(child)) draft.refuse(`switch "${one.id}" has the child "${child}", which is not defined`, one.line);
      appendTo(parents, child, one.id);
    }
    for (const host of one.hosts) {
      if (byId.has(host)) draft.refuse(`"${host}" is a switch and a node; expected different names`, one.line);
      appendTo(hosts, host, one.id);
    }
  }
  draft.check();
  refuseCycles(draft, switches, byId);
  draft.check();
  for (const one of switches)
    draft.device({
      id: one.id,
      kind: 'switch',
      location: [],
      ...(one.attributes === undefined || Object.keys(one.attributes).length === 0 ? {} : { attributes: one.attributes }),
    });
  const paths = pathsOf(byId, parents);
  const hostPaths = [...hosts.values()].map((leaves) => (leaves.length === 1 ? paths(leaves[0]) : undefined));
  const depth = hostPaths[0]?.length ?? 0;
  const isEven = depth > 0 && hostPaths.every((path) => path?.length === depth);
  const several = [...hosts.values()].filter((list) => list.length > 1).length;
  if (several > 0) draft.warn(`${several} nodes hang off more than one switch`);
  [...hosts.keys()].forEach((host, i) => {
    draft.device({ id: host, kind: 'host', location: isEven ? [...hostPaths[i]!, host] : [host] });
  });
  for (const one of switches) {
    for (const child of one.children) draft.link({ source: one.id, target: child, technology });
    for (const host of one.hosts) draft.link({ source: one.id, target: host, technology });
  }
  return [...(isEven ? Array.from({ length: depth }, (_, i) => `tier${depth - 1 - i}`) : []), 'host'];
}

function refuseCycles(draft: Draft, switches: readonly TreeSwitch[], byId: ReadonlyMap<string, TreeSwitch>): void {
  const state = new Map<string, 'open' | 'done'>();
  for (const root of switches) {
    if (state.has(root.id)) continue;
    const stack: { readonly at: TreeSwitch; next: number }[] = [{ at: root, next: 0 }];
    state.set(root.id, 'open');
    for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
      const child = top.at.children[top.next++] as string | undefined;
      if (child === undefined) {
        state.set(top.at.id, 'done');
        stack.pop();
      } else if (state.get(child) === 'open') {
        draft.refuse(`switch "${child}" is below itself, through "${top.at.id}"; expected no cycles`, top.at.line);
        return;
      } else if (!state.has(child)) {
        state.set(child, 'open');
        stack.push({ at: byId.get(child)!, next: 0 });
      }
    }
  }
}

/** Path of a switch from the top, undefined where there are several. */
function pathsOf(
  byId: ReadonlyMap<string, TreeSwitch>,
  parents: ReadonlyMap<string, readonly string[]>,
): (id: string) => string[] | undefined {
  const known = new Map<string, string[] | undefined>();
  return (id) => {
    if (known.has(id)) return known.get(id);
    const path: string[] = [];
    let at: string | undefined = id;
    while (at !== undefined) {
      path.unshift(at);
      const above: readonly string[] = parents.get(at) ?? [];
      if (above.length > 1 || path.length > byId.size) {
        known.set(id, undefined);
        return undefined;
      }
      at = above[0];
    }
    known.set(id, path);
    return path;
  };
}
