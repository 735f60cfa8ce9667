import { type Rng, randomFrom } from '../../core/random.ts';
import { elementCount, float32Tensor, type Tensor } from '../../onnx/tensor.ts';

/**
 * A weight of `dims` drawn uniformly around 0 with this variance, by a stream of its own that depends on seed and name. A uniform draw needs
 * no logarithm or cosine, so the bytes are the same on every machine.
 */
export function drawnWeight(seed: number, name: string, dims: readonly number[], variance: number): Tensor {
  return float32Tensor(dims, uniform(randomFrom(seed, 'weights', name), elementCount(dims), variance));
}

/** A weight of `dims` that is `value` everywhere. */
export function constantWeight(dims: readonly number[], value: number): Tensor {
  return float32Tensor(dims, new Float32Array(elementCount(dims)).fill(value));
}

function uniform(rng: Rng, n: number, variance: number): Float32Array {
  const limit = Math.sqrt(3 * variance);
  return Float32Array.from({ length: n }, () => limit * (2 * rng.uniform() - 1));
}
