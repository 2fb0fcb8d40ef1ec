/** A price with its range. Exchange rate of the table: 1 USD = 0.9 EUR (assumption; all ranges are wider than its error). */
export interface PricePreset {
  readonly id: string;
  readonly item: string;
  /** What one of it is. */
  readonly per: string;
  readonly lowEuros: number;
  readonly euros: number;
  readonly highEuros: number;
  readonly date: string;
  readonly confidence: string;
  readonly source: string;
}

const price = (id: string, item: string, per: string, lowEuros: number, highEuros: number, date: string, confidence: string, source: string): PricePreset => ({
  id, item, per, lowEuros, euros: Math.sqrt(lowEuros * highEuros), highEuros, date, confidence, source,
});
const ESTIMATE = 'market estimate; no list price published';

/** Prices for upgrade plans. The middle is the geometric mean of the range. */
export const PRICES: readonly PricePreset[] = [
  price('coherent-400g', '400ZR+ coherent module', 'module (two a wave)', 3_600, 8_100, '2025', 'E', ESTIMATE),
  price('coherent-800g', '800ZR+ coherent module', 'module (two a wave)', 5_400, 13_500, '2026', 'E', ESTIMATE),
  price('fibre-km-year', 'dark fibre pair, network average', 'km and year', 112, 350, 'derived', 'E', 'GN4-3N EUR 50.5M over 30,000 km and 15 years; RedIRIS-NOVA EUR 105M over 15,000 km and 20 years'),
  price('amplifier-hut', 'optical amplifier site, one every 80 km', 'site', 20_000, 40_000, '2025', 'E', ESTIMATE),
  price('wave-400g-month', '400G wavelength, leased', 'month', 5_400, 13_500, '2025', 'E', ESTIMATE),
  price('router-port-400g', 'router or switch port, 400G', 'port', 600, 1_200, '2025', 'E', 'switch prices of the table over 64 ports'),
  price('switch-400g-64', '64-port 400G InfiniBand switch', 'switch', 32_000, 45_000, '2024-08', 'S1', 'public cluster cost sheet (tech-talk-cto)'),
  price('nic-400g', '400G NIC', 'card', 1_200, 2_000, '2025', 'E', ESTIMATE),
  price('nic-800g', '800G NIC', 'card', 1_800, 3_200, '2026', 'E', ESTIMATE),
  price('aoc-400g', '400G active optical cable', 'cable', 450, 1_080, '2025', 'E', ESTIMATE),
  price('gpu-hour', 'H100 GPU-hour, on demand', 'GPU-hour', 1.8, 3.6, '2026-03', 'S2', 'market notes; typical range'),
  price('electricity-kwh', 'electricity, non-household, EU', 'kWh', 0.094, 0.256, '2025', 'S1', 'Eurostat; EU average 0.19'),
];
