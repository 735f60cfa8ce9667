import type { Model } from '../../onnx/model.ts';
import { activationFrom } from './activation.ts';
import { type ConvForm, LINEAR, openLayers } from './layers.ts';
import { shareFrom, sizeFrom, sizesFrom, wordFrom } from './option-text.ts';
import type { Recipe, RecipeFrame, RecipeOptions } from './recipe.ts';

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

/** Pictures with values in 0–1, centred. */
const CENTRE = { mean: [0.5], std: [0.25] } as const;

/**
 * A small convolutional classifier with random weights: stages of convolution, pooling and ReLU, a dense layer, logits.
 * Input `input`, `[batch, C, H, W]` with values in 0–1 (centred inside); output `logits`, `[batch, classes]`.
 *
 * Weights are drawn uniformly with variance `2 / fan-in` (He et al. 2015), the last layer's with `1 / fan-in`; biases are 0.
 */
export function convNet({ input, classes, channels, hidden, seed }: ConvNetOptions): Model {
  const form = { kernel: 3, stride: 1, isPooled: true, dropout: 0 };
  return stages(
    { input, outputs: classes, seed, centre: CENTRE },
    { activation: 'relu' },
    { channels, hidden: [hidden], ...form },
  );
}

/** Convolutional stages with pooling for pictures of any kind. */
export const cnn: Recipe = {
  id: 'cnn',
  use: 'small pictures: stages of convolution, max pooling and ReLU (or tanh), then dense layers',
  rank: 3,
  defaults: {
    channels: '32 64',
    hidden: '128',
    kernel: 3,
    stride: 1,
    pooling: 'max',
    activation: 'relu',
    dropout: 0,
  },
  explained: {
    channels: 'channels of each stage',
    hidden: 'widths of the dense layers before the last',
    kernel: 'size of the convolutions, odd sizes keep the map',
    stride: 'step of the convolutions',
    pooling: 'max: 2×2 after each convolution; none: the stride alone makes maps smaller',
    activation: 'relu, or tanh, which loses less to clipping in private training',
    dropout: 'share dropped before each dense layer in training',
  },
  build: (frame, options) =>
    stages(frame, options, {
      channels: sizesFrom(options, 'channels'),
      hidden: sizesFrom(options, 'hidden'),
      kernel: sizeFrom(options, 'kernel', 1, 31),
      stride: sizeFrom(options, 'stride', 1, 8),
      isPooled: wordFrom(options, 'pooling', ['max', 'none']) === 'max',
      dropout: shareFrom(options, 'dropout'),
    }),
};

interface Stages {
  readonly channels: readonly number[];
  readonly hidden: readonly number[];
  readonly kernel: number;
  readonly stride: number;
  readonly isPooled: boolean;
  readonly dropout: number;
}

function stages(
  frame: RecipeFrame,
  options: RecipeOptions,
  { channels, hidden, kernel, stride, isPooled, dropout }: Stages,
): Model {
  const net = openLayers(frame);
  const { gain, apply } = activationFrom(options, net, ['relu', 'tanh']);
  let x = net.x;
  for (const [i, width] of channels.entries()) {
    const form: ConvForm = { channels: width, kernel, stride, gain };
    const summed = net.conv(`conv${i + 1}`, x, form);
    x = apply(isPooled ? net.maxPool(summed, 2) : summed);
  }
  x = net.flatten(x);
  for (const [i, width] of hidden.entries()) {
    const name = i === 0 ? 'dense' : `dense${i + 1}`;
    x = apply(net.dense(name, net.dropout(`drop${i + 1}`, x, dropout), width, gain));
  }
  return net.finish(net.dense('classifier', x, frame.outputs, LINEAR), 'convnet');
}
