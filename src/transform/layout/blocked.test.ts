import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Rng, randomFrom } from '../../core/random.ts';
import { GraphBuilder, type Value } from '../../onnx/graph-builder.ts';
import { INTERNAL_DOMAIN } from '../../onnx/internal-operators.ts';
import { elementCount, float32Tensor } from '../../onnx/tensor.ts';
import { f32 } from '../../runtime/array.ts';
import { type Engine, startEngine } from '../../runtime/engine.ts';
import { blockSizeOf } from '../../runtime/layout.ts';
import { vjp } from '../gradient/vjp.ts';
import { type Ops, opsOn } from '../ops.ts';
import { toBlockedLayout } from './blocked.ts';
import { NCHWC } from './forms.ts';

let engine: Engine;
let block: number;
beforeAll(async () => {
  engine = startEngine({ threads: 1 });
  block = await blockSizeOf(engine);
});
afterAll(() => engine.close());

/** One operator of a random network; the numbers choose among what fits. */
interface Step {
  readonly op: (typeof OPS)[number];
  readonly a: number;
  readonly b: number;
}
const OPS = [
  'conv',
  'conv',
  'conv',
  'depthwise',
  'grouped',
  'unary',
  'relu',
  'relu',
  'residual',
  'residual',
  'scale',
  'concat',
  'pool',
  'first',
] as const;

const SPARSE = [0, 0, 0, 0, 0, 0, 1, -1];

/** Whole numbers, mostly 0, so that every sum is exact in float32 and both graphs must agree to the bit. */
const sparse = (b: Ops, dims: readonly number[], rng: Rng) =>
  b.builder.constant(
    float32Tensor(
      dims,
      Float32Array.from({ length: elementCount(dims) }, () => SPARSE[rng.integer(8)]!),
    ),
  );

/** Writes a network after `x`; gives every value on the way. */
function network(
  b: Ops,
  x: Value,
  steps: readonly Step[],
  channels: readonly number[],
  weights: (dims: readonly number[]) => Value,
): Value[] {
  const values = [x];
  for (const step of steps) {
    const v = values.at(-1)!;
    const [, c, h, w] = v.dims as [number, number, number, number];
    const alike = values.filter((o) => o.dims.join() === v.dims.join());
    const other = alike[step.a % alike.length]!;
    const push = (value: Value) => values.push(value);
    const convolve = (o: number, group: number) => {
      const k = Math.min(h, w) >= 3 && step.a % 2 === 0 ? 3 : 1;
      const inputs = [v, weights([o, c / group, k, k])];
      if (step.b % 3 === 0) inputs.push(weights([o]));
      const stride = 1 + (Math.floor(step.b / 3) % 2);
      const pad = k === 3 ? step.b % 2 : 0;
      const across = k === 3 && Math.floor(step.a / 2) % 4 === 0 ? 0 : pad;
      push(
        b.node('Conv', inputs, {
          kernel_shape: [k, k],
          strides: [stride, 1 + (step.b % 2) * (stride - 1)],
          pads: [pad, across, pad, pad],
          group,
        }),
      );
    };
    switch (step.op) {
      case 'conv':
        convolve(channels[step.a % channels.length]!, 1);
        break;
      case 'depthwise':
        convolve(c, c);
        break;
      case 'grouped':
        if (c % 2 === 0) convolve(2 * c, 2);
        break;
      case 'relu':
        push(b.unary('Relu', v));
        break;
      case 'unary':
        if (step.a % 3 === 0)
          push(b.node('Clip', [v, b.scalar(-6, 'float32'), step.b % 2 ? b.scalar(9, 'float32') : null]));
        else push(b.unary(step.a % 3 === 1 ? 'Neg' : 'Abs', v));
        break;
      case 'residual':
        push(step.b % 2 === 0 ? b.add(v, other) : b.sub(other, v));
        break;
      case 'scale':
        push(
          step.b % 2 === 0 ? b.mul(v, -2) : b.add(v, b.builder.constant(float32Tensor([1, 1, 1, 1], [3]))),
        );
        break;
      case 'concat':
        push(b.concat([v, other, ...(step.b % 2 ? [v] : [])], 1));
        break;
      case 'first':
        if (other !== v)
          push(
            b.node(
              'FirstMax',
              [v, other],
              {},
              { domain: INTERNAL_DOMAIN, types: [{ dtype: 'float32', dims: v.dims }] },
            ),
          );
        break;
      case 'pool':
        if (Math.min(h, w) >= 3)
          push(
            step.a % 2 === 0
              ? b.node('MaxPool', [v], { kernel_shape: [2, 2], strides: [2, 2] })
              : b.node('MaxPool', [v], { kernel_shape: [3, 3], strides: [2, 1], pads: [1, 1, 1, 1] }),
          );
        break;
    }
  }
  return values;
}

