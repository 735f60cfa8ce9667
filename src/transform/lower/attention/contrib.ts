import { GlacisError } from '../../../core/error.ts';
import type { Value } from '../../../onnx/graph-builder.ts';
import { defineLowering, type LowerContext, type LowerRule } from '../rule.ts';
import { attend, both, causal, joinHeads, splitHeads, within } from './attend.ts';
import { anglesAt, fromZero, rotate } from './rotary.ts';

const DOMAIN = 'com.microsoft';

function unsupported({ node }: LowerContext, what: string): never {
  throw new GlacisError('model/unsupported-operator', `${node.name} (${node.op}): ${what} is not supported`);
}

/**
 * What a padding mask adds to the scores: `mask_filter_value` at each masked key. The mask is one length a sample, or 0/1 as
 * `[batch, keys]` or `[batch, queries, keys]`.
 */
function paddingBias(
  context: LowerContext,
  mask: Value | null | undefined,
  batch: number,
  keys: number,
): Value | null {
  if (!mask) return null;
  const { b, attrs } = context;
  const rank = mask.dims.length;
  const fits = rank === 1 ? mask.dims[0] === batch : mask.dims.at(-1) === keys && rank <= 3;
  if (!fits) return unsupported(context, `a mask of [${mask.dims}]`);
  const seen =
    rank === 1
      ? within(b, keys, mask)
      : b.unsqueeze(b.compare('Greater', b.cast(mask, 'int32'), 0), rank === 2 ? [1, 2] : [1]);
  const filter = attrs.float('mask_filter_value', -10000);
  return b.where(seen, b.scalar(0, 'float32'), b.scalar(filter, 'float32'));
}

const sum = ({ b }: LowerContext, x: Value | null, y: Value | null | undefined): Value | null =>
  x && y ? b.add(x, y) : (x ?? y ?? null);

/** `Attention(input, weights, bias, mask, past, attention_bias)`: the projections are part of the operator. */
const packed = defineLowering({
  op: 'Attention',
  domain: DOMAIN,
  note: 'projection and attention, from MatMul and Softmax',
  lower: (context) => {
    const { b, attrs, inputs, input } = context;
    if (attrs.int('do_rotary', 0) !== 0) return unsupported(context, 'do_rotary');
    if (attrs.int('past_present_share_buffer', 0) !== 0) return unsupported(context, 'a shared past buffer');
    const heads = attrs.int('num_heads');
    const width = input(1).dims[1]!;
    const sizes = attrs.ints('qkv_hidden_sizes', [width / 3, width / 3, width / 3]);
    const product = b.matmul(input(0), input(1));
    const projected = inputs[2] ? b.add(product, inputs[2]) : product;
    const [q, k, v] = b.split(projected, 2, sizes).map((part) => splitHeads(b, part, heads));
    const past = inputs[4] ? b.split(inputs[4], 0, [1, 1]).map((p) => b.squeeze(p, [0])) : undefined;
    const keys = past ? b.concat([past[0]!, k!], 2) : k!;
    const values = past ? b.concat([past[1]!, v!], 2) : v!;
    const total = keys.dims[2]!;
    const [batch, , queries, size] = q!.dims as readonly [number, number, number, number];
    const { y } = attend(b, {
      q: q!,
      k: keys,
      v: values,
      scale: attrs.float('scale', 0) || 1 / Math.sqrt(size),
      bias: sum(context, paddingBias(context, inputs[3], batch, total), inputs[5]),
      allowed: attrs.int('unidirectional', 0) === 1 ? causal(b, queries, total, total - queries) : null,
    });
    const present = () => b.concat([b.unsqueeze(keys, [0]), b.unsqueeze(values, [0])], 0);
    return context.outputs > 1 ? [joinHeads(b, y), present()] : [joinHeads(b, y)];
  },
});

