import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { GraphBuilder, type Value } from '../onnx/graph-builder.ts';
import { elementCount, float32Tensor, numbersOf } from '../onnx/tensor.ts';
import { runModel } from './one-node.fixture.ts';
import { type Ops, opsOn } from './ops.ts';

const fresh = () => opsOn(new GraphBuilder());
const input = (b: Ops, ...dims: number[]) => b.builder.input('x', 'float32', dims);
const ramp = (dims: readonly number[]) => Float32Array.from({ length: elementCount(dims) }, (_, i) => i + 1);

/** What `write` makes of 1, 2, 3 … in `dims`. */
async function run(dims: readonly number[], write: (b: Ops, x: Value) => Value) {
  const b = fresh();
  const y = write(b, input(b, ...dims));
  const { y_ } = await runModel(b.builder.build({ y_: y }), { x: float32Tensor(dims, ramp(dims)) });
  expect(y_!.dims).toEqual(y.dims);
  return y_!;
}

describe('operations that change nothing', () => {
  it.each<[string, (b: Ops, x: Value) => Value]>([
    ['reshape to the same dims', (b, x) => b.reshape(x, [2, 3])],
    ['transpose by the identity', (b, x) => b.transpose(x, [0, 1])],
    ['sum over no axes', (b, x) => b.sum(x, [])],
    ['slice of everything', (b, x) => b.slice(x, -1, 0, 99)],
    ['pad by nothing', (b, x) => b.pad(x, [0, 0], [0, 0])],
    ['cast to the same type', (b, x) => b.cast(x, 'float32')],
    ['times one', (b, x) => b.mul(x, 1)],
    ['by one', (b, x) => b.div(x, 1)],
    ['expand to the same dims', (b, x) => b.expand(x, [2, 3])],
    ['concat of one', (b, x) => b.concat([x], 0)],
    ['split into one', (b, x) => b.split(x, 0, [2])[0]!],
    ['unbroadcast to the same dims', (b, x) => b.unbroadcast(x, [2, 3])],
  ])('%s: gives the operand back', (_, write) => {
    const b = fresh();
    const x = input(b, 2, 3);
    expect(write(b, x)).toBe(x);
    expect(b.builder.nodes).toEqual([]);
  });
});

describe('a number for a value', () => {
  it('takes the type of the other operand', () => {
    const b = fresh();
    const x = b.builder.input('d', 'float64', [2]);
    expect([b.add(x, 1).dtype, b.sub(1, x).dtype, b.where(b.compare('Less', x, 0), 1, x).dtype]).toEqual([
      'float64',
      'float64',
      'float64',
    ]);
    const i = b.builder.input('i', 'int64', [2]);
    expect(b.mul(i, 2).dtype).toBe('int64');
  });
});

describe('axes', () => {
  it('may be counted from the end', async () => {
    expect((await run([2, 3], (b, x) => b.sum(x, [-1]))).data).toEqual([6, 15]);
    expect((await run([2, 3], (b, x) => b.mean(x, [-2], true))).data).toEqual([2.5, 3.5, 4.5]);
    expect((await run([2, 3], (b, x) => b.unsqueeze(x, [-1, 0]))).dims).toEqual([1, 2, 3, 1]);
    expect((await run([2, 1, 3, 1], (b, x) => b.squeeze(x, [-1, 1]))).dims).toEqual([2, 3]);
    expect((await run([2, 3], (b, x) => b.slice(x, -1, 0, 3, 2))).data).toEqual([1, 3, 4, 6]);
  });

  it('of size 1 are summed by a reshape, and have means and maxima too', async () => {
    const b = fresh();
    const x = input(b, 2, 1, 3);
    const summed = b.sum(x, [1]);
    expect(summed.dims).toEqual([2, 3]);
    expect(b.builder.producer(summed)!.node.op).toBe('Reshape');
    expect(b.sum(x, [1], true)).toBe(x);
    expect((await run([2, 1, 3], (c, v) => c.mean(v, [1]))).data).toEqual([1, 2, 3, 4, 5, 6]);
    expect((await run([2, 1, 3], (c, v) => c.reduceMax(v, [1], true))).dims).toEqual([2, 1, 3]);
  });
});

describe('slice', () => {
  it('goes back with a negative step', async () => {
    expect((await run([4], (b, x) => b.slice(x, 0, 3, -99, -1))).data).toEqual([4, 3, 2, 1]);
  });
});

describe('pad', () => {
  it('adds zeros, and crops by negative amounts', async () => {
    expect((await run([2, 2], (b, x) => b.pad(x, [0, 1], [1, -1]))).data).toEqual([0, 1, 0, 3, 0, 0]);
  });
});

describe('full', () => {
  it.each([[[2, 3]], [[]], [[0, 4]]])('fills %j', (dims) => {
    const b = fresh();
    const y = b.full(dims, 7, 'float32');
    expect(y.dims).toEqual(dims);
    expect(b.zerosLike(y).dims).toEqual(dims);
  });

  it('writes no large constant', () => {
    const b = fresh();
    const y = b.full([1000, 1000], 7, 'float32');
    expect(y.data).toBeUndefined();
    expect(b.builder.build({ y_: y }).graph.initializers.size).toBeLessThanOrEqual(2);
  });
});

describe('unbroadcast', () => {
  it('is the transpose of broadcasting: ⟨g, expand x⟩ = ⟨unbroadcast g, x⟩', async () => {
    const axis = fc.tuple(fc.integer({ min: 1, max: 3 }), fc.boolean());
    await fc.assert(
      fc.asyncProperty(fc.array(axis, { maxLength: 4 }), fc.nat(2), async (axes, drop) => {
        const large = axes.map(([d]) => d);
        const small = axes.map(([d, one]) => (one ? 1 : d)).slice(Math.min(drop, axes.length));
        const g = ramp(large);
        const x = ramp(small).map((v) => v * 3 - 5);
        const b = fresh();
        const y = b.unbroadcast(b.builder.input('g', 'float32', large), small);
        const e = b.expand(b.builder.input('x', 'float32', small), large);
        expect(y.dims).toEqual(small);
        const out = await runModel(b.builder.build({ y_: y, e_: e }), {
          g: float32Tensor(large, g),
          x: float32Tensor(small, x),
        });
        const dot = (a: ArrayLike<number>, c: readonly number[]) => c.reduce((s, v, i) => s + v * a[i]!, 0);
        expect(dot(x, out.y_!.data)).toBe(dot(g, out.e_!.data));
      }),
      { numRuns: 40 },
    );
  });
});

describe('constants', () => {
  it('hold what they are given', () => {
    const b = fresh();
    expect(Array.from(numbersOf(b.ints([3, -1]).data!))).toEqual([3, -1]);
    expect(b.scalar(0.5, 'float16').dtype).toBe('float16');
    expect(Array.from(numbersOf(b.scalar(0.5, 'float16').data!))).toEqual([0.5]);
  });
});
