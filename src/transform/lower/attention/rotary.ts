import { GlacisError } from '../../../core/error.ts';
import type { Value } from '../../../onnx/graph-builder.ts';
import type { Ops } from '../../ops.ts';
import { defineLowering, type LowerRule } from '../rule.ts';
import { joinHeads, splitHeads } from './attend.ts';

/**
 * Rotary position embedding (Su et al. 2021) of `x [batch, heads, length, size]`: pairs of features are turned by the angles
 * whose `cos` and `sin` are `[batch or 1, 1, length, half]`; the pairs are the halves of the first `2 · half` features, or
 * neighbours where `interleaved`. Features behind stay.
 */
export function rotate(b: Ops, x: Value, cos: Value, sin: Value, interleaved: boolean): Value {
  const [batch, heads, length, size] = x.dims as readonly [number, number, number, number];
  const half = cos.dims.at(-1)!;
  if (2 * half > size)
    throw new GlacisError(
      'model/invalid',
      `rotary embedding: expected at most ${size / 2} angles, got ${half}`,
    );
  const turned = b.slice(x, 3, 0, 2 * half);
  const [p, q] = interleaved
    ? b.split(b.reshape(turned, [batch, heads, length, half, 2]), 4, [1, 1]).map((v) => b.squeeze(v, [4]))
    : b.split(turned, 3, [half, half]);
  const real = b.sub(b.mul(p!, cos), b.mul(q!, sin));
  const imaginary = b.add(b.mul(p!, sin), b.mul(q!, cos));
  const joined = interleaved
    ? b.reshape(b.concat([b.unsqueeze(real, [4]), b.unsqueeze(imaginary, [4])], 4), turned.dims)
    : b.concat([real, imaginary], 3);
  return 2 * half === size ? joined : b.concat([joined, b.slice(x, 3, 2 * half, size)], 3);
}

/** Angles `[max, half]` at `positions [batch, length]`, as `[batch, 1, length, half]`. */
export function anglesAt(b: Ops, cache: Value, positions: Value): Value {
  return b.unsqueeze(b.gather(cache, positions, 0), [1]);
}

/** Positions `[1, length]` from 0 on. */
export function fromZero(b: Ops, length: number): Value {
  return b.reshape(b.ints(Array.from({ length }, (_, i) => i)), [1, length]);
}

const standard = defineLowering({
  op: 'RotaryEmbedding',
  since: 23,
  note: 'turned pairs of features, from Mul and Add',
  lower: ({ b, attrs, inputs, input }) => {
    const x = input(0);
    const flat = x.dims.length === 3;
    const heads = flat ? splitHeads(b, x, attrs.int('num_heads')) : x;
    const positions = inputs[3];
    const angles = (i: number) => (positions ? anglesAt(b, input(i), positions) : b.unsqueeze(input(i), [1]));
    const y = rotate(b, heads, angles(1), angles(2), attrs.int('interleaved', 0) === 1);
    return [flat ? joinHeads(b, y) : y];
  },
});

/** In com.microsoft the positions are the second input, or one offset for all samples. */
const contrib = defineLowering({
  op: 'RotaryEmbedding',
  domain: 'com.microsoft',
  note: 'turned pairs of features, from Mul and Add',
  lower: ({ b, attrs, input, node }) => {
    if (attrs.int('is_packed_batching', 0) !== 0)
      throw new GlacisError(
        'model/unsupported-operator',
        `${node.name} (RotaryEmbedding): packed batches are not supported`,
      );
    const x = input(0);
    const flat = x.dims.length === 3;
    const [given, cosCache] = [input(1), input(2)];
    const named = attrs.int('num_heads', 0);
    const dim = attrs.int('rotary_embedding_dim', 0);
    if (flat && named === 0 && dim > 0)
      throw new GlacisError(
        'model/invalid',
        `${node.name} (RotaryEmbedding): expected num_heads, found none`,
      );
    const heads = flat ? splitHeads(b, x, named || x.dims[2]! / (2 * cosCache.dims[1]!)) : x;
    const steps = fromZero(b, heads.dims[2]!);
    const positions = given.dims.length === 2 ? given : b.add(steps, b.reshape(given, [1, 1]));
    const angles = (i: number) => anglesAt(b, input(i), positions);
    const y = rotate(b, heads, angles(2), angles(3), attrs.int('interleaved', 0) === 1);
    return [flat ? joinHeads(b, y) : y];
  },
});

/** `RotaryEmbedding` of ai.onnx and com.microsoft. */
export const rotary: readonly LowerRule[] = [standard, contrib];
