/** A place in the European research networks. */
export interface SitePreset {
  readonly id: string;
  readonly name: string;
  readonly country: string;
  readonly coordinates: readonly [number, number];
  /** National research and education network. */
  readonly network: string;
  /** Access rate to the wide area. Standing rates are mostly unpublished: mark E is a planning default. */
  readonly accessGigabitsPerSecond: number;
  readonly confidence: string;
  readonly source: string;
}

/** A link between two places. */
export interface WideAreaPreset {
  readonly id: string;
  readonly from: string;
  readonly to: string;
  /** `testbed`: shown in a trial; `modelled`: what the access rates of today allow. */
  readonly kind: string;
  readonly gigabitsPerSecond: number;
  /** Planning assumption once the hyperconnectivity contract is in service. */
  readonly plannedGigabitsPerSecond?: number;
  readonly fibreKilometres: number;
  readonly roundTripMilliseconds: number;
  readonly confidence: string;
  readonly source: string;
}

/** A published training run over a distance, for comparison. */
export interface WideAreaReference {
  readonly id: string;
  readonly gigabitsPerSecond?: number;
  readonly fibreKilometres?: number;
  readonly measured: string;
  readonly confidence: string;
  readonly source: string;
}

export const SITES: readonly SitePreset[] = [
  { id: 'juelich', name: 'Juelich (FZJ)', country: 'DE', coordinates: [50.905, 6.411], network: 'DFN', accessGigabitsPerSecond: 200, confidence: 'S1', source: 'DFN access service tops out at 200 Gbit/s (dfn.de/netz/aufbau); JUPITER\'s own figure unpublished' },
  { id: 'stuttgart', name: 'Stuttgart (HLRS)', country: 'DE', coordinates: [48.74, 9.097], network: 'DFN/BelWue', accessGigabitsPerSecond: 200, confidence: 'E', source: 'DFN ceiling assumed' },
  { id: 'karlsruhe', name: 'Karlsruhe (KIT)', country: 'DE', coordinates: [49.096, 8.436], network: 'DFN/BelWue', accessGigabitsPerSecond: 200, confidence: 'E', source: 'DFN ceiling assumed' },
  { id: 'berlin', name: 'Berlin (ZIB)', country: 'DE', coordinates: [52.456, 13.297], network: 'DFN', accessGigabitsPerSecond: 200, confidence: 'E', source: 'DFN ceiling assumed' },
  { id: 'saclay', name: 'Orsay/Saclay (IDRIS)', country: 'FR', coordinates: [48.708, 2.171], network: 'RENATER', accessGigabitsPerSecond: 100, confidence: 'E', source: 'RENATER backbone up to 200 Gbit/s (grokipedia, weak); site access assumed 100' },
  { id: 'bruyeres', name: 'Bruyeres-le-Chatel (TGCC)', country: 'FR', coordinates: [48.592, 2.193], network: 'RENATER', accessGigabitsPerSecond: 100, confidence: 'E', source: 'assumed' },
  { id: 'amsterdam', name: 'Amsterdam (SURF)', country: 'NL', coordinates: [52.356, 4.951], network: 'SURF', accessGigabitsPerSecond: 800, confidence: 'S1', source: '800G Amsterdam-CERN (2024) and 1.2T Amsterdam-Kajaani (2025-05) trials; trial not standing service' },
  { id: 'groningen', name: 'Groningen (NLAIF)', country: 'NL', coordinates: [53.219, 6.567], network: 'SURF', accessGigabitsPerSecond: 400, confidence: 'E', source: 'planned 2027' },
  { id: 'kajaani', name: 'Kajaani (CSC: LUMI, Roihu)', country: 'FI', coordinates: [64.231, 27.704], network: 'Funet/NORDUnet', accessGigabitsPerSecond: 400, confidence: 'E', source: '1.2 Tbit/s trial (S1); standing access unpublished, 4x100G assumed' },
  { id: 'linkoeping', name: 'Linkoeping (NSC/NAISS)', country: 'SE', coordinates: [58.4, 15.577], network: 'Sunet/NORDUnet', accessGigabitsPerSecond: 200, confidence: 'E', source: 'assumed' },
  { id: 'lefdal', name: 'Lefdal mine (Sigma2 Olivia)', country: 'NO', coordinates: [61.93, 6.12], network: 'Sikt/NORDUnet', accessGigabitsPerSecond: 200, confidence: 'E', source: 'assumed' },
  { id: 'copenhagen', name: 'Copenhagen (DCAI Gefion)', country: 'DK', coordinates: [55.676, 12.568], network: 'DeiC/NORDUnet', accessGigabitsPerSecond: 200, confidence: 'E', source: 'assumed' },
  { id: 'bologna', name: 'Bologna (CINECA)', country: 'IT', coordinates: [44.52, 11.366], network: 'GARR', accessGigabitsPerSecond: 400, confidence: 'S1', source: 'GARR-T offers up to 400 Gbit/s connectivity (terabit-project.it); site total unpublished' },
  { id: 'barcelona', name: 'Barcelona (BSC)', country: 'ES', coordinates: [41.389, 2.116], network: 'RedIRIS/CSUC', accessGigabitsPerSecond: 100, confidence: 'S1', source: 'RedIRIS-NOVA 100 links are 100 Gbit/s (rediris.es bulletin 12)' },
  { id: 'lugano', name: 'Lugano (CSCS)', country: 'CH', coordinates: [46.024, 8.96], network: 'SWITCH', accessGigabitsPerSecond: 400, confidence: 'E', source: 'assumed' },
  { id: 'bissen', name: 'Bissen (LuxProvide)', country: 'LU', coordinates: [49.785, 6.065], network: 'Restena', accessGigabitsPerSecond: 100, confidence: 'E', source: 'assumed' },
  { id: 'ostrava', name: 'Ostrava (IT4I)', country: 'CZ', coordinates: [49.832, 18.16], network: 'CESNET', accessGigabitsPerSecond: 200, confidence: 'E', source: 'assumed' },
  { id: 'maribor', name: 'Maribor (IZUM)', country: 'SI', coordinates: [46.554, 15.646], network: 'ARNES', accessGigabitsPerSecond: 200, confidence: 'E', source: '>150 Gbit/s observed from ARNES 2022-09 (S1), so at least 200' },
  { id: 'poznan', name: 'Poznan (PSNC)', country: 'PL', coordinates: [52.408, 16.934], network: 'PIONIER', accessGigabitsPerSecond: 200, confidence: 'E', source: 'assumed' },
  { id: 'krakow', name: 'Krakow (Cyfronet)', country: 'PL', coordinates: [50.065, 19.945], network: 'PIONIER', accessGigabitsPerSecond: 200, confidence: 'E', source: 'assumed' },
  { id: 'sofia', name: 'Sofia (Discoverer)', country: 'BG', coordinates: [42.667, 23.374], network: 'BREN', accessGigabitsPerSecond: 100, confidence: 'E', source: 'assumed' },
  { id: 'guimaraes', name: 'Guimaraes (Deucalion)', country: 'PT', coordinates: [41.453, -8.29], network: 'FCCN', accessGigabitsPerSecond: 100, confidence: 'E', source: 'assumed' },
  { id: 'bristol', name: 'Bristol (Isambard-AI)', country: 'GB', coordinates: [51.503, -2.478], network: 'Jisc Janet', accessGigabitsPerSecond: 200, confidence: 'E', source: 'Janet southern trunks 8x100G, 4x100GE clients (S1 slides, about 2022)' },
  { id: 'cern', name: 'CERN Geneva', country: 'CH', coordinates: [46.233, 6.055], network: 'CERN/SWITCH', accessGigabitsPerSecond: 800, confidence: 'S1', source: 'trial end point' },
];

