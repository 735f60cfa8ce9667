import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { float32Tensor } from '../../onnx/tensor.ts';
import { type Engine, startEngine } from '../../runtime/engine.ts';
import { classificationGoal, type Goal, regressionGoal } from '../../threat/goal.ts';
import type { Ball } from '../../threat/norm.ts';
import { hiddenModel, linearModel, randomRows } from '../../threat/small-model.fixture.ts';
import { attackModel } from '../model-run.fixture.ts';
import { feature } from './feature.ts';

const D = 6;
const N = 10;
const model = hiddenModel(D, 12, 3);
const x0 = randomRows('feature', N, D, -1, 1);
const ball: Ball = { norm: 'linf', eps: 0.3, bounds: [-1, 1] };
// One sample of class 1: everyone else's only guide.
const labels = Int32Array.from({ length: N }, (_, i) => (i === 4 ? 1 : 0));
const goal = classificationGoal(labels, 3);

let engine: Engine;
beforeAll(() => {
  engine = startEngine({ threads: 1 });
});
afterAll(() => engine.close());

/** The hidden layer's activations (`a`, or `h` before the tanh) in float64. */
function hidden(x: Float32Array, isBent: boolean): number[] {
  const { data } = model.graph.initializers.get('w1')!;
  const w = new Float32Array(data.buffer, data.byteOffset, data.byteLength / 4);
  const offset = model.graph.initializers.get('b1')!.data;
  const bias = new Float32Array(offset.buffer, offset.byteOffset, offset.byteLength / 4);
  return Array.from(bias, (b, k) => {
    let h = b;
    for (let i = 0; i < D; i++) h += x[i]! * w[i * 12 + k]!;
    return isBent ? Math.tanh(h) : h;
  });
}

/** Never reached, and nearer with every question: the whole way is gone, and its last point is kept. */
function toTheEnd(other: Goal): Goal {
  let margin = 1;
  return { ...other, reached: () => false, margin: () => margin-- };
}

const row = (x: Float32Array, i: number) => x.subarray(i * D, (i + 1) * D);
const gap = (a: readonly number[], b: readonly number[]) => Math.hypot(...a.map((v, i) => v - b[i]!));

describe('feature adversaries', () => {
  it.each([
    ['', true],
    ['a', true],
    ['h', false],
  ] as const)("bring the activations of layer '%s' close to the guide's", async (layer, isBent) => {
    const { x } = await attackModel(engine, model, feature, toTheEnd(goal), { ...ball, eps: 0.8 }, x0, {
      options: { layer },
    });
    const guide = hidden(row(x0, 4), isBent);
    for (let i = 0; i < N; i++) {
      if (i === 4) continue;
      const [before, after] = [row(x0, i), row(x, i)].map((s) => gap(hidden(s, isBent), guide));
      expect(after, `sample ${i}`).toBeLessThan(0.8 * before!);
    }
  });

  it('take the nearest of several guides first', async () => {
    const many = classificationGoal(
      Int32Array.from({ length: N }, (_, i) => (i < 5 ? 0 : 1)),
      3,
    );
    const { x } = await attackModel(engine, model, feature, toTheEnd(many), ball, x0, { todo: [0] });
    const own = hidden(row(x0, 0), true);
    const guides = [5, 6, 7, 8, 9].map((i) => hidden(row(x0, i), true));
    const nearest = guides.toSorted((a, b) => gap(a, own) - gap(b, own))[0]!;
    expect(gap(hidden(row(x, 0), true), nearest)).toBeLessThan(0.8 * gap(own, nearest));
  });

  it('fool the model with a guide that it sees as another class', async () => {
    const wide: Ball = { norm: 'l2', eps: 4, bounds: [-1, 1] };
    const { reached, forward } = await attackModel(engine, model, feature, goal, wide, x0);
    expect([...reached.values()].filter(Boolean).length).toBeGreaterThan(N / 2);
    // Guides and own activations, one pass each.
    expect(forward).toBeGreaterThan(2 * N);
  });

  it('find nothing where all samples are of one class', async () => {
    const one = classificationGoal(new Int32Array(N), 3);
    const { x, reached } = await attackModel(engine, model, feature, one, ball, x0);
    expect([...reached.values()]).toEqual(new Array(N).fill(false));
    expect(x).toEqual(x0);
  });

  it('say what a layer or a goal must be', async () => {
    const run = (layer: string) =>
      attackModel(engine, model, feature, goal, ball, x0, { options: { layer } });
    await expect(run('nonsense')).rejects.toThrow(/layer: expected the name of a value .+ got 'nonsense'/);
    await expect(run('w1')).rejects.toThrow(/layer: expected float32 activations with a row for each/);
    const values = regressionGoal(new Float32Array(N), 1, 0.1);
    await expect(attackModel(engine, model, feature, values, ball, x0)).rejects.toThrow(
      /feature: expected classes to lead away from, got the task regression/,
    );
  });

  it("ask for a layer's name where paths join before the last weights", async () => {
    const joined = linearModel([1, 0, 0, 1], [0, 0]);
    const { graph } = joined;
    const bent = {
      ...joined,
      graph: {
        ...graph,
        nodes: [
          { ...graph.nodes[0]!, outputs: ['inner'] },
          { ...graph.nodes[0]!, op: 'Mul', name: 'square', inputs: ['inner', 'x'], outputs: ['z'] },
        ],
        initializers: new Map([
          ['w', float32Tensor([2, 2], [1, 0, 0, 1])],
          ['bias', float32Tensor([2], [0, 0])],
        ]),
      },
    };
    const two = classificationGoal([0, 1], 2);
    const run = attackModel(engine, bent, feature, two, ball, Float32Array.of(0.2, 0.1, 0.3, 0.5));
    await expect(run).rejects.toThrow(/layer: expected a model whose last layer has weights/);
  });
});
