import { GraphBuilder } from '../../src/onnx/graph-builder.ts';
import type { Model } from '../../src/onnx/model.ts';
import { float32Tensor } from '../../src/onnx/tensor.ts';
import type { Norm } from '../../src/threat/norm.ts';
import { opsOn } from '../../src/transform/ops.ts';
import { withOpenBatch } from '../end-to-end/small-models.ts';

/** Samples, and values of one. */
export const N = 37;
export const SIZE = 12;
/** Shape of a sample of {@link curved}: a picture, for attacks that want one. */
export const IMAGE = [1, 3, 4];
export const BOUNDS: readonly [number, number] = [0, 1];
/** A radius for each norm that fools some samples of {@link curved} and not all. */
export const EPS: Readonly<Record<Norm, number>> = { linf: 0.1, l2: 0.25, l1: 0.8, l0: 2 };

/** Samples in [0, 1], some of them on the bounds. */
export const samples = Float32Array.from({ length: N * SIZE }, (_, i) =>
  Math.min(1, Math.max(0, ((i * 7919) % 1009) / 900 - 0.05)),
);

/** A small network of three classes with a curved surface, and others like it of another strength. */
export function curved(strength = 1.2): Model {
  const b = opsOn(new GraphBuilder());
  const x = b.builder.input('x', 'float32', [1, ...IMAGE]);
  const weights = (rows: number, cols: number, salt: number) =>
    b.builder.constant(
      float32Tensor(
        [rows, cols],
        Float32Array.from({ length: rows * cols }, (_, i) => Math.sin(1 + i * salt) * strength),
      ),
      `w${salt}`,
    );
  const h = b.node('Tanh', [b.matmul(b.sub(b.reshape(x, [1, SIZE]), 0.5), weights(SIZE, 16, 1.7))]);
  return withOpenBatch(b.builder.build({ logits: b.matmul(h, weights(16, 3, 2.3)) }));
}
