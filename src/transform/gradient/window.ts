import { GlacisError } from '../../core/error.ts';
import type { Attributes } from '../../onnx/attributes.ts';

/** The geometry of a sliding-window operator (convolution or pooling), one entry a spatial axis. */
export interface Window {
  readonly kernel: readonly number[];
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  readonly before: readonly number[];
  readonly after: readonly number[];
}

/**
 * Reads kernel, strides, dilations and pads, with `auto_pad` resolved for these input and output sizes.
 *
 * @param spatial input sizes, one a spatial axis
 * @param kernel sizes of the kernel
 */
export function windowOf(attrs: Attributes, spatial: readonly number[], kernel: readonly number[]): Window {
  const rank = spatial.length;
  const ones = new Array<number>(rank).fill(1);
  const strides = attrs.ints('strides', ones);
  const dilations = attrs.ints('dilations', ones);
  const autoPad = attrs.string('auto_pad', 'NOTSET');
  if (autoPad === 'NOTSET') {
    const pads = attrs.ints('pads', new Array<number>(2 * rank).fill(0));
    return { kernel, strides, dilations, before: pads.slice(0, rank), after: pads.slice(rank) };
  }
  const before: number[] = [];
  const after: number[] = [];
  for (let a = 0; a < rank; a++) {
    const extent = dilations[a]! * (kernel[a]! - 1) + 1;
    const out = Math.ceil(spatial[a]! / strides[a]!);
    const total = autoPad === 'VALID' ? 0 : Math.max(0, (out - 1) * strides[a]! + extent - spatial[a]!);
    const small = Math.floor(total / 2);
    if (autoPad === 'SAME_UPPER' || autoPad === 'VALID') {
      before.push(small);
      after.push(total - small);
    } else if (autoPad === 'SAME_LOWER') {
      before.push(total - small);
      after.push(small);
    } else
      throw new GlacisError(
        'model/invalid',
        `auto_pad: expected NOTSET, SAME_UPPER, SAME_LOWER or VALID, got ${autoPad}`,
      );
  }
  return { kernel, strides, dilations, before, after };
}

/** All index tuples below `sizes`, last axis fastest. */
export function* tuples(sizes: readonly number[]): Generator<number[]> {
  const at = new Array<number>(sizes.length).fill(0);
  if (sizes.some((s) => s === 0)) return;
  for (;;) {
    yield [...at];
    let a = sizes.length - 1;
    while (a >= 0 && ++at[a]! === sizes[a]) at[a--] = 0;
    if (a < 0) return;
  }
}
