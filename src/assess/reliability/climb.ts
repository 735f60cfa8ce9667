import { projectOnto, steepest } from '../../attack/ball-geometry.ts';
import type { Talk } from '../../attack/question.ts';
import type { Rng } from '../../core/random.ts';
import { type Ball, randomStart } from '../../threat/norm.ts';

/** Gradients that are averaged for one blurred one. */
const DRAWS = 8;
/** Length of a step as a share of the radius. */
const RELATIVE_STEP = 0.1;

/** Where an ascent has come to. */
export interface Climber {
  readonly x0: Float32Array;
  /** Moved on. */
  readonly at: Float32Array;
  readonly ball: Ball;
  readonly average: number;
  /** Draws the points over which gradients are blurred; they are not without. */
  readonly blur: Rng | undefined;
}

/** `most` steps, or fewer until the goal is reached; `blind` is the share of gradients that are zero or not finite. */
export function* climb(
  climber: Climber,
  most: number,
): Talk<{ readonly losses: readonly number[]; readonly blind: number; readonly steps: number | undefined }> {
  const { x0, at, ball } = climber;
  const size = x0.length;
  const direction = new Float32Array(size);
  const losses: number[] = [];
  let blind = 0;
  for (let step = 0; step < most; step++) {
    ball.constraint?.project(at, 0, x0, 0, size, ball);
    const { gradient, loss, reached } = yield* gradientOf(climber);
    losses.push(loss);
    if (gradient.every((g) => g === 0) || gradient.some((g) => !Number.isFinite(g))) blind++;
    if (reached) return { losses, blind: blind / losses.length, steps: step };
    steepest(ball.norm === 'linf' ? 'linf' : 'l2', gradient, direction);
    for (let i = 0; i < size; i++) at[i]! += RELATIVE_STEP * ball.eps * direction[i]!;
    projectOnto(ball, at, x0);
  }
  ball.constraint?.project(at, 0, x0, 0, size, ball);
  const { reached } = yield { kind: 'answers', points: at, count: 1, probe: true };
  return { losses, blind: blind / most, steps: reached[0] ? most : undefined };
}

/** Loss and goal at the iterate, and the gradient there or its blur. */
function* gradientOf({
  at,
  ball,
  average,
  blur,
}: Climber): Talk<{ readonly gradient: Float32Array; readonly loss: number; readonly reached: boolean }> {
  const ask = (point: Float32Array) =>
    ({ kind: 'gradient', point, loss: 'goal', average, probe: true }) as const;
  const { gradient, loss, reached } = yield ask(at);
  if (!blur || reached[0]) return { gradient, loss, reached: reached[0]! };
  const sum = gradient.slice();
  const nearby = at.slice();
  for (let draw = 1; draw < DRAWS; draw++) {
    randomStart({ ...ball, eps: ball.eps * blur.uniform() }, at, nearby, 0, at.length, blur);
    const { gradient: there } = yield ask(nearby);
    for (let i = 0; i < sum.length; i++) sum[i]! += there[i]!;
  }
  return { gradient: sum, loss, reached: reached[0]! };
}
