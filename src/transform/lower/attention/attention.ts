import { GlacisError } from '../../../core/error.ts';
import type { Value } from '../../../onnx/graph-builder.ts';
import { defineLowering, type LowerContext } from '../rule.ts';
import { attend, both, causal, joinHeads, splitHeads, within } from './attend.ts';

/** The mask as what is added and what is allowed, both over all keys: a shorter one forbids the keys behind it. */
function maskOf({ b, inputs }: LowerContext, keys: number): { bias: Value | null; allowed: Value | null } {
  const mask = inputs[3];
  if (!mask) return { bias: null, allowed: null };
  const missing = keys - (mask.dims.at(-1) === 1 ? keys : mask.dims.at(-1)!);
  const none = mask.dims.map(() => 0);
  const after = mask.dims.map((_, i) => (i === mask.dims.length - 1 ? missing : 0));
  const seen = Array.from({ length: keys }, (_, j) => (j < keys - missing ? 1 : 0));
  const inside = missing > 0 ? b.cast(b.ints(seen), 'bool') : null;
  if (mask.dtype !== 'bool') return { bias: b.pad(mask, none, after), allowed: inside };
  const padded = missing > 0 ? b.cast(b.pad(b.cast(mask, 'int32'), none, after), 'bool') : mask;
  return { bias: null, allowed: padded };
}

/** `Attention` of ai.onnx: queries, keys and values `[B, L, heads · size]` or `[B, heads, L, size]`. */
export const attention = defineLowering({
  op: 'Attention',
  since: 23,
  note: 'softmax(softcap(q kᵀ · scale) + mask) v, from MatMul and Softmax',
  lower: (context) => {
    const { b, attrs, inputs, input, node } = context;
    for (const name of ['left_window_size', 'right_window_size']) {
      if (attrs.int(name, -1) !== -1)
        throw new GlacisError(
          'model/unsupported-operator',
          `${node.name} (Attention): ${name} is not supported; give the window as a mask`,
        );
    }
    const flat = input(0).dims.length === 3;
    const heads = (i: number, name: string) => (flat ? splitHeads(b, input(i), attrs.int(name)) : input(i));
    const q = heads(0, 'q_num_heads');
    const grown = (i: number, past: Value | null | undefined) => {
      const added = heads(i, 'kv_num_heads');
      return past ? b.concat([past, added], 2) : added;
    };
    const k = grown(1, inputs[4]);
    const v = grown(2, inputs[5]);
    const [queries, keys] = [q.dims[2]!, k.dims[2]!];
    const { bias, allowed } = maskOf(context, keys);
    const lengths = inputs[6] ?? null;
    const past = inputs[4]?.dims[2] ?? 0;
    const offset = lengths ? b.sub(b.cast(lengths, 'int64'), queries) : past;
    const mask = both(
      b,
      both(b, allowed, lengths && within(b, keys, lengths)),
      attrs.int('is_causal', 0) === 1 ? causal(b, queries, keys, offset) : null,
    );
    const { y, stages } = attend(b, {
      q,
      k,
      v,
      scale: attrs.float('scale', 1 / Math.sqrt(q.dims[3]!)),
      softcap: attrs.float('softcap', 0),
      bias,
      allowed: mask,
    });
    const stage = stages[attrs.int('qk_matmul_output_mode', 0)];
    return [flat ? joinHeads(b, y) : y, k, v, stage ?? null].slice(0, context.outputs);
  },
});
