import { adam } from '../adam.ts';
import type { Attack } from '../attack.ts';
import { choiceOf, numberIn, wholeFrom } from '../option-checks.ts';
import type { Talk } from '../question.ts';
import { refine } from '../refine.ts';
import { defineSampleAttack, type Victim } from '../sample-attack.ts';
import { tanhSpace } from './tanh-space.ts';

/** Options of Carlini and Wagner's attack in l0. */
export interface CarliniWagnerL0Options {
  /** Steps of Adam for each constant. */
  readonly steps: number;
  /** Adam's learning rate, in the space of the hyperbolic tangent. */
  readonly stepSize: number;
  /** The first constant: how much the goal weighs against the squared distance. */
  readonly initialConst: number;
  /** The search ends where no constant up to this one is enough. */
  readonly largestConst: number;
  /** By what the constant is multiplied where it was not enough. */
  readonly constFactor: number;
  /** Takes elements out at the end that the example does not need; the paper does not. */
  readonly refine: boolean;
  /** Gradient through rounding and quantisation: `zero` or `straight-through`. */
  readonly rounding: 'zero' | 'straight-through';
}

/** What counts as progress over a tenth of the steps. */
const PROGRESS = 0.9999;
/** How far samples are drawn to the middle of the bounds, so that values on a bound can move. */
const SHRINK = 0.999999;
/** After this much effect no further element is given up in one round, nor after this share of the root of the unchanged ones' number. */
const EFFECT = 0.01;
const SHARE = 0.3;
/** Below this change (inputs between 0 and 1) an element counts as unchanged, as in the authors' code. */
const UNCHANGED = 1e-4;

/**
 * Carlini and Wagner's attack in l0 (2017): an l2 attack finds an example, the elements that did least for it (change times gradient) are given
 * up for good, and the l2 attack goes on from there with the rest, until it fails. The l2 attack ends with its first example; `c` only
 * grows. Elements are values, not pixels of several channels. The paper takes 1,000 steps. Cost: some hundred gradients, at the end `steps` for each
 * constant that is left; and {@link refine}.
 */
export const cwL0: Attack<CarliniWagnerL0Options> = defineSampleAttack({
  id: 'cw-l0',
  title: 'Carlini & Wagner, L0',
  needs: 'gradient',
  seeks: 'minimum',
  norms: ['l0'],
  source: 'https://arxiv.org/abs/1608.04644',
  use: 'To compare with published figures; fmn comes as near for a fraction of the cost.',
  defaults: {
    steps: 100,
    stepSize: 0.01,
    initialConst: 1e-3,
    largestConst: 100,
    constFactor: 2,
    refine: true,
    rounding: 'zero',
  },
  check(options) {
    wholeFrom(options, 'steps', 1);
    numberIn(options, 'stepSize', 0);
    numberIn(options, 'initialConst', 0);
    numberIn(options, 'largestConst', 0);
    numberIn(options, 'constFactor', 1);
    choiceOf(options, 'rounding', ['zero', 'straight-through']);
  },
  cost: ({ steps, initialConst, largestConst, constFactor }) => ({
    gradients: steps * Math.max(1, Math.ceil(Math.log(largestConst / initialConst) / Math.log(constFactor))),
    evaluations: 0,
  }),
  *talk(victim, options) {
    const search: Search = {
      w: new Float32Array(victim.size),
      x: new Float32Array(victim.size),
      effect: new Float32Array(victim.size),
      free: new Uint8Array(victim.size).fill(1),
      c: options.initialConst,
    };
    tanhSpace(victim.ball.bounds).into(victim.x0, SHRINK, search.w);
    while (yield* descend(victim, options, search)) if (!giveUp(victim, search)) break;
    if (options.refine) yield* refine(victim);
  },
});

/** Where the search stands. */
interface Search {
  /** The point, in the space of the hyperbolic tangent and as it is. */
  readonly w: Float32Array;
  readonly x: Float32Array;
  /** What each element did for the last example. */
  readonly effect: Float32Array;
  /** 1 where an element may still change. */
  readonly free: Uint8Array;
  c: number;
}

/** Goes on to the first example; whether there was one. */
function* descend(victim: Victim, options: CarliniWagnerL0Options, search: Search): Talk<boolean> {
  const { x0, size, ball } = victim;
  const { w, x, effect, free } = search;
  const space = tanhSpace(ball.bounds);
  const slope = new Float32Array(size);
  const downhill = new Float32Array(size);
  const descent = adam(size, options.stepSize);
  const tenth = Math.ceil(options.steps / 10);
  for (; search.c <= options.largestConst; search.c *= options.constFactor) {
    let before = Number.POSITIVE_INFINITY;
    for (let step = 0; step < options.steps; step++) {
      space.outOf(w, x, slope);
      for (let i = 0; i < size; i++) if (!free[i]) x[i] = x0[i]!;
      const { gradient, margins, reached } = yield* victim.gradient(x, { loss: 'margin' });
      if (reached[0]) {
        for (let i = 0; i < size; i++) effect[i] = Math.abs((x[i]! - x0[i]!) * gradient[i]!);
        return true;
      }
      let loss = search.c * margins[0]!;
      for (let i = 0; i < size; i++) {
        const far = x[i]! - x0[i]!;
        loss += far * far;
        downhill[i] = free[i] ? (2 * far - search.c * gradient[i]!) * slope[i]! : 0;
      }
      if (step % tenth === 0) {
        if (!(loss <= PROGRESS * before)) break;
        before = loss;
      }
      descent(w, downhill);
    }
  }
  return false;
}

/** Gives up the elements that did least; whether any was left. */
function giveUp({ x0, size, ball }: Victim, { x, effect, free }: Search): boolean {
  const [low, high] = ball.bounds;
  const left = Array.from(free.keys()).filter((i) => free[i]);
  left.sort((a, b) => effect[a]! - effect[b]! || a - b);
  let unchanged = 0;
  for (let i = 0; i < size; i++) if (Math.abs(x[i]! - x0[i]!) < UNCHANGED * (high - low)) unchanged++;
  const most = SHARE * Math.sqrt(unchanged);
  for (const [given, i] of left.entries()) {
    free[i] = 0;
    if (effect[i]! > EFFECT || given + 1 >= most) break;
  }
  return left.length > 0;
}
