import type { Value } from '../../../onnx/graph-builder.ts';
import type { Ops } from '../../ops.ts';
import { rounded } from './steps.ts';

/** `x` as uint8 steps over its own range and 0: `x ≈ (steps − zero) · scale`; all are floats. */
export function dynamicSteps(
  b: Ops,
  x: Value,
): { readonly steps: Value; readonly scale: Value; readonly zero: Value } {
  const all = x.dims.map((_, i) => i);
  const high = b.max(b.reduceMax(x, all), 0);
  const low = b.min(b.neg(b.reduceMax(b.neg(x), all)), 0);
  const range = b.div(b.sub(high, low), 255);
  const scale = b.where(b.compare('Equal', range, 0), 1, range);
  const zero = rounded(b, b.div(b.neg(low), scale), null, 'uint8');
  return { steps: rounded(b, b.div(x, scale), zero, 'uint8'), scale, zero };
}
