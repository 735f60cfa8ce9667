import { adam } from '../adam.ts';
import type { Attack } from '../attack.ts';
import { widthOf } from '../ball-geometry.ts';
import { fromManyStarts } from '../many-starts.ts';
import { choiceOf, numberIn, wholeFrom } from '../option-checks.ts';
import { ownChoice } from '../own-choice.ts';
import type { Talk } from '../question.ts';
import { defineSampleAttack, type Victim } from '../sample-attack.ts';
import { tanhSpace } from './tanh-space.ts';

/** Options of Carlini and Wagner's attack in linf. */
export interface CarliniWagnerLinfOptions {
  /** Steps of Adam for each constant. */
  readonly steps: number;
  /** Runs: the first from the sample itself, as published, the others from random points within half of the best distance. */
  readonly restarts: number;
  /** Adam's learning rate, in the space of the hyperbolic tangent. */
  readonly stepSize: number;
  /** The first constant: how much the goal weighs against what exceeds the threshold. */
  readonly initialConst: number;
  /** The search ends where no constant up to this one is enough. */
  readonly largestConst: number;
  /** By what the constant is multiplied where it was not enough. */
  readonly constFactor: number;
  /** By what the threshold is multiplied after a success. */
  readonly decreaseFactor: number;
  /** The search ends below this threshold, for inputs between 0 and 1; scaled by the bounds' width elsewhere. */
  readonly smallestThreshold: number;
  /** By how much the winning class must lead, in logits. */
  readonly confidence: number;
  /** Brings the example nearer at the end; the paper does not. Not done where confidence is wanted. */
  readonly refine: boolean;
  /** Gradient through rounding and quantisation: `zero` or `straight-through`. */
  readonly rounding: 'zero' | 'straight-through';
}

/** A run is over when the loss is below this share of the constant. */
const SOLVED = 1e-4;
/** How far samples are drawn to the middle of the bounds, so that values on a bound can move. */
const SHRINK = 0.999999;

/**
 * Carlini and Wagner's attack in linf (2017): Adam on `c · max(margin + confidence, 0) + Σ max(|x − x₀| − τ, 0)` in the space of the hyperbolic
 * tangent. After a success the threshold τ shrinks below the largest change and the search goes on from there; where Adam fails,
 * `c` grows. The paper takes 1,000 steps and ends at τ = 1/256. Cost: up to `steps` gradients for each of up to 21 constants, then usually few
 * for each of some dozens of thresholds; and what brings the example nearer.
 */
export const cwLinf: Attack<CarliniWagnerLinfOptions> = defineSampleAttack({
  id: 'cw-linf',
  title: 'Carlini & Wagner, Linf',
  needs: 'gradient',
  seeks: 'minimum',
  norms: ['linf'],
  source: 'https://arxiv.org/abs/1608.04644',
  use: 'To compare with published figures; fmn and fab come as near for a fraction of the cost.',
  defaults: {
    steps: 100,
    restarts: 1,
    stepSize: 0.005,
    initialConst: 1e-5,
    largestConst: 20,
    constFactor: 2,
    decreaseFactor: 0.9,
    smallestThreshold: 1 / 1024,
    confidence: 0,
    refine: true,
    rounding: 'zero',
  },
  check(options) {
    wholeFrom(options, 'steps', 1);
    wholeFrom(options, 'restarts', 1);
    numberIn(options, 'stepSize', 0);
    numberIn(options, 'initialConst', 0);
    numberIn(options, 'largestConst', 0);
    numberIn(options, 'constFactor', 1);
    numberIn(options, 'decreaseFactor', 0, 1);
    numberIn(options, 'smallestThreshold', 0);
    numberIn(options, 'confidence', 0, Number.MAX_VALUE, 'or equal');
    choiceOf(options, 'rounding', ['zero', 'straight-through']);
  },
  cost: ({ steps, restarts, initialConst, largestConst, constFactor }) => ({
    gradients:
      restarts *
      steps *
      Math.max(1, Math.ceil(Math.log(largestConst / initialConst) / Math.log(constFactor))),
    evaluations: 0,
  }),
  *talk(victim, options) {
    const { restarts, confidence } = options;
    yield* fromManyStarts(victim, { restarts, isRefined: options.refine && confidence === 0 }, (start) =>
      descend(victim, start, options),
    );
  },
});

/** The search for the least threshold from `start`. */
function* descend(victim: Victim, start: Float32Array, options: CarliniWagnerLinfOptions): Talk {
  const { x0, size, ball } = victim;
  const { confidence } = options;
  const width = widthOf(ball.bounds);
  const space = tanhSpace(ball.bounds);
  const choice = ownChoice(victim, confidence > 0);
  const w = new Float32Array(size);
  space.into(start, SHRINK, w);
  const x = new Float32Array(size);
  const slope = new Float32Array(size);
  const downhill = new Float32Array(size);
  let threshold = width;
  let c = options.initialConst;
  let succeeds = true;
  while (succeeds && threshold > options.smallestThreshold * width) {
    succeeds = false;
    const descent = adam(size, options.stepSize);
    for (; c < options.largestConst && !succeeds; c *= succeeds ? 1 : options.constFactor) {
      for (let step = 0; step < options.steps && !succeeds; step++) {
        space.outOf(w, x, slope);
        const { gradient, margins, reached } = yield* victim.gradient(x, {
          loss: 'margin',
          probe: choice.probe,
        });
        const wanting = margins[0]! + confidence;
        const weight = wanting > 0 ? c : 0;
        let [excess, largest] = [0, 0];
        for (let i = 0; i < size; i++) {
          const change = x[i]! - x0[i]!;
          const over = Math.abs(change) - threshold;
          if (over > 0) excess += over;
          largest = Math.max(largest, Math.abs(change));
          downhill[i] = ((over > 0 ? Math.sign(change) : 0) - weight * gradient[i]!) * slope[i]!;
        }
        if (reached[0] && wanting <= 0) choice.see(x, largest);
        if (weight * wanting + excess < SOLVED * c) {
          succeeds = true;
          threshold = Math.min(threshold, largest) * options.decreaseFactor;
        } else descent(w, downhill);
      }
    }
  }
  yield* choice.putForward();
}
