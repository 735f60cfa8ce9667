import { planAttack } from '../../attack/registry.ts';
import type { Progress } from '../../core/progress.ts';
import { randomFrom } from '../../core/random.ts';
import { classificationGoal } from '../../threat/goal.ts';
import { imageDimsOf } from '../../threat/image-dims.ts';
import type { Ask } from './ask.ts';

/** What is attacked, and how far. */
export interface SquareTarget {
  readonly picture: Float32Array;
  readonly shape: readonly number[];
  readonly label: number;
  readonly classNames: readonly string[];
  readonly eps: number;
  readonly seed: number;
  readonly signal: AbortSignal;
  readonly progress: Progress;
}

/** Queries after which the attack gives up. */
const MOST_QUERIES = 2000;

class Caught extends Error {}

/** Square, an attack that needs nothing but answers, one question at a time. Gives how many were answered before one was not; undefined where all were. */
export async function attackUntilRefused(target: SquareTarget, ask: Ask): Promise<number | undefined> {
  const { picture, shape, label, eps, seed, signal, classNames, progress } = target;
  const { attack, options } = planAttack({ name: 'square', options: { queries: MOST_QUERIES } });
  const classes = classNames.length;
  let answered = 0;
  try {
    await attack.run({
      target: undefined,
      oracle: {
        sampleDims: shape,
        classes,
        batch: 1,
        parallel: 1,
        close: async () => {},
        async ask(points, n) {
          const { scores } = await ask(points, n);
          if (scores === undefined) throw new Caught();
          answered += n;
          progress({ label: 'attacking the gateway', done: answered, total: MOST_QUERIES });
          return scores;
        },
      },
      queries: { forward: 0, gradient: 0 },
      goal: classificationGoal(Int32Array.of(label), classes),
      ball: { norm: 'linf', eps, bounds: [0, 1] },
      image: imageDimsOf(shape),
      x0: picture,
      x: picture.slice(),
      parameters: new Float32Array(0),
      todo: [0],
      options,
      batch: 1,
      rng: (_sample, ...keys) => randomFrom(seed, attack.id, ...keys),
      signal,
      progress: () => {},
    });
  } catch (thrown) {
    if (thrown instanceof Caught) return answered;
    throw thrown;
  }
  return undefined;
}
