import type { Ball } from '../threat/norm.ts';

/** Moves `x` onto the ball around `x0` and into the bounds, in place: linf and l2 by clipping and scaling, l1 by soft thresholding, l0 by its largest changes. */
export function projectOnto(ball: Ball, x: Float32Array, x0: Float32Array): void {
  const { norm, eps } = ball;
  const [low, high] = ball.bounds;
  if (norm === 'linf') {
    for (let i = 0; i < x.length; i++) {
      const c = x0[i]!;
      const v = Math.min(Math.max(x[i]!, c - eps), c + eps);
      x[i] = Math.min(high, Math.max(low, v));
    }
    return;
  }
  if (norm === 'l2') {
    let total = 0;
    for (let i = 0; i < x.length; i++) total += (x[i]! - x0[i]!) ** 2;
    const length = Math.sqrt(total);
    const scale = length > eps ? eps / length : 1;
    for (let i = 0; i < x.length; i++)
      x[i] = Math.min(high, Math.max(low, x0[i]! + (x[i]! - x0[i]!) * scale));
    return;
  }
  if (norm === 'l1') {
    const theta = softThreshold(x, x0, eps);
    for (let i = 0; i < x.length; i++) {
      const d = x[i]! - x0[i]!;
      const kept = Math.sign(d) * Math.max(0, Math.abs(d) - theta);
      x[i] = Math.min(high, Math.max(low, x0[i]! + kept));
    }
    return;
  }
  // Bounds first: a place among the largest is lost on a change that they take back.
  for (let i = 0; i < x.length; i++) x[i] = Math.min(high, Math.max(low, x[i]!));
  keepLargest(x, x0, Math.floor(eps));
}

/** How wide the bounds are, for lengths that are published for inputs between 0 and 1; 1 where there are none. */
export function widthOf([low, high]: Ball['bounds']): number {
  return Number.isFinite(high - low) ? high - low : 1;
}

/** By how much the changes must shrink to lie in the L1 ball (Duchi et al. 2008); 0 inside it. */
function softThreshold(x: Float32Array, x0: Float32Array, eps: number): number {
  const sizes = Float64Array.from(x, (v, i) => Math.abs(v - x0[i]!));
  let total = 0;
  for (const s of sizes) total += s;
  if (total <= eps) return 0;
  sizes.sort();
  let sum = 0;
  let theta = 0;
  for (let rank = 1; rank <= sizes.length; rank++) {
    const s = sizes[sizes.length - rank]!;
    sum += s;
    const candidate = (sum - eps) / rank;
    if (s < candidate) break;
    theta = candidate;
  }
  return theta;
}

/** Undoes all but the `count` largest changes; of equal ones the first stay. */
function keepLargest(x: Float32Array, x0: Float32Array, count: number): void {
  const order = Array.from(x, (_, i) => i).filter((i) => x[i] !== x0[i]);
  if (order.length <= count) return;
  order.sort((a, b) => Math.abs(x[b]! - x0[b]!) - Math.abs(x[a]! - x0[a]!) || a - b);
  for (const i of order.slice(count)) x[i] = x0[i]!;
}

/** The direction of steepest ascent of length 1 in the ball's norm, written to `out`: signs, or the gradient at unit length. A NaN counts as 0. */
export function steepest(norm: 'linf' | 'l2', gradient: Float32Array, out: Float32Array): void {
  if (norm === 'linf') {
    for (let i = 0; i < out.length; i++) out[i] = Math.sign(gradient[i]!) || 0;
    return;
  }
  // Divided by the largest element first, so that no square over- or underflows.
  let largest = 0;
  for (const g of gradient) {
    const size = Math.min(Math.abs(g), 1e38);
    if (size > largest) largest = size;
  }
  if (largest === 0) {
    out.fill(0);
    return;
  }
  let total = 0;
  for (let i = 0; i < out.length; i++) {
    const g = gradient[i]!;
    const s = Number.isNaN(g) ? 0 : Math.max(-1e38, Math.min(1e38, g)) / largest;
    out[i] = s;
    total += s * s;
  }
  const scale = 1 / Math.sqrt(total);
  for (let i = 0; i < out.length; i++) out[i]! *= scale;
}
