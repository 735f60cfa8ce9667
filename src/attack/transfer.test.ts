import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Engine, startEngine } from '../runtime/engine.ts';
import { openTarget, type WhiteBoxTarget } from '../runtime/target.ts';
import { classificationGoal } from '../threat/goal.ts';
import type { Ball } from '../threat/norm.ts';
import { linearModel } from '../threat/small-model.fixture.ts';
import { attackFunction, type FunctionModel } from './function-model.fixture.ts';
import { EVASION_ATTACKS } from './registry.ts';
import { transferOver } from './transfer.ts';

const transfer = transferOver(() => EVASION_ATTACKS);
/** Logits `−x₀` and `x₀`. */
const W = [-1, 1, 0, 0, 0, 0];

let engine: Engine;
let surrogate: WhiteBoxTarget;
beforeAll(() => {
  engine = startEngine({ threads: 1 });
  surrogate = openTarget(engine, linearModel(W, [0, 0]));
});
afterAll(async () => {
  await surrogate.close();
  await engine.close();
});

/** Class 1 where the first value is above `threshold`. */
const target = (threshold: number): FunctionModel => ({
  sampleDims: [3],
  classes: 2,
  answer: (x) => [0, x[0]! - threshold],
});
const ball: Ball = { norm: 'linf', eps: 0.5, bounds: [-1, 1] };
const x0 = new Float32Array(30).fill(-0.1);
const goal = classificationGoal(new Int32Array(10), 2);

describe('transfer', () => {
  it('presses on past the boundary of the surrogate', async () => {
    // The surrogate falls from 0 on, the target only near the edge of the ball.
    const { x, decided } = await attackFunction(transfer, target(0.39), goal, ball, x0, { surrogate });
    for (let i = 0; i < 10; i++) expect(x[3 * i]!).toBeCloseTo(0.4, 5);
    expect([...decided.values()].every(({ reached }) => reached)).toBe(true);
  });

  it('asks the target once for each sample, in batches, and counts nothing of the surrogate', async () => {
    const before = { ...surrogate.queries };
    const { queries, requests, decided } = await attackFunction(transfer, target(5), goal, ball, x0, {
      surrogate,
      batch: 4,
      options: { steps: 3 },
    });
    expect(queries).toBe(10);
    expect(requests).toEqual([4, 4, 2]);
    expect([...decided.values()]).toEqual(Array(10).fill({ reached: false, asked: 1 }));
    expect(surrogate.queries.gradient - before.gradient).toBe(30);
  });

  it('tries what it has made, also where the target does not fall', async () => {
    const { x } = await attackFunction(transfer, target(5), goal, ball, x0, {
      surrogate,
      options: { attack: 'fgsm' },
    });
    expect(x[0]!).toBeCloseTo(0.4, 5);
  });

  it('gives the attack its options', async () => {
    const options = { attack: 'bim', steps: 1, relativeStep: 0.5 };
    const { x } = await attackFunction(transfer, target(5), goal, ball, x0, { surrogate, options });
    expect(x[0]!).toBeCloseTo(0.15, 5);
  });

  it.each([
    [{ attack: 'nonsense' }, /expected attack to be one of .*mi-fgsm.*, got 'nonsense'/],
    [{ attack: 'transfer' }, /got 'transfer'/],
    // Its nearest example only just crosses the surrogate's boundary.
    [{ attack: 'deepfool' }, /got 'deepfool'/],
    [{ attack: 'fab', relativeStep: 0.1 }, /got 'fab'/],
    [{ attack: 'apgd-ce', relativeStep: 0.1 }, /expected no relativeStep with apgd-ce/],
    [{ steps: -1 }, /steps/],
  ])('refuses %j', (options, message) => {
    expect(() => transfer.check({ ...transfer.defaults, ...options })).toThrow(message);
  });

  it('says what is missing or does not fit', async () => {
    const run = (change: Parameters<typeof attackFunction>[5], on = target(0), within = ball) =>
      attackFunction(transfer, on, goal, within, x0, change);
    await expect(run({})).rejects.toThrow(/expected a surrogate model, got none/);
    await expect(run({ surrogate }, { ...target(0), classes: 3 })).rejects.toThrow(
      /expected samples \[3\] and 3 outputs, as the target has, got samples \[3\] and 2 outputs/,
    );
    await expect(
      run({ surrogate, options: { attack: 'mi-fgsm' } }, target(0), { ...ball, norm: 'l1' }),
    ).rejects.toThrow(/expected an attack in l1, got mi-fgsm/);
  });
});
