import { planAttack } from '../../../src/attack/registry.ts';
import { parseSpecs } from '../../../src/core/options.ts';
import { silent } from '../../../src/core/progress.ts';
import { randomFrom } from '../../../src/core/random.ts';
import { classificationGoal } from '../../../src/threat/goal.ts';
import { imageDimsOf } from '../../../src/threat/image-dims.ts';
import { distance } from '../../../src/threat/norm.ts';
import { DIGIT } from '../stateful/pictures.ts';

/** How near HopSkipJump came, by queries. */
export interface Hops {
  readonly queries: number;
  /** The distance whenever a nearer example was found: `[queries, l2]`. */
  readonly nearer: readonly (readonly [queries: number, l2: number])[];
  /** The queries themselves, up to `kept` of them. */
  readonly x: Float32Array;
}

/** Thrown by an oracle that answers no more. */
export class NoMoreAnswers extends Error {}

/** HopSkipJump (l2) from one digit against whatever answers, until its own end, `most` queries or {@link NoMoreAnswers}. */
export async function hop(
  ask: (x: Float32Array, n: number) => Promise<Float32Array>,
  x0: Float32Array,
  label: number,
  { most, seed, kept = 0 }: { readonly most: number; readonly seed: number; readonly kept?: number },
): Promise<Hops> {
  const [parsed] = parseSpecs('hop-skip-jump');
  const { attack, options } = planAttack({ ...parsed!, options: { ...parsed!.options, queries: most } });
  const goal = classificationGoal(Int32Array.of(label), 10);
  const nearer: (readonly [number, number])[] = [];
  const x = new Float32Array(kept * DIGIT);
  let queries = 0;
  let best = Number.POSITIVE_INFINITY;
  try {
    await attack.run({
      target: undefined,
      oracle: {
        sampleDims: [1, 28, 28],
        ...{ classes: 10, batch: 32, parallel: 1 },
        close: async () => {},
        async ask(points, n) {
          const scores = await ask(points, n);
          for (let i = 0; i < n; i++) {
            const point = points.subarray(i * DIGIT, (i + 1) * DIGIT);
            if (queries < kept) x.set(point, queries * DIGIT);
            queries++;
            const far = distance('l2', point, x0, 0, DIGIT);
            if (far < best && goal.reached(0, scores, i * 10)) {
              best = far;
              nearer.push([queries, far]);
            }
          }
          return scores;
        },
      },
      queries: { forward: 0, gradient: 0 },
      goal,
      ball: { norm: 'l2', eps: 1e-3, bounds: [0, 1] },
      image: imageDimsOf([1, 28, 28]),
      x0,
      x: x0.slice(),
      parameters: new Float32Array(0),
      ...{ todo: [0], options, batch: 32, progress: silent },
      rng: (_sample, ...keys) => randomFrom(seed, attack.id, ...keys),
    });
  } catch (thrown) {
    if (!(thrown instanceof NoMoreAnswers)) throw thrown;
  }
  return { queries, nearer, x: x.subarray(0, Math.min(kept, queries) * DIGIT) };
}
