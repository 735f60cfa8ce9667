import type { Ball } from '../../threat/norm.ts';

/**
 * One step of Auto-PGD with momentum, in place: with `z = P(x + η·s)`, `s` the direction of steepest ascent, the next point is
 * `P(x + a·(z − x) + (1 − a)·(x − before))`; `P` projects onto ball and bounds, `before` becomes the old `x`. Elements of the gradient
 * that are not a number count as zero.
 */
export type ApgdStep = (
  x: Float32Array,
  before: Float32Array,
  gradient: Float32Array,
  stepSize: number,
  a: number,
) => void;

/** The step in the Linf or L2 ball around `x0`. */
export function apgdStepFor({ norm, eps, bounds }: Ball, x0: Float32Array): ApgdStep {
  return norm === 'linf' ? signStep(x0, eps, bounds) : lengthStep(x0, eps, bounds);
}

function signStep(x0: Float32Array, eps: number, [low, high]: Ball['bounds']): ApgdStep {
  return (x, before, gradient, stepSize, a) => {
    for (let i = 0; i < x.length; i++) {
      const c = x0[i]!;
      const least = c - eps > low ? c - eps : low;
      const most = c + eps < high ? c + eps : high;
      const v = x[i]!;
      const g = gradient[i]!;
      const z = g > 0 ? v + stepSize : g < 0 ? v - stepSize : v;
      const inside = z < least ? least : z > most ? most : z;
      const next = v + a * (inside - v) + (1 - a) * (v - before[i]!);
      before[i] = v;
      x[i] = next < least ? least : next > most ? most : next;
    }
  };
}

/** The largest number that the gradient's elements are cut to, so that an infinite one leaves a direction. */
const LARGEST = 1e38;

function lengthStep(x0: Float32Array, eps: number, [low, high]: Ball['bounds']): ApgdStep {
  const next = new Float64Array(x0.length);
  return (x, before, gradient, stepSize, a) => {
    // Squares of float32 numbers neither over- nor underflow in float64.
    let steep = 0;
    for (let i = 0; i < x.length; i++) steep += gradient[i]! * gradient[i]!;
    const isPlain = steep < Number.POSITIVE_INFINITY;
    if (!isPlain) {
      steep = 0;
      for (let i = 0; i < x.length; i++) steep += cut(gradient[i]!) ** 2;
    }
    const scale = steep > 0 ? stepSize / Math.sqrt(steep) : 0;
    let far = 0;
    for (let i = 0; i < x.length; i++) {
      const z = x[i]! + scale * (isPlain ? gradient[i]! : cut(gradient[i]!));
      next[i] = z;
      far += (z - x0[i]!) * (z - x0[i]!);
    }
    let shrink = far > eps * eps ? eps / Math.sqrt(far) : 1;
    far = 0;
    for (let i = 0; i < x.length; i++) {
      const c = x0[i]!;
      const v = x[i]!;
      const inside = clip(c + (next[i]! - c) * shrink, low, high);
      const z = v + a * (inside - v) + (1 - a) * (v - before[i]!);
      next[i] = z;
      far += (z - c) * (z - c);
      before[i] = v;
    }
    shrink = far > eps * eps ? eps / Math.sqrt(far) : 1;
    for (let i = 0; i < x.length; i++) x[i] = clip(x0[i]! + (next[i]! - x0[i]!) * shrink, low, high);
  };
}

/** A number in place of NaN and of infinities. */
function cut(g: number): number {
  return Number.isNaN(g) ? 0 : clip(g, -LARGEST, LARGEST);
}

function clip(v: number, low: number, high: number): number {
  return v < low ? low : v > high ? high : v;
}
