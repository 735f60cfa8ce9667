import type { Dim } from '../model.ts';
import { contradiction, type Dims, mapDim, required, showDims, sumOf } from './dims.ts';
import { sameAsFirst } from './elementwise.ts';
import type { ShapeContext, ShapeRule } from './rule.ts';

/** `[batch, heads, length, size]` of one operand that is `[B, H, L, D]` or `[B, L, H·D]`. */
function headsOf(
  ctx: ShapeContext,
  dims: Dims | undefined,
  headsAttribute: string,
): readonly [Dim, Dim, Dim, Dim] {
  if (!dims) return [null, null, null, null];
  if (dims.length === 4) return dims as readonly [Dim, Dim, Dim, Dim];
  if (dims.length !== 3) contradiction(ctx, 'operands of rank 3 or 4', showDims(dims));
  const heads = ctx.attrs.int(headsAttribute);
  const size = mapDim(dims[2]!, (d) =>
    heads > 0 && d % heads === 0
      ? d / heads
      : contradiction(ctx, `a size divisible by ${headsAttribute} ${heads}`, showDims(dims)),
  );
  return [dims[0]!, heads, dims[1]!, size];
}

/** `Attention(Q, K, V, mask, past_key, past_value)`: Y, present key and value, and the scores. */
const attention: ShapeRule = (ctx) => {
  const [q, k, v] = [required(ctx, 0), required(ctx, 1), required(ctx, 2)];
  const [batch, heads, length, size] = headsOf(ctx, q.dims, 'q_num_heads');
  const [, kvHeads, added, keySize] = headsOf(ctx, k.dims, 'kv_num_heads');
  const [, , , valueSize] = headsOf(ctx, v.dims, 'kv_num_heads');
  if (typeof size === 'number' && typeof keySize === 'number' && size !== keySize)
    contradiction(ctx, `keys of size ${size}`, String(keySize));
  const past = ctx.inputs[4] ? (ctx.inputs[4].dims?.[2] ?? null) : 0;
  const total = sumOf([past, added]);
  const joined: Dim = typeof heads === 'number' ? mapDim(valueSize, (d) => d * heads) : null;
  const y = q.dims && (q.dims.length === 4 ? [batch, heads, length, valueSize] : [batch, length, joined]);
  return [
    { dtype: q.dtype, dims: y },
    { dtype: k.dtype, dims: [batch, kvHeads, total, keySize] },
    { dtype: v.dtype, dims: [batch, kvHeads, total, valueSize] },
    { dtype: q.dtype, dims: [batch, heads, length, total] },
  ];
};

/** Attention and position embeddings. */
export const ATTENTION: Readonly<Record<string, ShapeRule>> = {
  Attention: attention,
  RotaryEmbedding: sameAsFirst,
};
