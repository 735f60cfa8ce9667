import { LINEAR, openLayers } from './layers.ts';
import { shareFrom, sizeFrom, wordFrom } from './option-text.ts';
import type { Recipe } from './recipe.ts';

/**
 * A recurrent classifier of sequences `[T, F]` (GRU, Cho et al. 2014): ONNX's own operator, reset after the product as cuDNN has it. The answer is
 * read from the state after the last step (both last states with `direction=both`). Weights are uniform in ±1/√hidden, biases 0.
 */
export const gru: Recipe = {
  id: 'gru',
  use: 'sequences [time, features]: a recurrent network',
  rank: 2,
  defaults: { hidden: 64, layers: 1, direction: 'forward', dropout: 0 },
  explained: {
    hidden: 'size of the state',
    layers: 'recurrent layers, one above the other',
    direction: 'forward, or both',
    dropout: 'share dropped before the last layer in training',
  },
  build(frame, options) {
    const hidden = sizeFrom(options, 'hidden', 1, 4096);
    const layers = sizeFrom(options, 'layers', 1, 16);
    const isBoth = wordFrom(options, 'direction', ['forward', 'both']) === 'both';
    const dropout = shareFrom(options, 'dropout');
    const net = openLayers(frame);
    const { b } = net;
    const ways = isBoth ? 2 : 1;
    const variance = 1 / (3 * hidden);
    // The operator has time in front.
    let x = b.transpose(net.x, [1, 0, 2]);
    let state = x;
    for (let i = 1; i <= layers; i++) {
      const name = `gru${i}`;
      const [all, last] = b.nodes(
        'GRU',
        [
          x,
          net.weight(`${name}.W`, [ways, 3 * hidden, x.dims[2]!], variance),
          net.weight(`${name}.R`, [ways, 3 * hidden, hidden], variance),
          net.filled(`${name}.B`, [ways, 6 * hidden], 0),
        ],
        {
          hidden_size: hidden,
          linear_before_reset: 1,
          ...(isBoth ? { direction: 'bidirectional' } : {}),
        },
        { outputs: 2, name },
      );
      // [T, ways, B, H] → [T, B, ways · H]
      x = net.reshape(b.transpose(all!, [0, 2, 1, 3]), [0, 0, ways * hidden]);
      state = last!;
    }
    const read = net.reshape(b.transpose(state, [1, 0, 2]), [0, ways * hidden]);
    return net.finish(net.dense('head', net.dropout('drop', read, dropout), frame.outputs, LINEAR), 'gru');
  },
};
