import { adam } from '../adam.ts';
import type { Attack } from '../attack.ts';
import { choiceOf, numberIn, wholeFrom } from '../option-checks.ts';
import { type OwnChoice, ownChoice } from '../own-choice.ts';
import type { Talk } from '../question.ts';
import { refine } from '../refine.ts';
import { defineSampleAttack, type Victim } from '../sample-attack.ts';
import { searchConstant } from './constant-search.ts';
import { stallWatch } from './stall.ts';
import { tanhSpace } from './tanh-space.ts';

/** Options of Carlini and Wagner's attack in l2. */
export interface CarliniWagnerL2Options {
  /** Steps of Adam for each constant. */
  readonly steps: number;
  /** Adam's learning rate, in the space of the hyperbolic tangent. */
  readonly stepSize: number;
  /** Constants that are tried; with 1 only the first. */
  readonly searchSteps: number;
  /** The first constant: how much the goal weighs against the squared distance. */
  readonly initialConst: number;
  /** By how much the winning class must lead, in logits. */
  readonly confidence: number;
  /** Ends a run that has made no progress over a tenth of its steps. */
  readonly abortEarly: boolean;
  /** How far samples are drawn to the middle of the bounds before they start; with 1, values on a bound never move. */
  readonly shrink: number;
  /** Brings the example nearer at the end; the paper does not. Not done where confidence is wanted. */
  readonly refine: boolean;
  /** Gradient through rounding and quantisation: `zero` or `straight-through`. */
  readonly rounding: 'zero' | 'straight-through';
}

/**
 * Carlini and Wagner's attack in l2 (2017): Adam on `‖x − x₀‖₂² + c · max(margin + confidence, 0)` in the space of the hyperbolic tangent, where
 * every point lies within the bounds, with a search for the least `c` that finds an example ({@link searchConstant}).
 * With `searchSteps=1, initialConst=1, shrink=1` it takes the steps of torchattacks' CW, whose early end looks at the whole batch; with
 * `shrink` as it is, foolbox's. The paper takes 10,000 steps. Values on a bound need about 400 to leave it at a step size of 0.01: with fewer
 * steps, take longer ones. Cost: up to `searchSteps × steps` gradients, and
 * {@link refine}.
 */
export const cwL2: Attack<CarliniWagnerL2Options> = defineSampleAttack({
  id: 'cw-l2',
  title: 'Carlini & Wagner, L2',
  needs: 'gradient',
  seeks: 'minimum',
  norms: ['l2'],
  source: 'https://arxiv.org/abs/1608.04644',
  use: 'The classic of strong attacks: slow, close to the least distance, good against masked gradients of probabilities.',
  defaults: {
    steps: 1000,
    stepSize: 0.01,
    searchSteps: 9,
    initialConst: 1e-3,
    confidence: 0,
    abortEarly: true,
    shrink: 0.999999,
    refine: true,
    rounding: 'zero',
  },
  check(options) {
    wholeFrom(options, 'steps', 1);
    numberIn(options, 'stepSize', 0);
    wholeFrom(options, 'searchSteps', 1);
    numberIn(options, 'initialConst', 0);
    numberIn(options, 'confidence', 0, Number.MAX_VALUE, 'or equal');
    numberIn(options, 'shrink', 0, 1);
    choiceOf(options, 'rounding', ['zero', 'straight-through']);
  },
  cost: ({ steps, searchSteps }) => ({ gradients: steps * searchSteps, evaluations: 0 }),
  *talk(victim, options) {
    const choice = ownChoice(victim, options.confidence > 0);
    yield* searchConstant(options.initialConst, options.searchSteps, (c) =>
      descend(victim, options, c, choice),
    );
    yield* choice.putForward();
    if (options.refine && options.confidence === 0) yield* refine(victim);
  },
});

/** One run of Adam; whether it met an example. */
function* descend(
  victim: Victim,
  options: CarliniWagnerL2Options,
  c: number,
  choice: OwnChoice,
): Talk<boolean> {
  const { x0, size, ball } = victim;
  const { steps, confidence } = options;
  const space = tanhSpace(ball.bounds);
  const w = new Float32Array(size);
  const x = new Float32Array(size);
  const slope = new Float32Array(size);
  const start = new Float32Array(size);
  space.into(x0, options.shrink, w);
  space.outOf(w, start, slope);
  const descent = adam(size, options.stepSize);
  const downhill = new Float32Array(size);
  const isStalled = stallWatch(steps);
  let found = false;
  for (let step = 0; step < steps; step++) {
    space.outOf(w, x, slope);
    const { gradient, margins, reached } = yield* victim.gradient(x, { loss: 'margin', probe: choice.probe });
    const wanting = margins[0]! + confidence;
    const isExample = reached[0]! && wanting <= 0;
    if (isExample) found = true;
    const weight = wanting > 0 ? c : 0;
    let squared = 0;
    for (let i = 0; i < size; i++) {
      const far = x[i]! - start[i]!;
      squared += far * far;
      downhill[i] = (2 * far - weight * gradient[i]!) * slope[i]!;
    }
    if (isExample) choice.see(x, squared);
    if (options.abortEarly && isStalled(squared + weight * wanting)) break;
    descent(w, downhill);
  }
  return found;
}
