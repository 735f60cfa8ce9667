import { describe, expect, it } from 'vitest';
import type { GlacisError } from '../core/error.ts';
import { graph, model, node, value } from '../onnx/model.fixture.ts';
import type { Dim, Model } from '../onnx/model.ts';
import { float32Tensor } from '../onnx/tensor.ts';
import { runModel } from './one-node.fixture.ts';
import { specialise } from './specialise.ts';

/** `y = x · w` for `x` of `dims`. */
const product = (dims: readonly Dim[] | null): Model =>
  model(
    graph({
      inputs: [value('x', dims)],
      outputs: [value('y', null)],
      nodes: [node('MatMul', ['x', 'w'], ['y'])],
      initializers: { w: float32Tensor([2, 1], [3, 4]) },
    }),
  );

const problemOf = (run: () => unknown): GlacisError => {
  try {
    run();
  } catch (error) {
    return error as GlacisError;
  }
  throw new Error('expected an error');
};

describe('specialise fixes shapes', () => {
  const dimsOf = (...args: Parameters<typeof specialise>) => specialise(...args).outputs.get('y')!.dims;

  it.each<[string, readonly Dim[] | null, Parameters<typeof specialise>[1], readonly number[]]>([
    ['that the file has', [5, 2], {}, [5, 1]],
    ['by the batch for an unnamed leading dimension', [null, 2], { batch: 4 }, [4, 1]],
    ['by the batch for a named one', ['N', 2], { batch: 4 }, [4, 1]],
    ['by a symbol before the batch', ['N', 2], { batch: 4, symbols: { N: 6 } }, [6, 1]],
    ['by symbols anywhere', ['N', 'T', 2], { symbols: { N: 6, T: 3 } }, [6, 3, 1]],
    ['by inputDims before both', ['N', 2], { batch: 4, symbols: { N: 6 }, inputDims: { x: [7, 2] } }, [7, 1]],
    ['by inputDims where the file has none', null, { inputDims: { x: [7, 2] } }, [7, 1]],
    ['of an empty batch', ['N', 2], { batch: 0 }, [0, 1]],
  ])('%s', (_, dims, options, expected) => {
    expect(dimsOf(product(dims), options)).toEqual(expected);
  });

  it.each<[string, readonly Dim[] | null, Parameters<typeof specialise>[1], string, RegExp]>([
    ['nothing gives a size', ['N', 2], {}, 'model/dynamic-shape', /dimension 0 \(N\)/],
    ['the batch is not leading', [1, 'T', 2], { batch: 4 }, 'model/dynamic-shape', /dimension 1 \(T\)/],
    ['the file has no shape', null, { batch: 4 }, 'model/dynamic-shape', /expected a shape in the file/],
    [
      'a fixed size is contradicted',
      ['N', 2],
      { inputDims: { x: [3, 5] } },
      'data/mismatch',
      /expected \[N, 2\], got \[3, 5\]/,
    ],
    [
      'the rank is contradicted',
      ['N', 2],
      { inputDims: { x: [3] } },
      'data/mismatch',
      /expected \[N, 2\], got \[3\]/,
    ],
    [
      'an input does not exist',
      ['N', 2],
      { batch: 1, inputDims: { z: [3] } },
      'option/invalid',
      /inputDims: expected one of the inputs x, got 'z'/,
    ],
    [
      'the batch is negative',
      ['N', 2],
      { batch: -1 },
      'option/invalid',
      /expected a size of at least 0, got -1/,
    ],
    ['the batch is no number', ['N', 2], { batch: Number.NaN }, 'option/invalid', /got NaN/],
    ['a symbol is a fraction', ['N', 2], { symbols: { N: 1.5 } }, 'option/invalid', /got 1.5/],
    ['a given size is negative', null, { inputDims: { x: [-3, 2] } }, 'option/invalid', /got -3/],
    [
      'a parameter does not exist',
      [1, 2],
      { parameters: ['v'] },
      'option/invalid',
      /no initializer named 'v'/,
    ],
    ['shapes contradict an operator', ['N', 3], { batch: 1 }, 'model/invalid', /MatMul/],
    [
      'a symbol is named like a member of objects',
      ['constructor', 2],
      { symbols: {} },
      'model/dynamic-shape',
      /\(constructor\)/,
    ],
  ])('and refuses where %s', (_, dims, options, code, message) => {
    expect(problemOf(() => specialise(product(dims), options))).toMatchObject({
      name: 'GlacisError',
      code,
      message: expect.stringMatching(message),
    });
  });

  it('does not take an input for a member of objects', () => {
    const m = product([1, 2]);
    const inputs = m.graph.inputs.map((i) => ({ ...i, name: 'toString' }));
    const nodes = [node('MatMul', ['toString', 'w'], ['y'])];
    const trace = specialise({ ...m, graph: { ...m.graph, inputs, nodes } }, { inputDims: {} });
    expect(trace.inputs.get('toString')!.dims).toEqual([1, 2]);
  });
});

