import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { graph, model, node, value } from '../onnx/model.fixture.ts';
import { float32Tensor } from '../onnx/tensor.ts';
import { f32 } from '../runtime/array.ts';
import { type Engine, type Session, startEngine } from '../runtime/engine.ts';
import { openTarget, type WhiteBoxTarget } from '../runtime/target.ts';
import { binaryGoal, classificationGoal } from './goal.ts';
import { type Ball, distance } from './norm.ts';
import { linearModel, randomRows } from './small-model.fixture.ts';
import { ascentStep, STEP_INPUTS, type StepOptions } from './step.ts';

const D = 7;
const ROWS = 3;
let engine: Engine;
beforeAll(() => {
  engine = startEngine({ threads: 1 });
});
afterAll(() => engine.close());

const zeros = binaryGoal([0, 0, 0]);
const runner = async (
  target: WhiteBoxTarget,
  ball: Ball,
  step: number,
  d = D,
  goal = zeros,
  l1Step?: StepOptions['l1Step'],
) => {
  const session: Session = await target.compile(`${JSON.stringify(ball)} ${step}`, ROWS, (g) =>
    ascentStep(g, goal, ball, step, { l1Step }),
  );
  return async (x: Float32Array, start: Float32Array) => {
    const out = await session.run({
      x: f32(x.slice(), [ROWS, d]),
      [STEP_INPUTS.start]: f32(start.slice(), [ROWS, d]),
      [STEP_INPUTS.goal]: goal.feed([0, 1, 2]),
    });
    return out.next!.data as Float32Array;
  };
};

/** Projection onto the L1 ball in float64: Duchi et al. 2008, figure 1. */
function duchi(delta: readonly number[], eps: number): number[] {
  const size = delta.map(Math.abs);
  if (size.reduce((s, v) => s + v, 0) <= eps) return [...delta];
  const sorted = [...size].sort((a, b) => b - a);
  let sum = 0;
  let theta = 0;
  sorted.forEach((v, i) => {
    sum += v;
    if (v - (sum - eps) / (i + 1) > 0) theta = (sum - eps) / (i + 1);
  });
  return delta.map((v) => Math.sign(v) * Math.max(Math.abs(v) - theta, 0));
}

describe('the projection', () => {
  const rows = fc.array(fc.double({ min: -4, max: 4, noNaN: true }), {
    minLength: ROWS * D,
    maxLength: ROWS * D,
  });
  const zero = linearModel(new Array<number>(D).fill(0), [0]);

  for (const norm of ['linf', 'l2', 'l1'] as const) {
    for (const eps of [0, 0.3, 2.5]) {
      it(`onto ${norm} of ${eps} lands in ball and bounds and moves nothing that is there already`, async () => {
        const ball: Ball = { norm, eps, bounds: [-1, 1.5] };
        const step = await runner(openTarget(engine, zero), ball, 0);
        await fc.assert(
          fc.asyncProperty(rows, rows, async (x, s) => {
            const start = Float32Array.from(s, (v) => Math.min(1.5, Math.max(-1, v)));
            const next = await step(Float32Array.from(x), start);
            for (let r = 0; r < ROWS; r++)
              expect(distance(norm, next, start, r * D, D)).toBeLessThanOrEqual(eps * (1 + 2e-6) + 2e-6);
            expect(next.every((v) => v >= -1 && v <= 1.5)).toBe(true);
            const again = await step(next, start);
            again.forEach((v, i) => {
              expect(Math.abs(v - next[i]!)).toBeLessThan(5e-6);
            });
          }),
          { numRuns: 25 },
        );
      });
    }
  }

  it('onto l1 is the nearest point, as in Duchi et al.', async () => {
    const eps = 1.75;
    const step = await runner(openTarget(engine, zero), { norm: 'l1', eps, bounds: [-99, 99] }, 0);
    const ties = fc.array(fc.constantFrom(0, 0.25, -0.25, 1, -1), {
      minLength: ROWS * D,
      maxLength: ROWS * D,
    });
    await fc.assert(
      fc.asyncProperty(fc.oneof(rows, ties), rows, async (x, s) => {
        const [from, start] = [Float32Array.from(x), Float32Array.from(s)];
        const next = await step(from, start);
        for (let r = 0; r < ROWS; r++) {
          const at = (i: number) => r * D + i;
          const delta = Array.from({ length: D }, (_, i) => Math.fround(from[at(i)]! - start[at(i)]!));
          duchi(delta, eps).forEach((v, i) => {
            expect(Math.abs(next[at(i)]! - (start[at(i)]! + v))).toBeLessThan(2e-6);
          });
        }
      }),
      { numRuns: 40 },
    );
  });

  it('onto l1 keeps to the radius in thousands of dimensions', async () => {
    const d = 3072;
    const eps = 12;
    const wide = linearModel(new Array<number>(d).fill(0), [0]);
    const step = await runner(openTarget(engine, wide), { norm: 'l1', eps, bounds: [0, 1] }, 0, d);
    const start = randomRows('start', ROWS, d);
    const noise = randomRows('noise', ROWS, d, -0.016, 0.016);
    const next = await step(
      start.map((v, i) => v + noise[i]!),
      start,
    );
    for (let r = 0; r < ROWS; r++) {
      const length = distance('l1', next, start, r * d, d);
      expect(length).toBeLessThanOrEqual(eps * (1 + 1e-5));
      expect(length).toBeGreaterThan(0.95 * eps);
    }
  });

  it('onto l2 is the nearest point: the same direction, cut to eps', async () => {
    const step = await runner(openTarget(engine, zero), { norm: 'l2', eps: 1, bounds: [-99, 99] }, 0);
    const far = Float32Array.from({ length: ROWS * D }, (_, i) => (i < D ? 3 * (i % 2) : 0.1));
    const next = await step(far, new Float32Array(ROWS * D));
    const length = Math.hypot(...far.subarray(0, D));
    for (let i = 0; i < D; i++) expect(next[i]).toBeCloseTo(far[i]! / length, 6);
    expect(next.subarray(D)).toEqual(far.subarray(D));
  });
});

