import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { randomFrom } from '../../core/random.ts';
import { GraphBuilder } from '../../onnx/graph-builder.ts';
import { elementCount, float32Tensor, numbersOf, stridesOf } from '../../onnx/tensor.ts';
import { runModel } from '../one-node.fixture.ts';
import { type Ops, opsOn } from '../ops.ts';
import { vjp } from './vjp.ts';
import { tuples } from './window.ts';

/** One convolution: channels are per group. */
interface Case {
  readonly n: number;
  readonly group: number;
  readonly inChannels: number;
  readonly outChannels: number;
  /** One entry a spatial axis. */
  readonly axes: readonly {
    readonly length: number;
    readonly kernel: number;
    readonly stride: number;
    readonly dilation: number;
    readonly before: number;
    readonly after: number;
  }[];
  readonly autoPad?: 'SAME_UPPER' | 'SAME_LOWER' | 'VALID';
}

/** Positions of the output along one axis, and the padding in front, from the ONNX text. */
function geometry(c: Case) {
  return c.axes.map(({ length, kernel, stride, dilation, before, after }) => {
    const extent = dilation * (kernel - 1) + 1;
    if (c.autoPad?.startsWith('SAME')) {
      const out = Math.ceil(length / stride);
      const total = Math.max(0, (out - 1) * stride + extent - length);
      return { out, before: c.autoPad === 'SAME_UPPER' ? Math.floor(total / 2) : Math.ceil(total / 2) };
    }
    const pads = c.autoPad === 'VALID' ? 0 : before + after;
    return {
      out: Math.floor((length + pads - extent) / stride) + 1,
      before: c.autoPad === 'VALID' ? 0 : before,
    };
  });
}

const fits = (c: Case) => geometry(c).every(({ out }) => out > 0);

interface Data {
  readonly x: Float32Array;
  readonly w: Float32Array;
  readonly g: Float32Array;
}

/** Every term `g[n,o,q] · w[o,i,k] · x[n,i,p]` of the sum that is differentiated, given to `each`. */
function eachTerm(c: Case, each: (n: number, x: number, w: number, g: number) => void): void {
  const shape = dimsOf(c);
  const [sx, sw, sg] = [shape.x, shape.w, shape.g].map(stridesOf) as [number[], number[], number[]];
  const geo = geometry(c);
  for (let n = 0; n < c.n; n++)
    for (let o = 0; o < shape.g[1]!; o++)
      for (let i = 0; i < c.inChannels; i++) {
        const channel = Math.floor(o / c.outChannels) * c.inChannels + i;
        for (const q of tuples(shape.g.slice(2)))
          for (const k of tuples(shape.w.slice(2))) {
            const p = q.map((v, a) => v * c.axes[a]!.stride + k[a]! * c.axes[a]!.dilation - geo[a]!.before);
            if (p.some((v, a) => v < 0 || v >= c.axes[a]!.length)) continue;
            const at = (s: number[], first: number, second: number, rest: readonly number[]) =>
              rest.reduce((sum, v, a) => sum + v * s[2 + a]!, first * s[0]! + second * s[1]!);
            each(n, at(sx, n, channel, p), at(sw, o, i, k), at(sg, n, o, q));
          }
      }
}

function dimsOf(c: Case) {
  return {
    x: [c.n, c.group * c.inChannels, ...c.axes.map((a) => a.length)],
    w: [c.group * c.outChannels, c.inChannels, ...c.axes.map((a) => a.kernel)],
    g: [c.n, c.group * c.outChannels, ...geometry(c).map((a) => a.out)],
  };
}

/** Small whole numbers: every sum is exact in float32. */
function dataFor(c: Case, seed: number): Data {
  const rng = randomFrom(seed, 'conv');
  const draw = (dims: readonly number[]) =>
    Float32Array.from({ length: elementCount(dims) }, () => rng.integer(7) - 3);
  const dims = dimsOf(c);
  return { x: draw(dims.x), w: draw(dims.w), g: draw(dims.g) };
}

function convolve(b: Ops, c: Case, inputs: Parameters<Ops['node']>[1]) {
  const each = <K extends keyof Case['axes'][number]>(key: K) => c.axes.map((a) => a[key]);
  return b.node('Conv', inputs, {
    kernel_shape: each('kernel'),
    strides: each('stride'),
    dilations: each('dilation'),
    group: c.group,
    ...(c.autoPad ? { auto_pad: c.autoPad } : { pads: [...each('before'), ...each('after')] }),
  });
}

