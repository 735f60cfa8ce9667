import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { randomFrom } from '../../core/random.ts';
import { attributesFrom } from '../../onnx/attributes.ts';
import { graph, model, node, value } from '../../onnx/model.fixture.ts';
import { elementCount, float32Tensor, type Tensor } from '../../onnx/tensor.ts';
import { f32 } from '../../runtime/array.ts';
import { type Engine, startEngine } from '../../runtime/engine.ts';
import { blockSizeOf, inLayout } from '../../runtime/layout.ts';
import { vjp } from '../gradient/vjp.ts';
import { specialise } from '../specialise.ts';

let engine: Engine;
let block: number;
beforeAll(async () => {
  engine = startEngine({ threads: 1 });
  block = await blockSizeOf(engine);
});
afterAll(() => engine.close());

interface Case {
  readonly dims: readonly [number, number, number, number];
  readonly out: number;
  readonly strides?: readonly [number, number];
  readonly dilations?: readonly [number, number];
  readonly pads?: readonly [number, number, number, number];
}

const draw = (dims: readonly number[], seed: string, scale = 1): Tensor => {
  const rng = randomFrom(1, seed);
  return float32Tensor(
    dims,
    Float32Array.from({ length: elementCount(dims) }, () => scale * rng.normal()),
  );
};

/** `Relu(Conv(Relu(Conv(x, first)), w, bias) + Conv(x, first))`: what is lowered has neighbours in other layouts. */
function block2({ dims, out, strides = [1, 1], dilations = [1, 1], pads = [1, 1, 1, 1] }: Case) {
  const c = dims[1];
  const conv = (inputs: string[], output: string, attributes: Parameters<typeof attributesFrom>[0]) => ({
    ...node('Conv', inputs, [output]),
    attributes: attributesFrom(attributes),
  });
  return model(
    graph({
      inputs: [value('x', dims)],
      outputs: [value('y', null)],
      nodes: [
        conv(['x', 'first'], 'a', {}),
        node('Relu', ['a'], ['b']),
        conv(['b', 'w', 'bias'], 'd', { strides, dilations, pads }),
        ...(out === c && pads.every((p) => p === 1) && strides[0] === 1 && dilations[0] === 1
          ? [node('Add', ['d', 'b'], ['e']), node('Relu', ['e'], ['y'])]
          : [node('Relu', ['d'], ['y'])]),
      ],
      initializers: {
        first: draw([c, c, 1, 1], 'first', c ** -0.5),
        w: draw([out, c, 3, 3], 'w', (9 * c) ** -0.5),
        bias: draw([out], 'bias'),
      },
    }),
    { opsets: new Map([['', 21]]) },
  );
}

/** Output and all gradients of `Σ g·y`, lowered or not, in blocks or not; gives the products in it too. */
async function outcome(c: Case, lower: boolean, inBlocks: number) {
  const trace = specialise(block2(c), {
    lower,
    parameters: ['first', 'w', 'bias'],
    parameterOrder: (dims) => (dims.length === 4 ? [2, 3, 1, 0] : [0]),
  });
  const { b } = trace;
  const y = trace.outputs.get('y')!;
  const g = b.builder.input('g', 'float32', y.dims);
  const wrt = [trace.inputs.get('x')!, ...trace.parameters.values()];
  const grads = vjp(b, [{ value: y, grad: g }], wrt);
  const outputs = { y, ...Object.fromEntries(wrt.map((v, i) => [`d${v.name}`, grads[i]!])) };
  const built = inLayout(b.builder, outputs, inBlocks);
  const session = await engine.open(built);
  const feeds = Object.fromEntries(
    b.builder.inputs.map((v) => {
      const scale = v.name === 'w' ? (9 * c.dims[1]) ** -0.5 : v.name === 'first' ? c.dims[1] ** -0.5 : 1;
      return [v.name, f32(new Float32Array(draw(v.dims, v.name, scale).data.buffer), v.dims)];
    }),
  );
  const results = await session.run(feeds);
  await session.close();
  return { results, products: built.graph.nodes.filter((n) => n.op === 'MatMul').length };
}

describe('a 3×3 convolution with trained weights', () => {
  it.each<[string, Case]>([
    ['4×4, small tiles', { dims: [2, 128, 4, 4], out: 128 }],
    ['3×4, tiles that reach over the edge', { dims: [1, 128, 3, 4], out: 144 }],
    ['5×8, one matrix for both axes', { dims: [2, 128, 5, 8], out: 128 }],
    ['16×16, one axis after the other', { dims: [2, 128, 16, 16], out: 128 }],
    ['11×9, tiles that reach over both edges', { dims: [1, 144, 11, 9], out: 128 }],
  ])('is Winograd products with the same outputs and gradients: %s', async (_, c) => {
    const want = await outcome(c, false, 0);
    for (const inBlocks of new Set([0, block])) {
      const got = await outcome(c, true, inBlocks);
      expect(got.products).toBeGreaterThan(want.products + 6);
      for (const [name, { dims, data }] of Object.entries(want.results)) {
        const [w, v] = [data, got.results[name]!.data] as [Float32Array, Float32Array];
        expect(got.results[name]!.dims, name).toEqual(dims);
        const scale = w.reduce((top, at) => Math.max(top, Math.abs(at)), 0);
        expect(scale).toBeGreaterThan(0.1);
        const far = w.reduce((top, at, i) => Math.max(top, Math.abs(at - v[i]!)), 0);
        expect(far / scale, name).toBeLessThan(2e-5);
      }
    }
  });

  it.each<[string, Case]>([
    ['strides', { dims: [1, 128, 8, 8], out: 128, strides: [2, 2] }],
    ['dilations', { dims: [1, 128, 8, 8], out: 128, dilations: [2, 2] }],
    ['other padding', { dims: [1, 128, 8, 8], out: 128, pads: [0, 0, 0, 0] }],
    ['few channels', { dims: [1, 96, 8, 8], out: 128 }],
    ['large maps', { dims: [1, 128, 17, 16], out: 128 }],
  ])('stays a convolution with %s', (_, c) => {
    const trace = specialise(block2(c), { parameters: ['w', 'bias'] });
    const { nodes } = trace.b.builder.build({ y: trace.outputs.get('y')! }).graph;
    expect(nodes.filter((n) => n.op === 'Conv')).toHaveLength(2);
  });

  it('stays a convolution where the weights are constant', () => {
    const trace = specialise(block2({ dims: [1, 128, 8, 8], out: 128 }));
    const { nodes } = trace.b.builder.build({ y: trace.outputs.get('y')! }).graph;
    expect(nodes.filter((n) => n.op === 'Conv')).toHaveLength(2);
  });
});