async function run(builder: GraphBuilder, outputs: Readonly<Record<string, Value>>, seed: number) {
  const model = builder.build(outputs);
  const session = await engine.open(model, { optimise: 'basic' });
  const rng = randomFrom(seed, 'feeds');
  const feeds = Object.fromEntries(
    builder.inputs.map((v) => [
      v.name,
      f32(
        Float32Array.from({ length: elementCount(v.dims) }, () => rng.integer(5) - 2),
        v.dims,
      ),
    ]),
  );
  const results = await session.run(feeds);
  await session.close();
  return { model, results };
}

/** Both forms of a graph give the same outputs; gives the operators of the blocked one. */
async function compare(
  builder: GraphBuilder,
  outputs: Readonly<Record<string, Value>>,
  seed = 1,
  tolerance = 1e-5,
): Promise<string[]> {
  const before = await run(builder, outputs, seed);
  const target = toBlockedLayout(builder, outputs, block);
  const after = await run(target.builder, target.outputs, seed);
  for (const name of Object.keys(outputs)) {
    const [want, got] = [before.results[name]!, after.results[name]!];
    expect(got.dims, name).toEqual(want.dims);
    const [w, g] = [want.data as Float32Array, got.data as Float32Array];
    const scale = w.reduce((top, v) => Math.max(top, Math.abs(v)), 1);
    let far = 0;
    for (let i = 0; i < w.length; i++) far = Math.max(far, Math.abs(w[i]! - g[i]!));
    expect(far / scale, name).toBeLessThanOrEqual(tolerance);
  }
  return after.model.graph.nodes.map((n) => (n.domain === NCHWC ? `blocked ${n.op}` : n.op));
}

describe('a random network in the blocked layout', () => {
  const step = fc.record({ op: fc.constantFrom(...OPS), a: fc.nat(23), b: fc.nat(23) });

  it('has the outputs and the input gradient of the plain one, exactly', async (context) => {
    if (block === 0) return context.skip('this processor has no blocked layout');
    let blockedConvolutions = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { minLength: 2, maxLength: 9 }),
        fc.constantFrom(1, 3),
        fc.tuple(fc.integer({ min: 3, max: 9 }), fc.integer({ min: 3, max: 9 })),
        fc.constantFrom(1, 3, 16, 20, 32),
        fc.nat(),
        async (steps, n, [h, w], c, seed) => {
          const b = opsOn(new GraphBuilder());
          const rng = randomFrom(seed, 'weights');
          const x = b.builder.input('x', 'float32', [n, c, h, w]);
          const values = network(b, x, steps, [block, 2 * block, block + 4, 5], (dims) =>
            sparse(b, dims, rng),
          );
          const y = values.at(-1)!;
          const inner = values[Math.floor(values.length / 2)]!;
          const g = b.builder.input('g', 'float32', y.dims);
          const [dx] = vjp(b, [{ value: y, grad: g }], [x]);
          const ops = await compare(b.builder, { y, inner, dx: dx! }, seed, 0);
          blockedConvolutions += ops.filter((op) => op === 'blocked Conv').length;
        },
      ),
      { numRuns: 60 },
    );
    expect(blockedConvolutions).toBeGreaterThan(60);
  });

  it('has them too where the weights are inputs, and the gradients of the weights', async (context) => {
    if (block === 0) return context.skip('this processor has no blocked layout');
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { minLength: 2, maxLength: 6 }),
        fc.constantFrom(1, 3),
        fc.constantFrom(3, 16, 20, 32),
        fc.nat(),
        async (steps, n, c, seed) => {
          const b = opsOn(new GraphBuilder());
          const x = b.builder.input('x', 'float32', [n, c, 6, 5]);
          const parameters: Value[] = [];
          const values = network(b, x, steps, [block, 2 * block, block + 4, 5], (dims) => {
            const w = b.builder.input(`weights${parameters.length}`, 'float32', dims);
            parameters.push(w);
            return w;
          });
          const y = values.at(-1)!;
          const g = b.builder.input('g', 'float32', y.dims);
          const grads = vjp(b, [{ value: y, grad: g }], [x, ...parameters]);
          await compare(b.builder, { y, ...Object.fromEntries(grads.map((d, i) => [`grad${i}`, d])) }, seed);
        },
      ),
      { numRuns: 30 },
    );
  });
});