/** `MultiHeadAttention(query, key, value, bias, key_padding_mask, attention_bias, past_key, past_value)`. */
const multiHead = defineLowering({
  op: 'MultiHeadAttention',
  domain: DOMAIN,
  note: 'attention from MatMul and Softmax',
  lower: (context) => {
    const { b, attrs, inputs, input } = context;
    if (inputs.length > 8 && inputs.slice(8).some(Boolean)) return unsupported(context, 'a cache of its own');
    const heads = attrs.int('num_heads');
    const parts = unpack(context, heads);
    let [q, k, v] = parts;
    if (inputs[3]) {
      const widths = [q, k, v].map((x) => heads * x.dims[3]!);
      const biases = b
        .split(inputs[3], 0, widths)
        .map((bias, i) => b.reshape(bias, [1, heads, 1, widths[i]! / heads]));
      // Keys and values that come as [batch, heads, …] were projected before, with their bias.
      const projected = inputs[1]?.dims.length !== 4;
      q = b.add(q, biases[0]!);
      if (projected) {
        k = b.add(k, biases[1]!);
        v = b.add(v, biases[2]!);
      }
    }
    if (inputs[6] && inputs[7]) {
      k = b.concat([inputs[6], k], 2);
      v = b.concat([inputs[7], v], 2);
    }
    const [batch, , queries, size] = q.dims as readonly [number, number, number, number];
    const total = k.dims[2]!;
    const { y, stages } = attend(b, {
      q,
      k,
      v,
      scale: attrs.float('scale', 0) || 1 / Math.sqrt(size),
      bias: sum(context, paddingBias(context, inputs[4], batch, total), inputs[5]),
      allowed: attrs.int('unidirectional', 0) === 1 ? causal(b, queries, total, total - queries) : null,
    });
    return [joinHeads(b, y), k, v, stages[0]].slice(0, context.outputs);

    function unpack(of: LowerContext, count: number): [Value, Value, Value] {
      const [query, key, value] = [input(0), inputs[1], inputs[2]];
      const take = (x: Value, axis: number, i: number) =>
        b.transpose(b.squeeze(b.slice(x, axis, i, i + 1), [axis]), [0, 2, 1, 3]);
      if (query.dims.length === 5) return [take(query, 3, 0), take(query, 3, 1), take(query, 3, 2)];
      const asked = splitHeads(b, query, count);
      if (key?.dims.length === 5) return [asked, take(key, 3, 0), take(key, 3, 1)];
      if (!key || !value) return unsupported(of, 'a query alone');
      const split = (x: Value) => (x.dims.length === 4 ? x : splitHeads(b, x, count));
      return [asked, split(key), split(value)];
    }
  },
});

/**
 * `GroupQueryAttention(query, key, value, past_key, past_value, seqlens_k, total_sequence_length, cos, sin, position_ids,
 * attention_bias)`, without a past: causal over each sample's own length.
 */
const grouped = defineLowering({
  op: 'GroupQueryAttention',
  domain: DOMAIN,
  note: 'without a past: causal attention from MatMul and Softmax',
  lower: (context) => {
    const { b, attrs, inputs, input } = context;
    if ([3, 4].some((i) => inputs[i]?.dims.every((d) => d > 0))) return unsupported(context, 'a past');
    if (inputs.slice(11).some(Boolean)) return unsupported(context, 'an attention sink');
    if (attrs.int('smooth_softmax', 0) === 1) return unsupported(context, 'smooth_softmax');
    const heads = attrs.int('num_heads');
    const kvHeads = attrs.int('kv_num_heads');
    const size = inputs[1] ? input(0).dims[2]! / heads : input(0).dims[2]! / (heads + 2 * kvHeads);
    const flat = inputs[1]
      ? [input(0), input(1), input(2)]
      : b.split(input(0), 2, [heads * size, kvHeads * size, kvHeads * size]);
    let [q, k, v] = flat.map((x, i) => splitHeads(b, x, i === 0 ? heads : kvHeads)) as [Value, Value, Value];
    const length = q.dims[2]!;
    if (attrs.int('do_rotary', 0) === 1) {
      const positions = inputs[9] ?? fromZero(b, length);
      const [cos, sin] = [anglesAt(b, input(7), positions), anglesAt(b, input(8), positions)];
      const interleaved = attrs.int('rotary_interleaved', 0) === 1;
      q = rotate(b, q, cos, sin, interleaved);
      k = rotate(b, k, cos, sin, interleaved);
    }
    const lengths = b.add(b.cast(b.reshape(input(5), [q.dims[0]!]), 'int64'), 1);
    const window = attrs.int('local_window_size', -1);
    const before = causal(b, length, length, 0);
    const near = window > 0 ? b.node('Not', [causal(b, length, length, -window)]) : null;
    const { y } = attend(b, {
      q,
      k,
      v,
      scale: attrs.float('scale', 0) || 1 / Math.sqrt(size),
      softcap: attrs.float('softcap', 0),
      bias: inputs[10] ?? null,
      allowed: both(b, both(b, before, near), within(b, length, lengths)),
    });
    return [joinHeads(b, y), k, v].slice(0, context.outputs);
  },
});

/** Attention as ONNX Runtime's optimiser fuses it. */
export const contribAttention: readonly LowerRule[] = [grouped, multiHead, packed];
