import { randomFrom } from '../core/random.ts';
import { graph, model, node, value } from '../onnx/model.fixture.ts';
import type { Dim, Model } from '../onnx/model.ts';
import { float32Tensor } from '../onnx/tensor.ts';

/** `z = x · w + bias`, from `[batch, d]` to `[batch, k]`; `w` is `[d, k]`, row-major. */
export function linearModel(w: readonly number[], bias: readonly number[], batch: Dim = 'N'): Model {
  const k = bias.length;
  const d = w.length / k;
  return model(
    graph({
      inputs: [value('x', [batch, d])],
      outputs: [value('z', [batch, k])],
      nodes: [node('Gemm', ['x', 'w', 'bias'], ['z'])],
      initializers: { w: float32Tensor([d, k], w), bias: float32Tensor([k], bias) },
    }),
  );
}

/** A network of one hidden layer (tanh) with random weights, from `[batch, d]` to `[batch, k]`. */
export function hiddenModel(d: number, hidden: number, k: number, batch: Dim = 'N'): Model {
  const rng = randomFrom(3, 'hidden');
  const draw = (n: number, scale: number) => Float32Array.from({ length: n }, () => scale * rng.normal());
  return model(
    graph({
      inputs: [value('x', [batch, d])],
      outputs: [value('z', [batch, k])],
      nodes: [
        node('Gemm', ['x', 'w1', 'b1'], ['h']),
        node('Tanh', ['h'], ['a']),
        node('Gemm', ['a', 'w2', 'b2'], ['z']),
      ],
      initializers: {
        w1: float32Tensor([d, hidden], draw(d * hidden, 1)),
        b1: float32Tensor([hidden], draw(hidden, 0.3)),
        w2: float32Tensor([hidden, k], draw(hidden * k, 1)),
        b2: float32Tensor([k], draw(k, 0.3)),
      },
    }),
  );
}

/** `[n, d]` numbers in [low, high). */
export function randomRows(seed: string, n: number, d: number, low = 0, high = 1): Float32Array {
  const rng = randomFrom(11, seed);
  return Float32Array.from({ length: n * d }, () => low + (high - low) * rng.uniform());
}
