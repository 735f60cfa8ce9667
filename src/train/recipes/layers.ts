import { GlacisError } from '../../core/error.ts';
import { float } from '../../onnx/attributes.ts';
import { GraphBuilder, type Value } from '../../onnx/graph-builder.ts';
import type { Model, ValueInfo } from '../../onnx/model.ts';
import { float32Tensor } from '../../onnx/tensor.ts';
import { type Ops, opsOn } from '../../transform/ops.ts';
import { constantWeight, drawnWeight } from './draw.ts';
import type { RecipeFrame } from './recipe.ts';

/** Gain of layers before a rectifier: weights of variance `2 / fan-in` keep the variance of activations (He et al. 2015). */
export const RECTIFIED = 2;
/** Gain of other layers: `1 / fan-in` (LeCun et al. 1998). */
export const LINEAR = 1;

/** How {@link Layers.conv} looks at its map. */
export interface ConvForm {
  readonly channels: number;
  readonly kernel: number;
  readonly stride?: number;
  /** Rows and columns of zeros on each side. Default: half of the kernel, which keeps the map's size at stride 1 and an odd kernel. */
  readonly pad?: number;
  readonly gain?: number;
  /** Default true; left out in front of a normalisation. */
  readonly bias?: boolean;
}

/** A network under construction: operators, and layers whose weights are drawn as they are named. */
export interface Layers {
  readonly b: Ops;
  readonly x: Value;
  weight(name: string, dims: readonly number[], variance: number): Value;
  filled(name: string, dims: readonly number[], value: number): Value;
  /** Convolution over `[B, C, H, W]` with a square kernel; biases are 0. */
  conv(name: string, x: Value, form: ConvForm): Value;
  maxPool(x: Value, size: number, stride?: number): Value;
  /** `[B, …]` to `[B, features]`. */
  flatten(x: Value): Value;
  /** `x Wᵀ + b` over `[B, features]`; biases are 0. */
  dense(name: string, x: Value, width: number, gain?: number): Value;
  /** `x W + b` over the last axis; biases are 0. */
  project(name: string, x: Value, width: number, gain?: number): Value;
  relu(x: Value): Value;
  /** Normalises channels by the statistics of the batch, as deployed by the running ones. */
  batchNorm(name: string, x: Value): Value;
  /** Normalises groups of channels of each sample (Wu & He 2018); in the largest number of groups up to `groups` that divides the channels. */
  groupNorm(name: string, x: Value, groups: number): Value;
  /** Normalises the last axis. */
  layerNorm(name: string, x: Value): Value;
  /** Drops this share of elements in training; nothing at 0. */
  dropout(name: string, x: Value, rate: number): Value;
  /** A copy of `x` in another shape; a 0 takes the size that is there, -1 the rest. */
  reshape(x: Value, dims: readonly number[]): Value;
  /** The model with this output and a batch size that is free. */
  finish(output: Value, name: string): Model;
}

