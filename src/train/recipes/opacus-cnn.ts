import { activationFrom } from './activation.ts';
import { LINEAR, openLayers } from './layers.ts';
import type { Recipe } from './recipe.ts';

/**
 * The network of Opacus' MNIST example, which private training is compared on: an 8×8 convolution of 16 channels (stride 2, padding 3), a 4×4
 * one of 32 (stride 2), each with ReLU and overlapping 2×2 pooling, a dense layer of 32. Source: `examples/mnist.py` of pytorch/opacus.
 *
 * With tanh in place of ReLU, activations and with them gradients stay bounded, so that clipping takes less away from them (Papernot et al.
 * 2021, "Tempered Sigmoid Activations for Deep Learning with Differential Privacy").
 */
export const opacusCnn: Recipe = {
  id: 'opacus-cnn',
  use: "MNIST with privacy: the network of Opacus' example (26,010 weights at 28×28)",
  rank: 3,
  defaults: { activation: 'relu' },
  explained: { activation: 'relu as published, or tanh, which loses less to clipping' },
  build(frame, options) {
    const net = openLayers(frame);
    const { gain, apply } = activationFrom(options, net, ['relu', 'tanh']);
    let x = apply(net.conv('conv1', net.x, { channels: 16, kernel: 8, stride: 2, pad: 3, gain }));
    x = net.maxPool(x, 2, 1);
    x = apply(net.conv('conv2', x, { channels: 32, kernel: 4, stride: 2, pad: 0, gain }));
    x = net.maxPool(x, 2, 1);
    x = apply(net.dense('dense', net.flatten(x), 32, gain));
    return net.finish(net.dense('classifier', x, frame.outputs, LINEAR), 'opacus-cnn');
  },
};
