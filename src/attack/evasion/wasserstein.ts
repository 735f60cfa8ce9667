import { GlacisError } from '../../core/error.ts';
import type { ImageDims } from '../../threat/image-dims.ts';
import { pixelAt } from '../../threat/image-dims.ts';
import type { OtherExample, OtherThreat } from '../../threat/other-threat.ts';
import { transportDistance } from '../../threat/transport/distance.ts';
import { transportPlan } from '../../threat/transport/plan.ts';
import { reachOf } from '../../threat/transport/reach.ts';
import type { Attack } from '../attack.ts';
import { choiceOf, numberIn, wholeFrom } from '../option-checks.ts';
import { pictureOf } from '../picture-of.ts';
import type { Talk } from '../question.ts';
import { defineSampleAttack, type Victim } from '../sample-attack.ts';

/** Options of the Wasserstein attack. */
export interface WassersteinOptions {
  /** By how many pixels light may move, on average over all light of the picture. */
  readonly eps: number;
  /** Side of the window around a pixel that its light stays in; odd. */
  readonly kernel: number;
  /** Gradient steps. */
  readonly steps: number;
  /** Gradient through rounding and quantisation: `zero` or `straight-through`. */
  readonly rounding: 'zero' | 'straight-through';
}

/** Slack of the check: of the budget, and of all light for what rounding adds or takes away. */
const SLACK = 1e-4;
const ROUNDING = 1e-5;

/** The light of one channel, row by row. */
function planeOf(x: Float32Array, image: ImageDims, channel: number, low: number): Float64Array {
  const { height, width } = image;
  return Float64Array.from({ length: height * width }, (_, i) =>
    Math.max(0, x[pixelAt(image, channel, Math.floor(i / width), i % width)]! - low),
  );
}

/** Recomputes what the example costs, see {@link wasserstein}. */
function violation({ x, x0, image, bounds, options }: OtherExample<WassersteinOptions>): string | undefined {
  if (!image) return 'no picture';
  const planes = (from: Float32Array) =>
    Array.from({ length: image.channels }, (_, channel) => planeOf(from, image, channel, bounds[0]));
  const before = planes(x0);
  const after = planes(x);
  let light = 0;
  for (const plane of before) for (const v of plane) light += v;
  const reach = reachOf(options.kernel);
  const grain = (ROUNDING * light) / x.length;
  let cost = 0;
  for (const [channel, plane] of before.entries()) {
    const found = transportDistance(plane, after[channel]!, image, reach, grain);
    if (!(found.unmet <= ROUNDING * light)) return 'light that was not moved there';
    cost += found.cost;
  }
  return cost <= options.eps * light * (1 + SLACK) ? undefined : 'light moved too far';
}

/** What the attack may do, see {@link wasserstein}. */
const threat: OtherThreat<WassersteinOptions> = {
  id: 'wasserstein',
  parameters: [],
  size: ({ eps }) => eps,
  describe: ({ eps, kernel }) =>
    `light moved by ${eps} pixels on average, each bit within ${kernel} × ${kernel} pixels`,
  violation,
};

function* talk(victim: Victim, { eps, kernel, steps }: WassersteinOptions): Talk {
  const { x0, ball, gradient, answers } = victim;
  const image = pictureOf(victim, 'wasserstein');
  if (!ball.bounds.every(Number.isFinite))
    throw new GlacisError(
      'option/invalid',
      `wasserstein: expected bounds that black and full light have, got ${ball.bounds.join(' to ')}; give --range`,
    );
  const plan = transportPlan(x0, image, ball.bounds, reachOf(kernel));
  const x = x0.slice();
  for (let step = 0; step < steps; step++) {
    const { gradient: g } = yield* gradient(x);
    plan.advance(g, 2 / (step + 2), eps);
    plan.returnOverflow();
    plan.picture(x);
  }
  yield* answers(x);
}

/**
 * Wasserstein adversarial examples (Wong et al. 2019): light may move to near pixels, channel by channel, by `eps` pixels on average; none
 * appears or disappears. The search is Frank and Wolfe's, on the plan of where light goes, as Wu et al. 2020 found it stronger and
 * faster than projected Sinkhorn iterations; the best plan for a gradient is found exactly, by a search for the price of distance, where
 * they smooth it. Light beyond the bounds goes back where it came from, where the authors clip it away. An example is checked by
 * computing the exact transport distance anew.
 * Distances are Euclidean, so eps compares with what is published for the first power.
 * Errors: `model/unsupported-task` where samples are no pictures, `option/invalid` where their range is open.
 * Cost: `steps` gradients and one answer; the check takes about 20 ms for a digit, half a second for 32 × 32 pixels in colour.
 */
export const wasserstein: Attack<WassersteinOptions> = defineSampleAttack({
  id: 'wasserstein',
  title: 'Wasserstein adversarial examples',
  needs: 'gradient',
  seeks: 'other',
  norms: [],
  threat,
  source: 'https://arxiv.org/abs/1902.07906',
  use: 'Slight distortions, such as a lens makes, that no norm ball describes; in colour it is slow to verify.',
  defaults: { eps: 0.1, kernel: 5, steps: 100, rounding: 'zero' },
  check(options) {
    numberIn(options, 'eps', 0);
    wholeFrom(options, 'kernel', 3);
    if (options.kernel % 2 === 0)
      throw new GlacisError('option/invalid', `kernel: expected an odd number, got ${options.kernel}`);
    wholeFrom(options, 'steps', 1);
    choiceOf(options, 'rounding', ['zero', 'straight-through']);
  },
  cost: ({ steps }) => ({ gradients: steps, evaluations: 1 }),
  talk,
});
