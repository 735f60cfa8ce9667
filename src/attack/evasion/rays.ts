import type { Attack } from '../attack.ts';
import { widthOf } from '../ball-geometry.ts';
import { freeElements } from '../free-elements.ts';
import { numberIn, wholeFrom } from '../option-checks.ts';
import type { Talk } from '../question.ts';
import { defineSampleAttack } from '../sample-attack.ts';
import { bisect, furthest } from './boundary-search.ts';

/** Options of RayS. */
export interface RaysOptions {
  /** How closely each radius is searched, as a share of the bounds' width. */
  readonly tolerance: number;
  /** Most queries for one sample. */
  readonly queries: number;
}

/**
 * RayS (Chen & Gu 2020): searches the corner of the cube around the sample in whose direction the boundary is nearest. It turns the signs
 * of one block of elements after another, first of all, then of halves, quarters, …, and keeps a turn that reaches the goal at
 * the radius so far; that radius is then searched by halves. Not random. It ends with a whole pass of single elements that
 * gains nothing. Cost: up to `queries` answers, one after another.
 */
export const rays: Attack<RaysOptions> = defineSampleAttack({
  id: 'rays',
  title: 'RayS',
  needs: 'labels',
  seeks: 'minimum',
  norms: ['linf'],
  source: 'https://arxiv.org/abs/2006.12792',
  use: 'Strong in linf with decisions alone and without anything to tune; a good check of what gradient attacks report.',
  defaults: { tolerance: 3e-5, queries: 10000 },
  check(options) {
    numberIn(options, 'tolerance', 0, 1);
    wholeFrom(options, 'queries', 1);
  },
  cost: ({ queries }) => ({ gradients: 0, evaluations: queries }),
  *talk(victim, options) {
    const { x0, size, ball, answers } = victim;
    const [low, high] = ball.bounds;
    const elements = freeElements(ball, size);
    const signs = new Int8Array(size).fill(1);
    const point = new Float32Array(size);
    const at = (radius: number, out: Float32Array) => {
      out.set(x0);
      for (const i of elements)
        out[i] = Math.min(high, Math.max(low, x0[i]! + (signs[i]! > 0 ? radius : -radius)));
    };
    const tolerance = options.tolerance * widthOf(ball.bounds);
    // At the width of the bounds every value is at one of them.
    let radius = furthest(ball.bounds);
    let found = false;
    /** Whether the signs as they are reach the goal at a radius that is smaller than the one so far, which then is searched. */
    const isNearer = function* (): Talk<boolean> {
      const limit = found ? radius - tolerance : radius;
      if (limit <= 0) return false;
      at(limit, point);
      const { reached } = yield* answers(point);
      if (!reached[0]) return false;
      found = true;
      radius = yield* bisect(victim, at, point, 0, limit, tolerance);
      return true;
    };
    yield* isNearer();
    for (let level = 0; radius > tolerance; level++) {
      const block = Math.max(1, Math.ceil(elements.length / 2 ** level));
      let gained = false;
      for (let start = 0; start < elements.length; start += block) {
        const turned = elements.subarray(start, start + block);
        for (const i of turned) signs[i]! *= -1;
        if (yield* isNearer()) gained = true;
        else for (const i of turned) signs[i]! *= -1;
      }
      if (block === 1 && !gained) return;
    }
  },
});
