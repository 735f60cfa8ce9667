import type { Talk } from './question.ts';
import type { Victim } from './sample-attack.ts';

/** Rounds, and the most elements that are tried one by one in one of them. */
const ROUNDS = 3;
const SINGLES = 256;

/**
 * Takes elements out of the nearest example (in l0) that it does not need. How far an element goes costs nothing in l0, so each round first
 * moves all changed ones to the bound that helps, as the gradient at the example says. Then it looks for the fewest that are
 * enough, by halves: of all elements those that help most according to the gradient, and of the changed ones those that did most; and
 * tries each of the rest without it. Exact where the model is linear, bounds included, up to ties. Does nothing
 * while there is no example. Cost of a round: a gradient, about 2·log₂ n answers, and one for each element left.
 */
export function* refineSparse(victim: Victim): Talk {
  for (let round = 0; round < ROUNDS; round++) {
    const before = victim.best();
    if (!(before.reached && before.distance > 1)) return;
    const count = before.distance;
    yield* onceRound(victim, before.x.slice());
    if (!(victim.best().distance < count)) return;
  }
}

function* onceRound(victim: Victim, x: Float32Array): Talk {
  const { x0, size, ball, best } = victim;
  const { gradient } = yield* victim.gradient(x, { loss: 'margin' });
  const g = gradient.slice();
  const [low, high] = ball.bounds;
  const bound = (i: number) => {
    const to = g[i]! > 0 ? high : g[i]! < 0 ? low : x[i]!;
    return Number.isFinite(to) ? to : x[i]!;
  };
  const gain = (i: number, to: number) => g[i]! * (to - x0[i]!);
  const all = Array.from({ length: size }, (_, i) => i);
  const byBound = all.filter((i) => gain(i, bound(i)) > 0);
  byBound.sort((a, b) => gain(b, bound(b)) - gain(a, bound(a)) || a - b);
  yield* fewest(victim, byBound, best().distance, bound);

  // The example itself, its elements as far as they can go where that still reaches the goal.
  const changed = all.filter((i) => x[i] !== x0[i]);
  const furthest = x.slice();
  for (const i of changed) furthest[i] = bound(i);
  const from = (yield* victim.answers(furthest)).reached[0]! ? furthest : x;
  changed.sort((a, b) => gain(b, from[b]!) - gain(a, from[a]!) || a - b);
  const kept = yield* fewest(victim, changed, changed.length + 1, (i) => from[i]!);
  yield* withoutEach(victim, kept, from);
}

/**
 * The fewest elements of `order`, from its front and below `most` of them, that reach the goal when they are set to `value` and all others
 * are as in the clean sample; all of `order` where none is known to. Found by halves, as if more were always better.
 */
function* fewest(
  { x0, answers }: Victim,
  order: readonly number[],
  most: number,
  value: (i: number) => number,
): Talk<readonly number[]> {
  let [missed, fallen] = [0, Math.min(most, order.length + 1)];
  const point = x0.slice();
  while (fallen - missed > 1) {
    const middle = (missed + fallen) >> 1;
    point.set(x0);
    for (let k = 0; k < middle; k++) point[order[k]!] = value(order[k]!);
    if ((yield* answers(point)).reached[0]!) fallen = middle;
    else missed = middle;
  }
  return order.slice(0, fallen);
}

/** Puts elements of `kept` back one after another, the one that did least first, where the goal stays reached without it. */
function* withoutEach({ x0, answers }: Victim, kept: readonly number[], from: Float32Array): Talk {
  const x = x0.slice();
  for (const i of kept) x[i] = from[i]!;
  const point = x.slice();
  for (const i of kept.toReversed().slice(0, SINGLES)) {
    point.set(x);
    point[i] = x0[i]!;
    if ((yield* answers(point)).reached[0]!) x[i] = x0[i]!;
  }
}
