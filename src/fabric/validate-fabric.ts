import { showValue, type Issue } from '../errors.js';
import { DEVICE_KINDS, type DeviceSpec, type FabricSpec, type LinkSpec } from './types.js';

const ISSUE_LIMIT = 1000;

/**
 * Every problem of a described fabric, with the culprit and what was expected; empty when it is sound.
 *
 * @complexity O(devices + links)
 * @example
 * validateFabric({ name: 'x', levels: [], devices: [], links: [] }) // []
 */
export function validateFabric(spec: FabricSpec): Issue[] {
  const issues: Issue[] = [];
  const report = (path: string, message: string): void => {
    if (issues.length < ISSUE_LIMIT) issues.push({ path, message });
  };
  if (typeof spec !== 'object' || (spec as unknown) === null)
    return [{ path: '', message: `the fabric is ${showValue(spec)}; expected an object` }];
  if (typeof spec.name !== 'string' || spec.name === '') report('name', `name is ${showValue(spec.name)}; expected a non-empty string`);
  if (!isList(spec.levels)) report('levels', `levels is ${showValue(spec.levels)}; expected a list of level names, broad to narrow`);
  else {
    const duplicate = spec.levels.find((level, i) => spec.levels.indexOf(level) !== i);
    if (duplicate !== undefined) report('levels', `level "${duplicate}" is listed twice; expected distinct names`);
  }
  if (!isList(spec.devices)) report('devices', `devices is ${showValue(spec.devices)}; expected a list`);
  if (!isList(spec.links)) report('links', `links is ${showValue(spec.links)}; expected a list`);
  if (issues.length > 0) return issues;

  const ids = new Set<string>();
  spec.devices.forEach((device, i) => {
    checkDevice(device, `devices[${i}]`, spec.levels.length, report);
    if (typeof device?.id === 'string') {
      if (ids.has(device.id)) report(`devices[${i}].id`, `device id "${device.id}" is used twice; expected unique ids`);
      ids.add(device.id);
    }
  });
  const linkIds = new Set<string>();
  spec.links.forEach((link, i) => {
    if (!isPlainlySound(link, ids)) checkLink(link, `links[${i}]`, ids, report);
    if (typeof link?.id === 'string') {
      if (linkIds.has(link.id)) report(`links[${i}].id`, `link id "${link.id}" is used twice; expected unique ids`);
      linkIds.add(link.id);
    }
  });
  return issues;
}

/** The common case in one glance, without building any message. */
function isPlainlySound(link: LinkSpec, ids: ReadonlySet<string>): boolean {
  return (
    typeof link === 'object' &&
    (link as unknown) !== null &&
    typeof link.id === 'string' &&
    link.id !== '' &&
    typeof link.bandwidth === 'number' &&
    link.bandwidth > 0 &&
    link.bandwidth < Infinity &&
    link.latency >= 0 &&
    link.latency < Infinity &&
    link.source !== link.target &&
    ids.has(link.source) &&
    ids.has(link.target) &&
    link.reverseBandwidth === undefined &&
    link.duplex === undefined &&
    link.distance === undefined &&
    link.routingCost === undefined &&
    link.backgroundLoad === undefined &&
    (link.count === undefined || (Number.isInteger(link.count) && link.count >= 1)) &&
    (link.efficiency === undefined || inHalfOpenUnit(link.efficiency))
  );
}

type Report = (path: string, message: string) => void;

function checkDevice(device: DeviceSpec, path: string, levelCount: number, report: Report): void {
  if (typeof device !== 'object' || (device as unknown) === null) {
    report(path, `${path} is ${showValue(device)}; expected a device`);
    return;
  }
  const name = `device ${showValue(device.id)}`;
  if (typeof device.id !== 'string' || device.id === '')
    report(`${path}.id`, `${path}.id is ${showValue(device.id)}; expected a non-empty string`);
  if (!DEVICE_KINDS.includes(device.kind))
    report(`${path}.kind`, `${name} has kind ${showValue(device.kind)}; expected one of ${DEVICE_KINDS.join(', ')}`);
  if (!isList(device.location) || device.location.some((part) => typeof part !== 'string')) {
    report(`${path}.location`, `${name} has location ${showValue(device.location)}; expected a list of names, one per level`);
  } else if (device.location.length > levelCount) {
    report(
      `${path}.location`,
      `${name} has ${device.location.length} location parts; expected at most ${levelCount}, the number of levels`,
    );
  }
  const positive = (field: 'memory' | 'memoryBandwidth' | 'power'): void => {
    const value = device[field];
    if (value !== undefined && !(Number.isFinite(value) && value > 0))
      report(`${path}.${field}`, `${name} has ${field} ${showValue(value)}; expected a number greater than 0`);
  };
  positive('memory');
  positive('memoryBandwidth');
  positive('power');
  if (device.computeEfficiency !== undefined && !inHalfOpenUnit(device.computeEfficiency)) {
    report(
      `${path}.computeEfficiency`,
      `${name} has computeEfficiency ${showValue(device.computeEfficiency)}; expected a share above 0 and at most 1`,
    );
  }
  for (const [format, rate] of Object.entries(device.peak ?? {}) as [string, unknown][]) {
    if (!(typeof rate === 'number' && Number.isFinite(rate) && rate > 0))
      report(`${path}.peak.${format}`, `${name} has a ${format} peak of ${showValue(rate)}; expected FLOP per second greater than 0`);
  }
  const place = device.coordinates as readonly unknown[] | undefined;
  if (place !== undefined && !(isList(place) && place.length === 2 && isWithin(place[0], 90) && isWithin(place[1], 180))) {
    report(`${path}.coordinates`, `${name} has coordinates ${showValue(place)}; expected [latitude −90…90, longitude −180…180]`);
  }
}

