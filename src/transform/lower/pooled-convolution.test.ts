import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { randomFrom } from '../../core/random.ts';
import { attributesFrom } from '../../onnx/attributes.ts';
import { graph, model, node, value } from '../../onnx/model.fixture.ts';
import type { Model, Node } from '../../onnx/model.ts';
import { elementCount, float32Tensor, type Tensor } from '../../onnx/tensor.ts';
import { vjp } from '../gradient/vjp.ts';
import { runModel } from '../one-node.fixture.ts';
import { specialise } from '../specialise.ts';

interface Case {
  readonly dims: readonly [number, number, number, number];
  readonly out: number;
  readonly kernel: readonly [number, number];
  readonly dilation: number;
  readonly pads: readonly [number, number, number, number];
  readonly autoPad?: string;
  readonly relu: boolean;
  readonly bias: boolean;
  readonly group: number;
}
const base: Case = {
  dims: [2, 2, 7, 6],
  out: 4,
  kernel: [3, 3],
  dilation: 1,
  pads: [1, 1, 1, 1],
  relu: true,
  bias: true,
  group: 1,
};

/** `MaxPool(Relu?(Conv(x)))`. */
function pooled(c: Case, pool: Readonly<Record<string, number | string | readonly number[]>> = {}): Model {
  const rng = randomFrom(5, 'weights');
  const draw = (dims: readonly number[]) =>
    float32Tensor(
      dims,
      Float32Array.from({ length: elementCount(dims) }, () => rng.integer(5) - 2),
    );
  const conv = attributesFrom({
    kernel_shape: c.kernel,
    dilations: [c.dilation, c.dilation],
    group: c.group,
    ...(c.autoPad ? { auto_pad: c.autoPad } : { pads: c.pads }),
  });
  const nodes: Node[] = [
    { ...node('Conv', ['x', 'w', ...(c.bias ? ['bias'] : [])], ['a']), attributes: conv },
    ...(c.relu ? [node('Relu', ['a'], ['b'])] : []),
    {
      ...node('MaxPool', [c.relu ? 'b' : 'a'], ['y']),
      attributes: attributesFrom({ kernel_shape: [2, 2], strides: [2, 2], ...pool }),
    },
  ];
  return model(
    graph({
      inputs: [value('x', c.dims)],
      outputs: [value('y', null)],
      nodes,
      initializers: {
        w: draw([c.out, c.dims[1] / c.group, ...c.kernel]),
        ...(c.bias ? { bias: draw([c.out]) } : {}),
      },
    }),
    { opsets: new Map([['', 21]]) },
  );
}

/** Outputs and the gradients of `Σ g·y`, lowered or not; with respect to the weights too where they are trained. */
async function outcome(m: Model, lower: boolean, x: Tensor, seed: number, trained = false) {
  const parameters = trained ? [...m.graph.initializers.keys()] : [];
  const trace = specialise(m, { lower, parameters });
  const y = trace.outputs.get('y')!;
  const rng = randomFrom(seed, 'cotangent');
  const g = float32Tensor(
    y.dims,
    Float32Array.from({ length: elementCount(y.dims) }, () => rng.integer(9) - 4),
  );
  const before = trace.b.builder.build({ y });
  const ops = before.graph.nodes.map((n) => n.op);
  const wrt = [trace.inputs.get('x')!, ...trace.parameters.values()];
  const grads = vjp(trace.b, [{ value: y, grad: trace.b.builder.constant(g) }], wrt);
  const outputs = Object.fromEntries(grads.map((grad, i) => [`d${i}`, grad]));
  const weights = Object.fromEntries(parameters.map((name) => [name, m.graph.initializers.get(name)!]));
  const results = await runModel(trace.b.builder.build({ y_: y, ...outputs }), { x, ...weights });
  const [dx, ...dw] = grads.map((_, i) => results[`d${i}`]!.data.map((v) => v + 0));
  return { ops, y: results.y_!, dx: dx!, dw, g };
}

async function expectSame(c: Case, x: Tensor, seed = 1): Promise<readonly string[]> {
  const lowered = await outcome(pooled(c), true, x, seed);
  const plain = await outcome(pooled(c), false, x, seed);
  expect(plain.ops).toContain('MaxPool');
  expect(lowered.y).toEqual(plain.y);
  expect(lowered.dx).toEqual(plain.dx);
  const trained = await outcome(pooled(c), true, x, seed, true);
  expect(trained.y).toEqual(plain.y);
  expect(trained.dx).toEqual(plain.dx);
  expect(trained.dw).toEqual((await outcome(pooled(c), false, x, seed, true)).dw);
  return lowered.ops;
}

const noise = (c: Case, seed: number) => {
  const rng = randomFrom(seed, 'x');
  return float32Tensor(
    c.dims,
    Float32Array.from({ length: elementCount(c.dims) }, () => rng.integer(7) - 3),
  );
};
const flat = (c: Case, v: number) => float32Tensor(c.dims, new Float32Array(elementCount(c.dims)).fill(v));

