import { widthOf } from '../ball-geometry.ts';
import { choiceOf, numberIn, wholeFrom } from '../option-checks.ts';
import type { Talk } from '../question.ts';
import { refine } from '../refine.ts';
import { type Rival, rankedRivals } from '../rivals.ts';
import { defineSampleAttack, type Victim } from '../sample-attack.ts';
import { saliencyPair } from './saliency-pair.ts';

/** Options of JSMA. */
export interface JsmaOptions {
  /** How far an element moves at a step, for inputs between 0 and 1; scaled by the bounds' width elsewhere. */
  readonly theta: number;
  /** Largest share of elements that may change. */
  readonly gamma: number;
  /** Where elements may move: all up, all down, or each where it helps. */
  readonly direction: 'both' | 'increase' | 'decrease';
  /** What a pair is chosen by: `pair`, as published, by the product of what it gives the target and takes from the others; `target` by the former alone. */
  readonly saliency: 'pair' | 'target';
  /** Classes to run at without a target, the likeliest first. */
  readonly targets: number;
  /** Takes elements out at the end that the example does not need; the paper does not. */
  readonly refine: boolean;
  /** Gradient through rounding and quantisation: `zero` or `straight-through`. */
  readonly rounding: 'zero' | 'straight-through';
}

/**
 * The Jacobian-based saliency map attack (Papernot et al. 2016): at each step the pair of elements moves that most raises the target's logit and
 * lowers the sum of the others', up to a bound, until the goal is reached.
 * The paper's needs a target: without one, the class of the second largest logit is taken (the likeliest `targets` one after another), and any wrong
 * class ends a run. The paper moves all elements up or all down; `both`, the default, lets each move where it helps (after Wiyatno &
 * Xu 2018). Where no pair does both, the paper's map has nothing left; `saliency=target` goes on as ART's attack does, also where
 * the best pair takes something from the target. Goals without classes have one boundary: their margin rises where all else would fall.
 * Cost: two gradients for each pair (one by `target`), and {@link refine}.
 */
export const jsma = defineSampleAttack<JsmaOptions>({
  id: 'jsma',
  title: 'Jacobian-based saliency map attack',
  needs: 'gradient',
  seeks: 'minimum',
  norms: ['l0'],
  source: 'https://arxiv.org/abs/1511.07528',
  use: 'Few changed values, each as far as it goes; the classic to compare with.',
  defaults: {
    theta: 1,
    gamma: 1,
    direction: 'both',
    saliency: 'pair',
    targets: 1,
    refine: true,
    rounding: 'zero',
  },
  check(options) {
    numberIn(options, 'theta', 0);
    numberIn(options, 'gamma', 0, 1);
    choiceOf(options, 'direction', ['both', 'increase', 'decrease']);
    choiceOf(options, 'saliency', ['pair', 'target']);
    wholeFrom(options, 'targets', 1);
    choiceOf(options, 'rounding', ['zero', 'straight-through']);
  },
  cost: ({ targets }) => ({ gradients: 100 * targets, evaluations: 1 + targets }),
  *talk(victim, options) {
    const rivals = yield* rankedRivals(victim);
    for (const rival of rivals.slice(0, options.targets))
      yield* towards(victim, targetOf(victim, rival), options);
    if (options.refine) yield* refine(victim);
  },
});

/** The class to reach, or `undefined` where the goal has none. */
function targetOf({ goal, sample }: Victim, rival: Rival): number | undefined {
  return goal.task === 'classification' && goal.targeted ? goal.aim(sample) : rival;
}

function* towards(victim: Victim, target: number | undefined, options: JsmaOptions): Talk {
  const { x0, size, ball, classes } = victim;
  const [low, high] = ball.bounds;
  const stride = options.theta * widthOf(ball.bounds);
  const up = options.direction !== 'decrease';
  const down = options.direction !== 'increase';
  const x = x0.slice();
  const raise = new Float32Array(classes);
  const lower = new Float32Array(classes);
  if (target !== undefined) {
    lower.fill(-1);
    lower[target] = 0;
    raise[target] = 1;
  }
  // Moves up in front, moves down behind them.
  const gain = new Float64Array(2 * size);
  const loss = new Float64Array(2 * size);
  const most = Math.max(1, Math.floor(options.gamma * size));
  for (;;) {
    const toTarget = yield* victim.gradient(
      x,
      target === undefined ? { loss: 'margin' } : { loss: 'linear', cotangent: raise },
    );
    if (toTarget.reached[0]) return;
    const g = toTarget.gradient.slice();
    const h =
      target === undefined || options.saliency === 'target'
        ? g
        : (yield* victim.gradient(x, { loss: 'linear', cotangent: lower })).gradient;
    let room = most;
    for (let i = 0; i < size; i++) if (x[i] !== x0[i]) room--;
    for (let i = 0; i < size; i++) {
      const isFree = x[i] !== x0[i] || room > 0;
      // No element turns back: two could undo each other's moves for ever.
      const mayRise = isFree && up && x[i]! < high && x[i]! >= x0[i]!;
      const maySink = isFree && down && x[i]! > low && x[i]! <= x0[i]!;
      gain[i] = mayRise ? g[i]! : 0;
      loss[i] = mayRise ? h[i]! : 0;
      gain[size + i] = maySink ? -g[i]! : 0;
      loss[size + i] = maySink ? -h[i]! : 0;
    }
    const best = saliencyPair(gain, loss);
    const moves = best.length === 0 && options.saliency === 'target' ? cheapestPair(gain) : best;
    if (moves.length === 0) break;
    for (const move of moves) {
      const i = move % size;
      if (x[i] === x0[i] && room-- <= 0) continue;
      x[i] = move < size ? Math.min(high, x[i]! + stride) : Math.max(low, x[i]! - stride);
    }
  }
  yield* victim.answers(x);
}

/** The two moves that take least from the target, where none gives it anything; those without any effect (or room) are left out. */
function cheapestPair(gain: Float64Array): readonly number[] {
  let [first, second] = [-1, -1];
  for (let i = 0; i < gain.length; i++) {
    if (!(gain[i]! < 0)) continue;
    if (first < 0 || gain[i]! > gain[first]!) [first, second] = [i, first];
    else if (second < 0 || gain[i]! > gain[second]!) second = i;
  }
  return [first, second].filter((i) => i >= 0);
}