export const WIDE_AREA_LINKS: readonly WideAreaPreset[] = [
  { id: 'nl-fi-trial-2025', from: 'amsterdam', to: 'kajaani', kind: 'testbed', gigabitsPerSecond: 1200, fibreKilometres: 3500, roundTripMilliseconds: 34.3, confidence: 'S1', source: 'https://nordu.net/milestone-in-terabit-networking-for-hpc ; https://lumi-supercomputer.eu/?p=7220' },
  { id: 'nl-fi-via-norway-2025', from: 'amsterdam', to: 'kajaani', kind: 'testbed', gigabitsPerSecond: 1000, fibreKilometres: 4700, roundTripMilliseconds: 46.1, confidence: 'S1', source: 'https://lumi-supercomputer.eu/?p=7220' },
  { id: 'nl-cern-800g-2024', from: 'amsterdam', to: 'cern', kind: 'testbed', gigabitsPerSecond: 800, fibreKilometres: 1650, roundTripMilliseconds: 16.2, confidence: 'S1', source: 'BBC via https://www.thefinancialdistrict.com.ph/post/nokia-gear-sends-fastest-data-in-test-at-cern ; 1,650 km: https://www.solab.ai/discussion/the-fastest-data-in-the-world-IXml90tp' },
  { id: 'juelich-saclay', from: 'juelich', to: 'saclay', kind: 'modelled', gigabitsPerSecond: 100, plannedGigabitsPerSecond: 1600, fibreKilometres: 741, roundTripMilliseconds: 7.26, confidence: 'E', source: 'access = smaller of the two sites; fibre = great circle x 1.9 (route factor of published trial paths); planned = assumption for the EuroHPC hyperconnectivity contract' },
  { id: 'juelich-amsterdam', from: 'juelich', to: 'amsterdam', kind: 'modelled', gigabitsPerSecond: 200, plannedGigabitsPerSecond: 1600, fibreKilometres: 361, roundTripMilliseconds: 3.54, confidence: 'E', source: 'access = smaller of the two sites; fibre = great circle x 1.9 (route factor of published trial paths); planned = assumption for the EuroHPC hyperconnectivity contract' },
  { id: 'saclay-amsterdam', from: 'saclay', to: 'amsterdam', kind: 'modelled', gigabitsPerSecond: 100, plannedGigabitsPerSecond: 1600, fibreKilometres: 856, roundTripMilliseconds: 8.39, confidence: 'E', source: 'access = smaller of the two sites; fibre = great circle x 1.9 (route factor of published trial paths); planned = assumption for the EuroHPC hyperconnectivity contract' },
  { id: 'amsterdam-copenhagen', from: 'amsterdam', to: 'copenhagen', kind: 'modelled', gigabitsPerSecond: 200, plannedGigabitsPerSecond: 1600, fibreKilometres: 1176, roundTripMilliseconds: 11.53, confidence: 'E', source: 'access = smaller of the two sites; fibre = great circle x 1.9 (route factor of published trial paths); planned = assumption for the EuroHPC hyperconnectivity contract' },
  { id: 'copenhagen-linkoeping', from: 'copenhagen', to: 'linkoeping', kind: 'modelled', gigabitsPerSecond: 200, plannedGigabitsPerSecond: 1600, fibreKilometres: 671, roundTripMilliseconds: 6.58, confidence: 'E', source: 'access = smaller of the two sites; fibre = great circle x 1.9 (route factor of published trial paths); planned = assumption for the EuroHPC hyperconnectivity contract' },
  { id: 'linkoeping-kajaani', from: 'linkoeping', to: 'kajaani', kind: 'modelled', gigabitsPerSecond: 200, plannedGigabitsPerSecond: 1600, fibreKilometres: 1735, roundTripMilliseconds: 17.01, confidence: 'E', source: 'access = smaller of the two sites; fibre = great circle x 1.9 (route factor of published trial paths); planned = assumption for the EuroHPC hyperconnectivity contract' },
  { id: 'amsterdam-kajaani', from: 'amsterdam', to: 'kajaani', kind: 'modelled', gigabitsPerSecond: 400, plannedGigabitsPerSecond: 1600, fibreKilometres: 3523, roundTripMilliseconds: 34.53, confidence: 'E', source: 'access = smaller of the two sites; fibre = great circle x 1.9 (route factor of published trial paths); planned = assumption for the EuroHPC hyperconnectivity contract' },
  { id: 'juelich-kajaani', from: 'juelich', to: 'kajaani', kind: 'modelled', gigabitsPerSecond: 200, plannedGigabitsPerSecond: 1600, fibreKilometres: 3671, roundTripMilliseconds: 35.98, confidence: 'E', source: 'access = smaller of the two sites; fibre = great circle x 1.9 (route factor of published trial paths); planned = assumption for the EuroHPC hyperconnectivity contract' },
  { id: 'juelich-stuttgart', from: 'juelich', to: 'stuttgart', kind: 'modelled', gigabitsPerSecond: 200, plannedGigabitsPerSecond: 1600, fibreKilometres: 586, roundTripMilliseconds: 5.74, confidence: 'E', source: 'access = smaller of the two sites; fibre = great circle x 1.9 (route factor of published trial paths); planned = assumption for the EuroHPC hyperconnectivity contract' },
  { id: 'stuttgart-lugano', from: 'stuttgart', to: 'lugano', kind: 'modelled', gigabitsPerSecond: 200, plannedGigabitsPerSecond: 1600, fibreKilometres: 574, roundTripMilliseconds: 5.63, confidence: 'E', source: 'access = smaller of the two sites; fibre = great circle x 1.9 (route factor of published trial paths); planned = assumption for the EuroHPC hyperconnectivity contract' },
  { id: 'lugano-bologna', from: 'lugano', to: 'bologna', kind: 'modelled', gigabitsPerSecond: 400, plannedGigabitsPerSecond: 1600, fibreKilometres: 478, roundTripMilliseconds: 4.69, confidence: 'E', source: 'access = smaller of the two sites; fibre = great circle x 1.9 (route factor of published trial paths); planned = assumption for the EuroHPC hyperconnectivity contract' },
  { id: 'saclay-barcelona', from: 'saclay', to: 'barcelona', kind: 'modelled', gigabitsPerSecond: 100, plannedGigabitsPerSecond: 1600, fibreKilometres: 1546, roundTripMilliseconds: 15.15, confidence: 'E', source: 'access = smaller of the two sites; fibre = great circle x 1.9 (route factor of published trial paths); planned = assumption for the EuroHPC hyperconnectivity contract' },
  { id: 'barcelona-bologna', from: 'barcelona', to: 'bologna', kind: 'modelled', gigabitsPerSecond: 100, plannedGigabitsPerSecond: 1600, fibreKilometres: 1575, roundTripMilliseconds: 15.43, confidence: 'E', source: 'access = smaller of the two sites; fibre = great circle x 1.9 (route factor of published trial paths); planned = assumption for the EuroHPC hyperconnectivity contract' },
  { id: 'juelich-bissen', from: 'juelich', to: 'bissen', kind: 'modelled', gigabitsPerSecond: 100, plannedGigabitsPerSecond: 1600, fibreKilometres: 241, roundTripMilliseconds: 2.36, confidence: 'E', source: 'access = smaller of the two sites; fibre = great circle x 1.9 (route factor of published trial paths); planned = assumption for the EuroHPC hyperconnectivity contract' },
  { id: 'juelich-berlin', from: 'juelich', to: 'berlin', kind: 'modelled', gigabitsPerSecond: 200, plannedGigabitsPerSecond: 1600, fibreKilometres: 959, roundTripMilliseconds: 9.4, confidence: 'E', source: 'access = smaller of the two sites; fibre = great circle x 1.9 (route factor of published trial paths); planned = assumption for the EuroHPC hyperconnectivity contract' },
  { id: 'berlin-poznan', from: 'berlin', to: 'poznan', kind: 'modelled', gigabitsPerSecond: 200, plannedGigabitsPerSecond: 1600, fibreKilometres: 469, roundTripMilliseconds: 4.59, confidence: 'E', source: 'access = smaller of the two sites; fibre = great circle x 1.9 (route factor of published trial paths); planned = assumption for the EuroHPC hyperconnectivity contract' },
  { id: 'poznan-krakow', from: 'poznan', to: 'krakow', kind: 'modelled', gigabitsPerSecond: 200, plannedGigabitsPerSecond: 1600, fibreKilometres: 635, roundTripMilliseconds: 6.23, confidence: 'E', source: 'access = smaller of the two sites; fibre = great circle x 1.9 (route factor of published trial paths); planned = assumption for the EuroHPC hyperconnectivity contract' },
  { id: 'krakow-ostrava', from: 'krakow', to: 'ostrava', kind: 'modelled', gigabitsPerSecond: 200, plannedGigabitsPerSecond: 1600, fibreKilometres: 248, roundTripMilliseconds: 2.43, confidence: 'E', source: 'access = smaller of the two sites; fibre = great circle x 1.9 (route factor of published trial paths); planned = assumption for the EuroHPC hyperconnectivity contract' },
  { id: 'bologna-maribor', from: 'bologna', to: 'maribor', kind: 'modelled', gigabitsPerSecond: 200, plannedGigabitsPerSecond: 1600, fibreKilometres: 765, roundTripMilliseconds: 7.5, confidence: 'E', source: 'access = smaller of the two sites; fibre = great circle x 1.9 (route factor of published trial paths); planned = assumption for the EuroHPC hyperconnectivity contract' },
  { id: 'amsterdam-bristol', from: 'amsterdam', to: 'bristol', kind: 'modelled', gigabitsPerSecond: 200, plannedGigabitsPerSecond: 1600, fibreKilometres: 984, roundTripMilliseconds: 9.64, confidence: 'E', source: 'access = smaller of the two sites; fibre = great circle x 1.9 (route factor of published trial paths); planned = assumption for the EuroHPC hyperconnectivity contract' },
  { id: 'copenhagen-lefdal', from: 'copenhagen', to: 'lefdal', kind: 'modelled', gigabitsPerSecond: 200, plannedGigabitsPerSecond: 1600, fibreKilometres: 1496, roundTripMilliseconds: 14.66, confidence: 'E', source: 'access = smaller of the two sites; fibre = great circle x 1.9 (route factor of published trial paths); planned = assumption for the EuroHPC hyperconnectivity contract' },
  { id: 'juelich-bologna', from: 'juelich', to: 'bologna', kind: 'modelled', gigabitsPerSecond: 200, plannedGigabitsPerSecond: 1600, fibreKilometres: 1521, roundTripMilliseconds: 14.91, confidence: 'E', source: 'access = smaller of the two sites; fibre = great circle x 1.9 (route factor of published trial paths); planned = assumption for the EuroHPC hyperconnectivity contract' },
  { id: 'lugano-cern', from: 'lugano', to: 'cern', kind: 'modelled', gigabitsPerSecond: 400, plannedGigabitsPerSecond: 1600, fibreKilometres: 428, roundTripMilliseconds: 4.19, confidence: 'E', source: 'access = smaller of the two sites; fibre = great circle x 1.9 (route factor of published trial paths); planned = assumption for the EuroHPC hyperconnectivity contract' },
];

