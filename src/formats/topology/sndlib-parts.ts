import { draftTopology } from './draft.js';
import type { Topology, TopologyDemand, TopologyOffer } from './types.js';

export interface SndlibNode {
  readonly id: string;
  readonly x?: number;
  readonly y?: number;
  readonly line?: number;
}
export interface SndlibLink {
  readonly id: string;
  readonly source: string;
  readonly target: string;
  /** Pre-installed capacity, 0 for none, in the unit of the file. */
  readonly capacity: number;
  readonly capacityCost?: number;
  readonly routingCost?: number;
  readonly setupCost?: number;
  readonly modules: readonly { readonly capacity: number; readonly cost: number }[];
  readonly line?: number;
}
export interface SndlibDemand {
  readonly id: string;
  readonly source: string;
  readonly target: string;
  readonly value: number;
  readonly line?: number;
}
export interface SndlibNetwork {
  readonly meta: Readonly<Record<string, string>>;
  readonly isGeographical: boolean;
  readonly nodes: readonly SndlibNode[];
  readonly links: readonly SndlibLink[];
  readonly demands: readonly SndlibDemand[];
}

/** Bytes per second of the units that SNDlib files declare. */
const UNITS: Readonly<Record<string, number>> = { BITPERSEC: 1 / 8, KBITPERSEC: 1e3 / 8, MBITPERSEC: 1e6 / 8, GBITPERSEC: 1e9 / 8 };

/**
 * A network of SNDlib as a topology: capacities become rates only where the file declares its unit; step-cost modules become offers.
 */
export function topologyOfSndlib(where: string, format: string, name: string, network: SndlibNetwork): Topology {
  const draft = draftTopology(where, format, name, 'wide-area');
  const unitName = network.meta['unit']?.toUpperCase().replace(/[^A-Z]/g, '');
  const unit = unitName !== undefined && Object.hasOwn(UNITS, unitName) ? UNITS[unitName] : undefined;
  for (const { id, x, y, line } of network.nodes) {
    if (draft.has(id)) draft.refuse(`node "${id}" occurs twice; expected unique ids`, line);
    const isPlace = network.isGeographical && x !== undefined && y !== undefined;
    if (isPlace && (Math.abs(y) > 90 || Math.abs(x) > 180))
      draft.refuse(`node "${id}" is at x ${x}, y ${y}; expected longitude and latitude`, line);
    draft.device({
      id,
      kind: 'site',
      location: [id],
      ...(isPlace ? { coordinates: [y, x] as const } : {}),
      ...(!network.isGeographical && x !== undefined && y !== undefined ? { attributes: { x, y } } : {}),
    });
  }
  const offers: TopologyOffer[] = [];
  const ids = new Set<string>();
  for (const link of network.links) {
    for (const end of [link.source, link.target])
      if (!draft.has(end)) draft.refuse(`link "${link.id}" ends at "${end.slice(0, 60)}", which is no node`, link.line);
    if (ids.has(link.id)) draft.refuse(`link "${link.id}" occurs twice; expected unique ids`, link.line);
    ids.add(link.id);
    if (link.source === link.target) draft.warn(`link "${link.id}" joins a node to itself; it carries nothing`, link.line);
    const rate = unit === undefined || !(link.capacity > 0) ? undefined : link.capacity * unit;
    draft.link({
      id: link.id,
      source: link.source,
      target: link.target,
      ...(rate === undefined ? {} : { bandwidth: rate }),
      attributes: {
        ...(link.capacity > 0 ? { capacity: link.capacity } : {}),
        ...(link.capacityCost === undefined ? {} : { capacityCost: link.capacityCost }),
        ...(link.routingCost === undefined ? {} : { routingCost: link.routingCost }),
        ...(link.setupCost === undefined ? {} : { setupCost: link.setupCost }),
      },
    });
    for (const { capacity, cost } of link.modules) offers.push({ link: link.id, capacity, cost });
  }
  const demands = network.demands.map(({ id, source, target, value, line }): TopologyDemand => {
    for (const end of [source, target])
      if (!draft.has(end)) draft.refuse(`demand "${id}" ends at "${end.slice(0, 60)}", which is no node`, line);
    return { id, source, target, value };
  });
  const installed = network.links.filter(({ capacity }) => capacity > 0).length;
  if (network.nodes.length === 0) draft.refuse('the network has no nodes; expected at least one', 1);
  if (installed < network.links.length)
    draft.warn(
      `${network.links.length - installed} of ${network.links.length} links have no installed capacity, only ${offers.length} modules to choose from`,
    );
  if (unit === undefined && (installed > 0 || offers.length > 0))
    draft.warn('the file does not say the unit of its capacities: they are kept as attributes, not as rates');
  if (unit !== undefined) draft.infer(`rates in ${unitName}`, 'meta/unit', installed);
  if (!network.isGeographical) draft.warn('coordinates are pixels of a drawing, not places');
  else if (looksLikeMinutes(network.nodes))
    draft.warn('coordinates look like degrees.minutes (no fraction reaches .60): distances are a few percent off');
  return draft.finish({
    levels: ['site'],
    contents: {
      nodes: network.nodes.length,
      links: network.links.length,
      demands: demands.length,
      preInstalled: installed,
      addModules: offers.length,
    },
    ...(demands.length > 0 ? { demands } : {}),
    ...(offers.length > 0 ? { offers } : {}),
    ...(Object.keys(network.meta).length > 0 ? { attributes: { ...network.meta } } : {}),
  });
}

/** Degrees and minutes written as one number never have a fraction of .60 or more. */
function looksLikeMinutes(nodes: readonly SndlibNode[]): boolean {
  const fractions = nodes.flatMap(({ x, y }) => [x, y]).flatMap((value) => (value === undefined ? [] : [Math.abs(value) % 1]));
  return fractions.length >= 20 && fractions.every((fraction) => fraction < 0.6 - 1e-9);
}