/** Opens a network for samples of the frame's shape; the centring is written unless `isCentred` is false. */
export function openLayers(frame: RecipeFrame, isCentred = true): Layers {
  const { input, seed, output = 'logits' } = frame;
  const b = opsOn(new GraphBuilder());
  const given = b.builder.input('input', 'float32', [1, ...input]);
  const weight: Layers['weight'] = (name, dims, variance) =>
    b.builder.constant(drawnWeight(seed, name, dims, variance), name);
  const filled: Layers['filled'] = (name, dims, value) =>
    b.builder.constant(constantWeight(dims, value), name);
  const x = frame.centre && isCentred ? centred(b, given, frame.centre) : given;
  return {
    b,
    x,
    weight,
    filled,
    conv(name, from, { channels, kernel, stride = 1, pad = kernel >> 1, gain = RECTIFIED, bias = true }) {
      const depth = from.dims[1]!;
      requireRoom(name, from, kernel, pad);
      const w = weight(`${name}.weight`, [channels, depth, kernel, kernel], gain / (depth * kernel ** 2));
      return b.node(
        'Conv',
        [from, w, bias ? filled(`${name}.bias`, [channels], 0) : null],
        {
          kernel_shape: [kernel, kernel],
          pads: [pad, pad, pad, pad],
          ...(stride === 1 ? {} : { strides: [stride, stride] }),
        },
        { name },
      );
    },
    maxPool(from, size, stride = size) {
      requireRoom('pooling', from, size, 0);
      return b.node('MaxPool', [from], { kernel_shape: [size, size], strides: [stride, stride] });
    },
    flatten: (from) => b.node('Flatten', [from], { axis: 1 }),
    dense(name, from, width, gain = RECTIFIED) {
      const fanIn = from.dims[1]!;
      const w = weight(`${name}.weight`, [width, fanIn], gain / fanIn);
      return b.node('Gemm', [from, w, filled(`${name}.bias`, [width], 0)], { transB: 1 }, { name });
    },
    project(name, from, width, gain = LINEAR) {
      const fanIn = from.dims.at(-1)!;
      const w = weight(`${name}.weight`, [fanIn, width], gain / fanIn);
      return b.add(b.node('MatMul', [from, w], {}, { name }), filled(`${name}.bias`, [width], 0));
    },
    relu: (from) => b.unary('Relu', from),
    batchNorm(name, from) {
      const channels = [from.dims[1]!];
      return b.node(
        'BatchNormalization',
        [
          from,
          filled(`${name}.scale`, channels, 1),
          filled(`${name}.bias`, channels, 0),
          filled(`${name}.mean`, channels, 0),
          filled(`${name}.variance`, channels, 1),
        ],
        { epsilon: float(1e-5), momentum: float(0.9) },
        { name },
      );
    },
    groupNorm(name, from, groups) {
      const channels = from.dims[1]!;
      let count = Math.min(groups, channels);
      while (channels % count !== 0) count--;
      const parts = [from, filled(`${name}.scale`, [channels], 1), filled(`${name}.bias`, [channels], 0)];
      return b.node('GroupNormalization', parts, { num_groups: count, epsilon: float(1e-5) }, { name });
    },
    layerNorm(name, from) {
      const width = [from.dims.at(-1)!];
      const parts = [from, filled(`${name}.scale`, width, 1), filled(`${name}.bias`, width, 0)];
      return b.node('LayerNormalization', parts, { axis: -1, epsilon: float(1e-5) }, { name });
    },
    dropout: (name, from, rate) =>
      rate === 0 ? from : b.node('Dropout', [from, b.scalar(rate, 'float32')], {}, { name }),
    reshape: (from, dims) => b.node('Reshape', [from, b.ints(dims)]),
    finish: (result, name) => withFreeBatch(b.builder.build({ [output]: result }, { name })),
  };
}

/** `x / std − mean / std` with one number, or one for each channel or feature. */
function centred(b: Ops, x: Value, { mean, std }: NonNullable<RecipeFrame['centre']>): Value {
  const factors = std.map((s) => 1 / s);
  const shifts = mean.map((m, i) => m / std[i]!);
  if (mean.length === 1) return b.sub(b.mul(x, factors[0]!), shifts[0]!);
  const dims = x.dims.length === 4 ? [mean.length, 1, 1] : [mean.length];
  const constant = (values: readonly number[]) => b.builder.constant(float32Tensor(dims, values));
  return b.sub(b.mul(x, constant(factors)), constant(shifts));
}

function requireRoom(name: string, { dims }: Value, kernel: number, pad: number): void {
  const [, , height, width] = dims;
  if (Math.min(height!, width!) + 2 * pad < kernel)
    throw new GlacisError(
      'data/mismatch',
      `recipe: expected maps of at least ${kernel}×${kernel} for ${name}, got ${height}×${width}; take fewer stages, smaller kernels or larger pictures`,
    );
}

/** The same model with a batch size that is free; holds where no node's shape names it. */
function withFreeBatch(model: Model): Model {
  const freed = ({ name, type }: ValueInfo): ValueInfo =>
    type.kind === 'tensor' && type.dims
      ? { name, type: { ...type, dims: ['batch', ...type.dims.slice(1)] } }
      : { name, type };
  const { graph } = model;
  return {
    ...model,
    graph: { ...graph, inputs: graph.inputs.map(freed), outputs: graph.outputs.map(freed) },
  };
}
