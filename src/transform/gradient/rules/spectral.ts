import { GlacisError } from '../../../core/error.ts';
import type { Value } from '../../../onnx/graph-builder.ts';
import { int64Tensor } from '../../../onnx/tensor.ts';
import type { Ops } from '../../ops.ts';
import { addRows } from '../add-rows.ts';
import { constantNumbers } from '../constant-input.ts';
import { defineRule } from '../rule.ts';

/**
 * `y = F x`, the discrete Fourier transform along an axis; the last axis holds real and imaginary part. `x̄ = Fᴴ g`, which is
 * the transform the other way, scaled.
 */
export const dft = defineRule({
  op: 'DFT',
  since: 20,
  note: 'x̄ = Fᴴ g: the transform the other way, scaled by the length; inverse one-sided transforms are unsupported',
  grad: ({ b, attrs, input, inputs, outputs: [y], outGrads: [g] }) => {
    const { dims } = input(0);
    const axis = constantNumbers(inputs[2], 'axis')?.[0] ?? -2;
    const along = axis < 0 ? axis + dims.length : axis;
    const inverse = attrs.int('inverse', 0) !== 0;
    const half = attrs.int('onesided', 0) !== 0;
    if (inverse && half)
      throw new GlacisError(
        'gradient/unsupported',
        'the inverse of a one-sided transform is not differentiated',
      );
    const length = constantNumbers(inputs[1], 'length')?.[0] ?? (half ? dims[along]! : y!.dims[along]!);
    const back = adjoint(b, g!, along, length, inverse);
    const none = dims.map(() => 0);
    const real = dims.at(-1) === 1 ? b.slice(back, -1, 0, 1) : back;
    return inputs.map((_, i) =>
      i === 0 ? b.pad(real, none, none.with(along, dims[along]! - length)) : null,
    );
  },
});

/** `Fᴴ g` of `length` elements along `axis`; bins that `g` has not are zero. */
function adjoint(b: Ops, g: Value, axis: number, length: number, inverse: boolean): Value {
  const none = g.dims.map(() => 0);
  const full = b.pad(g, none, none.with(axis, length - g.dims[axis]!));
  const at = b.builder.constant(int64Tensor([], [axis]));
  const back = b.node('DFT', [full, null, at], { inverse: inverse ? 0 : 1 });
  return inverse ? b.mul(back, 1 / length) : b.mul(back, length);
}

/** Transforms of windowed frames of a signal: `x̄` adds the frames' `Fᴴ g`, windowed again, where they were cut out. */
export const stft = defineRule({
  op: 'STFT',
  since: 17,
  note: 'signal̅ = windowed Fᴴ g of each frame, overlapped and added; the window has no gradient',
  grad: ({ b, input, inputs, outGrads: [g], needs }) => {
    if (needs[2])
      throw new GlacisError('gradient/unsupported', 'expected a window that is not differentiated');
    const { dims } = input(0);
    const window = inputs[2];
    const step = constantNumbers(inputs[1], 'frame step')![0]!;
    const length = constantNumbers(inputs[3], 'frame length')?.[0] ?? window!.dims[0]!;
    const frames = g!.dims[1]!;
    const back = adjoint(b, g!, 2, length, false);
    const parts = dims.length === 3 && dims[2] === 2 ? back : b.slice(back, -1, 0, 1);
    const windowed = window ? b.mul(parts, b.reshape(window, [length, 1])) : parts;
    const places = Array.from(
      { length: frames * length },
      (_, i) => Math.floor(i / length) * step + (i % length),
    );
    const indices = b.builder.constant(int64Tensor([frames, length], places));
    const signal = addRows(b, windowed, indices, [dims[0]!, dims[1]!, parts.dims[3]!], 1);
    return inputs.map((_, i) => (i === 0 ? b.reshape(signal, dims) : null));
  },
});
