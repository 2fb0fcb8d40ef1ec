import { formatBitRate } from '../../quantities.js';
import type { TopologyLink } from '../topology/types.js';

/** Rate of a link for people: `4 × 400 Gb/s`, `?` where the file does not say. */
export function describeRate({ bandwidth, count = 1 }: TopologyLink): string {
  const rate = bandwidth === undefined ? '?' : formatBitRate(bandwidth);
  return count === 1 ? rate : `${count} × ${rate}`;
}
