import type { Norm } from '../threat/norm.ts';

/** Norms in which {@link toHyperplane} is exact. */
export type ProjectionNorm = Exclude<Norm, 'l0'>;

/**
 * The smallest change `δ` (in `norm`) with `⟨w, δ⟩ = gap` and `x + δ` within `bounds`, written to `out`; returns its size. Where no
 * such change exists, every element moves as far towards the plane as the bounds allow. Elements with `w = 0` (or NaN) stay.
 *
 * With `m_i` the room that element `i` has in its useful direction, the optimum moves it by `min(t, m_i)` (linf) or
 * `min(t·|w_i|, m_i)` (l2) for one `t`, or fills elements in the order of `|w_i|` (l1): the box-constrained projections of Croce & Hein
 * 2020. Cost: linf and l2 a few passes over the elements (Newton's method on a concave, piecewise linear function of `t`: it
 * approaches from below and ends at the exact piece), l1 one pass and a heap step for each element that moves.
 */
export function toHyperplane(
  norm: ProjectionNorm,
  x: Float32Array,
  w: Float32Array,
  gap: number,
  bounds: readonly [number, number],
  out: Float32Array,
): number {
  out.fill(0);
  if (gap === 0 || !Number.isFinite(gap)) return 0;
  return norm === 'l1' ? fillGreedily(x, w, gap, bounds, out) : moveTogether(norm, x, w, gap, bounds, out);
}

/** Length of the shortest way to the plane `⟨w, δ⟩ = gap` without bounds: `|gap|` over `w`'s dual norm; infinite for `w = 0`. */
export function distanceToHyperplane(norm: ProjectionNorm, w: Float32Array, gap: number): number {
  let dual = 0;
  for (const v of w) {
    const size = Math.abs(v);
    if (norm === 'linf') dual += size;
    else if (norm === 'l2') dual += size * size;
    else if (size > dual) dual = size;
  }
  if (norm === 'l2') dual = Math.sqrt(dual);
  return dual > 0 ? Math.abs(gap) / dual : Number.POSITIVE_INFINITY;
}

function moveTogether(
  norm: 'linf' | 'l2',
  x: Float32Array,
  w: Float32Array,
  gap: number,
  [low, high]: readonly [number, number],
  out: Float32Array,
): number {
  const side = Math.sign(gap);
  const needed = Math.abs(gap);
  // Σ |w_i| · min(t·c_i, m_i) = needed, with c_i = 1 (linf) or |w_i| (l2).
  let t = 0;
  for (;;) {
    let slope = 0;
    let filled = 0;
    for (let i = 0; i < w.length; i++) {
      const v = w[i]! * side;
      if (!(Math.abs(v) > 0)) continue;
      const room = v > 0 ? high - x[i]! : x[i]! - low;
      if (!(room > 0)) continue;
      const size = Math.abs(v);
      const rate = norm === 'linf' ? 1 : size;
      if (t * rate < room) slope += size * rate;
      else filled += size * room;
    }
    const next = slope > 0 ? (needed - filled) / slope : Number.POSITIVE_INFINITY;
    if (!(next > t)) break;
    t = next;
    if (t === Number.POSITIVE_INFINITY) break;
  }
  let total = 0;
  for (let i = 0; i < w.length; i++) {
    const v = w[i]! * side;
    if (!(Math.abs(v) > 0)) continue;
    const room = v > 0 ? high - x[i]! : x[i]! - low;
    if (!(room > 0)) continue;
    const move = Math.min(room, norm === 'linf' ? t : t * Math.abs(v));
    out[i] = v > 0 ? move : -move;
    if (norm === 'l2') total += move * move;
    else if (move > total) total = move;
  }
  return norm === 'l2' ? Math.sqrt(total) : total;
}

function fillGreedily(
  x: Float32Array,
  w: Float32Array,
  gap: number,
  [low, high]: readonly [number, number],
  out: Float32Array,
): number {
  const side = Math.sign(gap);
  const heap = heapOf(w);
  let left = Math.abs(gap);
  let total = 0;
  for (let size = heap.length; size > 0 && left > 0; ) {
    const i = heap[0]!;
    heap[0] = heap[--size]!;
    sift(heap, w, 0, size);
    const v = w[i]! * side;
    const room = v > 0 ? high - x[i]! : x[i]! - low;
    if (!(room > 0)) continue;
    const move = Math.min(room, left / Math.abs(v));
    out[i] = v > 0 ? move : -move;
    left -= move * Math.abs(v);
    total += move;
  }
  return total;
}

/** Indices of the elements that are not zero, as a binary heap with the largest `|w|` in front; of equal ones the first. */
function heapOf(w: Float32Array): Int32Array {
  const heap = new Int32Array(w.length);
  let size = 0;
  for (let i = 0; i < w.length; i++) if (Math.abs(w[i]!) > 0) heap[size++] = i;
  for (let at = (size >> 1) - 1; at >= 0; at--) sift(heap, w, at, size);
  return heap.subarray(0, size);
}

function sift(heap: Int32Array, w: Float32Array, from: number, size: number): void {
  const moved = heap[from]!;
  let at = from;
  for (;;) {
    let child = 2 * at + 1;
    if (child >= size) break;
    if (child + 1 < size && isBefore(w, heap[child + 1]!, heap[child]!)) child++;
    if (!isBefore(w, heap[child]!, moved)) break;
    heap[at] = heap[child]!;
    at = child;
  }
  heap[at] = moved;
}

function isBefore(w: Float32Array, a: number, b: number): boolean {
  const [one, other] = [Math.abs(w[a]!), Math.abs(w[b]!)];
  return one > other || (one === other && a < b);
}