export const WIDE_AREA_REFERENCES: readonly WideAreaReference[] = [
  { id: 'ct-tianjin-beijing-500km', gigabitsPerSecond: 3200, fibreKilometres: 500, measured: '177B, 1,024 GPUs, 97-99% of single-DC; 102.4 Tbit/s compute side (32:1)', confidence: 'S1', source: 'https://developingtelecoms.com/telecom-technology/data-centres-networks/18795-china-telecom-successfully-completes-the-pilot-commercial-deployment-of-large-language-model-distributed-training-with-177-billion-parameters-over-500-km-distance.html' },
  { id: 'ct-tianjin-120km', fibreKilometres: 120, measured: '175B, 1,024 GPUs, >95%; loss of one 800G wave costs >40%; outages >100 ms hurt or stop training; WSON restore <50 ms', confidence: 'S1', source: 'https://meatechwatch.com/?p=28249' },
  { id: 'ct-gz-sz-410km', fibreKilometres: 409.61, measured: '>97% of centralised training over multi-core fibre', confidence: 'S1', source: 'https://www.c114pro.com/cloudnews/149748.html' },
  { id: 'nvidia-1000km', fibreKilometres: 1000, measured: '340B, 96% scaling efficiency, inter-region latency \'often 20+ ms\'', confidence: 'S1', source: 'copy of the NVIDIA blog: http://www.open-lab.net/blog/turbocharge-llm-training-across-long-haul-data-center-networks-with-nvidia-nemo-framework' },
  { id: 'fairwater', measured: 'two campuses ~700 miles apart on a dedicated AI WAN', confidence: 'S1', source: 'https://onmine.io/?p=138901' },
];

/** Fibre length over great-circle length of research-network paths: 1.4 low, 1.9 default, 2.4 high (three published trial paths: 1.89, 2.41, 2.53). */
export const ROUTE_FACTOR = { low: 1.4, default: 1.9, high: 2.4 } as const;
