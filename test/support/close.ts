import { expect } from 'vitest';

/** Fails unless two numbers agree relatively. The one way in which tests compare floats. */
export function expectClose(actual: number, expected: number, tolerance = 1e-9, what = ''): void {
  const scale = Math.max(Math.abs(actual), Math.abs(expected), 1e-300);
  if (Math.abs(actual - expected) > tolerance * scale) expect.fail(`${what} ${actual} is not within ${tolerance} of ${expected}`);
}

/** Fails unless a ≤ b, up to rounding. */
export function expectAtMost(a: number, b: number, what = '', tolerance = 1e-9): void {
  if (!(a <= b + tolerance * Math.max(Math.abs(a), Math.abs(b)))) expect.fail(`${what} ${a} is more than ${b}`);
}

/** Fails when anything in a value is NaN. */
export function expectNoNaN(value: unknown, path = 'value'): void {
  if (typeof value === 'number' && Number.isNaN(value)) expect.fail(`${path} is NaN`);
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return;
  for (const [key, inner] of Object.entries(value)) expectNoNaN(inner, `${path}.${key}`);
}
