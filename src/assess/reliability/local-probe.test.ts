import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Interviewed } from '../../attack/interview.ts';
import { randomFrom } from '../../core/random.ts';
import { GraphBuilder, type Value } from '../../onnx/graph-builder.ts';
import { float32Tensor } from '../../onnx/tensor.ts';
import { type Engine, startEngine } from '../../runtime/engine.ts';
import { fileOracle } from '../../runtime/file-oracle.ts';
import { openTarget } from '../../runtime/target.ts';
import { classificationGoal } from '../../threat/goal.ts';
import type { Ball, Norm } from '../../threat/norm.ts';
import { type Ops, opsOn } from '../../transform/ops.ts';
import { gradientPaths, largerRadii } from './gradient-path.ts';
import { localViews, reachOf } from './local-probe.ts';
import { fallsToNoise } from './noise-probe.ts';

let engine: Engine;
beforeAll(() => {
  engine = startEngine({ threads: 1 });
});
afterAll(() => engine.close());

/** Two logits, `w · x` and 0, for what `front` makes of two values; label 0. */
async function asked<T>(
  ask: (model: Interviewed) => Promise<T>,
  front: (b: Ops, x: Value) => Value = (_, x) => x,
  end: (b: Ops, z: Value) => Value = (_, z) => z,
): Promise<T> {
  const b = opsOn(new GraphBuilder());
  const x = b.builder.input('x', 'float32', [4, 2]);
  const w = b.builder.constant(float32Tensor([2, 2], [3, 0, 4, 0]));
  const target = openTarget(engine, b.builder.build({ z: end(b, b.matmul(front(b, x), w)) }));
  try {
    return await ask({
      target,
      oracle: fileOracle(target, 4),
      queries: target.queries,
      goal: classificationGoal([0, 0, 0, 0], 2),
      batch: 4,
      rng: (sample) => randomFrom(1, sample),
    });
  } finally {
    await target.close();
  }
}

const ball = (norm: Norm, eps: number): Ball => ({ norm, eps, bounds: [0, 1] });
const HALF = Float32Array.of(0.5, 0.5);

describe('the neighbourhood of a sample', () => {
  it.each<[Norm, number]>([
    ['linf', 7],
    ['l2', 5],
    ['l1', 4],
  ])('of a linear model in %s: the margin, its slope, perfect agreement', async (norm, slope) => {
    const [view] = await asked((model) => localViews(model, [0], HALF, ball(norm, 0.1)));
    expect(view).toMatchObject({
      zeroLoss: false,
      zeroMargin: false,
      notFinite: false,
      margin: 3.5,
      top: 3.5,
      gap: 0,
    });
    expect(view!.slope).toBeCloseTo(slope, 5);
    expect(view!.agreement).toBeCloseTo(1, 5);
  });

  it('of a step: no gradient, and no agreement', async () => {
    const [view] = await asked(
      (model) => localViews(model, [0], HALF, ball('linf', 0.1)),
      (b, x) => b.div(b.unary('Floor', b.mul(x, 4)), 4),
    );
    expect(view).toMatchObject({ zeroLoss: true, zeroMargin: true, slope: 0, agreement: 0 });
  });

  it('of a square root at zero: a gradient that is no number', async () => {
    const [view] = await asked(
      (model) => localViews(model, [0], Float32Array.of(0, 0.5), ball('linf', 0.1)),
      (b, x) => b.unary('Sqrt', x),
    );
    expect(view!.notFinite).toBe(true);
  });

  it('of noise: two answers that differ', async () => {
    const [view] = await asked(
      (model) => localViews(model, [0], HALF, ball('linf', 0.1)),
      (b, x) => b.add(x, b.mul(b.node('RandomNormalLike', [x]), 0.1)),
    );
    expect(view!.gap).toBeGreaterThan(1e-3);
  });

  it('of ripples: no agreement, though a whole period and a quarter fit into the longest step', async () => {
    const [view] = await asked(
      (model) => localViews(model, [0], HALF, ball('linf', 0.02)),
      (b, x) => b.add(x, b.mul(b.unary('Sin', b.mul(b.sub(x, 0.5), 250 * Math.PI)), 0.1)),
    );
    expect(view!.agreement).toBeLessThan(0.8);
  });

  it('of log-probabilities: how far the largest is above their mean, which their ceiling of 0 does not hide', async () => {
    const tops = (at: number) =>
      asked(
        (model) => localViews(model, [0], Float32Array.of(at, at), ball('linf', 0.01)),
        undefined,
        (b, z) => b.node('Neg', [b.unary('Neg', b.node('LogSoftmax', [z]))]),
      );
    expect((await tops(0.9))[0]!.top).toBeCloseTo(3.15, 4);
    expect((await tops(0.8))[0]!.top).toBeCloseTo(2.8, 4);
  });

  it('reaches half as far as the ball, and no further than a gradient can say', () => {
    expect(reachOf(ball('linf', 0.01), 100)).toBeCloseTo(0.005, 9);
    expect(reachOf(ball('linf', 0.3), 100)).toBeCloseTo(0.015, 9);
    expect(reachOf(ball('l2', 0.1), 100)).toBeCloseTo(0.005, 9);
    expect(reachOf(ball('l1', 1), 100)).toBeCloseTo(0.005, 9);
    expect(reachOf(ball('l0', 3), 100)).toBeCloseTo(0.015, 9);
    const open: Ball = { norm: 'l0', eps: 3, bounds: [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY] };
    expect(Number.isFinite(reachOf(open, 100))).toBe(true);
  });
});