describe('one step on a linear model', () => {
  const w = [0.5, -2, 0, 1, 3, -0.1, 0.25];
  const cases: readonly [Ball['norm'], readonly number[]][] = [
    ['linf', w.map(Math.sign)],
    ['l2', w.map((v) => v / Math.hypot(...w))],
    ['l1', w.map((v) => (v === 3 ? 1 : 0))],
  ];
  it.each(cases)('of length eps reaches the optimum of the %s ball', async (norm, direction) => {
    const eps = 0.75;
    const step = await runner(openTarget(engine, linearModel(w, [0])), { norm, eps, bounds: [-99, 99] }, eps);
    const start = Float32Array.from({ length: ROWS * D }, (_, i) => (i % 5) / 4);
    const next = await step(start, start);
    for (let i = 0; i < ROWS * D; i++) expect(next[i]).toBeCloseTo(start[i]! + eps * direction[i % D]!, 5);
  });

  const sure = [
    ['binary', binaryGoal([0, 0, 0]), linearModel(w, [-60]), w],
    ['binary', binaryGoal([1, 1, 1]), linearModel(w, [60]), w.map((v) => -v)],
    [
      'two-class',
      classificationGoal([1, 1, 1], 2),
      linearModel(
        w.flatMap((v, i) => [v, i]),
        [0, 60],
      ),
      w.map((v, i) => v - i),
    ],
  ] as const;
  it.each(['linf', 'l2', 'l1'] as const)(
    'in %s has full length and the right direction, however sure the model is',
    async (norm) => {
      // A gradient of e^−60, whose square is 0 in float32.
      for (const [, aim, confident, direction] of sure) {
        const ball: Ball = { norm, eps: 1, bounds: [-99, 99] };
        const step = await runner(openTarget(engine, confident), ball, 1, D, aim);
        const next = await step(new Float32Array(ROWS * D), new Float32Array(ROWS * D));
        const top = Math.max(...direction.map(Math.abs));
        const best = {
          linf: Math.sign,
          l2: (v: number) => v / Math.hypot(...direction),
          l1: (v: number) => (Math.abs(v) === top ? Math.sign(v) : 0),
        }[norm];
        for (let i = 0; i < ROWS * D; i++) expect(next[i]).toBeCloseTo(best(direction[i % D]!), 5);
      }
    },
  );

  it.each(['linf', 'l2', 'l1'] as const)('in %s stays where the gradient is zero', async (norm) => {
    const flat = openTarget(engine, linearModel(new Array<number>(D).fill(0), [0]));
    const step = await runner(flat, { norm, eps: 1, bounds: [-99, 99] }, 1);
    const x = Float32Array.from({ length: ROWS * D }, (_, i) => i / 50);
    expect(await step(x, x)).toEqual(x);
  });

  it('in l1 shares the step among equal elements and leaves those that are at their bound', async () => {
    const step = await runner(
      openTarget(engine, linearModel([4, 2, -2, 2, 1, 0, -4], [0])),
      { norm: 'l1', eps: 5, bounds: [0, 1] },
      0.6,
    );
    // The first and last element cannot move outwards any more.
    const x = Float32Array.from({ length: ROWS * D }, (_, i) => [1, 0.5, 0.5, 0.5, 0.5, 0.5, 0][i % D]!);
    const next = await step(x, x);
    [1, 0.7, 0.3, 0.7, 0.5, 0.5, 0].forEach((v, i) => {
      expect(next[i]).toBeCloseTo(v, 6);
    });
  });
});

