import type { Rng } from '../../core/random.ts';
import type { Ball } from '../../threat/norm.ts';
import { between, finiteLimits } from '../between.ts';
import { l1ProjectionFor } from '../l1-projection.ts';
import { covers, eachIn, type Grid, randomWindow, windowSize } from './square-grid.ts';
import { squarePattern } from './square-pattern.ts';
import type { SquareProposals } from './square-proposals.ts';
import { signFrom } from './square-signs.ts';

/** Keeps divisions finite; the published constant. */
const GUARD = 1e-12;
/** Patterns along the shorter side of the first point. */
const TILES = 5;

/**
 * What Square Attack tries in l2 and l1. It starts from patterns side by side ({@link squarePattern}), five along a square's side; then the
 * change in one window is taken away, and the length that this frees (with what was unused) goes into a pattern in another
 * window, added to what is there. In l2 the whole change is stretched to length eps and cut to the bounds; in l1 it is
 * projected onto ball and bounds.
 */
export function lengthProposals(grid: Grid, ball: Ball, x0: Float32Array): SquareProposals {
  const norm = ball.norm === 'l1' ? 'l1' : 'l2';
  const { eps } = ball;
  const { channels } = grid;
  // Lengths are sums of `term`; in l2 of squares, and `root` turns the sum into a length.
  const term = norm === 'l2' ? (v: number) => v * v : Math.abs;
  const root = norm === 'l2' ? Math.sqrt : (v: number) => v;
  const radius = term(eps);
  const delta = new Float64Array(x0.length);
  const apply = norm === 'l2' ? stretched(ball, x0, delta) : projected(ball, x0, delta);
  const patternFor = patterns(norm);
  return {
    start(x, rng) {
      delta.fill(0);
      const side = Math.max(1, Math.floor(shorterSide(grid) / TILES));
      const height = Math.min(side, grid.height);
      const unit = unitOf(ball);
      for (let top = margin(grid.height, height); top + height <= grid.height; top += height)
        for (let left = margin(grid.width, side); left + side <= grid.width; left += side) {
          const pattern = patternFor(height, side, rng);
          for (let c = 0; c < channels; c++) {
            const sign = unit * signFrom(rng);
            eachIn(grid, c, { top, left, height, width: side }, (i, k) => {
              delta[i] = sign * pattern[k]!;
            });
          }
        }
      apply(x);
    },
    change(x, share, rng) {
      const extent = windowSize(grid, share, { least: 3, odd: true });
      const into = randomWindow(grid, extent, rng);
      const from = randomWindow(grid, extent, rng);
      const pattern = patternFor(extent.height, extent.width, rng);
      let whole = 0;
      for (let i = 0; i < delta.length; i++) {
        const d = x[i]! - x0[i]!;
        delta[i] = d;
        whole += term(d);
      }
      const unused = Math.max(0, radius - whole) / channels;
      for (let c = 0; c < channels; c++) {
        const sign = signFrom(rng);
        let there = 0;
        eachIn(grid, c, into, (i) => {
          there += term(delta[i]!);
        });
        let freed = 0;
        eachIn(grid, c, from, (i, _k, row, column) => {
          if (covers(into, row, column)) return;
          freed += term(delta[i]!);
          delta[i] = 0;
        });
        const old = 1 / (root(there) + GUARD);
        let length = 0;
        eachIn(grid, c, into, (i, k) => {
          delta[i] = sign * pattern[k]! + delta[i]! * old;
          length += term(delta[i]!);
        });
        const allowed = root(unused + there + freed) * (norm === 'l1' ? channels : 1);
        const scale = allowed / (root(length) + GUARD);
        eachIn(grid, c, into, (i) => {
          delta[i]! *= scale;
        });
      }
      apply(x);
      return true;
    },
  };
}

/** Patterns by size and direction, each made once. */
function patterns(norm: 'l2' | 'l1'): (height: number, width: number, rng: Rng) => Float64Array {
  const known = new Map<string, Float64Array>();
  return (height, width, rng) => {
    // A single row has no upper and lower half.
    const across = rng.uniform() < 0.5 || height === 1;
    const key = `${height} ${width} ${across}`;
    const pattern = known.get(key) ?? squarePattern(norm, height, width, across);
    known.set(key, pattern);
    return pattern;
  };
}

type Apply = (x: Float32Array) => void;

/** Writes `x0 + delta` over a point, `delta` stretched to length eps (L2) and cut to the bounds. */
function stretched({ eps, bounds }: Ball, x0: Float32Array, delta: Float64Array): Apply {
  const [least, most] = finiteLimits(bounds, x0, eps);
  return (x) => {
    let total = 0;
    for (let i = 0; i < delta.length; i++) total += delta[i]! * delta[i]!;
    const scale = eps / (Math.sqrt(total) + GUARD);
    for (let i = 0; i < delta.length; i++) x[i] = between(x0[i]! + delta[i]! * scale, least, most);
  };
}

/** Writes `x0 + delta` over a point, projected onto L1 ball and bounds; a little less than eps, as published. */
function projected({ eps, bounds }: Ball, x0: Float32Array, delta: Float64Array): Apply {
  const project = l1ProjectionFor(x0.length, bounds);
  return (x) => {
    for (let i = 0; i < delta.length; i++) x[i] = x0[i]! + delta[i]!;
    project(x, x0, eps * (1 - 1e-6));
  };
}

/** What the published code, made for values from 0 to 1, counts as 1. */
function unitOf({ eps, bounds: [low, high] }: Ball): number {
  return Number.isFinite(high - low) ? high - low : eps;
}

function shorterSide({ height, width }: Grid): number {
  return height === 1 ? width : Math.min(height, width);
}

/** What is left before the first of as many parts as fit. */
function margin(extent: number, part: number): number {
  return Math.floor((extent % part) / 2);
}
