import { dataAcrossSites, lowCommunication, pipelineAcrossSites } from './strategies/across-sites.js';
import { exhaustive } from './strategies/exhaustive.js';
import { singleSite } from './strategies/single-site.js';
import type { PlacementStrategy } from './types.js';

/** Every strategy by name. */
export const PLACEMENT_STRATEGIES: readonly PlacementStrategy[] = [
  singleSite,
  dataAcrossSites,
  pipelineAcrossSites,
  lowCommunication,
  exhaustive,
];
/** Those that `placeJob` tries unless some are named. */
export const DEFAULT_STRATEGIES: readonly PlacementStrategy[] = [singleSite, dataAcrossSites, pipelineAcrossSites, lowCommunication];
