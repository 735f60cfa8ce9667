import type { Rng } from '../../core/random.ts';
import { shuffle } from '../../core/shuffle.ts';
import type { Attack } from '../attack.ts';
import { restoreFixed } from '../free-elements.ts';
import { wholeFrom } from '../option-checks.ts';
import type { Talk } from '../question.ts';
import { defineSampleAttack, type Victim } from '../sample-attack.ts';
import { adversarialStart } from './starting-point.ts';

/** Options of the pointwise attack. */
export interface PointwiseOptions {
  /** Starting points to go back from. */
  readonly restarts: number;
  /** Draws of noise for a starting point. */
  readonly initSize: number;
  /** Most queries for one sample. */
  readonly queries: number;
}

/**
 * The pointwise attack (Schott et al. 2019): from salt-and-pepper noise that reaches the goal, takes elements back to the clean
 * sample's values as long as the goal stays reached, until not one more can go back.
 *
 * Unlike in the paper several elements are taken back at once: twice as many after each success, half as many after a failure. The
 * end is the same, and it comes with far fewer questions. Elements count, so a pixel of three channels counts up to three.
 * Cost: up to `queries` answers, one after another.
 */
export const pointwise: Attack<PointwiseOptions> = defineSampleAttack({
  id: 'pointwise',
  title: 'Pointwise attack',
  needs: 'labels',
  seeks: 'minimum',
  norms: ['l0'],
  source: 'https://arxiv.org/abs/1805.09190',
  use: 'Few changed elements with decisions alone, and an upper bound where gradients are hidden.',
  defaults: { restarts: 10, initSize: 100, queries: 10000 },
  check(options) {
    wholeFrom(options, 'restarts', 1);
    wholeFrom(options, 'initSize', 1);
    wholeFrom(options, 'queries', 1);
  },
  cost: ({ queries }) => ({ gradients: 0, evaluations: queries }),
  *talk(victim, { restarts, initSize }) {
    for (let restart = 0; restart < restarts; restart++) {
      const rng = victim.rng(restart);
      const x = (yield* saltAndPepper(victim, rng, initSize)) ?? (yield* adversarialStart(victim, initSize));
      if (!x) return;
      yield* takeBack(victim, rng, x);
    }
  },
});

/** Salt-and-pepper noise that reaches the goal, on more elements from draw to draw. */
function* saltAndPepper(
  { x0, size, ball, answers }: Victim,
  rng: Rng,
  draws: number,
): Talk<Float32Array | undefined> {
  const [low, high] = ball.bounds;
  if (!Number.isFinite(high - low)) return undefined;
  const point = new Float32Array(size);
  let share = 1 / draws;
  for (let draw = 0; draw < draws; draw++) {
    for (let i = 0; i < size; i++) {
      const u = rng.uniform();
      point[i] = u < share / 2 ? low : u < share ? high : x0[i]!;
    }
    restoreFixed(ball, x0, point);
    const { reached } = yield* answers(point);
    if (reached[0]) return point;
    share = Math.min(1, share + 1 / draws);
  }
  return undefined;
}

/** Takes elements of `x` back until no single one can go. */
function* takeBack({ x0, size, answers }: Victim, rng: Rng, x: Float32Array): Talk {
  const point = new Float32Array(size);
  let group = 1;
  for (;;) {
    const changed = shuffled(x, x0, rng);
    let progress = false;
    for (let at = 0; at < changed.length; ) {
      const end = Math.min(changed.length, at + group);
      point.set(x);
      for (let k = at; k < end; k++) point[changed[k]!] = x0[changed[k]!]!;
      const { reached } = yield* answers(point);
      if (reached[0]) {
        x.set(point);
        progress = true;
        at = end;
        group *= 2;
      } else if (end - at === 1) {
        at = end;
        group = 1;
      } else group = Math.max(1, Math.floor((end - at) / 2));
    }
    if (!progress) return;
  }
}

function shuffled(x: Float32Array, x0: Float32Array, rng: Rng): number[] {
  const indices: number[] = [];
  for (let i = 0; i < x.length; i++) if (x[i] !== x0[i]) indices.push(i);
  return shuffle(indices, rng);
}
