import { setLinkCounts } from '../fabric/set-link-counts.js';
import { computeRoutes, type Routes } from './compute-routes.js';
import { createCoreRoutes } from './core-routes.js';

/**
 * Routes of the fabric with other numbers of cables. Routes depend on the rate of one cable, not on how many there are, so where only
 * links between switches or gateways change, all that is known of paths is kept and the shares between switches are worked out anew.
 *
 * @param counts cables by link id; fractions are allowed
 * @throws FabricPlanError as setLinkCounts
 * @complexity O(links), without any search for paths
 */
export function rescaleRoutes(routes: Routes, counts: Readonly<Record<string, number>>): Routes {
  const fabric = setLinkCounts(routes.fabric, counts);
  const { zones } = routes;
  const isCoreOnly = fabric.links.every(
    (link, i) =>
      link === routes.fabric.links[i] || (zones.zoneOf[fabric.indexOf(link.source)!] < 0 && zones.zoneOf[fabric.indexOf(link.target)!] < 0),
  );
  if (!isCoreOnly) return computeRoutes(fabric, { referenceBytes: routes.referenceBytes });
  const core = { ...zones.core, bandwidth: Float64Array.from(zones.coreArcs, (arc) => fabric.compiled.arcBandwidth[arc]) };
  return { ...routes, fabric, zones: { ...zones, core }, core: createCoreRoutes(core), scratch: {} };
}
