import type { Norm } from '../threat/norm.ts';

/** Norms in which {@link toHyperplane} is exact. */
export type ProjectionNorm = Exclude<Norm, 'l0'>;

/** What {@link toHyperplane} works in: of the elements that may move, where they are, their `|w|` and their room. */
export interface ProjectionMemory {
  readonly places: Int32Array;
  readonly sizes: Float64Array;
  readonly rooms: Float64Array;
}

/** Memory for points of `size` elements, for whoever projects many times. */
export function projectionMemory(size: number): ProjectionMemory {
  return { places: new Int32Array(size), sizes: new Float64Array(size), rooms: new Float64Array(size) };
}

/** Which way an element goes by the sign's bit of its `w`, towards a gap above 0 and below. */
const UP = Float64Array.of(1, -1);
const DOWN = Float64Array.of(-1, 1);

/**
 * The smallest change `δ` (in `norm`) with `⟨w, δ⟩ = gap` and `x + δ` within `bounds`, written to `out`; returns its size. Where no
 * such change exists, every element moves as far towards the plane as the bounds allow. Elements with `w = 0` (or NaN) stay.
 *
 * With `m_i` the room that element `i` has in its useful direction, the optimum moves it by `min(t, m_i)` (linf) or
 * `min(t·|w_i|, m_i)` (l2) for one `t`, or fills elements in the order of `|w_i|` (l1): the box-constrained projections of Croce & Hein
 * 2020. `memory` of the points' size is used again where one is given. Cost: linf and l2 a few passes over the elements that may move (Newton's
 * method on a concave, piecewise linear function of `t`: it approaches from below and ends at the exact piece), l1 one pass and a heap step
 * for each element that moves.
 */
export function toHyperplane(
  norm: ProjectionNorm,
  x: Float32Array,
  w: Float32Array,
  gap: number,
  bounds: readonly [number, number],
  out: Float32Array,
  memory: ProjectionMemory = projectionMemory(x.length),
): number {
  out.fill(0);
  if (gap === 0 || !Number.isFinite(gap)) return 0;
  return norm === 'l1'
    ? fillGreedily(x, w, gap, bounds, out)
    : moveTogether(norm, x, w, gap, bounds, out, memory);
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
  bounds: readonly [number, number],
  out: Float32Array,
  { places, sizes, rooms }: ProjectionMemory,
): number {
  const isLinf = norm === 'linf';
  const needed = Math.abs(gap);
  const signs = gap > 0 ? UP : DOWN;
  const ends = gap > 0 ? [bounds[1], bounds[0]] : [bounds[0], bounds[1]];
  const bits = new Int32Array(w.buffer, w.byteOffset, w.length);
  // Which way an element goes is as good as random: looked up by its sign's bit, nothing is mispredicted.
  let free = 0;
  for (let i = 0; i < w.length; i++) {
    const way = bits[i]! >>> 31;
    const room = (ends[way]! - x[i]!) * signs[way]!;
    const size = Math.abs(w[i]!);
    places[free] = i;
    sizes[free] = size;
    rooms[free] = room;
    free += Number(room > 0) & Number(size > 0);
  }
  // Σ |w_i| · min(t·c_i, m_i) = needed, with c_i = 1 (linf) or |w_i| (l2); as t only grows, who is out of room is so for good.
  let t = 0;
  let filled = 0;
  let total = 0;
  while (free > 0) {
    let slope = 0;
    for (let k = 0; k < free; k++) slope += isLinf ? sizes[k]! : sizes[k]! * sizes[k]!;
    const next = (needed - filled) / slope;
    if (!(next > t)) break;
    t = next;
    let kept = 0;
    for (let k = 0; k < free; k++) {
      const i = places[k]!;
      const size = sizes[k]!;
      const room = rooms[k]!;
      if ((isLinf ? t : t * size) < room) {
        places[kept] = i;
        sizes[kept] = size;
        rooms[kept] = room;
        kept++;
        continue;
      }
      filled += size * room;
      out[i] = room * signs[bits[i]! >>> 31]!;
      total = isLinf ? Math.max(total, room) : total + room * room;
    }
    if (kept === free) break;
    free = kept;
  }
  for (let k = 0; k < free; k++) {
    const i = places[k]!;
    const move = isLinf ? t : t * sizes[k]!;
    out[i] = move * signs[bits[i]! >>> 31]!;
    total = isLinf ? Math.max(total, move) : total + move * move;
  }
  return isLinf ? total : Math.sqrt(total);
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
