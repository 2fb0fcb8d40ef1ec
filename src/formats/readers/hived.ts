import { draftTopology, type Draft } from '../topology/draft.js';
import { isRecord, listOf, numberOf, own, textOf } from '../topology/plain-text.js';
import type { StructuredText } from '../topology/structured-text.js';
import type { Topology } from '../topology/types.js';

const WHERE = 'readHived';
const MOST_CELLS = 1_000_000;
const MOST_LEVELS = 32;

export const isHived = (value: unknown): boolean => isRecord(own(value, 'physicalCluster'));

interface CellType {
  readonly child: string;
  readonly count: number;
  readonly isNode: boolean;
}

/**
 * Configuration of HiveD: cell types, physical cells and the shares of virtual clusters. A node-level cell is a host named by its address,
 * its GPUs are the leaf cells below it, and the cells above it are its location.
 */
export function readHived(text: StructuredText, name: string): Topology {
  const draft = draftTopology(WHERE, 'hived', name, 'cluster');
  const root = text.documents[0];
  const physical = own(root, 'physicalCluster');
  const types = new Map<string, CellType>();
  const raw = own(physical, 'cellTypes');
  if (isRecord(raw))
    for (const [id, type] of Object.entries(raw)) {
      const count = numberOf(own(type, 'childCellNumber'));
      const line = text.lineOf(0, ['physicalCluster', 'cellTypes', id]);
      if (count === undefined || !Number.isInteger(count) || count < 1 || count > MOST_CELLS)
        draft.refuse(
          `cell type "${id}" has childCellNumber ${String(own(type, 'childCellNumber')).slice(0, 20)}; expected a whole number of at least 1`,
          line,
        );
      const child = textOf(own(type, 'childCellType'));
      if (child === undefined || child === '') draft.refuse(`cell type "${id}" has no childCellType; expected a name`, line);
      types.set(id, { child: child ?? '', count: count ?? 1, isNode: own(type, 'isNodeLevel') === true });
    }
  draft.check();
  for (const id of types.keys()) checkChain(draft, types, id);
  draft.check();
  const state: Reading = { draft, types, hosts: 0, cells: 0, depth: 0, pinned: 0 };
  listOf(own(physical, 'physicalCells')).forEach((cell, i) => {
    const type = textOf(own(cell, 'cellType')) ?? '';
    const line = text.lineOf(0, ['physicalCluster', 'physicalCells', i]);
    if (!types.has(type)) draft.refuse(`physical cell ${i + 1} has the type "${type}", which is not defined`, line);
    else expand(state, cell, type, [], `${i}`, line);
  });
  if (draft.devices.length === 0) draft.refuse('there are no node-level cells; expected physicalCluster.physicalCells with addresses', 1);
  draft.check();
  // Cells above the nodes may be of different depth: only what all have in common is a level.
  const depth = Math.min(...draft.devices.map(({ location }) => location.length - 1));
  for (const { id, location } of [...draft.devices]) draft.amend(id, { location: [...location.slice(0, depth), location.at(-1)!] });
  const clusters = own(root, 'virtualClusters');
  const shares: Record<string, string> = {};
  if (isRecord(clusters))
    for (const [id, cluster] of Object.entries(clusters)) {
      const cells = listOf(own(cluster, 'virtualCells')).map(
        (cell) => `${numberOf(own(cell, 'cellNumber')) ?? 0} × ${textOf(own(cell, 'cellType')) ?? '?'}`,
      );
      const pinned = listOf(own(cluster, 'pinnedCells')).map((cell) => `pinned ${textOf(own(cell, 'pinnedCellId')) ?? '?'}`);
      shares[`virtual cluster ${id}`] = [...cells, ...pinned].join(', ');
    }
  draft.warn('cells say which nodes are close, not how they are joined: there are no links');
  return draft.finish({
    levels: [...Array.from({ length: depth }, (_, i) => `cell${depth - 1 - i}`), 'host'],
    contents: {
      'cell types': types.size,
      'physical cells': listOf(own(physical, 'physicalCells')).length,
      'virtual clusters': Object.keys(shares).length,
      'pinned cells': state.pinned,
    },
    ...(Object.keys(shares).length > 0 ? { attributes: shares } : {}),
  });
}

interface Reading {
  readonly draft: Draft;
  readonly types: ReadonlyMap<string, CellType>;
  hosts: number;
  cells: number;
  depth: number;
  pinned: number;
}

/** A chain of cell types must end, soon, and have exactly one node level. */
function checkChain(draft: Draft, types: ReadonlyMap<string, CellType>, id: string): void {
  let at: CellType | undefined = types.get(id);
  for (let depth = 0; at !== undefined; depth++) {
    if (depth > MOST_LEVELS) {
      draft.refuse(`cell type "${id}" is below itself, or more than ${MOST_LEVELS} levels deep; expected a chain that ends at a GPU`);
      return;
    }
    at = types.get(at.child);
  }
}

/** GPUs of a cell of a type, and the type of its leaves. */
function leavesOf(types: ReadonlyMap<string, CellType>, id: string): { count: number; leaf: string } {
  let count = 1;
  let leaf = id;
  for (let at = types.get(id); at !== undefined; at = types.get(at.child)) {
    count *= at.count;
    leaf = at.child;
  }
  return { count, leaf };
}

function expand(reading: Reading, cell: unknown, type: string, path: readonly string[], fallback: string, line: number | undefined): void {
  const { draft, types } = reading;
  if (++reading.cells > MOST_CELLS) draft.refuse(`the file has more than ${MOST_CELLS} cells; expected fewer`, line);
  draft.check();
  if (own(cell, 'pinnedCellId') !== undefined) reading.pinned++;
  const shape = types.get(type);
  const address = textOf(own(cell, 'cellAddress'));
  if (shape === undefined || shape.isNode) {
    const { count, leaf } = leavesOf(types, type);
    if (count > 4096) draft.refuse(`a node of type "${type}" has ${count} GPUs; expected at most 4096`, line);
    if (address === undefined || address === '') draft.refuse(`a cell of type "${type}" has no cellAddress; nodes need one`, line);
    else if (draft.has(address)) {
      // A node may hold leaf cells of several types.
      const known = draft.deviceOf(address)!;
      draft.amend(address, { gpus: (known.gpus ?? 0) + count });
      draft.warn(
        `node "${address}" stands in cells of the types "${String(known.attributes?.['cellType'])}" and "${type}"; its GPUs are added up`,
        line,
      );
    } else {
      const pinned = textOf(own(cell, 'pinnedCellId'));
      draft.device({
        id: address,
        kind: 'host',
        location: [...path, address],
        gpus: count,
        model: leaf,
        attributes: { cellType: type, ...(pinned === undefined ? {} : { pinnedCellId: pinned }) },
      });
    }
    return;
  }
  const children = listOf(own(cell, 'cellChildren'));
  if (children.length !== shape.count)
    draft.refuse(`a cell of type "${type}" lists ${children.length} children; expected its ${shape.count} of type "${shape.child}"`, line);
  const own_ = `${type}#${address ?? fallback}`;
  children.forEach((child, i) => {
    expand(reading, child, textOf(own(child, 'cellType')) ?? shape.child, [...path, own_], `${fallback}.${i}`, line);
  });
}
