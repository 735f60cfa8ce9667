import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type AttributeInput, attributesFrom } from '../onnx/attributes.ts';
import type { Model } from '../onnx/model.ts';
import { readModel } from '../onnx/read.ts';
import { float32Tensor, int64Tensor, numbersOf, type Tensor, tensorFrom } from '../onnx/tensor.ts';
import { distance, randomTensor, runModel, specialised } from './one-node.fixture.ts';
import { specialise } from './specialise.ts';

type Step = readonly [op: string, inputs: string, attributes?: Readonly<Record<string, AttributeInput>>];

/** A chain over input `x` of `dims`: step `k` makes `v{k}` from names in its inputs, the last one is the output. */
function chain(
  dims: readonly number[],
  constants: Readonly<Record<string, Tensor>>,
  ...steps: Step[]
): Model {
  return {
    irVersion: 8,
    opsets: new Map([['', 17]]),
    graph: {
      name: 'chain',
      inputs: [{ name: 'x', type: { kind: 'tensor', dtype: 'float32', dims } }],
      outputs: [
        { name: `v${steps.length - 1}`, type: { kind: 'tensor', dtype: 'float32', dims: undefined } },
      ],
      initializers: new Map(Object.entries(constants)),
      nodes: steps.map(([op, inputs, attributes = {}], k) => ({
        op,
        domain: '',
        name: `node${k}`,
        inputs: inputs.split(' '),
        outputs: [`v${k}`],
        attributes: attributesFrom(attributes),
      })),
      valueTypes: new Map(),
    },
    functions: [],
    producer: 'test',
    metadata: new Map(),
  };
}

const shape = (...sizes: number[]) => int64Tensor([sizes.length], sizes);
const sample = (x: Tensor, i: number, n: number): Tensor => {
  const values = numbersOf(x);
  const size = values.length / n;
  return tensorFrom('float32', [1, ...x.dims.slice(1)], values.slice(i * size, (i + 1) * size));
};

/** Runs the model sample by sample, and lifted on all; both flattened, sample by sample. */
async function bothWays(model: Model, batch: number) {
  const type = model.graph.inputs[0]!.type;
  const dims = type.kind === 'tensor' ? (type.dims as readonly number[]) : [];
  const x = randomTensor('x', [batch, ...dims.slice(1)]);
  const output = model.graph.outputs[0]!.name;
  const want: number[] = [];
  for (let i = 0; i < batch; i++)
    want.push(...(await runModel(model, { x: sample(x, i, batch) }))[output]!.data);
  const got = await runModel(specialised(model, { batch, liftFrom: 1 }).model, { x });
  return { want, got: got[`${output}_new`]! };
}

