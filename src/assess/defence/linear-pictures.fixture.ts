import { randomFrom } from '../../core/random.ts';
import { attributesFrom } from '../../onnx/attributes.ts';
import type { Model, Node } from '../../onnx/model.ts';
import { float32Tensor } from '../../onnx/tensor.ts';

/** Pictures `[1, 6, 6]` with values far from 0 and 1, so that no bound stops an attack. */
export const PICTURE = [1, 6, 6];
export const N = 40;
const SIZE = 36;

const rng = randomFrom(3, 'linear pictures');
/** Weights: bright against dark fields, some of them faint. */
export const W = Array.from({ length: SIZE }, () => rng.normal() / 4);
export const X = Float32Array.from({ length: N * SIZE }, () => 0.3 + 0.4 * rng.uniform());
const OFFSET = W.reduce((sum, w) => sum + w / 2, 0);

/** `w · (x − ½)` for each picture. */
export const scoresOf = (x: ArrayLike<number>): number[] =>
  Array.from({ length: x.length / SIZE }, (_, i) =>
    W.reduce((sum, w, j) => sum + w * x[i * SIZE + j]!, -OFFSET),
  );

/** The side of the plane, but for a few that the model gets wrong. */
export const Y = Int32Array.from(scoresOf(X), (s, i) => (i % 10 === 9 ? (s > 0 ? 0 : 1) : s > 0 ? 1 : 0));

/**
 * A linear classifier of two classes for pictures `(x − mean) ∕ std`: logits `[−s, s] · scale`, so that robust accuracy is known in closed
 * form.
 */
export function linearPictures(
  scale = 4,
  activation?: 'Softmax',
  { mean, std }: { readonly mean: number; readonly std: number } = { mean: 0, std: 1 },
): Model {
  const weights = Float32Array.from(
    { length: 2 * SIZE },
    (_, i) => (i % 2 === 0 ? -1 : 1) * scale * std * W[i >> 1]!,
  );
  const offset = scale * (OFFSET - W.reduce((sum, w) => sum + w * mean, 0));
  const node = (op: string, inputs: string[], output: string): Node => ({
    op,
    domain: '',
    name: op,
    inputs,
    outputs: [output],
    attributes: attributesFrom({}),
  });
  const info = (name: string, dims: (string | number)[]) => ({
    name,
    type: { kind: 'tensor', dtype: 'float32', dims } as const,
  });
  return {
    irVersion: 8,
    opsets: new Map([['', 17]]),
    graph: {
      name: 'linear',
      inputs: [info('pixels', ['batch', ...PICTURE])],
      outputs: [info('scores', ['batch', 2])],
      initializers: new Map([
        ['w', float32Tensor([SIZE, 2], weights)],
        ['b', float32Tensor([2], [offset, -offset])],
      ]),
      valueTypes: new Map(),
      nodes: [
        node('Flatten', ['pixels'], 'flat'),
        node('MatMul', ['flat', 'w'], 'product'),
        node('Add', ['product', 'b'], activation ? 'logits' : 'scores'),
        ...(activation ? [node(activation, ['logits'], 'scores')] : []),
      ],
    },
    functions: [],
    producer: 'test',
    metadata: new Map(),
  };
}

/** Samples that are right and whose margin eps cannot take: the distance to the plane in linf is |s| / ‖w‖₁. */
export function robustShare(eps: number): number {
  const length = W.reduce((sum, w) => sum + Math.abs(w), 0);
  return scoresOf(X).filter((s, i) => (s > 0 ? 1 : 0) === Y[i] && Math.abs(s) > eps * length).length / N;
}
