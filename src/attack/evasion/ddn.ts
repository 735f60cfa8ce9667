import type { Attack } from '../attack.ts';
import { steepest, widthOf } from '../ball-geometry.ts';
import { choiceOf, numberIn, wholeFrom } from '../option-checks.ts';
import { refine } from '../refine.ts';
import { defineSampleAttack } from '../sample-attack.ts';

/** Options of DDN. */
export interface DdnOptions {
  readonly steps: number;
  /** The first radius, for inputs between 0 and 1; scaled by the bounds' width elsewhere. */
  readonly initEps: number;
  /** By what share the radius grows or shrinks at each step. */
  readonly gamma: number;
  /** Brings the example nearer at the end; the paper does not. */
  readonly refine: boolean;
  /** Gradient through rounding and quantisation: `zero` or `straight-through`. */
  readonly rounding: 'zero' | 'straight-through';
}

/** Where the length of a step ends; it begins at 1. */
const LAST_STEP = 0.01;

/**
 * Decoupled direction and norm (Rony et al. 2019): steps of the cross-entropy's gradient at unit length, which shrink along a cosine, each put
 * back onto a sphere whose radius shrinks after a point that reaches the goal and grows after one that does not. Where the gradient
 * vanishes the step goes in a random direction. The paper's rounding to 8 bits is a constraint's work here. Cost: `steps` gradients, an answer, and
 * {@link refine}.
 */
export const ddn: Attack<DdnOptions> = defineSampleAttack({
  id: 'ddn',
  title: 'Decoupled direction and norm',
  needs: 'gradient',
  seeks: 'minimum',
  norms: ['l2'],
  source: 'https://arxiv.org/abs/1811.09600',
  use: 'Near examples in l2 for the price of one run of PGD.',
  defaults: { steps: 100, initEps: 1, gamma: 0.05, refine: true, rounding: 'zero' },
  check(options) {
    wholeFrom(options, 'steps', 1);
    numberIn(options, 'initEps', 0);
    numberIn(options, 'gamma', 0, 1);
    choiceOf(options, 'rounding', ['zero', 'straight-through']);
  },
  cost: ({ steps }) => ({ gradients: steps, evaluations: 1 }),
  *talk(victim, { steps, initEps, gamma, ...options }) {
    const { x0, size, ball } = victim;
    const [low, high] = ball.bounds;
    const width = widthOf(ball.bounds);
    const random = victim.rng('direction');
    const x = x0.slice();
    const direction = new Float32Array(size);
    let corner = 0;
    for (let i = 0; i < size; i++) corner += Math.max(x0[i]! - low, high - x0[i]!) ** 2;
    let radius = Math.min(initEps * width, Math.sqrt(corner));
    for (let step = 0; step < steps; step++) {
      const { gradient, reached } = yield* victim.gradient(x);
      steepest('l2', gradient, direction);
      if (!direction.some((v) => v !== 0)) {
        for (let i = 0; i < size; i++) direction[i] = random.normal();
        steepest('l2', direction, direction);
      }
      const length = width * (LAST_STEP + ((1 - LAST_STEP) * (1 + Math.cos((Math.PI * step) / steps))) / 2);
      radius = Math.min(radius * (reached[0] ? 1 - gamma : 1 + gamma), Math.sqrt(corner));
      let squared = 0;
      for (let i = 0; i < size; i++) {
        const change = x[i]! + length * direction[i]! - x0[i]!;
        direction[i] = change;
        squared += change * change;
      }
      const scale = squared > 0 ? radius / Math.sqrt(squared) : 0;
      for (let i = 0; i < size; i++) x[i] = Math.min(high, Math.max(low, x0[i]! + scale * direction[i]!));
    }
    yield* victim.answers(x);
    if (options.refine) yield* refine(victim);
  },
});
