import { FabricPlanError, showValue } from './errors.js';

/** Amount of data in bytes (8 bits). */
export type Bytes = number;
/** Time in seconds. */
export type Seconds = number;
/** Data rate in bytes per second, one direction. */
export type BytesPerSecond = number;
/** Arithmetic rate in floating-point operations per second; a multiply-add counts two. */
export type FlopsPerSecond = number;
/** Distance in metres. */
export type Metres = number;

export const kB = 1e3;
export const MB = 1e6;
export const GB = 1e9;
export const TB = 1e12;
export const KiB = 1024;
export const MiB = 1024 ** 2;
export const GiB = 1024 ** 3;
export const TiB = 1024 ** 4;
/** Bytes per second in one gigabit per second. */
export const GIGABIT_PER_SECOND: BytesPerSecond = 1e9 / 8;
/** Seconds in one microsecond. */
export const MICROSECOND: Seconds = 1e-6;

/** What a parsed quantity measures; the number is in the house unit named here. */
export type QuantityKind = 'bytes' | 'bytes/second' | 'seconds' | 'metres' | 'flops' | 'watts' | 'euros' | 'tokens';

const DECIMAL: Readonly<Record<string, number>> = { '': 1, k: 1e3, K: 1e3, M: 1e6, G: 1e9, T: 1e12, P: 1e15, E: 1e18 };
const BINARY: Readonly<Record<string, number>> = { Ki: KiB, Mi: MiB, Gi: GiB, Ti: TiB, Pi: 1024 ** 5 };
const TIME: Readonly<Record<string, number>> = {
  ns: 1e-9,
  us: 1e-6,
  µs: 1e-6,
  μs: 1e-6,
  ms: 1e-3,
  s: 1,
  min: 60,
  h: 3600,
  d: 86400,
  y: 31_557_600,
};
const LENGTH: Readonly<Record<string, number>> = { mm: 1e-3, cm: 1e-2, m: 1, km: 1e3 };

/**
 * Reads a number with its unit: `400 Gb/s`, `25GB/s`, `64 KiB`, `3.5 ms`, `451 km`, `989 TFLOP/s`, `2.4 kW`, `16.8M tokens`.
 *
 * `b` is a bit and `B` a byte (a factor of eight); `k…E` are powers of 1000 and `Ki…Pi` of 1024. Bits and bits per second come back as bytes.
 *
 * @param text a number with a unit, or a plain number already in the house unit
 * @param kind what the number must measure
 * @returns the value in bytes, bytes per second, seconds, metres, FLOP per second, watts, euros or tokens
 * @throws FabricPlanError `parse` when the text is no such quantity
 * @example
 * parseQuantity('400 Gb/s', 'bytes/second') // 50000000000
 * parseQuantity('64 KiB', 'bytes') // 65536
 */
