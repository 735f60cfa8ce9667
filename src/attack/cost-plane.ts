import type { ProjectionNorm } from './hyperplane-projection.ts';

/** Halvings of the search for how far all elements go together. */
const HALVINGS = 60;

/**
 * The change `δ` of `x` with `⟨w, δ⟩ ≥ gap`, `gap` above 0, and the least `norm` of `costs ⊙ δ`, within `bounds`, written to `out`; returns that
 * norm. Where no change gets there, every element moves as far as it can. Elements with `w = 0` (or NaN) stay; costs are above 0.
 *
 * As `toHyperplane` with the element's room counted in costs: it moves by `min(t/c, m)` (linf) or `min(t·|w|/c², m)` (l2) for one `t`,
 * or elements are filled in the order of `|w|/c` (l1).
 */
export function toPlaneAtCost(
  norm: ProjectionNorm,
  x: Float32Array,
  w: Float32Array,
  gap: number,
  [low, high]: readonly [number, number],
  costs: Float64Array,
  out: Float32Array,
): number {
  out.fill(0);
  const useful = Array.from(w.keys()).filter((i) => Math.abs(w[i]!) > 0 && Number.isFinite(w[i]));
  const room = (i: number) => Math.max(0, w[i]! > 0 ? high - x[i]! : x[i]! - low);
  if (norm === 'l1') {
    let left = gap;
    for (const i of useful.toSorted((a, b) => Math.abs(w[b]!) / costs[b]! - Math.abs(w[a]!) / costs[a]!)) {
      if (left <= 0) break;
      const move = Math.min(room(i), left / Math.abs(w[i]!));
      out[i] = Math.sign(w[i]!) * move;
      left -= move * Math.abs(w[i]!);
    }
  } else {
    const speed = (i: number) => (norm === 'linf' ? 1 / costs[i]! : Math.abs(w[i]!) / costs[i]! ** 2);
    const moved = (t: number) => {
      let gained = 0;
      for (const i of useful) {
        const move = Math.min(room(i), t * speed(i));
        out[i] = Math.sign(w[i]!) * move;
        gained += Math.abs(w[i]!) * move;
      }
      return gained;
    };
    let t = 1;
    for (let i = 0; i < HALVINGS && moved(t) < gap; i++) t *= 4;
    let from = 0;
    for (let i = 0; i < HALVINGS; i++) {
      const middle = (from + t) / 2;
      if (moved(middle) < gap) from = middle;
      else t = middle;
    }
    moved(t);
  }
  return costOf(norm, costs, out);
}

/** The `norm` of `costs ⊙ change`. */
export function costOf(norm: ProjectionNorm, costs: Float64Array, change: Float32Array): number {
  let total = 0;
  for (const [i, d] of change.entries()) {
    const cost = costs[i]! * Math.abs(d);
    if (norm === 'linf') total = Math.max(total, cost);
    else total += norm === 'l2' ? cost * cost : cost;
  }
  return norm === 'l2' ? Math.sqrt(total) : total;
}
