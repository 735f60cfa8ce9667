import { choiceOf, numberIn, wholeFrom } from '../option-checks.ts';
import { type OwnChoice, ownChoice } from '../own-choice.ts';
import type { Talk } from '../question.ts';
import { refine } from '../refine.ts';
import { defineSampleAttack, type Victim } from '../sample-attack.ts';
import { searchConstant } from './constant-search.ts';
import { stallWatch } from './stall.ts';

/** Options of the elastic-net attack. */
export interface ElasticNetOptions {
  /** Steps for each constant. */
  readonly steps: number;
  /** Length of the first step; later ones shrink with the square root of what is left. */
  readonly stepSize: number;
  /** Constants that are tried. */
  readonly searchSteps: number;
  /** The first constant: how much the goal weighs against the distance. */
  readonly initialConst: number;
  /** The threshold of shrinking: how much the L1 part weighs (the paper's β). */
  readonly beta: number;
  /** By how much the winning class must lead, in logits. */
  readonly confidence: number;
  /** Which example counts: the nearest in l1, or the one of least `β · l1 + l2²`. */
  readonly decisionRule: 'L1' | 'EN';
  /** Ends a run that has made no progress over a tenth of its steps. */
  readonly abortEarly: boolean;
  /** Brings the example nearer at the end; the paper does not. Only with the L1 rule and without confidence. */
  readonly refine: boolean;
  /** Gradient through rounding and quantisation: `zero` or `straight-through`. */
  readonly rounding: 'zero' | 'straight-through';
}

/**
 * EAD, the elastic-net attack (Chen et al. 2018): accelerated iterative shrinkage-thresholding (FISTA) on
 * `c · max(margin + confidence, 0) + ‖x − x₀‖₂² + β ‖x − x₀‖₁` within the bounds, with Carlini and Wagner's search for the least `c`. As
 * foolbox's, but for the number of steps (10,000 there) and the rule, which is the norm's. Cost: up to `searchSteps × steps` gradients
 * and as many answers, and {@link refine}.
 */
export const ead = defineSampleAttack<ElasticNetOptions>({
  id: 'ead',
  title: 'Elastic-net attack',
  needs: 'gradient',
  seeks: 'minimum',
  norms: ['l1'],
  source: 'https://arxiv.org/abs/1709.04114',
  use: 'The classic in l1: changes few values by much.',
  defaults: {
    steps: 100,
    stepSize: 0.01,
    searchSteps: 9,
    initialConst: 1e-3,
    beta: 1e-2,
    confidence: 0,
    decisionRule: 'L1',
    abortEarly: true,
    refine: true,
    rounding: 'zero',
  },
  check(options) {
    wholeFrom(options, 'steps', 1);
    numberIn(options, 'stepSize', 0);
    wholeFrom(options, 'searchSteps', 1);
    numberIn(options, 'initialConst', 0);
    numberIn(options, 'beta', 0, Number.MAX_VALUE, 'or equal');
    numberIn(options, 'confidence', 0, Number.MAX_VALUE, 'or equal');
    choiceOf(options, 'decisionRule', ['L1', 'EN']);
    choiceOf(options, 'rounding', ['zero', 'straight-through']);
  },
  cost: ({ steps, searchSteps }) => ({ gradients: steps * searchSteps, evaluations: steps * searchSteps }),
  *talk(victim, options) {
    const isOwn = options.confidence > 0 || options.decisionRule === 'EN';
    const choice = ownChoice(victim, isOwn);
    yield* searchConstant(options.initialConst, options.searchSteps, (c) =>
      descend(victim, options, c, choice),
    );
    yield* choice.putForward();
    if (options.refine && !isOwn) yield* refine(victim);
  },
});

/** One run of FISTA; whether it met an example. */
function* descend(victim: Victim, options: ElasticNetOptions, c: number, choice: OwnChoice): Talk<boolean> {
  const { x0, size, ball } = victim;
  const { steps, beta, confidence, decisionRule } = options;
  const [low, high] = ball.bounds;
  const { probe } = choice;
  const x = x0.slice();
  /** The point ahead of `x` where the gradient is taken; it may lie outside the bounds. */
  const ahead = x0.slice();
  const isStalled = stallWatch(steps);
  let found = false;
  for (let step = 0; step < steps; step++) {
    const { gradient, margins } = yield* victim.gradient(ahead, { loss: 'margin', probe: true });
    const wanting = margins[0]! + confidence;
    const weight = wanting > 0 ? c : 0;
    const rate = options.stepSize * Math.sqrt(1 - step / steps);
    const momentum = step / (step + 3);
    let loss = weight * wanting;
    let [taxi, squared] = [0, 0];
    for (let i = 0; i < size; i++) {
      const clean = x0[i]!;
      const far = ahead[i]! - clean;
      loss += far * far;
      const moved = far - rate * (2 * far - weight * gradient[i]!);
      const kept = moved > beta ? moved - beta : moved < -beta ? moved + beta : 0;
      const next = Math.min(high, Math.max(low, clean + kept));
      const change = next - clean;
      taxi += Math.abs(change);
      squared += change * change;
      ahead[i] = next + momentum * (next - x[i]!);
      x[i] = next;
    }
    if (options.abortEarly && isStalled(loss)) break;
    const answer = yield* victim.answers(x, 1, probe ? 'probe' : undefined);
    if (!(answer.reached[0] && answer.margins[0]! + confidence <= 0)) continue;
    found = true;
    choice.see(x, decisionRule === 'EN' ? beta * taxi + squared : taxi);
  }
  return found;
}
