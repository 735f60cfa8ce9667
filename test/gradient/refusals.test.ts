import { describe, expect, it } from 'vitest';
import { GraphBuilder, type Value } from '../../src/onnx/graph-builder.ts';
import { int64Tensor } from '../../src/onnx/tensor.ts';
import { vjp } from '../../src/transform/gradient/vjp.ts';
import { type Ops, opsOn } from '../../src/transform/ops.ts';

/** Differentiates one node of float32 inputs of these shapes with respect to input `wrt`. */
function differentiate(
  shapes: readonly (readonly number[])[],
  make: (b: Ops, x: readonly Value[]) => Value,
  wrt = 0,
  perSample = false,
): () => unknown {
  const b = opsOn(new GraphBuilder());
  const x = shapes.map((dims, i) => b.builder.input(`x${i}`, 'float32', dims));
  const y = make(b, x);
  const of = x[wrt]!;
  return () =>
    vjp(b, [{ value: y, grad: b.full(y.dims, 1, y.dtype) }], [of], perSample ? { perSample: [of] } : {});
}

describe('gradients that are refused', () => {
  it('a transposed convolution whose windows do not reach the whole output', () => {
    const attributes = { strides: [3, 3], output_shape: [6, 6], kernel_shape: [1, 1] };
    const grad = differentiate(
      [
        [1, 1, 2, 2],
        [1, 1, 1, 1],
      ],
      (b, x) => b.node('ConvTranspose', x, attributes),
    );
    expect(grad).toThrow(/expected windows that cover the output, got axis 2 of 6 from 2/);
  });

  it('per-sample gradients through batch statistics', () => {
    const make = (b: Ops, x: readonly Value[]) =>
      b.nodes('BatchNormalization', x, { training_mode: 1 }, { outputs: 3 })[0]!;
    const shapes = [[4, 3], [3], [3], [3], [3]];
    expect(differentiate(shapes, make, 1, true)).toThrow(/mix the samples/);
    expect(differentiate(shapes, make, 1)).not.toThrow();
  });

  it('per-sample gradients of a table that is read along another axis', () => {
    const make = (b: Ops, x: readonly Value[]) =>
      b.node('Gather', [x[0]!, b.builder.constant(int64Tensor([2], [0, 1]))], { axis: 1 });
    expect(differentiate([[4, 3]], make, 0, true)).toThrow(/batch axis/);
  });

  it('padding by amounts that depend on the data', () => {
    const b = opsOn(new GraphBuilder());
    const x = b.builder.input('x', 'float32', [4]);
    const pads = b.builder.input('pads', 'int64', [2]);
    const [y] = b.builder.add('Pad', [x, pads], {}, { types: [{ dtype: 'float32', dims: [6] }] });
    expect(() => vjp(b, [{ value: y!, grad: b.full([6], 1, 'float32') }], [x])).toThrow(
      /expected constant pads/,
    );
  });

  it('the inverse of a one-sided transform, and a learned window', () => {
    const half = differentiate(
      [[1, 3, 2]],
      (b, x) =>
        b.builder.add(
          'DFT',
          [x[0]!],
          { inverse: 1, onesided: 1 },
          { types: [{ dtype: 'float32', dims: [1, 4, 1] }] },
        )[0]!,
    );
    expect(half).toThrow(/one-sided/);
    const step = (b: Ops, v: number) => b.builder.constant(int64Tensor([], [v]));
    const window = differentiate(
      [[1, 8, 1], [4]],
      (b, x) => b.node('STFT', [x[0]!, step(b, 2), x[1]!, step(b, 4)]),
      1,
    );
    expect(window).toThrow(/window that is not differentiated/);
  });
});