describe('the radii beyond the ball', () => {
  it('grow by equal factors up to every input there is', () => {
    expect(largerRadii(ball('linf', 1 / 64), 4)).toEqual([1 / 16, 1 / 4, 1].map((r) => expect.closeTo(r, 9)));
    expect(largerRadii(ball('l2', 0.25), 4).at(-1)).toBe(2);
    expect(largerRadii(ball('l1', 0.5), 4).at(-1)).toBe(4);
    expect(largerRadii(ball('l0', 3), 4)).toEqual([1]);
    expect(largerRadii(ball('linf', 0), 4)).toEqual([1]);
    expect(largerRadii(ball('linf', 2), 4)).toEqual([]);
  });

  it('grow by eight where the inputs have no bounds', () => {
    const open: Ball = { norm: 'linf', eps: 0.5, bounds: [0, Number.POSITIVE_INFINITY] };
    expect(largerRadii(open, 4)).toEqual([4, 32, 256]);
  });
});

describe('an ascent', () => {
  const climb = (eps: number, front?: (b: Ops, x: Value) => Value) =>
    asked((model) => gradientPaths(model, [0], HALF, ball('linf', eps), 1), front);
  const lowered = (b: Ops, x: Value) => b.sub(x, 0.25);

  it('ends in the first ball that holds an example', async () => {
    // The margin of 1.75 falls by 7 for each unit of eps.
    const [inside] = await climb(0.3, lowered);
    expect(inside).toMatchObject({ fellAt: 0.3, blind: 0 });
    expect(inside!.steps).toBeLessThanOrEqual(40);
    const [larger] = await climb(0.1, lowered);
    expect(larger!.steps).toBeUndefined();
    expect(larger!.fellAt).toBeCloseTo(0.1 * 10 ** (2 / 3), 6);
    expect(larger!.losses).toHaveLength(40);
    expect(larger!.losses.at(-1)!).toBeGreaterThan(larger!.losses[0]!);
  });

  it('fails even where every input is allowed if there is no gradient', async () => {
    const [path] = await climb(0.1, (b, x) => b.div(b.unary('Floor', b.mul(lowered(b, x), 1e6)), 1e6));
    expect(path).toMatchObject({ blind: 1, steps: undefined, fellAt: undefined });
  });
});

describe('an ascent without a ball of its own', () => {
  it.each<[Norm, number]>([
    ['l0', 1],
    ['linf', 0],
  ])('(%s, eps %d) is tried where every input is allowed, and is no example inside', async (norm, eps) => {
    const [path] = await asked(
      (model) => gradientPaths(model, [0], HALF, ball(norm, eps), 1),
      (b, x) => b.sub(x, 0.25),
    );
    expect(path).toMatchObject({ losses: [], blind: 0, steps: undefined, fellAt: 1 });
  });
});

describe('noise', () => {
  it('finds what half of the corners hold, and nothing that no point does', async () => {
    const fallen = (eps: number) =>
      asked(
        (model) => fallsToNoise(model, [0], HALF, ball('linf', eps)),
        (b, x) => b.sub(x, 0.49),
      );
    expect(await fallen(0.02)).toEqual([true]);
    expect(await fallen(0.005)).toEqual([false]);
  });
});
