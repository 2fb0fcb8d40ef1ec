import { all, create, type MathJsInstance } from 'mathjs';
import { FabricPlanError } from '../errors.js';
import type { QuantityKind } from '../quantities.js';

const TARGET: Readonly<Record<QuantityKind, string | undefined>> = {
  bytes: 'B',
  'bytes/second': 'B/s',
  seconds: 's',
  metres: 'm',
  flops: 'FLOP/s',
  watts: 'W',
  euros: 'EUR',
  tokens: undefined,
};
const LONGEST = 500;

/** An evaluator of expressions with units; creating one costs most of a second, evaluating some microseconds. */
export interface UnitEvaluator {
  /** Value of an expression in the house unit of a kind. */
  evaluate(expression: string, kind: QuantityKind): number;
}

/**
 * Creates an evaluator of arithmetic with units, such as `8 * 400 Gbit/s * 0.9` or `2 * 70.6e9 B / (400 Gbps)`.
 *
 * Bits and bytes as in parseQuantity: `b`, `bit`, `bps` are bits, `B` is bytes. Functions that could define or import are not available.
 *
 * @example
 * createUnitEvaluator().evaluate('8 * 400 Gbit/s', 'bytes/second') // 400000000000
 */
export function createUnitEvaluator(): UnitEvaluator {
  const math: MathJsInstance = create(all);
  math.createUnit('bit', { definition: '1 b', prefixes: 'binary_short' }, { override: true });
  math.createUnit('bps', { definition: '1 b/s', prefixes: 'short' });
  math.createUnit('EUR', { prefixes: 'short' });
  math.createUnit('FLOP', { prefixes: 'short' });
  const { evaluate } = math;
  const forbidden = (): never => {
    throw new Error('not available here');
  };
  math.import(
    { import: forbidden, createUnit: forbidden, evaluate: forbidden, parse: forbidden, simplify: forbidden, derivative: forbidden },
    { override: true },
  );
  return {
    evaluate(expression, kind) {
      const fail = (why: string, cause?: unknown): FabricPlanError =>
        new FabricPlanError('parse', `evaluate: "${expression.slice(0, 60)}" is no ${kind}: ${why}`, [], { cause });
      if (expression.length > LONGEST) throw fail(`it has ${expression.length} characters; expected at most ${LONGEST}`);
      let value: unknown;
      const target = TARGET[kind];
      try {
        value = evaluate(expression.replace(/[µμ]s\b/g, 'us').replace(/\bb\/s/g, 'bps'));
        if (typeof value === 'object' && value !== null && 'toNumber' in value && target !== undefined)
          value = (value as { toNumber(unit: string): number }).toNumber(target);
      } catch (cause) {
        throw fail((cause as Error).message, cause);
      }
      if (typeof value !== 'number' || !Number.isFinite(value))
        throw fail(`it gives ${typeof value}; expected a number${target === undefined ? '' : ` in ${target}`}`);
      return value;
    },
  };
}
