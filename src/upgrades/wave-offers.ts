import type { Fabric } from '../fabric/types.js';
import type { UpgradeOffer } from './types.js';

/** A price with its range, in euros. */
export interface PriceRange {
  readonly lowEuros: number;
  readonly euros: number;
  readonly highEuros: number;
}

/** What a coherent wave is made of. */
export interface WavePrices {
  /** One coherent module; a wave has two. */
  readonly module: PriceRange;
  /** One router port; a wave has two. */
  readonly port: PriceRange;
  /** Dark fibre, per kilometre and year. */
  readonly fibreKilometreYear: PriceRange;
  /** One amplifier site. */
  readonly amplifier: PriceRange;
}

/** Distance between amplifiers in metres (80 km, common practice on long-haul fibre). */
const AMPLIFIER_SPACING = 80_000;
/** Waves that share one fibre pair and its amplifiers: a wave pays its part (C band, 75 GHz grid: 64; half of them lit). */
const WAVES_PER_FIBRE = 32;

/**
 * Offers of one more 400 Gb/s wave for every wide-area and access link of a fabric: two modules and two ports, and over distance a part
 * of the fibre and its amplifiers for some years.
 *
 * @param years of fibre rent included. Default 4
 * @example
 * offerWaves(fabric, prices).length // 0
 */
export function offerWaves(fabric: Fabric, prices: WavePrices, years = 4): UpgradeOffer[] {
  const kindOf = (id: string): string => fabric.devices[fabric.indexOf(id)!].kind;
  return fabric.links
    .filter(({ source, target }) => kindOf(source) === 'gateway' && kindOf(target) === 'gateway')
    .map((link) => {
      const distance = link.distance ?? 0;
      const price = (pick: (range: PriceRange) => number): number =>
        2 * pick(prices.module) +
        2 * pick(prices.port) +
        ((distance / 1000) * years * pick(prices.fibreKilometreYear) + Math.floor(distance / AMPLIFIER_SPACING) * pick(prices.amplifier)) /
          WAVES_PER_FIBRE;
      return {
        id: `wave:${link.id}`,
        link: link.id,
        label: '400 Gb/s wave',
        addCables: Math.max(1, Math.round(50e9 / link.bandwidth)),
        euros: price((range) => range.euros),
        lowEuros: price((range) => range.lowEuros),
        highEuros: price((range) => range.highEuros),
      };
    });
}