/** All gradients that there are: constant weights, weights as inputs, per sample. */
async function check(c: Case, seed = 1): Promise<void> {
  const dims = dimsOf(c);
  const data = dataFor(c, seed);
  const want = {
    dx: new Float64Array(data.x.length),
    dw: new Float64Array(data.w.length),
    each: new Float64Array(c.n * data.w.length),
  };
  eachTerm(c, (n, x, w, g) => {
    want.dx[x]! += data.w[w]! * data.g[g]!;
    want.dw[w]! += data.x[x]! * data.g[g]!;
    want.each[n * data.w.length + w]! += data.x[x]! * data.g[g]!;
  });
  const b = opsOn(new GraphBuilder());
  const x = b.builder.input('x', 'float32', dims.x);
  const w = b.builder.input('w', 'float32', dims.w);
  const g = b.builder.input('g', 'float32', dims.g);
  const fixed = convolve(b, c, [x, b.builder.constant(float32Tensor(dims.w, data.w))]);
  const free = convolve(b, c, [x, w]);
  expect(free.dims).toEqual(dims.g);
  const [dx] = vjp(b, [{ value: fixed, grad: g }], [x]);
  const [dx2, dw] = vjp(b, [{ value: free, grad: g }], [x, w]);
  const [each] = vjp(b, [{ value: free, grad: g }], [w], { perSample: [w] });
  expect([dx!.dims, dx2!.dims, dw!.dims]).toEqual([dims.x, dims.x, dims.w]);
  expect(each!.dims).toEqual([c.n, ...dims.w]);
  const got = await runModel(b.builder.build({ dx: dx!, dx2: dx2!, dw: dw!, each: each! }), {
    x: float32Tensor(dims.x, data.x),
    w: float32Tensor(dims.w, data.w),
    g: float32Tensor(dims.g, data.g),
  });
  // `+ 0`: a sum of −0 is 0 to us.
  const plain = (values: Iterable<number>) => Array.from(values, (v) => v + 0);
  expect(plain(got.dx!.data), 'input, constant weights').toEqual(plain(want.dx));
  expect(plain(got.dx2!.data), 'input, weights that are an input').toEqual(plain(want.dx));
  expect(plain(got.dw!.data), 'weights').toEqual(plain(want.dw));
  expect(plain(got.each!.data), 'weights per sample').toEqual(plain(want.each));
}

const axis = (length: number, kernel: number, stride = 1, dilation = 1, before = 0, after = 0) => ({
  length,
  kernel,
  stride,
  dilation,
  before,
  after,
});

