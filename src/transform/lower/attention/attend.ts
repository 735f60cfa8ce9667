import { GlacisError } from '../../../core/error.ts';
import type { Value } from '../../../onnx/graph-builder.ts';
import type { Ops } from '../../ops.ts';

/** Scaled dot-product attention over heads. */
export interface Attending {
  /** `[batch, heads, queries, size]`. */
  readonly q: Value;
  /** `[batch, kvHeads, keys, size]`; `heads` is a multiple of `kvHeads`. */
  readonly k: Value;
  /** `[batch, kvHeads, keys, valueSize]`. */
  readonly v: Value;
  readonly scale: number;
  /** `c · tanh(scores / c)`; 0 for none. */
  readonly softcap?: number;
  /** Added to the scores; broadcastable to `[batch, heads, queries, keys]`. */
  readonly bias?: Value | null;
  /** Bool, broadcastable likewise: which keys a query may see. A query that sees none gives zeros. */
  readonly allowed?: Value | null;
}

/** What attention gives: `y [batch, heads, queries, valueSize]` and its scores at each stage. */
export interface Attended {
  readonly y: Value;
  /** Raw scores, after the softcap, after bias and mask, and after the softmax. */
  readonly stages: readonly [Value, Value, Value, Value];
}

/** Masked scores: far below all others, yet finite, so that no row is NaN. */
const MASKED = -3e38;

/** `softmax(cap(q kᵀ · scale) + bias) v`. Heads of keys and values serve `heads / kvHeads` query heads in a row each. */
export function attend(b: Ops, { q, k, v, scale, softcap = 0, bias, allowed }: Attending): Attended {
  const heads = q.dims[1]!;
  const raw = b.matmul(b.mul(q, scale), b.transpose(repeatHeads(b, k, heads), [0, 1, 3, 2]));
  const capped = softcap > 0 ? b.mul(b.unary('Tanh', b.div(raw, softcap)), softcap) : raw;
  const biased = bias ? b.add(capped, bias) : capped;
  const masked = allowed ? b.where(allowed, biased, MASKED) : biased;
  const softened = b.node('Softmax', [masked], { axis: -1 });
  const weights = allowed ? b.where(allowed, softened, 0) : softened;
  return { y: b.matmul(weights, repeatHeads(b, v, heads)), stages: [raw, capped, masked, weights] };
}

/** `[batch, kvHeads, …]` with every head as often in a row as gives `heads`. */
export function repeatHeads(b: Ops, x: Value, heads: number): Value {
  const [batch, kvHeads, length, size] = x.dims as readonly [number, number, number, number];
  if (heads === kvHeads) return x;
  if (heads % kvHeads !== 0)
    throw new GlacisError(
      'model/invalid',
      `attention: expected query heads to be a multiple of ${kvHeads} key heads, got ${heads}`,
    );
  const wide = b.expand(b.unsqueeze(x, [2]), [batch, kvHeads, heads / kvHeads, length, size]);
  return b.reshape(wide, [batch, heads, length, size]);
}

/** `[batch, length, heads · size]` as `[batch, heads, length, size]`. */
export function splitHeads(b: Ops, x: Value, heads: number): Value {
  const [batch, length, width] = x.dims as readonly [number, number, number];
  if (heads <= 0 || width % heads !== 0)
    throw new GlacisError(
      'model/invalid',
      `attention: expected a width that ${heads} heads divide, got ${width}`,
    );
  return b.transpose(b.reshape(x, [batch, length, heads, width / heads]), [0, 2, 1, 3]);
}

/** The inverse of {@link splitHeads}. */
export function joinHeads(b: Ops, x: Value): Value {
  const [batch, heads, length, size] = x.dims as readonly [number, number, number, number];
  return b.reshape(b.transpose(x, [0, 2, 1, 3]), [batch, length, heads * size]);
}

/** Bool `[1, 1, queries, keys]` (or `[batch, 1, …]` for a per-sample offset): query `i` sees keys up to `i + offset`. */
export function causal(b: Ops, queries: number, keys: number, offset: Value | number): Value {
  const rows = b.reshape(b.ints(Array.from({ length: queries }, (_, i) => i)), [1, 1, queries, 1]);
  const shifted =
    typeof offset === 'number'
      ? b.add(rows, offset)
      : b.add(rows, b.reshape(b.cast(offset, 'int64'), [offset.dims[0]!, 1, 1, 1]));
  return b.compare('LessOrEqual', positions(b, keys), shifted);
}

/** Bool `[batch, 1, 1, keys]`: which keys lie before each sample's length. */
export function within(b: Ops, keys: number, lengths: Value): Value {
  return b.compare(
    'Less',
    positions(b, keys),
    b.reshape(b.cast(lengths, 'int64'), [lengths.dims[0]!, 1, 1, 1]),
  );
}

const positions = (b: Ops, n: number): Value =>
  b.reshape(b.ints(Array.from({ length: n }, (_, j) => j)), [1, 1, 1, n]);

/** Both masks; either may be absent. */
export function both(b: Ops, x: Value | null, y: Value | null): Value | null {
  return x && y ? b.node('And', [x, y]) : (x ?? y);
}
