import { GlacisError } from '../../core/error.ts';
import type { Value } from '../../onnx/graph-builder.ts';
import { type Layers, LINEAR, openLayers, RECTIFIED } from './layers.ts';
import { shareFrom, sizeFrom, wordFrom } from './option-text.ts';
import type { Recipe } from './recipe.ts';

/** Variance of the learned positions: a standard deviation of 0.02 (Dosovitskiy et al. 2021). */
const POSITION = 0.02 ** 2;

/**
 * A small vision transformer (Dosovitskiy et al. 2021) with pre-norm blocks. The class token is the row of zeros that padding puts in front of the
 * patches plus its own learned position: the same function as a learned token with a position, with one array less.
 */
export const vit: Recipe = {
  id: 'vit',
  use: 'pictures: a small vision transformer over patches',
  rank: 3,
  defaults: { patch: 4, width: 64, depth: 4, heads: 4, mlp: 2, pool: 'token', dropout: 0 },
  explained: {
    patch: 'side of a patch; divides height and width',
    width: 'features of a token; a multiple of heads',
    depth: 'blocks of attention and dense layers',
    heads: 'heads of attention',
    mlp: 'width of the dense layers in a block, as a multiple of width',
    pool: 'token: the answer is read from a class token; mean: from the mean of the patches',
    dropout: 'share dropped after each part of a block in training',
  },
  build(frame, options) {
    const patch = sizeFrom(options, 'patch', 1, 256);
    const heads = sizeFrom(options, 'heads', 1, 64);
    const width = sizeFrom(options, 'width', 1, 4096);
    const pool = wordFrom(options, 'pool', ['token', 'mean']);
    const dropout = shareFrom(options, 'dropout');
    const [, height = 1, breadth = 1] = frame.input;
    if (height % patch !== 0 || breadth % patch !== 0)
      throw new GlacisError(
        'option/invalid',
        `vit: expected a patch that divides ${height}×${breadth}, got ${patch}`,
      );
    if (width % heads !== 0)
      throw new GlacisError(
        'option/invalid',
        `vit: expected a width that is a multiple of ${heads} heads, got ${width}`,
      );
    const net = openLayers(frame);
    const { b } = net;
    const form = { channels: width, kernel: patch, stride: patch, pad: 0, gain: LINEAR };
    const patches = net.conv('patches', net.x, form);
    const flat = b.transpose(net.reshape(patches, [0, width, -1]), [0, 2, 1]);
    const tokens = pool === 'token' ? b.pad(flat, [0, 1, 0], [0, 0, 0]) : flat;
    let x = b.add(tokens, net.weight('positions', [1, tokens.dims[1]!, width], POSITION));
    for (let i = 1; i <= sizeFrom(options, 'depth', 1, 64); i++) {
      const name = `block${i}`;
      const attended = attention(net, `${name}.attention`, net.layerNorm(`${name}.norm1`, x), heads);
      x = b.add(x, net.dropout(`${name}.drop1`, attended, dropout));
      const wide = sizeFrom(options, 'mlp', 1, 16) * width;
      const inner = net.project(`${name}.dense1`, net.layerNorm(`${name}.norm2`, x), wide, RECTIFIED);
      const outer = net.project(`${name}.dense2`, b.unary('Gelu', inner), width);
      x = b.add(x, net.dropout(`${name}.drop2`, outer, dropout));
    }
    const last = net.layerNorm('norm', x);
    const read = pool === 'token' ? net.reshape(b.slice(last, 1, 0, 1), [0, width]) : b.mean(last, [1]);
    return net.finish(net.dense('classifier', read, frame.outputs, LINEAR), 'vit');
  },
};

/** Self-attention of several heads over `[B, N, D]`: `softmax(Q Kᵀ / √d) V`, then a projection. */
function attention(net: Layers, name: string, x: Value, heads: number): Value {
  const { b } = net;
  const [, tokens, width] = x.dims as [number, number, number];
  const each = width / heads;
  const all = net.reshape(net.project(`${name}.qkv`, x, 3 * width), [0, tokens, 3 * heads, each]);
  const [q, k, v] = b.split(b.transpose(all, [0, 2, 1, 3]), 1, [heads, heads, heads]) as [
    Value,
    Value,
    Value,
  ];
  const scores = b.mul(b.matmul(q, b.transpose(k, [0, 1, 3, 2])), 1 / Math.sqrt(each));
  const mixed = b.matmul(b.node('Softmax', [scores], { axis: -1 }), v);
  return net.project(`${name}.out`, net.reshape(b.transpose(mixed, [0, 2, 1, 3]), [0, tokens, width]), width);
}
