import { afterAll, describe, expect, it } from 'vitest';
import { graph, model, node, value } from '../onnx/model.fixture.ts';
import type { Dim } from '../onnx/model.ts';
import { float32Tensor } from '../onnx/tensor.ts';
import { f32 } from './array.ts';
import { batchRunner } from './batch-runner.ts';
import { startEngine } from './engine.ts';
import { openTarget, type WhiteBoxTarget } from './target.ts';

const engine = startEngine({ threads: 3 });
afterAll(() => engine.close());

/** `z = 2x`, one value a sample. */
const doubling = (batch: Dim = 'N') =>
  openTarget(
    engine,
    model(
      graph({
        inputs: [value('x', [batch, 1])],
        outputs: [value('z', null)],
        nodes: [node('Mul', ['x', 'two'], ['z'])],
        initializers: { two: float32Tensor([], [2]) },
      }),
    ),
  );

/** Runs `values` as one batch; what came back, and the rows that were fed. */
async function run(runner: ReturnType<typeof batchRunner>, values: readonly number[]) {
  let fed = 0;
  const out = await runner.run(
    'logits',
    values.length,
    ({ logits }) => ({ logits }),
    (rows) => {
      fed = rows;
      return {
        x: f32(
          Float32Array.from({ length: rows }, (_, i) => values[i] ?? -1),
          [rows, 1],
        ),
      };
    },
  );
  return { answers: [...(out.logits!.data as Float32Array)].slice(0, values.length), fed };
}

/** The same target as if its graph were too large for lanes. */
const whole = (target: WhiteBoxTarget): WhiteBoxTarget => ({ ...target, lanes: undefined });

/** The same target as if a pass took this many operations. */
const costing = (target: WhiteBoxTarget, flops: number): WhiteBoxTarget => ({
  ...target,
  cost: { ...target.cost, flops },
});

describe('a batch runner', () => {
  it('gives every batch its own answers, whatever is under way beside it', async () => {
    const target = doubling();
    const runner = batchRunner(target, 64, 'answers');
    expect(runner.parallel).toBe(6);
    const batches = Array.from({ length: 20 }, (_, b) =>
      Array.from({ length: 1 + b * 3 }, (_, i) => 100 * b + i),
    );
    const all = await Promise.all(batches.map((values) => run(runner, values)));
    for (const [b, { answers }] of all.entries()) expect(answers).toEqual(batches[b]!.map((v) => 2 * v));
    await target.close();
  });

  it('fills a batch up to the next of few sizes', async () => {
    const target = doubling();
    const runner = batchRunner(target, 64, 'answers');
    expect([runner.batch, runner.sizes]).toEqual([64, [64, 16, 4]]);
    for (const [count, rows] of [
      [1, 4],
      [4, 4],
      [5, 16],
      [17, 64],
    ] as const)
      expect((await run(runner, new Array<number>(count).fill(3))).fed).toBe(rows);
    await target.close();
  });

  it('sends larger batches of cheaper models, within the limits', () => {
    const target = doubling();
    const rows = (flops: number, most: number, kind: 'answers' | 'gradients') =>
      batchRunner(costing(target, flops), most, kind).batch;
    expect(rows(2.4e6, 512, 'answers')).toBe(256);
    expect(rows(2.4e6, 512, 'gradients')).toBe(64);
    expect(rows(1, 512, 'answers')).toBe(256);
    expect(rows(1e12, 512, 'gradients')).toBe(4);
    expect(rows(1e12, 1, 'gradients')).toBe(1);
    expect(rows(1, 100, 'answers')).toBe(100);
  });

  it('keeps to the batch size that a file fixes', async () => {
    const target = doubling(5);
    const runner = batchRunner(target, 64, 'answers');
    expect([runner.batch, runner.sizes]).toEqual([5, [5]]);
    expect(await run(runner, [1, 2])).toEqual({ answers: [2, 4], fed: 5 });
    const alone = batchRunner(whole(target), 64, 'answers');
    expect(alone.batch).toBe(5);
    expect(await run(alone, [1, 2])).toEqual({ answers: [2, 4], fed: 5 });
    await target.close();
  });

  it('runs batches of a large graph one by one, as full as they are', async () => {
    const target = doubling();
    const runner = batchRunner(whole(target), 64, 'gradients');
    expect([runner.batch, runner.parallel, runner.sizes]).toEqual([64, 1, undefined]);
    expect(await run(runner, [1, 2, 3, 4, 5])).toEqual({ answers: [2, 4, 6, 8, 10], fed: 8 });
    await target.close();
  });

  it('passes on what goes wrong, and can be asked again', async () => {
    const target = doubling();
    const runner = batchRunner(target, 8, 'answers');
    const broken = runner.run(
      'logits',
      2,
      () => {
        throw new Error('nothing to build');
      },
      () => ({}),
    );
    await expect(broken).rejects.toThrow('nothing to build');
    expect((await run(runner, [7])).answers).toEqual([14]);
    await target.close();
  });
});
