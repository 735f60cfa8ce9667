import { GlacisError } from '../../core/error.ts';
import type { Value } from '../../onnx/graph-builder.ts';
import { tensorFrom } from '../../onnx/tensor.ts';
import type { Ops } from '../ops.ts';

/** How `GridSample` reads one axis. */
export interface GridAxis {
  readonly size: number;
  readonly mode: string;
  readonly padding: string;
  readonly alignCorners: boolean;
}

/** The elements of one axis that each point reads, `[points, taps]`. */
export interface Taps {
  /** int64, within the axis. */
  readonly at: Value;
  /** Zero for elements outside a zero-padded axis. */
  readonly weight: Value;
  /** Derivative of the weight by the grid's coordinate; `null` where it is zero. */
  readonly slope: Value | null;
}

/** The taps of points at the grid coordinates `x`, `[points]`, where −1 and 1 are the ends of the axis. */
export function gridTaps(b: Ops, x: Value, { size, mode, padding, alignCorners }: GridAxis): Taps {
  const points = x.dims[0]!;
  const reach = (alignCorners ? size - 1 : size) / 2;
  const place = b.add(b.mul(x, reach), (size - 1) / 2);
  const low = b.unary(mode === 'nearest' ? 'Round' : 'Floor', place);
  const offsets = mode === 'nearest' ? [0] : mode === 'cubic' || mode === 'bicubic' ? [-1, 0, 1, 2] : [0, 1];
  const steps = b.builder.constant(tensorFrom(x.dtype, [1, offsets.length], offsets));
  const at = b.add(b.reshape(low, [points, 1]), steps);
  const rest = b.reshape(b.sub(place, low), [points, 1]);
  let { weight, slope } = kernel(b, rest, steps, mode);
  if (padding === 'zeros') {
    const inside = b.cast(
      b.node('And', [b.compare('GreaterOrEqual', at, 0), b.compare('LessOrEqual', at, size - 1)]),
      x.dtype,
    );
    weight = b.mul(weight, inside);
    slope = slope && b.mul(slope, inside);
  } else if (padding !== 'border' && padding !== 'reflection') {
    throw new GlacisError(
      'gradient/unsupported',
      `expected padding_mode zeros, border or reflection, got ${padding}`,
    );
  }
  const within = padding === 'reflection' ? reflected(b, at, size, alignCorners) : at;
  const clamped = b.max(b.min(within, size - 1), 0);
  return { at: b.cast(clamped, 'int64'), weight, slope: slope && b.mul(slope, reach) };
}

/** Weights of the taps `steps` for a point `rest` beyond the first, and their derivatives by `rest`. */
function kernel(b: Ops, rest: Value, steps: Value, mode: string): { weight: Value; slope: Value | null } {
  if (mode === 'nearest') return { weight: b.add(b.mul(rest, 0), 1), slope: null };
  const away = b.sub(rest, steps);
  const distance = b.unary('Abs', away);
  const sign = b.unary('Sign', away);
  if (mode === 'linear' || mode === 'bilinear') {
    // The taps are those at 0 and 1, so that the slopes are −1 and 1 also where a point lies on an element.
    const slope = b.builder.constant(tensorFrom(rest.dtype, [1, 2], [-1, 1]));
    return { weight: b.sub(1, distance), slope: b.add(b.mul(rest, 0), slope) };
  }
  if (mode !== 'cubic' && mode !== 'bicubic')
    throw new GlacisError('gradient/unsupported', `expected mode nearest, linear or cubic, got ${mode}`);
  // Keys' kernel with a = −0.75.
  const a = -0.75;
  const near = b.compare('LessOrEqual', distance, 1);
  const polynomial = (...c: readonly number[]) =>
    c.slice(1).reduce((v, k) => b.add(b.mul(v, distance), k), b.full(distance.dims, c[0]!, rest.dtype));
  const weight = b.where(near, polynomial(a + 2, -(a + 3), 0, 1), polynomial(a, -5 * a, 8 * a, -4 * a));
  const slope = b.where(near, polynomial(3 * (a + 2), -2 * (a + 3), 0), polynomial(3 * a, -10 * a, 8 * a));
  return { weight, slope: b.mul(slope, sign) };
}

/** Elements beyond an end of the axis, mirrored at the outermost elements or, without `alignCorners`, half an element further. */
function reflected(b: Ops, at: Value, size: number, alignCorners: boolean): Value {
  const low = alignCorners ? 0 : -0.5;
  const range = alignCorners ? size - 1 : size;
  if (range === 0) return b.mul(at, 0);
  const over = b.node('Mod', [b.unary('Abs', b.sub(at, low)), b.scalar(2 * range, at.dtype)], { fmod: 1 });
  return b.add(b.sub(range, b.unary('Abs', b.sub(over, range))), low);
}
