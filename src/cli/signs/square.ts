import { planAttack } from '../../attack/registry.ts';
import { silent } from '../../core/progress.ts';
import { randomFrom } from '../../core/random.ts';
import { SIGN_CLASSES, SIGN_SHAPE } from '../../data/traffic-signs/render.ts';
import { classificationGoal } from '../../threat/goal.ts';
import { imageDimsOf } from '../../threat/image-dims.ts';
import type { Ask } from './ask.ts';

/** What is attacked, and how far. */
export interface SquareTarget {
  /** In [0, 1]. */
  readonly picture: Float32Array;
  readonly label: number;
  /** Largest change of a value. */
  readonly eps: number;
  /** Questions after which it gives up. */
  readonly most: number;
  readonly seed: number;
  /** Asked before each question: whether it may stop now. */
  readonly isOver?: (() => boolean) | undefined;
  readonly asked?: ((questions: number) => void) | undefined;
  readonly signal: AbortSignal;
}

class Enough extends Error {}

/**
 * Square (Andriushchenko et al. 2020) on one traffic sign, one question at a time, over the network: until one is not answered, `isOver` says so, or `most` were asked. Gives how many were
 * answered, and whether one was refused.
 */
export async function attackBySquare(
  { picture, label, eps, most, seed, isOver, asked, signal }: SquareTarget,
  ask: Ask,
): Promise<{ readonly answered: number; readonly refused: boolean }> {
  const { attack, options } = planAttack({ name: 'square', options: { queries: most } });
  const classes = SIGN_CLASSES.length;
  let answered = 0;
  let refused = false;
  try {
    await attack.run({
      target: undefined,
      oracle: {
        sampleDims: SIGN_SHAPE,
        classes,
        batch: 1,
        parallel: 1,
        close: async () => {},
        async ask(points, n) {
          if (isOver?.()) throw new Enough();
          const { scores } = await ask(points, n);
          if (scores === undefined) {
            refused = true;
            throw new Enough();
          }
          answered += n;
          asked?.(answered);
          return scores;
        },
      },
      queries: { forward: 0, gradient: 0 },
      goal: classificationGoal(Int32Array.of(label), classes),
      ball: { norm: 'linf', eps, bounds: [0, 1] },
      image: imageDimsOf(SIGN_SHAPE),
      x0: picture,
      x: picture.slice(),
      parameters: new Float32Array(0),
      todo: [0],
      options,
      batch: 1,
      rng: (_sample, ...keys) => randomFrom(seed, attack.id, ...keys),
      signal,
      progress: silent,
    });
  } catch (thrown) {
    if (!(thrown instanceof Enough)) throw thrown;
  }
  return { answered, refused };
}
