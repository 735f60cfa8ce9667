import { LINEAR, openLayers } from './layers.ts';
import type { Recipe } from './recipe.ts';

/**
 * The network of Opacus' MNIST example, which private training is compared on: an 8×8 convolution of 16 channels (stride 2, padding 3), a 4×4
 * one of 32 (stride 2), each with ReLU and overlapping 2×2 pooling, a dense layer of 32. Source: `examples/mnist.py` of pytorch/opacus.
 */
export const opacusCnn: Recipe = {
  id: 'opacus-cnn',
  use: "MNIST with privacy: the network of Opacus' example (26,010 weights at 28×28)",
  rank: 3,
  defaults: {},
  explained: {},
  build(frame) {
    const net = openLayers(frame);
    let x = net.relu(net.conv('conv1', net.x, { channels: 16, kernel: 8, stride: 2, pad: 3 }));
    x = net.maxPool(x, 2, 1);
    x = net.relu(net.conv('conv2', x, { channels: 32, kernel: 4, stride: 2, pad: 0 }));
    x = net.maxPool(x, 2, 1);
    x = net.relu(net.dense('dense', net.flatten(x), 32));
    return net.finish(net.dense('classifier', x, frame.outputs, LINEAR), 'opacus-cnn');
  },
};
