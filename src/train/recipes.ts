import { type Rng, randomFrom } from '../core/random.ts';
import { GraphBuilder, type Value } from '../onnx/graph-builder.ts';
import type { Model } from '../onnx/model.ts';
import { elementCount, float32Tensor } from '../onnx/tensor.ts';
import { opsOn } from '../transform/ops.ts';

/** The size of {@link convNet}. */
export interface ConvNetOptions {
  /** Shape of one sample: channels, height, width. */
  readonly input: readonly [number, number, number];
  readonly classes: number;
  /** Channels of each stage; a stage is a 3×3 convolution, 2×2 max pooling and a ReLU. */
  readonly channels: readonly number[];
  /** Width of the dense layer between the last stage and the logits. */
  readonly hidden: number;
  readonly seed: number;
}

/**
 * A small convolutional classifier with random weights: stages of convolution, pooling and ReLU, a dense layer, logits.
 * Input `input`, `[batch, C, H, W]` with values in 0–1 (centred inside); output `logits`, `[batch, classes]`.
 *
 * Weights are drawn uniformly with variance `2 / fan-in` (He et al. 2015), the last layer's with `1 / fan-in`; biases are 0.
 * A uniform draw needs no logarithm or cosine, so the bytes are the same on every machine.
 */
export function convNet({ input, classes, channels, hidden, seed }: ConvNetOptions): Model {
  const b = opsOn(new GraphBuilder());
  const weight = (name: string, dims: readonly number[], fanIn: number, gain: number): Value => {
    const rng = randomFrom(seed, 'weights', name);
    return b.builder.constant(float32Tensor(dims, uniform(rng, elementCount(dims), gain / fanIn)), name);
  };
  const bias = (name: string, n: number): Value =>
    b.builder.constant(float32Tensor([n], new Float32Array(n)), name);
  let x = b.sub(b.mul(b.builder.input('input', 'float32', [1, ...input]), 4), 2);
  for (const [i, width] of channels.entries()) {
    const name = `conv${i + 1}`;
    const from = x.dims[1]!;
    const w = weight(`${name}.weight`, [width, from, 3, 3], from * 9, 2);
    const summed = b.node(
      'Conv',
      [x, w, bias(`${name}.bias`, width)],
      { kernel_shape: [3, 3], pads: [1, 1, 1, 1] },
      { name },
    );
    x = b.unary('Relu', b.node('MaxPool', [summed], { kernel_shape: [2, 2], strides: [2, 2] }));
  }
  const flat = b.node('Flatten', [x], { axis: 1 });
  const dense = (name: string, from: Value, width: number, gain: number): Value => {
    const w = weight(`${name}.weight`, [width, from.dims[1]!], from.dims[1]!, gain);
    return b.node('Gemm', [from, w, bias(`${name}.bias`, width)], { transB: 1 }, { name });
  };
  const features = b.unary('Relu', dense('dense', flat, hidden, 2));
  return withFreeBatch(
    b.builder.build({ logits: dense('classifier', features, classes, 1) }, { name: 'convnet' }),
  );
}

/** `n` draws, uniform around 0 with this variance. */
function uniform(rng: Rng, n: number, variance: number): Float32Array {
  const limit = Math.sqrt(3 * variance);
  return Float32Array.from({ length: n }, () => limit * (2 * rng.uniform() - 1));
}

/** The same model with a batch size that is free; holds where no node's shape names it. */
function withFreeBatch(model: Model): Model {
  const freed = model.graph.inputs.map(({ name, type }) =>
    type.kind === 'tensor' && type.dims
      ? { name, type: { ...type, dims: ['batch', ...type.dims.slice(1)] } }
      : { name, type },
  );
  const outputs = model.graph.outputs.map(({ name, type }) =>
    type.kind === 'tensor' && type.dims
      ? { name, type: { ...type, dims: ['batch', ...type.dims.slice(1)] } }
      : { name, type },
  );
  return { ...model, graph: { ...model.graph, inputs: freed, outputs } };
}