const E = 6;
const w = (seed: string, ...dims: number[]) => randomTensor(seed, dims);
const liftable: readonly (readonly [string, Model])[] = [
  ['reshape to [1, n]', chain([1, 2, 3], { s: shape(1, 6) }, ['Reshape', 'x s'])],
  ['reshape to [1, -1]', chain([1, 2, 3], { s: shape(1, -1) }, ['Reshape', 'x s'])],
  ['reshape to [-1, n]', chain([1, 2, 3], { s: shape(-1, 6) }, ['Reshape', 'x s'])],
  ['reshape that copies', chain([1, 2, 6], { s: shape(0, -1, 3) }, ['Reshape', 'x s'])],
  [
    'reshape to windows',
    chain(
      [1, 4, 6],
      { s: shape(2, 2, 6), t: shape(1, 4, 6) },
      ['Reshape', 'x s'],
      ['Relu', 'v0'],
      ['Reshape', 'v1 t'],
    ),
  ],
  ['a class token', chain([1, 2, E], { token: w('t', 1, 1, E) }, ['Concat', 'token x', { axis: 1 }])],
  [
    'a token expanded to one sample',
    chain(
      [1, 2, E],
      { token: w('t', 1, E), s: shape(1, 1, E) },
      ['Expand', 'token s'],
      ['Concat', 'v0 x', { axis: 1 }],
    ),
  ],
  ['expand of the samples', chain([1, 1, E], { s: shape(1, 3, E) }, ['Expand', 'x s'])],
  [
    'a mask for one sample',
    chain(
      [1, 2, 3, E],
      { s: shape(2, 3, E), m: w('m', 2, 3, E), t: shape(1, 2, 3, E) },
      ['Reshape', 'x s'],
      ['Add', 'v0 m'],
      ['Reshape', 'v1 t'],
    ),
  ],
  ['slices', chain([1, 4, E], { a: shape(0, 1), b: shape(1, 3), c: shape(0, 1) }, ['Slice', 'x a b c'])],
  [
    'resize to sizes',
    chain([1, 2, 3, 3], { none: float32Tensor([0], []), s: shape(1, 2, 6, 5) }, ['Resize', 'x none none s']),
  ],
  [
    'attention over [time, batch · heads, size]',
    chain(
      [1, 4, E],
      { w: w('w', E, E), s: shape(4, 2, 3), t: shape(4, 1, E) },
      ['Transpose', 'x', { perm: [1, 0, 2] }],
      ['MatMul', 'v0 w'],
      ['Reshape', 'v1 s'],
      ['Transpose', 'v2', { perm: [1, 0, 2] }],
      ['Transpose', 'v3', { perm: [0, 2, 1] }],
      ['MatMul', 'v3 v4'],
      ['Softmax', 'v5', { axis: -1 }],
      ['MatMul', 'v6 v3'],
      ['Transpose', 'v7', { perm: [1, 0, 2] }],
      ['Reshape', 'v8 t'],
      ['Transpose', 'v9', { perm: [1, 0, 2] }],
    ),
  ],
  [
    'heads joined to rows, as torch.nn.MultiheadAttention is exported',
    chain(
      [1, 4, E],
      { w: w('w', E, E), s: shape(4, 2, 3), h: shape(1, 2, 4, 3), r: shape(4, E), t: shape(4, 1, E) },
      ['Transpose', 'x', { perm: [1, 0, 2] }],
      ['Reshape', 'v0 s'],
      ['Transpose', 'v1', { perm: [1, 0, 2] }],
      ['Reshape', 'v2 h'],
      ['Transpose', 'v3', { perm: [2, 0, 1, 3] }],
      ['Reshape', 'v4 r'],
      ['Gemm', 'v5 w'],
      ['Reshape', 'v6 t'],
      ['Transpose', 'v7', { perm: [1, 0, 2] }],
      ['Add', 'v8 x'],
    ),
  ],
  [
    'heads of bare products joined to rows, as it is exported with weights asked for',
    chain(
      [1, 4, E],
      { w: w('w', E, E), s: shape(4, 2, 3), r: shape(4, E), t: shape(4, 1, E) },
      ['Transpose', 'x', { perm: [1, 0, 2] }],
      ['Reshape', 'v0 s'],
      ['Transpose', 'v1', { perm: [1, 0, 2] }],
      ['Softmax', 'v2', { axis: -1 }],
      ['Transpose', 'v3', { perm: [1, 0, 2] }],
      ['Reshape', 'v4 r'],
      ['Gemm', 'v5 w'],
      ['Reshape', 'v6 t'],
      ['Transpose', 'v7', { perm: [1, 0, 2] }],
      ['Add', 'v8 x'],
    ),
  ],
  [
    'rows of time steps through a matrix',
    chain(
      [1, 4, E],
      { w: w('w', E, 2), b: w('b', 2), s: shape(4, E), t: shape(4, 1, 2) },
      ['Transpose', 'x', { perm: [1, 0, 2] }],
      ['Reshape', 'v0 s'],
      ['Gemm', 'v1 w b'],
      ['Reshape', 'v2 t'],
      ['Transpose', 'v3', { perm: [1, 0, 2] }],
    ),
  ],
];

describe('a model made for one sample gives each of many the same', () => {
  it.each(liftable)('%s', async (_, model) => {
    for (const batch of [1, 3]) {
      const { want, got } = await bothWays(model, batch);
      expect(got.dims[0]).toBe(batch);
      expect(distance({ data: want }, got)).toBeLessThan(1e-6);
    }
  });
});

describe('what would mix samples is refused by name', () => {
  const refused: readonly (readonly [string, Model])[] = [
    ['picks a sample', chain([1, E], { i: int64Tensor([], [0]) }, ['Gather', 'x i', { axis: 0 }])],
    ['removes the axis', chain([1, E], { a: shape(0) }, ['Squeeze', 'x a'])],
    ['joins along the samples', chain([1, E], { y: w('y', 1, E) }, ['Concat', 'x y', { axis: 0 }])],
    ['compares samples', chain([1, E], {}, ['Transpose', 'x', { perm: [1, 0] }], ['MatMul', 'x v0'])],
    [
      'a matrix of time steps meets what was made for one sample',
      chain(
        [1, 4, E],
        { s: shape(4, E), y: w('y', 4, E) },
        ['Transpose', 'x', { perm: [1, 0, 2] }],
        ['Reshape', 'v0 s'],
        ['Add', 'v1 y'],
      ),
    ],
  ];
  it.each(refused)('%s', (_, model) => {
    expect(() => specialise(model, { batch: 3, liftFrom: 1 })).toThrow(
      expect.objectContaining({
        code: 'model/dynamic-shape',
        message: expect.stringMatching(/node\d .*made for 1/),
      }),
    );
  });
});

const folder = join(process.env.GLACIS_SHARED ?? '../shared', 'models');
describe.skipIf(!existsSync(folder))('real models with a batch of 1 baked in (needs GLACIS_SHARED)', () => {
  it.each(['mnist-cnn', 'mnist-gru', 'mnist-lstm', 'mnist-vit', 'cifar10-resnet14'])('%s', async (name) => {
    const model = await readModel(join(folder, `${name}.onnx`));
    const { b, outputs } = specialise(model, { batch: 1, lower: false });
    const baked = b.builder.build({ logits_of_one: outputs.get('logits')! });
    const { dims } = b.builder.inputs[0]!;
    const input = randomTensor(name, [4, ...dims.slice(1)], 0, 1);
    const want = await runModel(model, { input });
    const got = await runModel(specialised(baked, { batch: 4, liftFrom: 1 }).model, { input });
    expect(distance(want.logits!, got.logits_of_one_new!)).toBeLessThan(1e-5);
  });
});