describe('one step in l1 by all of the gradient', () => {
  const step = async (w: readonly number[], bias: number, eps: number) =>
    runner(
      openTarget(engine, linearModel([...w], [bias])),
      { norm: 'l1', eps, bounds: [0, 1] },
      eps,
      D,
      zeros,
      'all',
    );

  it('gives each element by its size, and nothing to those at their bound', async () => {
    const x = Float32Array.from({ length: ROWS * D }, (_, i) => [1, 0.5, 0.5, 0.5, 0.5, 0.5, 0][i % D]!);
    const next = await (await step([4, 2, -2, 2, 1, 1, -4], 0, 0.8))(x, x);
    [1, 0.7, 0.3, 0.7, 0.6, 0.6, 0].forEach((v, i) => {
      expect(next[i]).toBeCloseTo(v, 6);
    });
  });

  it('has full length however sure the model is, and stays where the gradient is zero', async () => {
    const x = new Float32Array(ROWS * D).fill(0.5);
    const w = [0.5, -2, 0, 1, 3, -0.1, 0.25];
    const length = w.reduce((sum, v) => sum + Math.abs(v), 0);
    const next = await (await step(w, -60, 0.4))(x, x);
    for (let i = 0; i < ROWS * D; i++) expect(next[i]).toBeCloseTo(0.5 + (0.4 * w[i % D]!) / length, 6);
    expect(await (await step(new Array<number>(D).fill(0), 0, 0.4))(x, x)).toEqual(x);
  });
});

describe('one step where the gradient is not finite', () => {
  /** `z = x₀ + sqrt(x₁) + relu(x₂)^0.5 …`: infinite at 0, NaN below 0. */
  const rough = model(
    graph({
      inputs: [value('x', ['N', 3])],
      outputs: [value('z', ['N', 1])],
      nodes: [
        node('Mul', ['x', 'mask'], ['kept']),
        node('Mul', ['x', 'rest'], ['rooted']),
        node('Relu', ['rooted'], ['r']),
        node('Sqrt', ['r'], ['s']),
        node('Add', ['kept', 's'], ['sum']),
        node('MatMul', ['sum', 'ones'], ['z']),
      ],
      initializers: {
        mask: float32Tensor([3], [1, 0, 0]),
        rest: float32Tensor([3], [0, 1, 1]),
        ones: float32Tensor([3, 1], [1, 1, 1]),
      },
    }),
  );

  it.each(['linf', 'l2', 'l1'] as const)('in %s gives finite points in the ball', async (norm) => {
    const step = await runner(openTarget(engine, rough), { norm, eps: 0.5, bounds: [-1, 1] }, 0.5, 3);
    const start = Float32Array.of(0.2, 0, -0.5, 0.2, -0.3, -0.5, 0.2, 0.4, 0);
    const next = await step(start, start);
    expect(next.every(Number.isFinite)).toBe(true);
    for (let r = 0; r < 3; r++)
      expect(distance(norm, next, start, r * 3, 3)).toBeLessThanOrEqual(0.5 * (1 + 1e-5));
    expect(next).not.toEqual(start);
  });
});

describe('outputs of a step', () => {
  it('are logits and loss at the point before the step', async () => {
    const target = openTarget(engine, linearModel([1, -1, 2, 0], [0.5, 0]));
    const labels = classificationGoal([1], 2);
    const session = await target.compile('outputs', 1, (g) =>
      ascentStep(g, labels, { norm: 'linf', eps: 1, bounds: [-9, 9] }, 1),
    );
    const x = Float32Array.of(0.25, 0.5);
    const out = await session.run({
      x: f32(x.slice(), [1, 2]),
      [STEP_INPUTS.start]: f32(x.slice(), [1, 2]),
      [STEP_INPUTS.goal]: labels.feed([0]),
    });
    const [z0, z1] = [0.25 + 2 * 0.5 + 0.5, -0.25];
    expect(Array.from(out.logits!.data as Float32Array)).toEqual([z0, z1]);
    expect((out.loss!.data as Float32Array)[0]).toBeCloseTo(Math.log(1 + Math.exp(z0 - z1)), 5);
    expect(Array.from(out.next!.data as Float32Array)).toEqual([1.25, 1.5]);
  });

  it('cannot be had in l0', async () => {
    const target = openTarget(engine, linearModel([1, 2], [0]));
    await expect(
      target.compile('l0', 1, (g) => ascentStep(g, zeros, { norm: 'l0', eps: 1, bounds: [0, 1] }, 1)),
    ).rejects.toThrow(/norm: expected linf, l2 or l1, got l0/);
  });
});
