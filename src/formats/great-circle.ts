/** Mean radius of the Earth, metres (IUGG). */
const MEAN_EARTH_RADIUS = 6_371_000;

/** Distance over the sphere in metres (haversine). */
export function greatCircle(a: readonly [number, number], b: readonly [number, number]): number {
  const rad = Math.PI / 180;
  const half = (x: number, y: number): number => Math.sin(((y - x) * rad) / 2) ** 2;
  const h = half(a[0], b[0]) + Math.cos(a[0] * rad) * Math.cos(b[0] * rad) * half(a[1], b[1]);
  return 2 * MEAN_EARTH_RADIUS * Math.asin(Math.min(1, Math.sqrt(h)));
}
