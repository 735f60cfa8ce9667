import { activationFrom } from './activation.ts';
import { LINEAR, openLayers } from './layers.ts';
import { shareFrom, sizesFrom } from './option-text.ts';
import type { Recipe } from './recipe.ts';

/** Dense layers over flattened samples. */
export const mlp: Recipe = {
  id: 'mlp',
  use: 'tables, and samples of any shape: dense layers',
  defaults: { hidden: '128 64', activation: 'relu', dropout: 0 },
  explained: {
    hidden: 'widths of the layers before the last; hidden=none makes a linear model',
    activation: 'relu, tanh or gelu',
    dropout: 'share dropped before each layer but the first in training',
  },
  build(frame, options) {
    const dropout = shareFrom(options, 'dropout');
    const net = openLayers(frame);
    const { gain, apply } = activationFrom(options, net, ['relu', 'tanh', 'gelu']);
    let x = frame.input.length === 1 ? net.x : net.flatten(net.x);
    for (const [i, width] of sizesFrom(options, 'hidden').entries())
      x = net.dropout(`drop${i + 1}`, apply(net.dense(`dense${i + 1}`, x, width, gain)), dropout);
    return net.finish(net.dense('head', x, frame.outputs, LINEAR), 'mlp');
  },
};