export function parseQuantity(text: string | number, kind: QuantityKind): number {
  if (typeof text === 'number') {
    if (Number.isFinite(text)) return text;
    throw quantityError(text, kind);
  }
  const match = /^\s*([+-]?(?:\d[\d_ ]*\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?)\s*([^\d\s].*?)?\s*$/u.exec(text.slice(0, 80));
  if (match === null || text.length > 80) throw quantityError(text, kind);
  const value = Number(match[1].replace(/[_ ]/g, ''));
  const scale = match[2] === undefined ? 1 : unitScale(match[2].replace(/\s+/g, ''), kind);
  if (scale === undefined || !Number.isFinite(value * scale)) throw quantityError(text, kind);
  return value * scale;
}

function unitScale(unit: string, kind: QuantityKind): number | undefined {
  switch (kind) {
    case 'bytes':
      return dataScale(unit);
    case 'bytes/second': {
      const perSecond = /^(.*?)(?:\/s|ps)$/.exec(unit);
      return perSecond === null ? undefined : dataScale(perSecond[1]);
    }
    case 'seconds':
      return own(TIME, unit);
    case 'metres':
      return own(LENGTH, unit);
    case 'flops':
      return prefixed(unit, /^(.?)FLOP(?:S|s|\/s)?$/);
    case 'watts':
      return prefixed(unit, /^(.?)W$/);
    case 'euros':
      return prefixed(unit, /^(.?)(?:EUR|€)$/);
    case 'tokens':
      return prefixed(unit, /^([kKMGTBb]?)(?:tokens?)?$/);
  }
}

function dataScale(unit: string): number | undefined {
  const match = /^([KMGTP]i|[kKMGTPE]?)(B|b|bit|bits|byte|bytes)$/.exec(unit);
  if (match === null) return undefined;
  const prefix = own(BINARY, match[1]) ?? own(DECIMAL, match[1]);
  return prefix === undefined ? undefined : match[2].startsWith('b') && !match[2].startsWith('byte') ? prefix / 8 : prefix;
}

function prefixed(unit: string, pattern: RegExp): number | undefined {
  const match = pattern.exec(unit);
  if (match === null) return undefined;
  return match[1] === 'B' || match[1] === 'b' ? 1e9 : own(DECIMAL, match[1]);
}

function own(table: Readonly<Record<string, number>>, key: string): number | undefined {
  return Object.hasOwn(table, key) ? table[key] : undefined;
}

const EXAMPLES: Readonly<Record<QuantityKind, string>> = {
  bytes: 'a size such as "64 KiB" or "1.5 GB"',
  'bytes/second': 'a data rate such as "400 Gb/s" or "50 GB/s"',
  seconds: 'a time such as "2 us" or "3.5 ms"',
  metres: 'a distance such as "451 km"',
  flops: 'an arithmetic rate such as "989 TFLOP/s"',
  watts: 'a power such as "700 W"',
  euros: 'a price such as "12 kEUR"',
  tokens: 'a count such as "16.8M tokens"',
};

function quantityError(text: string | number, kind: QuantityKind): FabricPlanError {
  const message = `parseQuantity: ${showValue(text)} is no ${kind}; expected ${EXAMPLES[kind]}`;
  return new FabricPlanError('parse', message, [{ path: 'text', message }]);
}

const STEPS = ['', 'k', 'M', 'G', 'T', 'P', 'E'];

function scaled(value: number, base: number, suffix: (step: number) => string, digits: number): string {
  if (!Number.isFinite(value)) return String(value);
  let step = 0;
  let rest = Math.abs(value);
  while (rest >= base && step < STEPS.length - 1) {
    rest /= base;
    step++;
  }
  // 999.96 would print as 1000: let it take the next prefix.
  if (Number(rest.toPrecision(digits)) >= base && step < STEPS.length - 1) {
    rest /= base;
    step++;
  }
  return `${value < 0 ? '-' : ''}${trimmed(rest, digits)} ${suffix(step)}`;
}

function trimmed(value: number, digits: number): string {
  if (value >= 10 ** digits) return value.toFixed(0);
  const fixed = value.toPrecision(digits);
  return fixed.includes('e') ? String(Number(fixed)) : fixed.includes('.') ? fixed.replace(/\.?0+$/, '') : fixed;
}

/** `65536` → `64 KiB`. */
export const formatBytes = (bytes: Bytes, digits = 3): string =>
  scaled(bytes, 1024, (step) => (step === 0 ? 'B' : `${STEPS[step].toUpperCase()}iB`), digits);
/** `5e10` → `50 GB/s`. */
export const formatBandwidth = (rate: BytesPerSecond, digits = 3): string => scaled(rate, 1000, (step) => `${STEPS[step]}B/s`, digits);
/** `5e10` → `400 Gb/s`. */
export const formatBitRate = (rate: BytesPerSecond, digits = 3): string => scaled(rate * 8, 1000, (step) => `${STEPS[step]}b/s`, digits);
/** `9.89e14` → `989 TFLOP/s`. */
export const formatFlops = (rate: FlopsPerSecond, digits = 3): string => scaled(rate, 1000, (step) => `${STEPS[step]}FLOP/s`, digits);
/** `7.06e10` → `70.6 B`, the way models are named. */
export const formatCount = (count: number, digits = 3): string =>
  scaled(count, 1000, (step) => ['', 'K', 'M', 'B', 'T', 'P', 'E'][step], digits).trim();

/** `0.0000035` → `3.5 us`; long times in minutes, hours, days and years. */
export function formatSeconds(seconds: Seconds, digits = 3): string {
  const size = Math.abs(seconds);
  if (seconds === 0) return '0 s';
  if (!Number.isFinite(seconds)) return String(seconds);
  for (const [unit, scale, until] of [
    ['ns', 1e-9, 1e-6],
    ['us', 1e-6, 1e-3],
    ['ms', 1e-3, 1],
    ['s', 1, 120],
    ['min', 60, 7200],
    ['h', 3600, 172_800],
    ['days', 86_400, 63_115_200],
  ] as const) {
    if (size < until) return `${trimmedSigned(seconds / scale, digits)} ${unit}`;
  }
  return `${trimmedSigned(seconds / 31_557_600, digits)} years`;
}

/** `0.3141` → `31.4 %`. */
export const formatShare = (share: number, digits = 3): string => `${trimmedSigned(share * 100, digits)} %`;

const trimmedSigned = (value: number, digits: number): string => (value < 0 ? `-${trimmed(-value, digits)}` : trimmed(value, digits));
