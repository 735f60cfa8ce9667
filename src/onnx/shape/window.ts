import type { Dim } from '../model.ts';
import { contradiction, mapDim } from './dims.ts';
import type { ShapeContext } from './rule.ts';

/** Attributes of a sliding window, one entry a spatial axis. */
export interface Window {
  readonly kernel: readonly Dim[];
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  /** Begins, then ends; `undefined` when `auto_pad` decides. */
  readonly pads: readonly number[] | undefined;
  readonly autoPad: 'NOTSET' | 'SAME_UPPER' | 'SAME_LOWER' | 'VALID';
  readonly ceil: boolean;
}

/** An attribute list with one entry a spatial axis, all of them at least `least`. */
function perAxis(
  ctx: ShapeContext,
  name: string,
  count: number,
  fallback: number,
  least: number,
): readonly number[] {
  const values = ctx.attrs.ints(name, new Array<number>(count).fill(fallback));
  if (values.length !== count) contradiction(ctx, `${count} ${name}`, String(values.length));
  for (const v of values)
    if (v < least || v > 2 ** 31)
      contradiction(ctx, `${name} of at least ${least} and below 2^31`, String(v));
  return values;
}

/** Reads kernel_shape, strides, dilations, pads, auto_pad and ceil_mode. `weights`: the kernel's sizes for a convolution. */
export function readWindow(ctx: ShapeContext, spatial: number, weights?: readonly Dim[]): Window {
  const { attrs } = ctx;
  if (spatial < 1) contradiction(ctx, 'an input of rank 3 or more', `rank ${spatial + 2}`);
  const autoPad = attrs.string('auto_pad', 'NOTSET') || 'NOTSET';
  if (autoPad !== 'NOTSET' && autoPad !== 'SAME_UPPER' && autoPad !== 'SAME_LOWER' && autoPad !== 'VALID') {
    contradiction(ctx, 'auto_pad NOTSET, SAME_UPPER, SAME_LOWER or VALID', autoPad);
  }
  if (!weights && !attrs.has('kernel_shape')) contradiction(ctx, 'a kernel_shape', 'none');
  const given = attrs.has('kernel_shape') ? perAxis(ctx, 'kernel_shape', spatial, 1, 1) : undefined;
  weights?.forEach((w, i) => {
    const k = given?.[i];
    if (k !== undefined && typeof w === 'number' && w !== k)
      contradiction(ctx, `kernel_shape ${w} as in the weights`, String(k));
  });
  return {
    kernel: given ?? weights!,
    strides: perAxis(ctx, 'strides', spatial, 1, 1),
    dilations: perAxis(ctx, 'dilations', spatial, 1, 1),
    pads: autoPad === 'NOTSET' ? perAxis(ctx, 'pads', 2 * spatial, 0, -(2 ** 31)) : undefined,
    autoPad,
    ceil: attrs.int('ceil_mode', 0) !== 0,
  };
}

/**
 * Number of window positions along each spatial axis.
 * NOTSET: `⌊(size + pads − dilation·(kernel−1) − 1) / stride⌋ + 1`, rounded up with `ceil_mode`, where a last window that
 * would begin in the end padding is dropped (ONNX since opset 22; ONNX Runtime for all). SAME: `⌈size / stride⌉`.
 */
export function slide(ctx: ShapeContext, sizes: readonly Dim[], w: Window): Dim[] {
  const n = sizes.length;
  return sizes.map((size, i) => {
    const [stride, k] = [w.strides[i]!, w.kernel[i]!];
    if (w.autoPad === 'SAME_UPPER' || w.autoPad === 'SAME_LOWER') {
      return stride === 1 ? size : mapDim(size, (s) => Math.ceil(s / stride));
    }
    if (typeof k !== 'number') return null;
    const [head, tail] = [w.pads?.[i] ?? 0, w.pads?.[i + n] ?? 0];
    const reach = w.dilations[i]! * (k - 1) + 1;
    if (stride === 1 && head + tail === reach - 1) return size;
    return mapDim(size, (s) => {
      const room = s + head + tail - reach;
      if (room < 0)
        contradiction(
          ctx,
          `axis ${i + 2} to hold a window of ${reach}`,
          `${s} with padding ${head} and ${tail}`,
        );
      if (!w.ceil) return Math.floor(room / stride) + 1;
      const positions = Math.ceil(room / stride) + 1;
      return (positions - 1) * stride >= s + head ? positions - 1 : positions;
    });
  });
}
