import { afterAll, describe, expect, it } from 'vitest';
import { GraphBuilder } from '../onnx/graph-builder.ts';
import { float32Tensor } from '../onnx/tensor.ts';
import { f32, i64 } from './array.ts';
import { startEngine } from './engine.ts';
import { isShardable, openSharded, shardsFor } from './sharded.ts';

const engine = startEngine({ threads: 3 });
afterAll(() => engine.close());

/** `y = 2x` and `label` passed through, for `rows` samples of two values. */
function doubling(rows: number) {
  const builder = new GraphBuilder();
  const x = builder.input('x', 'float32', [rows, 2]);
  const label = builder.input('label', 'int64', [rows]);
  const two = builder.constant(float32Tensor([], [2]));
  return builder.build({ y: builder.add('Mul', [x, two])[0]!, same: builder.add('Neg', [label])[0]! });
}

const ramp = (n: number) => Float32Array.from({ length: n }, (_, i) => i);

describe('a batch shared by threads', () => {
  for (const batch of [6, 7, 8]) {
    it(`gives each of ${batch} rows its own answer, in order`, async () => {
      const rows = Math.ceil(batch / 3);
      const session = await openSharded(engine, doubling(rows), rows, batch);
      const labels = Array.from({ length: batch }, (_, i) => i);
      const { y, same } = await session.run({ x: f32(ramp(2 * batch), [batch, 2]), label: i64(labels) });
      expect(y!.dims).toEqual([batch, 2]);
      expect(Array.from(y!.data as Float32Array)).toEqual(Array.from(ramp(2 * batch), (v) => 2 * v));
      expect(Array.from(same!.data as BigInt64Array, Number)).toEqual(labels.map((l) => (l === 0 ? 0 : -l)));
      await session.close();
    });
  }

  it('leaves the caller its arrays', async () => {
    const session = await openSharded(engine, doubling(2), 2, 6);
    const x = ramp(12);
    await session.run({ x: f32(x, [6, 2]), label: i64([0, 1, 2, 3, 4, 5]) });
    expect(x).toEqual(ramp(12));
    await session.close();
  });

  it('refuses a batch of another size', async () => {
    const session = await openSharded(engine, doubling(2), 2, 6);
    const feeds = { x: f32(ramp(10), [5, 2]), label: i64([0, 1, 2, 3, 4]) };
    await expect(session.run(feeds)).rejects.toMatchObject({ code: 'data/mismatch' });
    await session.close();
  });

  it('is for batches that give every thread two samples or more, and for graphs that may be held several times', () => {
    expect(shardsFor(engine, 6)).toBe(3);
    expect(shardsFor(engine, 5)).toBe(1);
    expect(isShardable(doubling(2))).toBe(true);
    const builder = new GraphBuilder();
    const x = builder.input('x', 'float32', [1]);
    const large = builder.constant(float32Tensor([2 ** 23 + 1], new Float32Array(2 ** 23 + 1)));
    expect(isShardable(builder.build({ y: builder.add('Add', [x, large])[0]! }))).toBe(false);
  });
});
