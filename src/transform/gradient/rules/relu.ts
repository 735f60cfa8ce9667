import type { Value } from '../../../onnx/graph-builder.ts';
import type { Ops } from '../../ops.ts';
import { unaryRule } from './unary.ts';

/** `g` where `y > 0`, else zero: the one place where a rectifier's gradient is masked. */
function maskedByPositive(b: Ops, y: Value, g: Value): Value {
  return b.where(b.compare('Greater', y, 0), g, 0);
}

/** `y = max(x, 0)`: `x̄ = g` where `y > 0`, else zero (also at `x = 0`). From the output, so that the input may be freed. */
export const relu = unaryRule('Relu', 6, 'x̄ = g where y > 0; 0 at 0', ({ b, y, g }) =>
  maskedByPositive(b, y, g),
);
