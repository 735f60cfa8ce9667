import { describe, expect, it } from 'vitest';
import { classificationGoal } from '../threat/goal.ts';
import type { Ball } from '../threat/norm.ts';
import { attackFunction, type FunctionModel } from './function-model.fixture.ts';
import type { Talk } from './question.ts';
import { defineSampleAttack, type SampleAttack, type Victim } from './sample-attack.ts';

/** Class 1 from a sum of 1 on. */
const model: FunctionModel = {
  sampleDims: [2],
  classes: 2,
  answer: (x) => [1, x[0]! + x[1]!],
};
const ball: Ball = { norm: 'linf', eps: 0.5, bounds: [0, 1] };

const attackOf = (talk: (victim: Victim) => Talk, change: Partial<SampleAttack<{ queries: number }>> = {}) =>
  defineSampleAttack<{ queries: number }>({
    id: 'test',
    title: 'Test',
    needs: 'scores',
    seeks: 'ball',
    norms: ['linf'],
    source: '',
    use: '',
    defaults: { queries: 100 },
    check: () => {},
    cost: () => ({ gradients: 0, evaluations: 1 }),
    talk,
    ...change,
  });

describe('a sample attack', () => {
  it('sees the other clean samples and what is aimed at in them, and not its own', async () => {
    const seen: (readonly [number, readonly number[], number | undefined])[][] = [];
    const attack = attackOf(function* ({ others }) {
      seen.push(
        Array.from({ length: others.count }, (_, i) => [i, [...others.point(i)], others.aim(i)] as const),
      );
    });
    const x0 = Float32Array.of(0, 0.5, 1, 1, 0.25, 0);
    await attackFunction(attack, model, classificationGoal([0, 1, 0], 2), ball, x0);
    expect(seen).toEqual([
      [
        [0, [1, 1], 1],
        [1, [0.25, 0], 0],
      ],
      [
        [0, [0, 0.5], 0],
        [1, [0.25, 0], 0],
      ],
      [
        [0, [0, 0.5], 0],
        [1, [1, 1], 1],
      ],
    ]);
  });

  it('sees no others where there is only one sample', async () => {
    let count: number | undefined;
    const attack = attackOf(function* ({ others, answers, x0 }) {
      count = others.count;
      yield* answers(x0);
    });
    await attackFunction(attack, model, classificationGoal([0], 2), ball, Float32Array.of(0, 0));
    expect(count).toBe(0);
  });

  it('ends with the first point in the ball that reaches the goal, and never with a probe', async () => {
    const asked: number[] = [];
    const attack = attackOf(function* ({ answers }) {
      for (const v of [0.1, 0.9, 0.4, 0.3]) {
        asked.push(v);
        yield* answers(Float32Array.of(v, 1 - v + 0.1), 1, v === 0.4 ? 'probe' : undefined);
      }
    });
    const { x, decided } = await attackFunction(
      attack,
      model,
      classificationGoal([0], 2),
      ball,
      Float32Array.of(0.2, 0.3),
    );
    // The second point is outside the ball, the third only a probe.
    expect(asked).toEqual([0.1, 0.9, 0.4, 0.3]);
    expect([...x]).toEqual([...Float32Array.of(0.3, 1 - 0.3 + 0.1)]);
    expect(decided.get(0)).toEqual({ reached: true, asked: 4 });
  });

  it('ends before a question that its budget does not hold', async () => {
    const attack = attackOf(function* ({ answers, left }) {
      for (;;) yield* answers(new Float32Array(6), Math.min(3, left() > 2 ? 3 : 2));
    });
    const { decided, queries } = await attackFunction(
      attack,
      model,
      classificationGoal([0, 0], 2),
      ball,
      new Float32Array(4),
      { options: { queries: 10 } },
    );
    expect(queries).toBe(18);
    expect(decided.get(0)).toEqual({ reached: false, asked: 9 });
  });

  it('keeps the nearest point that reaches the goal where it seeks the minimum', async () => {
    const attack = attackOf(
      function* ({ answers }) {
        yield* answers(Float32Array.of(0.9, 0.9, 0.6, 0.5, 0.7, 0.6, 0.1, 0.1), 4);
      },
      { seeks: 'minimum' },
    );
    const { x } = await attackFunction(
      attack,
      model,
      classificationGoal([0], 2),
      { ...ball, eps: 0.01 },
      Float32Array.of(0.2, 0.2),
    );
    expect([...x]).toEqual([...Float32Array.of(0.6, 0.5)]);
  });
});
