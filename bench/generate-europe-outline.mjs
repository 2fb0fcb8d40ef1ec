// Cuts Europe out of Natural Earth's 1:50m countries (public domain, through the world-atlas package) for the map of the report.
// Run: node bench/generate-europe-outline.mjs > src/report/europe-outline.ts
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { feature } from 'topojson-client';

const require = createRequire(import.meta.url);
const world = JSON.parse(readFileSync(require.resolve('world-atlas/countries-50m.json'), 'utf8'));
const countries = feature(world, world.objects.countries).features;
const inside = ([lon, lat]) => lon >= -12 && lon <= 34 && lat >= 34.5 && lat <= 71.5;
const round = (x) => Math.round(x * 10) / 10;
const rings = [];
for (const country of countries) {
  const polygons = country.geometry.type === 'Polygon' ? [country.geometry.coordinates] : country.geometry.coordinates;
  for (const [outer] of polygons) {
    if (!outer.some(inside)) continue;
    const points = [];
    for (const [lon, lat] of outer) {
      const point = [round(Math.max(-30, Math.min(60, lon))), round(Math.max(25, Math.min(75, lat)))];
      const last = points[points.length - 1];
      if (last === undefined || Math.hypot(last[0] - point[0], last[1] - point[1]) >= 0.3) points.push(point);
    }
    if (points.length >= 6) rings.push([...points, points[0]]);
  }
}
console.log(`/**
 * Outlines of European countries as rings of [longitude, latitude], one decimal.
 *
 * @source Natural Earth 1:50m countries (public domain) through world-atlas 2.0.2; made by bench/generate-europe-outline.mjs
 */
export const EUROPE_OUTLINE: readonly (readonly (readonly [number, number])[])[] = ${JSON.stringify(rings)};`);
