import { LINEAR, openLayers } from './layers.ts';
import { shareFrom } from './option-text.ts';
import type { Recipe } from './recipe.ts';

/**
 * The network of TRADES for MNIST (Zhang et al. 2019): two convolutions of 32 channels, pooling, two of 64, pooling, dense layers of 200 and
 * 200. Takes raw pixels, as published. There the last layer starts at 0; here it is drawn, so that an inner attack has a slope from the
 * first step on.
 */
export const smallCnn: Recipe = {
  id: 'small-cnn',
  use: "MNIST: the network of TRADES' experiments (312,202 weights at 28×28)",
  rank: 3,
  isCentred: false,
  defaults: { dropout: 0.5 },
  explained: { dropout: 'share dropped between the dense layers in training; 0.5 as published' },
  build(frame, options) {
    const dropout = shareFrom(options, 'dropout');
    const net = openLayers(frame, false);
    let { x } = net;
    for (const [i, channels] of [32, 32, 64, 64].entries()) {
      x = net.relu(net.conv(`conv${i + 1}`, x, { channels, kernel: 3, pad: 0 }));
      if (i % 2 === 1) x = net.maxPool(x, 2);
    }
    x = net.relu(net.dense('dense1', net.flatten(x), 200));
    x = net.relu(net.dense('dense2', net.dropout('drop', x, dropout), 200));
    return net.finish(net.dense('classifier', x, frame.outputs, LINEAR), 'small-cnn');
  },
};
