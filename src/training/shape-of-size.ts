import { invalidArgument } from '../errors.js';
import { parseQuantity } from '../quantities.js';
import { countParameters } from './parameters.js';
import type { TransformerShape } from './types.js';

/**
 * A sensible dense shape for a size such as `70B`: Llama proportions (heads of 128, grouped-query attention with 8 key-value heads,
 * gated feed-forward of about 3.5 h, hidden about 103 times the layers), vocabulary 128,256.
 *
 * @returns a shape whose parameter count is the nearest to the size; within 5 % from 1 B to 1 T
 * @throws FabricPlanError `parse` or `invalid-argument` for sizes that are not between 10 million and 10 trillion
 * @example
 * shapeOfSize('70B').layers // 79
 */
export function shapeOfSize(size: string | number): TransformerShape {
  const wanted = typeof size === 'number' ? size : parseQuantity(size, 'tokens');
  if (!(wanted >= 1e7 && wanted <= 1e13)) throw invalidArgument('shapeOfSize', 'size', size, 'between 10M and 10000B parameters');
  let best: TransformerShape | undefined;
  let bestScore = Infinity;
  for (let hidden = 256; hidden <= 65536; hidden += hidden < 1024 ? 128 : hidden < 16384 ? 512 : 1024) {
    const heads = Math.max(1, hidden / 128);
    const kvHeads = heads % 8 === 0 && heads >= 8 ? 8 : heads;
    const ffn = Math.round((hidden * 3.5) / 256) * 256;
    const base = {
      name: `dense ${typeof size === 'string' ? size : size.toExponential(2)}`,
      hidden,
      heads,
      kvHeads,
      headDim: hidden / heads,
      ffn,
      gated: true,
      vocab: hidden < 2048 ? 32_768 : 128_256,
      tied: hidden < 2048,
    };
    const perLayer = countParameters({ ...base, layers: 1 }).layer;
    const outside = countParameters({ ...base, layers: 0 }).total;
    const layers = Math.max(1, Math.round((wanted - outside) / perLayer));
    const shape = { ...base, layers };
    const miss = Math.abs(countParameters(shape).total / wanted - 1);
    // Aspect ratio of published models: h / layers is 102 at 8 B to 70 B.
    const score = miss * 4 + Math.abs(Math.log(hidden / layers / 103));
    if (score < bestScore) {
      bestScore = score;
      best = shape;
    }
  }
  return best!;
}