describe('the blocked layout', () => {
  const image = (b: Ops, dims: readonly number[]) => b.builder.input('x', 'float32', dims);
  const conv = (b: Ops, x: Value, o: number, k = 3) =>
    b.node('Conv', [x, sparse(b, [o, x.dims[1]!, k, k], randomFrom(o, k)), sparse(b, [o], randomFrom(o))], {
      pads: k === 3 ? [1, 1, 1, 1] : [0, 0, 0, 0],
    });

  it('fuses bias, residual sum and ReLU into the convolution', async (context) => {
    if (block === 0) return context.skip('this processor has no blocked layout');
    const b = opsOn(new GraphBuilder());
    const first = b.unary('Relu', conv(b, image(b, [2, 3, 6, 5]), block));
    const second = b.unary('Relu', conv(b, first, block));
    const y = b.unary('Relu', b.add(conv(b, second, block), first));
    const ops = await compare(b.builder, { y }, 1, 0);
    expect(ops.filter((op) => op.startsWith('blocked'))).toEqual([
      'blocked Conv',
      'blocked Conv',
      'blocked Conv',
      'blocked ReorderOutput',
    ]);
    expect(ops).not.toContain('Relu');
    expect(ops).not.toContain('Add');
  });

  it.each([1, 2])('changes the order of axes without leaving the blocks, %d of them', async (blocks) => {
    if (block === 0) return;
    const b = opsOn(new GraphBuilder());
    const y = b.unary('Relu', conv(b, image(b, [2, 3, 6, 5]), blocks * block));
    const last = b.transpose(y, [0, 2, 3, 1]);
    const space = b.transpose(y, [2, 3, 0, 1]);
    // Back from space in front, as an image that meets a blocked one.
    const copy = b.node('Transpose', [b.mul(space, 2)], { perm: [2, 3, 0, 1] });
    const sum = b.add(copy, y);
    const sumLast = b.transpose(sum, [0, 2, 3, 1]);
    const ops = await compare(
      b.builder,
      { last, space, sum, sumLast, other: b.transpose(y, [1, 0, 3, 2]) },
      1,
      0,
    );
    expect(ops.filter((op) => op === 'blocked Conv')).toHaveLength(1);
  });

  it('fuses nothing into a convolution that something else reads too', async (context) => {
    if (block === 0) return context.skip('this processor has no blocked layout');
    const b = opsOn(new GraphBuilder());
    const z = conv(b, image(b, [2, 3, 6, 5]), block);
    expect(await compare(b.builder, { y: b.unary('Relu', z), z }, 1, 0)).toContain('Relu');
    const twice = opsOn(new GraphBuilder());
    const v = conv(twice, image(twice, [2, 3, 6, 5]), block);
    await compare(twice.builder, { y: twice.add(twice.unary('Relu', v), twice.add(v, v)) }, 1, 0);
  });

  it.each([1, 3])('keeps global average pooling and a classifier, batch %d', async (n) => {
    if (block === 0) return;
    for (const pool of ['GlobalAveragePool', 'ReduceMean']) {
      const b = opsOn(new GraphBuilder());
      const x = image(b, [n, 3, 5, 7]);
      const map = b.unary('Relu', conv(b, b.unary('Relu', conv(b, x, block)), 2 * block));
      const mean =
        pool === 'ReduceMean' ? b.mean(map, [2, 3]) : b.reshape(b.unary(pool, map), [n, 2 * block]);
      const logits = b.matmul(mean, sparse(b, [2 * block, 4], randomFrom(4)));
      const g = b.builder.input('g', 'float32', logits.dims);
      const [dx] = vjp(b, [{ value: logits, grad: g }], [x]);
      await compare(b.builder, { logits, dx: dx! }, 2);
    }
  });

  it('runs small maps of many channels as Winograd products, residuals and ReLU masks included', async (context) => {
    if (block === 0) return context.skip('this processor has no blocked layout');
    for (const [n, h, w] of [
      [1, 4, 4],
      [3, 3, 4],
      [2, 5, 8],
    ] as const) {
      const b = opsOn(new GraphBuilder());
      const x = image(b, [n, 128, h, w]);
      // Biases keep every sum away from the ReLU's kink, where rounding would decide.
      const layer = (v: Value, seed: number, bias: number) =>
        b.node(
          'Conv',
          [
            v,
            sparse(b, [128, 128, 3, 3], randomFrom(seed)),
            b.builder.constant(float32Tensor([128], new Float32Array(128).fill(bias))),
          ],
          { pads: [1, 1, 1, 1] },
        );
      const first = b.unary('Relu', layer(x, 1, 0.5));
      const y = b.unary('Relu', b.add(b.mul(layer(first, 2, 0.25), 2), b.mul(x, 4)));
      const mean = b.unary('GlobalAveragePool', y);
      const g = b.builder.input('g', 'float32', mean.dims);
      const [dx] = vjp(b, [{ value: mean, grad: g }], [x]);
      const ops = await compare(b.builder, { y, mean, dx: dx! }, 3);
      expect(ops.filter((op) => op === 'MatMul').length).toBeGreaterThanOrEqual(12);
      expect(ops).not.toContain('blocked Conv');
    }
  });

  it('changes between blocked channels and space in front where kernels of both kinds meet', async (context) => {
    if (block === 0) return context.skip('this processor has no blocked layout');
    const b = opsOn(new GraphBuilder());
    const x = image(b, [2, 3, 8, 10]);
    const layer = (v: Value, stride: number, bias: number) =>
      b.node(
        'Conv',
        [
          v,
          sparse(b, [128, v.dims[1]!, 3, 3], randomFrom(stride, bias)),
          b.builder.constant(float32Tensor([128], new Float32Array(128).fill(bias))),
        ],
        { pads: [1, 1, 1, 1], strides: [stride, stride] },
      );
    const strided = b.unary('Relu', layer(x, 2, 0.5));
    const winograd = b.unary('Relu', layer(strided, 1, 0.25));
    const y = layer(b.add(winograd, strided), 2, 0);
    const g = b.builder.input('g', 'float32', y.dims);
    const [dx] = vjp(b, [{ value: y, grad: g }], [x]);
    const ops = await compare(b.builder, { y, dx: dx! }, 5);
    expect(ops).toContain('blocked Conv');
    expect(ops).toContain('MatMul');
  });

  it('adds every term of a longer sum', async (context) => {
    if (block === 0) return context.skip('this processor has no blocked layout');
    const b = opsOn(new GraphBuilder());
    const first = b.unary('Relu', conv(b, image(b, [1, 3, 4, 4]), block));
    const one = b.add(conv(b, first, block), first);
    const two = b.add(one, b.mul(first, 2));
    await compare(b.builder, { y: b.unary('Relu', b.add(two, b.mul(first, -5))) }, 1, 0);
  });

  it('leaves a graph without images alone', async () => {
    const b = opsOn(new GraphBuilder());
    const x = b.builder.input('x', 'float32', [2, 16]);
    const y = b.unary('Relu', b.matmul(x, sparse(b, [16, 3], randomFrom(1))));
    const target = toBlockedLayout(b.builder, { y }, 16);
    expect(target.builder.build(target.outputs).graph.nodes.map((n) => n.op)).toEqual(['MatMul', 'Relu']);
  });

  it('takes outputs that are inputs, constants or empty', async (context) => {
    if (block === 0) return context.skip('this processor has no blocked layout');
    const b = opsOn(new GraphBuilder());
    const x = image(b, [1, block, 2, 2]);
    await compare(b.builder, { same: x, constant: b.full([2], 3, 'float32'), y: conv(b, x, block) }, 1, 0);
    const empty = opsOn(new GraphBuilder());
    const none = image(empty, [0, block, 2, 2]);
    const target = toBlockedLayout(
      empty.builder,
      { y: empty.unary('Relu', conv(empty, none, block)) },
      block,
    );
    expect(target.outputs.y!.dims).toEqual([0, block, 2, 2]);
  });
});
