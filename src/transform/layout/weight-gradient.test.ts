import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { randomFrom } from '../../core/random.ts';
import { GraphBuilder, type Value } from '../../onnx/graph-builder.ts';
import { elementCount } from '../../onnx/tensor.ts';
import { f32 } from '../../runtime/array.ts';
import { type Engine, startEngine } from '../../runtime/engine.ts';
import { blockSizeOf } from '../../runtime/layout.ts';
import { vjp } from '../gradient/vjp.ts';
import { opsOn } from '../ops.ts';
import { toBlockedLayout } from './blocked.ts';

let engine: Engine;
let block: number;
beforeAll(async () => {
  engine = startEngine({ threads: 2 });
  block = await blockSizeOf(engine);
});
afterAll(() => engine.close());

interface Case {
  readonly n: number;
  readonly c: number;
  /** Blocks of output channels. */
  readonly blocks: number;
  /** One entry an axis. */
  readonly axes: readonly {
    readonly length: number;
    readonly kernel: number;
    readonly stride: number;
    readonly dilation: number;
    readonly pads: readonly [number, number];
  }[];
  /** Whether the input is in blocks already when its gradient is asked for. */
  readonly inner: boolean;
}

/** Runs a graph on small whole numbers, of which every sum is exact in float32. */
async function run(builder: GraphBuilder, outputs: Readonly<Record<string, Value>>) {
  const model = builder.build(outputs);
  const session = await engine.open(model, { optimise: 'basic' });
  const rng = randomFrom(7, 'feeds');
  const feeds = builder.inputs.map(({ name, dims }) => {
    const data = Float32Array.from({ length: elementCount(dims) }, () => rng.integer(5) - 2);
    return [name, f32(data, dims)] as const;
  });
  const results = await session.run(Object.fromEntries(feeds));
  await session.close();
  return { results, model };
}

/** Both forms of a convolution's weight and bias gradients are equal; gives whether the blocked graph sums over places. */
async function check({ n, c, blocks, axes, inner }: Case): Promise<boolean> {
  const b = opsOn(new GraphBuilder());
  const image = b.builder.input('x', 'float32', [n, c, ...axes.map((a) => a.length)]);
  const x = inner
    ? b.unary('Relu', b.node('Conv', [image, b.builder.input('v', 'float32', [2 * block, c, 1, 1])]))
    : image;
  const w = b.builder.input('w', 'float32', [blocks * block, x.dims[1]!, ...axes.map((a) => a.kernel)]);
  const bias = b.builder.input('bias', 'float32', [blocks * block]);
  const y = b.node('Conv', [x, w, bias], {
    strides: axes.map((a) => a.stride),
    dilations: axes.map((a) => a.dilation),
    pads: [...axes.map((a) => a.pads[0]), ...axes.map((a) => a.pads[1])],
  });
  const g = b.builder.input('g', 'float32', y.dims);
  const [dw, dbias] = vjp(b, [{ value: y, grad: g }], [w, bias]);
  const want = await run(b.builder, { dw: dw!, dbias: dbias! });
  const target = toBlockedLayout(b.builder, { dw: dw!, dbias: dbias! }, block);
  const got = await run(target.builder, target.outputs);
  expect(got.results).toEqual(want.results);
  return !got.model.graph.nodes.some(({ op }) => op === 'FusedMatMul');
}

const square = (length: number, more: Partial<Case['axes'][number]> = {}): Case['axes'] =>
  new Array<Case['axes'][number]>(2).fill({
    length,
    kernel: 3,
    stride: 1,
    dilation: 1,
    pads: [1, 1],
    ...more,
  });

describe('the gradient of weights as a convolution over places', () => {
  it.each<[string, Case]>([
    ['rows of one block', { n: 3, c: 3, blocks: 1, axes: square(16), inner: true }],
    ['rows of several blocks', { n: 2, c: 3, blocks: 2, axes: square(32), inner: true }],
    ['rows that fill no block', { n: 2, c: 1, blocks: 1, axes: square(21), inner: false }],
    ['short rows, several images side by side', { n: 12, c: 3, blocks: 2, axes: square(4), inner: true }],
    ['short rows of an odd batch', { n: 5, c: 2, blocks: 1, axes: square(7), inner: true }],
    ['strides', { n: 4, c: 3, blocks: 2, axes: square(16, { stride: 2 }), inner: true }],
    [
      'strides that leave rows over',
      { n: 2, c: 3, blocks: 2, axes: square(15, { stride: 3, pads: [0, 0] }), inner: false },
    ],
    ['dilations', { n: 2, c: 3, blocks: 2, axes: square(12, { dilation: 2, pads: [2, 2] }), inner: true }],
  ])('is exact for %s', async (_, of) => {
    if (block === 0) return;
    expect(await check(of)).toBe(true);
  });

  it('is exact whatever the geometry', async (context) => {
    if (block === 0) return context.skip('this processor has no blocked layout');
    const axis = fc.record({
      length: fc.integer({ min: 1, max: 19 }),
      kernel: fc.integer({ min: 1, max: 4 }),
      stride: fc.integer({ min: 1, max: 3 }),
      dilation: fc.integer({ min: 1, max: 2 }),
      pads: fc.tuple(fc.integer({ min: 0, max: 3 }), fc.integer({ min: 0, max: 3 })),
    });
    const fits = ({ length, kernel, dilation, pads }: Case['axes'][number]) =>
      length + pads[0] + pads[1] >= dilation * (kernel - 1) + 1;
    let summed = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.record({
          n: fc.integer({ min: 1, max: 9 }),
          c: fc.constantFrom(1, 3, 20),
          blocks: fc.integer({ min: 1, max: 2 }),
          axes: fc.array(axis.filter(fits), { minLength: 2, maxLength: 2 }),
          inner: fc.boolean(),
        }),
        async (of) => {
          if (await check(of)) summed++;
        },
      ),
      { numRuns: 40 },
    );
    expect(summed).toBeGreaterThan(10);
  });

  it('stays with products over rows where shifting would cost more than it saves', async (context) => {
    if (block === 0) return context.skip('this processor has no blocked layout');
    const [down, across] = square(200);
    const axes = [{ ...down!, length: 1, pads: [1, 1] as const }, across!];
    expect(await check({ n: 1, c: 20, blocks: 1, axes, inner: false })).toBe(false);
    expect(
      await check({ n: 2, c: 20, blocks: 1, axes: square(8, { kernel: 1, pads: [0, 0] }), inner: true }),
    ).toBe(false);
  });
});
