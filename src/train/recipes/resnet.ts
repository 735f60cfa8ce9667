import { GlacisError } from '../../core/error.ts';
import type { Value } from '../../onnx/graph-builder.ts';
import { type Layers, LINEAR, openLayers } from './layers.ts';
import { sizeFrom, wordFrom } from './option-text.ts';
import type { Recipe } from './recipe.ts';

/** Normalises the channels of a map. */
type Norm = (name: string, x: Value) => Value;

/**
 * The residual network for CIFAR (He et al. 2016, section 4.2): 6n + 2 layers in three stages of n blocks, whose maps halve and whose channels
 * double from stage to stage. Where they do, the shortcut is a normalised 1×1 convolution (the paper's form B), not padding.
 */
export const resnet: Recipe = {
  id: 'resnet',
  use: 'pictures of 32×32 such as CIFAR: a residual network of 6n + 2 layers',
  rank: 3,
  defaults: { depth: 20, width: 16, norm: 'batch', groups: 8 },
  explained: {
    depth: 'layers: 8, 14, 20, 26, 32, …',
    width: 'channels of the first stage',
    norm: 'batch, or group: no statistics of batches, which private training needs',
    groups: 'groups of channels with norm=group',
  },
  build(frame, options) {
    const depth = sizeFrom(options, 'depth', 8, 1202);
    const width = sizeFrom(options, 'width', 1, 1024);
    const kind = wordFrom(options, 'norm', ['batch', 'group']);
    const groups = sizeFrom(options, 'groups', 1, 1024);
    if ((depth - 2) % 6 !== 0)
      throw new GlacisError(
        'option/invalid',
        `resnet: expected a depth of 6n + 2 (8, 14, 20, …), got ${depth}`,
      );
    const net = openLayers(frame);
    const norm: Norm = (name, v) =>
      kind === 'batch' ? net.batchNorm(name, v) : net.groupNorm(name, v, groups);
    let x = net.conv('stem', net.x, { channels: width, kernel: 3, bias: false });
    x = net.relu(norm('stem.norm', x));
    for (let stage = 0; stage < 3; stage++)
      for (let block = 0; block < (depth - 2) / 6; block++) {
        const stride = stage > 0 && block === 0 ? 2 : 1;
        x = residual(net, norm, `stage${stage + 1}.block${block + 1}`, x, width * 2 ** stage, stride);
      }
    const pooled = net.flatten(net.b.node('GlobalAveragePool', [x]));
    return net.finish(net.dense('classifier', pooled, frame.outputs, LINEAR), `resnet-${depth}`);
  },
};

/** Two convolutions beside a shortcut. */
function residual(net: Layers, norm: Norm, name: string, x: Value, channels: number, stride: number): Value {
  const conv = (of: string, v: Value, kernel: number, step: number) =>
    norm(`${of}.norm`, net.conv(of, v, { channels, kernel, stride: step, bias: false }));
  const first = net.relu(conv(`${name}.conv1`, x, 3, stride));
  const second = conv(`${name}.conv2`, first, 3, 1);
  const shortcut = x.dims[1] === channels && stride === 1 ? x : conv(`${name}.shortcut`, x, 1, stride);
  return net.relu(net.b.add(second, shortcut));
}