describe('2×2 pooling of a convolution as the maximum of four', () => {
  it.each<[string, Partial<Case>]>([
    ['padded', {}],
    ['without padding', { pads: [0, 0, 0, 0] }],
    ['without ReLU', { relu: false }],
    ['without bias', { bias: false }],
    ['without either', { relu: false, bias: false }],
    ['odd maps', { dims: [1, 2, 9, 5], pads: [0, 0, 0, 0] }],
    ['uneven pads', { pads: [2, 0, 1, 3] }],
    ['1×1', { kernel: [1, 1], pads: [0, 0, 0, 0] }],
    ['dilated', { dilation: 2, pads: [2, 2, 2, 2] }],
    ['groups', { group: 2 }],
    ['SAME_UPPER', { autoPad: 'SAME_UPPER', kernel: [2, 4] }],
    ['SAME_LOWER', { autoPad: 'SAME_LOWER', kernel: [2, 4] }],
    ['VALID', { autoPad: 'VALID' }],
    ['a map that is one window', { dims: [1, 2, 2, 2] }],
    ['a window in the padding only', { dims: [1, 2, 1, 1], kernel: [1, 1], pads: [0, 0, 1, 1] }],
  ])('has the outputs and the gradient of the pooling: %s', async (_, change) => {
    const c = { ...base, ...change };
    const ops = await expectSame(c, noise(c, 1));
    expect(ops).not.toContain('MaxPool');
  });

  it.each([0, 1, -2])('breaks the ties of a constant image as the pooling does (%d)', async (v) => {
    for (const relu of [true, false]) await expectSame({ ...base, relu, pads: [0, 0, 0, 0] }, flat(base, v));
    await expectSame(base, flat(base, v));
  });

  it('gives the gradient to the first maximum of each window, as PyTorch does', async () => {
    // A 1×1 convolution that copies: the gradient can be read off.
    const c: Case = {
      ...base,
      dims: [1, 1, 4, 5],
      out: 1,
      kernel: [1, 1],
      pads: [0, 0, 0, 0],
      bias: false,
      relu: false,
    };
    const copying = pooled(c);
    const m: Model = {
      ...copying,
      graph: { ...copying.graph, initializers: new Map([['w', float32Tensor([1, 1, 1, 1], [1])]]) },
    };
    const values = [3, 3, 1, 2, 9, 3, 3, 2, 2, 9, -1, -4, 5, 0, 9, -1, -1, 0, 5, 9];
    const { dx, g } = await outcome(m, true, float32Tensor(c.dims, values), 3);
    const want = new Array<number>(20).fill(0);
    const cotangent = new Float32Array(g.data.buffer);
    for (let i = 0; i < 2; i++)
      for (let j = 0; j < 2; j++) {
        const window = [0, 1].flatMap((a) => [0, 1].map((b) => (2 * i + a) * 5 + 2 * j + b));
        const top = Math.max(...window.map((p) => values[p]!));
        want[window.find((p) => values[p] === top)!] = cotangent[i * 2 + j]! + 0;
      }
    expect(dx).toEqual(want);
  });

  it('is the pooling whatever the geometry', async () => {
    const size = fc.integer({ min: 1, max: 6 });
    const cases = fc
      .record({
        dims: fc.tuple(fc.integer({ min: 1, max: 2 }), fc.constant(2), size, size),
        out: fc.constant(2),
        kernel: fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 3 })),
        dilation: fc.integer({ min: 1, max: 2 }),
        pads: fc.tuple(fc.nat(2), fc.nat(2), fc.nat(2), fc.nat(2)),
        relu: fc.boolean(),
        bias: fc.boolean(),
        group: fc.constantFrom(1, 2),
      })
      .filter(({ dims, kernel, dilation, pads }) =>
        [0, 1].every((a) => dims[2 + a]! + pads[a]! + pads[a + 2]! >= dilation * (kernel[a]! - 1) + 2),
      );
    await fc.assert(
      fc.asyncProperty(cases, fc.nat(), async (c, seed) => {
        await expectSame(c, noise(c, seed), seed);
      }),
      { numRuns: 60 },
    );
  });
});

describe('pooling that is left alone', () => {
  it.each<[string, Parameters<typeof pooled>[1]]>([
    ['3×3', { kernel_shape: [3, 3] }],
    ['stride 1', { strides: [1, 1] }],
    ['with pads', { pads: [1, 0, 0, 0] }],
    ['dilated', { dilations: [2, 2] }],
    ['rounded up', { ceil_mode: 1 }],
    ['with auto_pad', { auto_pad: 'SAME_UPPER' }],
  ])('%s', (_, attributes) => {
    const { b, outputs } = specialise(pooled(base, attributes));
    expect(b.builder.producer(outputs.get('y')!)!.node.op).toBe('MaxPool');
  });

  it('gives indices too', () => {
    const m = pooled(base);
    const nodes = m.graph.nodes.map((n) => (n.op === 'MaxPool' ? { ...n, outputs: ['y', 'at'] } : n));
    const { b, outputs } = specialise({ ...m, graph: { ...m.graph, nodes } });
    expect(b.builder.producer(outputs.get('y')!)!.node.op).toBe('MaxPool');
  });
});
