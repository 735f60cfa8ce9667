import { describe, expect, it } from 'vitest';
import { DTYPE_CODES } from '../onnx/dtype.ts';
import { graph, model, node, value } from '../onnx/model.fixture.ts';
import type { Attribute, Dim, Model, Node } from '../onnx/model.ts';
import { float32Tensor, int64Tensor, type Tensor } from '../onnx/tensor.ts';
import { findLogits } from './logits.ts';
import { runModel } from './one-node.fixture.ts';
import { specialise } from './specialise.ts';

const int = (v: number): Attribute => ({ kind: 'int', value: v });
const X = [1, -2, 3, 0.5, 4, -1];

/** A model from `x` to `y` of opset 21. */
const chain = (
  nodes: readonly Node[],
  dims: readonly Dim[] = [2, 3],
  initializers: Readonly<Record<string, Tensor>> = {},
  rest: Partial<Model> = {},
) =>
  model(graph({ inputs: [value('x', dims)], outputs: [value('y', null)], nodes, initializers }), {
    opsets: new Map([['', 21]]),
    ...rest,
  });

/** What is found in `m`, and its numbers for `x` of six elements. */
async function found(m: Model, dims: readonly number[] = [2, 3]) {
  const trace = specialise(m);
  const { logits, stripped, output } = findLogits(trace);
  const results = await runModel(trace.b.builder.build({ logits_: logits }), { x: float32Tensor(dims, X) });
  return { stripped, output, dims: logits.dims, dtype: logits.dtype, values: results.logits_!.data };
}

describe('findLogits', () => {
  it.each(['Softmax', 'LogSoftmax', 'Sigmoid'] as const)('leaves a final %s out', async (op) => {
    const result = await found(chain([node('Neg', ['x'], ['z']), node(op, ['z'], ['y'])]));
    expect(result).toEqual({
      stripped: op,
      output: 'y',
      dims: [2, 3],
      dtype: 'float32',
      values: X.map((v) => -v),
    });
  });

  it.each([-1, 1])('leaves a softmax over axis %d out', async (axis) => {
    const result = await found(chain([node('Softmax', ['x'], ['y'], { axis: int(axis) })]));
    expect(result.stripped).toBe('Softmax');
  });

  it.each<[string, Node[], readonly number[]]>([
    [
      'over channels in front of a 1×1 map',
      [node('Softmax', ['x'], ['p'], { axis: int(1) }), node('Flatten', ['p'], ['y'])],
      [2, 3, 1, 1],
    ],
    [
      'over the last axis behind one of size 1',
      [node('Softmax', ['x'], ['p']), node('Reshape', ['p', 'shape'], ['y'])],
      [2, 1, 3],
    ],
  ])('gives logits in the output’s shape where the softmax goes %s', async (_, nodes, dims) => {
    const result = await found(chain(nodes, dims, { shape: int64Tensor([2], [2, 3]) }), dims);
    expect(result).toMatchObject({ stripped: 'Softmax', dims: [2, 3], values: X });
  });

  it('keeps a softmax over the batch, which is no activation', async () => {
    const m = chain([node('Softmax', ['x'], ['y'], { axis: int(0) })]);
    expect((await found(m)).stripped).toBeUndefined();
  });

  it('keeps activations that are not at the end', async () => {
    const m = chain([node('Sigmoid', ['x'], ['s']), node('Neg', ['s'], ['y'])]);
    const { stripped, values } = await found(m);
    expect(stripped).toBeUndefined();
    expect(values[0]).toBeCloseTo(-1 / (1 + Math.exp(-1)), 6);
  });

  it('keeps operators of other domains, whatever they are called', () => {
    const custom = { ...node('Softmax', ['x'], ['y']), domain: 'com.acme' };
    const trace = specialise(chain([node('Neg', ['x'], ['y'])]));
    const [y] = trace.b.builder.add(
      'Softmax',
      [trace.inputs.get('x')!],
      {},
      {
        domain: custom.domain,
        types: [{ dtype: 'float32', dims: [2, 3] }],
      },
    );
    const result = findLogits({ ...trace, outputs: new Map([['y', y!]]) });
    expect([result.stripped, result.logits]).toEqual([undefined, y]);
  });

  it('gives logits in the output’s type', async () => {
    const cast = (to: 'float16' | 'float32') => ({ to: int(DTYPE_CODES[to]) });
    const m = chain([
      node('Cast', ['x'], ['half'], cast('float16')),
      node('Softmax', ['half'], ['p']),
      node('Cast', ['p'], ['y'], cast('float32')),
    ]);
    expect(await found(m)).toMatchObject({ stripped: 'Softmax', dtype: 'float32', values: X });
  });

  const two = (): Model =>
    model(
      graph({
        inputs: [value('x', [2, 3])],
        outputs: [value('a', null), value('b', null), value('label', null, 'int64')],
        nodes: [
          node('Neg', ['x'], ['a']),
          node('Softmax', ['x'], ['b']),
          node('ArgMax', ['x'], ['label'], { axis: int(1) }),
        ],
      }),
    );

  it('takes the output that is named', () => {
    expect(findLogits(specialise(two()), 'b')).toMatchObject({ stripped: 'Softmax', output: 'b' });
  });

  it('takes the only floating-point output unnamed', () => {
    const m = two();
    const outputs = m.graph.outputs.filter((o) => o.name !== 'a');
    expect(findLogits(specialise({ ...m, graph: { ...m.graph, outputs } })).output).toBe('b');
  });

  it.each([
    [undefined, /several outputs could be attacked \(a, b\)/],
    ['c', /--output: expected one of a, b, label, got 'c'/],
    ['label', /output label: expected floating-point scores, got int64/],
  ])('refuses the output %s', (name, message) => {
    expect(() => findLogits(specialise(two()), name)).toThrow(message);
  });

  it('refuses a model without floating-point outputs', () => {
    const m = two();
    const outputs = m.graph.outputs.filter((o) => o.name === 'label');
    expect(() => findLogits(specialise({ ...m, graph: { ...m.graph, outputs } }))).toThrow(
      /expected a floating-point output, found none/,
    );
  });
});
