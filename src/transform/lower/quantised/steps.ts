import { GlacisError } from '../../../core/error.ts';
import { type DType, isFloat } from '../../../onnx/dtype.ts';
import type { Value } from '../../../onnx/graph-builder.ts';
import type { Ops } from '../../ops.ts';
import type { LowerContext } from '../rule.ts';

/**
 * Quantised numbers are written as floats that hold integers: what was uint8 in the file is float32 from 0 to 255 here. So
 * every operator between two quantisations (pooling, reshaping, products) has its usual gradient, and only `Round` and `Clip`
 * stand for the quantisation itself: `Round` passes the gradient on where `rounding: 'straight-through'` is chosen, `Clip`
 * inside the range.
 *
 * Sums of products are integers below 2^24 for all but very long ones, and exact in float32 then; beyond, a result can be off
 * by one quantisation step.
 */
const RANGES: Readonly<Partial<Record<DType, readonly [low: number, high: number]>>> = {
  int2: [-2, 1],
  int4: [-8, 7],
  int8: [-128, 127],
  int16: [-32768, 32767],
  uint2: [0, 3],
  uint4: [0, 15],
  uint8: [0, 255],
  uint16: [0, 65535],
};

/** How a scale or zero point lies over a tensor. */
export interface Spread {
  readonly axis: number;
  /** 0: one value a position of `axis` (or one for all); else one for that many positions. */
  readonly block: number;
}

/** `scale` (or a zero point) broadcastable to `dims`. */
export function spread(
  { b, node }: LowerContext,
  scale: Value,
  dims: readonly number[],
  { axis, block }: Spread,
): Value {
  if (scale.dims.length === 0 || (block === 0 && scale.dims.length === 1 && scale.dims[0] === 1))
    return b.reshape(scale, []);
  const at = axis < 0 ? axis + dims.length : axis;
  if (block > 0) {
    const size = dims[at];
    if (size === undefined || scale.dims.length !== dims.length || scale.dims[at]! * block < size)
      throw new GlacisError(
        'model/invalid',
        `${node.name} (${node.op}): expected scales for blocks of ${block} over [${dims}], got [${scale.dims}]`,
      );
    const wide = [...scale.dims.slice(0, at + 1), block, ...scale.dims.slice(at + 1)];
    const repeated = b.reshape(
      b.expand(b.unsqueeze(scale, [at + 1]), wide),
      scale.dims.map((d, i) => (i === at ? d * block : d)),
    );
    return b.slice(repeated, at, 0, size);
  }
  if (scale.dims.length !== 1 || dims[at] !== scale.dims[0])
    throw new GlacisError(
      'model/invalid',
      `${node.name} (${node.op}): expected a scale for axis ${axis} of [${dims}], got [${scale.dims}]`,
    );
  return b.reshape(
    scale,
    dims.map((d, i) => (i === at ? d : 1)),
  );
}

/** The value as floats: integers keep their value. */
export function asFloat(b: Ops, x: Value, dtype: DType = 'float32'): Value {
  return isFloat(x.dtype) ? x : b.cast(x, dtype);
}

/** `x − zero`, as floats; no zero point is 0. */
export function centred(b: Ops, x: Value, zero: Value | null, dtype: DType = 'float32'): Value {
  const value = asFloat(b, x, dtype);
  return zero ? b.sub(value, asFloat(b, zero, dtype)) : value;
}

/** `(x − zero) · scale`. */
export function dequantised(b: Ops, x: Value, scale: Value, zero: Value | null): Value {
  return b.mul(centred(b, x, zero, scale.dtype), scale);
}

/** `saturate(round(x) + zero)` in the range of `dtype`, `x` already divided by the scale. */
export function rounded(b: Ops, x: Value, zero: Value | null, dtype: DType): Value {
  const range = RANGES[dtype];
  if (!range)
    throw new GlacisError(
      'model/unsupported-operator',
      `quantisation to ${dtype} is not supported; use 8 bits`,
    );
  const steps = b.unary('Round', x);
  const shifted = zero ? b.add(steps, asFloat(b, zero, x.dtype)) : steps;
  return b.node('Clip', [shifted, b.scalar(range[0], x.dtype), b.scalar(range[1], x.dtype)]);
}

/** The type that a zero point stands for: its own, or uint8 where it was itself computed as a float. */
export function quantisedType(zero: Value | null | undefined, fallback: DType = 'uint8'): DType {
  return zero && !isFloat(zero.dtype) ? zero.dtype : fallback;
}