function checkLink(link: LinkSpec, path: string, ids: ReadonlySet<string>, report: Report): void {
  if (typeof link !== 'object' || (link as unknown) === null) {
    report(path, `${path} is ${showValue(link)}; expected a link`);
    return;
  }
  const name = `link ${showValue(link.id)}`;
  if (typeof link.id !== 'string' || link.id === '')
    report(`${path}.id`, `${path}.id is ${showValue(link.id)}; expected a non-empty string`);
  for (const end of ['source', 'target'] as const) {
    if (!ids.has(link[end])) report(`${path}.${end}`, `${name} has ${end} ${showValue(link[end])}; expected the id of a device`);
  }
  if (link.source === link.target) report(`${path}.target`, `${name} joins ${showValue(link.source)} to itself; expected two devices`);
  checkRate(link.bandwidth, 'bandwidth');
  if (link.reverseBandwidth !== undefined) {
    checkRate(link.reverseBandwidth, 'reverseBandwidth');
    if (link.duplex === false) report(`${path}.reverseBandwidth`, `${name} is one-way and has a reverseBandwidth; expected one of the two`);
  }
  if (!(Number.isFinite(link.latency) && link.latency >= 0))
    report(`${path}.latency`, `${name} has latency ${showValue(link.latency)}; expected seconds of 0 or more`);
  if (link.count !== undefined && !(Number.isInteger(link.count) && link.count >= 1))
    report(`${path}.count`, `${name} has count ${showValue(link.count)}; expected a whole number of cables, at least 1`);
  if (link.duplex !== undefined && typeof link.duplex !== 'boolean')
    report(`${path}.duplex`, `${name} has duplex ${showValue(link.duplex)}; expected true or false`);
  if (link.distance !== undefined && !(Number.isFinite(link.distance) && link.distance >= 0))
    report(`${path}.distance`, `${name} has distance ${showValue(link.distance)}; expected metres of 0 or more`);
  if (link.routingCost !== undefined && !(Number.isFinite(link.routingCost) && link.routingCost >= 0))
    report(`${path}.routingCost`, `${name} has routingCost ${showValue(link.routingCost)}; expected seconds of 0 or more`);
  if (link.backgroundLoad !== undefined && !(Number.isFinite(link.backgroundLoad) && link.backgroundLoad >= 0 && link.backgroundLoad < 1)) {
    report(
      `${path}.backgroundLoad`,
      `${name} has backgroundLoad ${showValue(link.backgroundLoad)}; expected a share of at least 0 and below 1`,
    );
  }
  if (link.efficiency !== undefined && !inHalfOpenUnit(link.efficiency))
    report(`${path}.efficiency`, `${name} has efficiency ${showValue(link.efficiency)}; expected a share above 0 and at most 1`);

  function checkRate(rate: unknown, field: string): void {
    if (!(typeof rate === 'number' && Number.isFinite(rate) && rate > 0)) {
      const hint = typeof rate === 'string' ? ` (a bare number: "${rate.slice(0, 20)}" can be read with parseQuantity)` : '';
      report(`${path}.${field}`, `${name} has ${field} ${showValue(rate)}; expected bytes per second greater than 0${hint}`);
    }
  }
}

const isList = (value: unknown): value is readonly unknown[] => Array.isArray(value);
const inHalfOpenUnit = (value: unknown): boolean => typeof value === 'number' && value > 0 && value <= 1;
const isWithin = (value: unknown, bound: number): boolean => typeof value === 'number' && Math.abs(value) <= bound;
