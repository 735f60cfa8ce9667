import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DTYPE_CODES, type DType } from '../onnx/dtype.ts';
import { graph, model, node, value } from '../onnx/model.fixture.ts';
import type { Dim, Model } from '../onnx/model.ts';
import { float32Tensor } from '../onnx/tensor.ts';
import { type Engine, startEngine } from './engine.ts';
import { openPredictor } from './predictor.ts';

let engine: Engine;
beforeAll(() => {
  engine = startEngine({ threads: 1 });
});
afterAll(() => engine.close());

/** `z = x · [[1, 0, 2], [0, 1, 3]]`, as another type where `to` is given. */
function small(batch: Dim, to?: DType): Model {
  return model(
    graph({
      inputs: [value('x', [batch, 2])],
      outputs: [value('z', [batch, 3], to ?? 'float32')],
      nodes: [
        node('MatMul', ['x', 'w'], [to ? 'product' : 'z']),
        ...(to ? [node('Cast', ['product'], ['z'], { to: { kind: 'int', value: DTYPE_CODES[to] } })] : []),
      ],
      initializers: { w: float32Tensor([2, 3], [1, 0, 2, 0, 1, 3]) },
    }),
  );
}
const options = { input: 'x', output: 'z', sampleDims: [2], batch: 2 };
const x = Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9, 10);
const z = Float32Array.of(1, 2, 8, 3, 4, 18, 5, 6, 28, 7, 8, 38, 9, 10, 48);

describe('predict', () => {
  it.each<[string, Dim, number]>([
    ['an open batch', 'N', 2],
    ['an open batch larger than the data', 'N', 99],
    ['an unnamed batch', null, 3],
    ['a fixed batch, the last one filled up', 4, 99],
    ['a fixed batch of one', 1, 8],
  ])('gives a row for each sample with %s', async (_, dim, batch) => {
    const predictor = await openPredictor(engine, small(dim), { ...options, batch });
    expect(await predictor.predict(x, 5)).toEqual(z);
    expect(await predictor.predict(x, 0)).toEqual(new Float32Array(0));
    await predictor.close();
  });

  it.each([1, 2, 3])('gives the same with %i threads that run whole samples', async (count) => {
    const lanes = { count, rows: 2 };
    const predictor = await openPredictor(engine, small('N'), { ...options, batch: 99, lanes });
    expect(await predictor.predict(x, 5)).toEqual(z);
    expect(await predictor.predict(x, 1)).toEqual(z.slice(0, 3));
    expect(await predictor.predict(x, 0)).toEqual(new Float32Array(0));
    await expect(predictor.predict(x, 5, AbortSignal.abort())).rejects.toMatchObject({
      code: 'run/cancelled',
    });
    await predictor.close();
  });

  it.each<DType>(['float64', 'float16', 'int64', 'int32', 'uint8'])(
    'reads numbers of type %s',
    async (dtype) => {
      const predictor = await openPredictor(engine, small('N', dtype), options);
      expect(await predictor.predict(x, 5)).toEqual(z);
      await predictor.close();
    },
  );

  it('refuses fewer numbers than samples', async () => {
    const predictor = await openPredictor(engine, small('N'), options);
    await expect(predictor.predict(x, 6)).rejects.toMatchObject({
      code: 'data/mismatch',
      message: 'input x: expected 6 samples of [2], got 10 numbers',
    });
    await predictor.close();
  });

  it('refuses an output that has no row for each sample', async () => {
    const summed = model(
      graph({
        inputs: [value('x', ['N', 2])],
        outputs: [value('z', null)],
        nodes: [node('ReduceSum', ['x'], ['z'], { keepdims: { kind: 'int', value: 0 } })],
      }),
    );
    const predictor = await openPredictor(engine, summed, options);
    await expect(predictor.predict(x, 5)).rejects.toMatchObject({ code: 'data/mismatch' });
    await predictor.close();
  });

  it('stops between batches when it is cancelled', async () => {
    const predictor = await openPredictor(engine, small('N'), options);
    await expect(predictor.predict(x, 5, AbortSignal.abort())).rejects.toMatchObject({
      code: 'run/cancelled',
    });
    await predictor.close();
  });
});