describe('specialise', () => {
  it('reports all operators that it cannot write at once, but not those that only follow', () => {
    const m = model(
      graph({
        inputs: [value('x', [2])],
        outputs: [value('y', null)],
        nodes: [
          { ...node('Mystery', ['x'], ['a']), domain: 'com.acme', name: 'first' },
          node('Relu', ['a'], ['b']),
          { ...node('Riddle', ['x'], ['c']), domain: 'com.acme', name: 'second' },
          node('Add', ['b', 'c'], ['y']),
        ],
      }),
    );
    const problem = problemOf(() => specialise(m));
    expect(problem.code).toBe('model/unsupported-operator');
    expect(problem.message).toMatch(/got 2 that it does not:\n.*first.*\n.*second/);
    expect(problem.message).not.toMatch(/Relu|Add/);
  });

  it('refuses a graph that reads or gives what nothing makes', () => {
    const reading = model(
      graph({
        inputs: [value('x', [2])],
        outputs: [value('y', null)],
        nodes: [node('Add', ['x', 'ghost'], ['y'])],
      }),
    );
    expect(problemOf(() => specialise(reading))).toMatchObject({
      code: 'model/invalid',
      message: expect.stringMatching(/'ghost'/),
    });
    const giving = model(graph({ inputs: [value('x', [2])], outputs: [value('y', null)] }));
    expect(problemOf(() => specialise(giving))).toMatchObject({
      code: 'model/invalid',
      message: 'output y: no node makes it',
    });
  });

  it('refuses inputs that are no tensors', () => {
    const m = model(
      graph({
        inputs: [{ name: 'x', type: { kind: 'other', description: 'sequence(float32)', proto: undefined } }],
      }),
    );
    expect(problemOf(() => specialise(m))).toMatchObject({
      code: 'model/unsupported-task',
      message: 'input x: expected a tensor, got sequence(float32)',
    });
  });

  it('turns parameters into inputs and leaves other initializers constants', async () => {
    const trace = specialise(product(['N', 2]), { batch: 2, parameters: ['w'] });
    expect([...trace.parameters.keys()]).toEqual(['w']);
    expect(trace.parameters.get('w')!.data).toBeUndefined();
    expect(specialise(product([2, 2])).values.get('w')!.data).toBeDefined();
    const { y_ } = await runModel(trace.b.builder.build({ y_: trace.outputs.get('y')! }), {
      x: float32Tensor([2, 2], [1, 2, 3, 4]),
      w: float32Tensor([2, 1], [10, 1]),
    });
    expect(y_!.data).toEqual([12, 34]);
  });

  it('gives every named value of the graph, inputs and outputs in the file’s order', () => {
    const m = model(
      graph({
        inputs: [value('b', [1]), value('a', [1])],
        outputs: [value('z', null), value('m', null), value('a', [1])],
        nodes: [node('Add', ['a', 'b'], ['m']), node('Neg', ['m'], ['z'])],
      }),
    );
    const trace = specialise(m);
    expect([...trace.inputs.keys()]).toEqual(['b', 'a']);
    expect([...trace.outputs.keys()]).toEqual(['z', 'm', 'a']);
    expect([...trace.values.keys()].sort()).toEqual(['a', 'b', 'm', 'z']);
    expect(trace.outputs.get('a')).toBe(trace.inputs.get('a'));
  });
});
