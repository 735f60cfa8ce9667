import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { DType } from '../onnx/dtype.ts';
import { graph, model, node, value } from '../onnx/model.fixture.ts';
import type { Dim, Model } from '../onnx/model.ts';
import { float32Tensor } from '../onnx/tensor.ts';
import { f32 } from './array.ts';
import { type Engine, startEngine } from './engine.ts';
import { openTarget } from './target.ts';

let engine: Engine;
beforeAll(() => {
  engine = startEngine({ threads: 1 });
});
afterAll(() => engine.close());

const weights = float32Tensor([2, 3], [1, 0, 2, 0, 1, 3]);
const classifier = (dims: readonly Dim[] = ['N', 2], activation = 'Softmax'): Model =>
  model(
    graph({
      inputs: [value('x', dims)],
      outputs: [value('p', null)],
      nodes: [node('MatMul', ['x', 'w'], ['z']), node(activation, ['z'], ['p'])],
      initializers: { w: weights },
    }),
  );

describe('a target', () => {
  it('says what it attacks and runs the model up to its logits', async () => {
    const target = openTarget(engine, classifier());
    expect([target.input, target.sampleDims, target.classes, target.found, target.fixedBatch]).toEqual([
      'x',
      [2],
      3,
      { stripped: 'Softmax', output: 'p' },
      undefined,
    ]);
    const session = await target.compile('logits', 2, ({ logits }) => ({ logits }));
    const { logits } = await session.run({ x: f32(Float32Array.of(1, 2, 3, 4), [2, 2]) });
    expect(logits!.data).toEqual(Float32Array.of(1, 2, 8, 3, 4, 18));
    await target.close();
  });

  it('compiles each graph once per key and batch', async () => {
    const target = openTarget(engine, classifier());
    let built = 0;
    const compile = (key: string, batch: number) =>
      target.compile(key, batch, ({ logits }) => {
        built++;
        return { logits };
      });
    const [a, b] = await Promise.all([compile('a', 2), compile('a', 2)]);
    expect(b).toBe(a);
    await compile('a', 3);
    await compile('b', 2);
    expect(built).toBe(3);
    await target.close();
  });

  it('can be closed, and asked again, after a graph that the runtime refused', async () => {
    const target = openTarget(engine, classifier());
    const types = [{ dtype: 'float32' as const, dims: [2, 3] }];
    await expect(
      target.compile('k', 2, ({ b, logits }) => ({
        y: b.node('Mystery', [logits], {}, { domain: 'com.acme', types }),
      })),
    ).rejects.toMatchObject({ code: 'run/failed' });
    await expect(
      target.compile('k', 2, () => {
        throw new Error('nothing to build');
      }),
    ).rejects.toThrow('nothing to build');
    const session = await target.compile('k', 2, ({ logits }) => ({ logits }));
    expect(session.outputs).toEqual(['logits']);
    await target.close();
  });

  it('opens a graph on every lane, once per key and batch, and all of them again after an error', async () => {
    const lanes = startEngine({ threads: 2 });
    const target = openTarget(lanes, classifier());
    expect(target.lanes!.count).toBe(2);
    let built = 0;
    const compile = (batch: number) =>
      target.lanes!.compile('logits', batch, ({ logits }) => {
        if (++built === 1) throw new Error('nothing to build');
        return { logits };
      });
    await expect(compile(2)).rejects.toThrow('nothing to build');
    const sessions = await compile(2);
    expect(await compile(2)).toBe(sessions);
    expect([built, new Set(sessions).size]).toEqual([2, 2]);
    const feeds = { x: f32(Float32Array.of(1, 2, 3, 4), [2, 2]) };
    for (const session of sessions)
      expect((await session.run(feeds)).logits!.data).toEqual(Float32Array.of(1, 2, 8, 3, 4, 18));
    await target.close();
    await expect(sessions[1]!.run(feeds)).rejects.toMatchObject({ code: 'run/failed' });
    await lanes.close();
  });

  it('has no lanes for graphs that are too large to be held several times', () => {
    const large = { w: float32Tensor([2, 2 ** 22 + 1], new Float32Array(2 ** 23 + 2)) };
    const wide = model(
      graph({
        inputs: [value('x', ['N', 2])],
        outputs: [value('z', null)],
        nodes: [node('MatMul', ['x', 'w'], ['z'])],
        initializers: large,
      }),
    );
    expect(openTarget(engine, wide).lanes).toBeUndefined();
  });

  it('counts the work of a sample', () => {
    expect(openTarget(engine, classifier()).cost.flops).toBe(2 * 2 * 3);
    expect(openTarget(engine, classifier([4, 2])).cost.flops).toBe(2 * 2 * 3);
  });

  it('keeps a batch size that the file fixes', () => {
    expect(openTarget(engine, classifier([4, 2])).fixedBatch).toBe(4);
  });

  it('takes sizes that the file leaves open from the user', () => {
    expect(openTarget(engine, classifier(['N', 'D']), { sampleDims: [2] }).sampleDims).toEqual([2]);
    expect(openTarget(engine, classifier(['N', 'D']), { symbols: { D: 2 } }).sampleDims).toEqual([2]);
    expect(() => openTarget(engine, classifier(['N', 'D']))).toThrow(/dimension 1 \(D\)/);
  });

  const two = (dtype: DType = 'float32'): Model =>
    model(
      graph({
        inputs: [value('x', ['N', 2]), value('scale', ['N', 1], dtype)],
        outputs: [value('z', null)],
        nodes: [node('Mul', ['x', 'scale'], ['scaled']), node('MatMul', ['scaled', 'w'], ['z'])],
        initializers: { w: weights },
      }),
    );

  it('fixes the inputs that are not attacked', async () => {
    const target = openTarget(engine, two(), { fixed: { scale: float32Tensor([1, 1], [10]) } });
    expect(target.input).toBe('x');
    const session = await target.compile('logits', 2, ({ logits }) => ({ logits }));
    const { logits } = await session.run({ x: f32(Float32Array.of(1, 2, 3, 4), [2, 2]) });
    expect(logits!.data).toEqual(Float32Array.of(10, 20, 80, 30, 40, 180));
    await target.close();
  });

  it.each<[string, Model, Parameters<typeof openTarget>[2], RegExp]>([
    ['several inputs', two(), {}, /several inputs \(x, scale\); choose/],
    ['an input that does not exist', two(), { input: 'y' }, /--input: expected one of x, scale, got 'y'/],
    [
      'no input',
      model(graph({ outputs: [value('w', [2, 3])], initializers: { w: weights } })),
      {},
      /expected a tensor input/,
    ],
    [
      'integers',
      two('int64'),
      { input: 'scale', fixed: { x: float32Tensor([1, 2], [1, 2]) } },
      /input scale: expected float32, got int64/,
    ],
    ['an output that does not exist', classifier(), { output: 'q' }, /--output: expected one of p, got 'q'/],
    ['a single number', classifier([]), {}, /input x: expected \[batch, …\], got a single number/],
    [
      'a map of classes',
      model(
        graph({
          inputs: [value('x', ['N', 3, 4, 4])],
          outputs: [value('y', null)],
          nodes: [node('Relu', ['x'], ['y'])],
        }),
      ),
      {},
      /expected \[batch, classes\], got \[2, 3, 4, 4\]/,
    ],
    [
      'one row for all samples',
      model(
        graph({
          inputs: [value('x', ['N', 3])],
          outputs: [value('y', null)],
          nodes: [node('ReduceMean', ['x'], ['y'], { axes: { kind: 'ints', value: [0] } })],
        }),
      ),
      {},
      /expected a row for each of 2 samples, got \[1, 3\]/,
    ],
  ])('refuses a model with %s', (_, m, options, message) => {
    expect(() => openTarget(engine, m, options)).toThrow(message);
  });
});