describe('the gradients of Conv are those of the plain sum, exactly', () => {
  const base = { n: 2, group: 1, inChannels: 6, outChannels: 3 };
  it.each<[string, Case]>([
    ['kernel wider than the stride', { ...base, axes: [axis(7, 3, 2, 1, 1, 1), axis(6, 3, 2, 1, 1, 1)] }],
    [
      'kernel narrower than the stride: phases that no tap reaches',
      { ...base, axes: [axis(8, 2, 3), axis(7, 1, 2)] },
    ],
    ['dilation that leaves phases out', { ...base, axes: [axis(9, 3, 2, 2), axis(9, 2, 3, 3, 1, 2)] }],
    ['pads wider than the kernel', { ...base, axes: [axis(3, 2, 1, 1, 4, 3), axis(2, 1, 2, 1, 3, 3)] }],
    ['phases whose taps miss the output', { ...base, axes: [axis(1, 2, 2, 3, 3), axis(1, 2, 3, 4, 0, 5)] }],
    ['one output position', { ...base, axes: [axis(5, 5), axis(4, 3, 3)] }],
    ['a 1×1 map', { ...base, axes: [axis(1, 3, 1, 1, 1, 1), axis(1, 3, 2, 1, 1, 1)] }],
    ['more phases than are worth it (a patch embedding)', { ...base, axes: [axis(9, 4, 4), axis(8, 4, 4)] }],
    [
      'few input channels',
      { ...base, inChannels: 3, axes: [axis(6, 3, 2, 1, 1, 0), axis(5, 3, 1, 1, 0, 1)] },
    ],
    ['groups', { ...base, group: 3, inChannels: 2, axes: [axis(5, 3, 2, 1, 1, 1), axis(5, 2)] }],
    [
      'depthwise',
      {
        ...base,
        group: 6,
        inChannels: 1,
        outChannels: 2,
        axes: [axis(5, 3, 2, 1, 1, 1), axis(4, 3, 1, 1, 1, 1)],
      },
    ],
    ['one axis', { ...base, axes: [axis(9, 4, 2, 1, 1, 2)] }],
    ['three axes', { ...base, axes: [axis(4, 2, 2), axis(3, 3, 1, 1, 1, 1), axis(5, 2, 3, 1, 0, 1)] }],
    ['SAME_UPPER', { ...base, autoPad: 'SAME_UPPER', axes: [axis(7, 4, 2), axis(6, 3, 2)] }],
    ['SAME_LOWER', { ...base, autoPad: 'SAME_LOWER', axes: [axis(7, 4, 2), axis(6, 2, 1)] }],
    ['VALID', { ...base, autoPad: 'VALID', axes: [axis(7, 4, 2), axis(6, 2, 1)] }],
    [
      'channels that are gathered as rows',
      { ...base, inChannels: 9, axes: [axis(6, 3, 2, 1, 1, 0), axis(5, 2, 1, 2, 0, 1)] },
    ],
    ['rows that need no gathering', { ...base, inChannels: 9, axes: [axis(3, 1), axis(4, 1)] }],
    ['a window that is the whole map', { ...base, inChannels: 9, axes: [axis(3, 3), axis(4, 4)] }],
    ['rows of one axis', { ...base, inChannels: 8, axes: [axis(9, 4, 2, 1, 1, 2)] }],
    ['elements that are picked', { ...base, inChannels: 7, axes: [axis(7, 3, 2, 1, 1, 1), axis(6, 3)] }],
    ['windows for im2col', { ...base, inChannels: 7, axes: [axis(7, 4, 2, 1, 1, 1), axis(6, 3)] }],
    [
      'more rows than one product takes',
      { ...base, n: 3, inChannels: 1, outChannels: 1, axes: [axis(64, 1), axis(33, 1)] },
    ],
    ['batch 1', { ...base, n: 1, axes: [axis(5, 3, 2), axis(5, 3)] }],
  ])('%s', (_, c) => check(c));

  it('whatever the geometry', async () => {
    const anyAxis = fc.record({
      length: fc.integer({ min: 1, max: 8 }),
      kernel: fc.integer({ min: 1, max: 4 }),
      stride: fc.integer({ min: 1, max: 3 }),
      dilation: fc.integer({ min: 1, max: 3 }),
      before: fc.nat(3),
      after: fc.nat(3),
    });
    const anyCase: fc.Arbitrary<Case> = fc
      .record({
        n: fc.integer({ min: 1, max: 2 }),
        group: fc.constantFrom(1, 1, 2, 3),
        inChannels: fc.constantFrom(1, 2, 5, 8),
        outChannels: fc.integer({ min: 1, max: 3 }),
        axes: fc.oneof(
          fc.array(anyAxis, { minLength: 1, maxLength: 1 }),
          fc.array(anyAxis, { minLength: 2, maxLength: 2 }),
          fc.array(anyAxis, { minLength: 2, maxLength: 2 }),
        ),
      })
      .filter(fits);
    await fc.assert(
      fc.asyncProperty(anyCase, fc.nat(), (c, seed) => check(c, seed)),
      { numRuns: 60 },
    );
  });
});

describe('empty batches', () => {
  it('have gradients of the right shape', async () => {
    const b = opsOn(new GraphBuilder());
    const x = b.builder.input('x', 'float32', [0, 6, 5, 5]);
    const w = b.builder.input('w', 'float32', [2, 6, 3, 3]);
    const y = b.node('Conv', [x, w]);
    const [dx, dw] = vjp(b, [{ value: y, grad: b.full(y.dims, 1, 'float32') }], [x, w]);
    expect([dx!.dims, dw!.dims]).toEqual([x.dims, w.dims]);
    const { dw: sum } = await runModel(b.builder.build({ dw: dw! }, { dropUnusedInputs: true }), {});
    expect(sum!.data).toEqual(new Array(108).fill(0));
  });
});

