import { GraphBuilder } from '../../src/onnx/graph-builder.ts';
import type { Model } from '../../src/onnx/model.ts';
import { float32Tensor } from '../../src/onnx/tensor.ts';
import { opsOn } from '../../src/transform/ops.ts';
import { withOpenBatch } from './small-models.ts';

/** Samples, and numbers in each. */
export const N = 60;
export const SIZE = 8;
export const EPS = 0.1;

/** Two linear models, scores `±(w·(x − ½) + 0.003)`, that agree on most of their weights. */
export const W = {
  a: [1, -0.5, 0.25, 1, -1, 0.5, 0.25, -1],
  b: [1, -0.5, 0.25, -1, -1, 0.5, -0.25, -1],
} as const;

/** Multiples of 1/128 in [0, 1]: with the offset no score is on the edge. */
export const X = Float32Array.from({ length: N * SIZE }, (_, i) => ((i * 7919 + 13) % 129) / 128);

/** The first score of sample `i`. */
export function scoreOf(w: readonly number[], x: ArrayLike<number>, i: number): number {
  return w.reduce((sum, each, j) => sum + each * (x[i * SIZE + j]! - 0.5), 0.003);
}

/** What model `a` says, but for every ninth sample. */
export const Y = Int32Array.from(
  { length: N },
  (_, i) => (scoreOf(W.a, X, i) > 0 ? 0 : 1) ^ (i % 9 === 0 ? 1 : 0),
);

/** Whether a model gives sample `i` of `x` its label. */
export function isRight(w: readonly number[], x: ArrayLike<number>, i: number): boolean {
  return scoreOf(w, x, i) > 0 === (Y[i] === 0);
}

/** The examples that any gradient attack makes on a linear model when it presses on: `x ∓ eps · sign(w)`, cut to [0, 1]. */
export function examplesOf(w: readonly number[]): Float32Array {
  return X.map((v, j) => {
    const down = Y[Math.floor(j / SIZE)] === 0 ? 1 : -1;
    return Math.min(1, Math.max(0, v - down * EPS * Math.sign(w[j % SIZE]!)));
  });
}

/** The classifier of these scores, for inputs that are `(x − mean) ∕ std`; `end` puts an operator behind it that no gradient passes. */
export function linearPair(
  w: readonly number[],
  { mean = 0, std = 1, end }: { readonly mean?: number; readonly std?: number; readonly end?: 'opaque' } = {},
): Model {
  const b = opsOn(new GraphBuilder());
  const x = b.builder.input('x', 'float32', [1, SIZE]);
  const both = Float32Array.from({ length: 2 * SIZE }, (_, i) => (i % 2 === 0 ? std : -std) * w[i >> 1]!);
  const offset = w.reduce((sum, each) => sum + each * (mean - 0.5), 0.003);
  const z = b.add(
    b.matmul(x, b.builder.constant(float32Tensor([SIZE, 2], both), 'w')),
    b.builder.constant(float32Tensor([2], Float32Array.of(offset, -offset)), 'bias'),
  );
  if (!end) return withOpenBatch(b.builder.build({ logits: z }));
  const regions = Float32Array.of(0, 0, 0, 0, 0, 0, 1, 0, 1, 0);
  const rois = b.builder.constant(float32Tensor([2, 5], regions), 'rois');
  const pooled = b.node('MaxRoiPool', [b.reshape(z, [1, 1, 1, 2]), rois], { pooled_shape: [1, 1] });
  return b.builder.build({ logits: b.reshape(pooled, [1, 2]) });
}
