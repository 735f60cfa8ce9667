import { GraphBuilder } from '../../src/onnx/graph-builder.ts';
import type { Model } from '../../src/onnx/model.ts';
import { float32Tensor } from '../../src/onnx/tensor.ts';
import { opsOn } from '../../src/transform/ops.ts';
import { withOpenBatch } from '../end-to-end/small-models.ts';

/** Shape of a sample of {@link network}, and values of one. */
export const IMAGE = [1, 4, 5];
export const SIZE = 20;

/** What may stand behind the logits of {@link network}. */
type End = 'none' | 'rounded' | 'random' | 'nan' | 'constant';

/** A small curved network of `k` outputs. */
export function network(k: number, end: End = 'none'): Model {
  const b = opsOn(new GraphBuilder());
  const x = b.builder.input('x', 'float32', [1, ...IMAGE]);
  const weights = (rows: number, cols: number, salt: number) =>
    b.builder.constant(
      float32Tensor(
        [rows, cols],
        Float32Array.from({ length: rows * cols }, (_, i) => Math.sin(1 + i * salt)),
      ),
      `w${salt}`,
    );
  const h = b.node('Tanh', [
    b.matmul(b.sub(b.node('Flatten', [x], { axis: 1 }), 0.5), weights(SIZE, 8, 1.7)),
  ]);
  const z = b.matmul(h, weights(8, k, 2.3));
  const out = {
    none: () => z,
    // Probabilities in hundredths: plateaus everywhere.
    rounded: () => b.div(b.unary('Round', b.mul(b.node('Softmax', [z], { axis: 1 }), 100)), 100),
    random: () => b.add(z, b.node('RandomNormalLike', [z], { scale: 0.3 })),
    // The square root of a negative number, on about half of the inputs.
    nan: () => b.add(z, b.mul(b.unary('Sqrt', b.sub(b.mean(x, [1, 2, 3], false), 0.52)), 0)),
    constant: () => b.mul(z, 0),
  }[end]();
  return withOpenBatch(b.builder.build({ logits: out.dims.length === 2 ? out : z }));
}

/** Three classes, of which the first is always ahead, and NaN for all of them where the mean of the values is below a half. */
export function speechless(): Model {
  const b = opsOn(new GraphBuilder());
  const x = b.builder.input('x', 'float32', [1, ...IMAGE]);
  const mean = b.mean(b.node('Flatten', [x], { axis: 1 }), [1], true);
  const root = b.mul(b.unary('Sqrt', b.sub(mean, 0.5)), 0);
  const z = b.concat([mean, b.neg(mean), b.sub(b.neg(mean), 1)], 1);
  return withOpenBatch(b.builder.build({ logits: b.add(z, root) }));
}