describe('sums of gradients that were put together from phases', () => {
  const dims = [1, 8, 4, 4];
  const weights = (seed: number) => {
    const rng = randomFrom(seed);
    return float32Tensor(
      [4, 8, 3, 3],
      Float32Array.from({ length: 288 }, () => rng.integer(5) - 2),
    );
  };
  /** Two strided convolutions of one input. */
  const twoPaths = (merged: boolean) => {
    const b = opsOn(new GraphBuilder());
    const x = b.builder.input('x', 'float32', dims);
    const options = { strides: [2, 2], pads: [1, 1, 1, 1] };
    const ys = [1, 2].map((seed) => b.node('Conv', [x, b.builder.constant(weights(seed))], options));
    const cotangents = ys.map((value) => ({ value, grad: b.full(value.dims, 1, 'float32') }));
    const dx = merged
      ? vjp(b, cotangents, [x])[0]!
      : cotangents.map((c) => vjp(b, [c], [x])[0]!).reduce((s, v) => b.add(s, v));
    return b.builder.build({ dx });
  };

  it('are added before they are interleaved, once', async () => {
    const merged = twoPaths(true);
    expect(merged.graph.nodes.filter((n) => n.op === 'DepthToSpace').length).toBe(1);
    const x = float32Tensor(dims, new Float32Array(128));
    const [one, two] = [await runModel(merged, { x }), await runModel(twoPaths(false), { x })];
    expect(one.dx!.data).toEqual(two.dx!.data);
    expect(one.dx!.data.some((v) => v !== 0)).toBe(true);
  });

  it('leave zeros out', () => {
    const b = opsOn(new GraphBuilder());
    const x = b.builder.input('x', 'float32', [2, 3]);
    const z = b.unary('Exp', x);
    const grads = [b.full([2, 3], 0, 'float32'), b.builder.input('g', 'float32', [2, 3])];
    const before = b.builder.nodes.filter((n) => n.node.op === 'Add').length;
    vjp(
      b,
      [
        { value: z, grad: grads[0]! },
        { value: z, grad: grads[1]! },
      ],
      [x],
    );
    expect(b.builder.nodes.filter((n) => n.node.op === 'Add').length).toBe(before);
  });
});

describe('vjp', () => {
  it('names every operator on the path that has no gradient, at once', () => {
    const b = opsOn(new GraphBuilder());
    const x = b.builder.input('x', 'float32', [4]);
    const types = [{ dtype: 'float32' as const, dims: [4] }];
    const one = b.node('Mystery', [x], {}, { domain: 'com.acme', types, name: 'first' });
    const two = b.node('Riddle', [b.unary('Exp', one)], {}, { domain: 'com.acme', types, name: 'second' });
    const aside = b.node(
      'Enigma',
      [b.builder.input('other', 'float32', [4])],
      {},
      { domain: 'com.acme', types },
    );
    const y = b.add(two, aside);
    expect(() => vjp(b, [{ value: y, grad: b.full([4], 1, 'float32') }], [x])).toThrow(
      /got 2 without:\n {2}first \(com\.acme\.Mystery\).*\n {2}second \(com\.acme\.Riddle\)/,
    );
  });

  it('refuses a cotangent of another shape', () => {
    const b = opsOn(new GraphBuilder());
    const x = b.builder.input('x', 'float32', [4]);
    expect(() => vjp(b, [{ value: x, grad: b.full([3], 1, 'float32') }], [x])).toThrow(
      'x: expected a cotangent of [4], got [3]',
    );
  });

  it('gives the cotangent for the value itself and zeros for what nothing depends on', () => {
    const b = opsOn(new GraphBuilder());
    const x = b.builder.input('x', 'float32', [2]);
    const idle = b.builder.input('idle', 'float32', [3]);
    const g = b.builder.input('g', 'float32', [2]);
    const [own, none] = vjp(b, [{ value: x, grad: g }], [x, idle]);
    expect(own).toBe(g);
    expect(none!.dims).toEqual([3]);
    expect(Array.from(numbersOf(none!.data ?? b.builder.producer(none!)!.inputs[0]!.data!))).toContain(0);
  });
});
