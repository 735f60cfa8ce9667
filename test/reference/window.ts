import type { Attributes } from '../../src/onnx/attributes.ts';
import { elementCount } from '../../src/onnx/tensor.ts';
import { build, type RefContext, type RefFamily, type RefTensor } from './tensor.ts';

/** Strides, dilations and pads of a window with explicit padding. */
function geometry(attrs: Attributes, rank: number) {
  const ones = new Array<number>(rank).fill(1);
  if (attrs.string('auto_pad', 'NOTSET') !== 'NOTSET')
    throw new Error('reference windows: explicit pads only');
  const pads = attrs.ints('pads', new Array<number>(2 * rank).fill(0));
  return {
    strides: attrs.ints('strides', ones),
    dilations: attrs.ints('dilations', ones),
    before: pads.slice(0, rank),
    after: pads.slice(rank),
  };
}

function flatIndex(dims: readonly number[], at: readonly number[]): number | undefined {
  let flat = 0;
  for (const [k, d] of dims.entries()) {
    if (at[k]! < 0 || at[k]! >= d) return undefined;
    flat = flat * d + at[k]!;
  }
  return flat;
}

/** Every index below `sizes`, in row-major order. */
function everyIndex(sizes: readonly number[]): number[][] {
  const list: number[][] = [];
  build(sizes, 'int64', (_, at) => {
    list.push([...at]);
    return 0;
  });
  return list;
}

/** For each window its elements inside the input, and how many places it has inside the padded input. */
function pool(
  { input, attrs }: RefContext,
  f: (elements: readonly (readonly [flat: number, value: number])[], places: number) => number,
): RefTensor {
  const x = input(0);
  const spatial = x.dims.slice(2);
  const kernel = attrs.ints('kernel_shape');
  const { strides, dilations, before, after } = geometry(attrs, spatial.length);
  const round = attrs.int('ceil_mode', 0) !== 0 ? Math.ceil : Math.floor;
  const out = spatial.map((d, a) => {
    const n = round((d + before[a]! + after[a]! - dilations[a]! * (kernel[a]! - 1) - 1) / strides[a]!) + 1;
    // A last window that begins in the end padding does not count.
    return round === Math.ceil && (n - 1) * strides[a]! >= d + before[a]! ? n - 1 : n;
  });
  const taps = everyIndex(kernel);
  return build([x.dims[0]!, x.dims[1]!, ...out], x.dtype, (_, at) => {
    const elements: [number, number][] = [];
    let places = 0;
    for (const tap of taps) {
      const place = tap.map((k, a) => at[2 + a]! * strides[a]! - before[a]! + k * dilations[a]!);
      if (place.every((p, a) => p >= -before[a]! && p < spatial[a]! + after[a]!)) places++;
      const flat = flatIndex(x.dims, [at[0]!, at[1]!, ...place]);
      if (flat !== undefined) elements.push([flat, x.data[flat]!]);
    }
    return f(elements, places);
  });
}

const norm = (values: readonly number[], p: number) =>
  values.reduce((s, v) => s + Math.abs(v) ** p, 0) ** (1 / p);

/** `f` of all elements of each plane. */
function global({ input }: RefContext, f: (values: readonly number[]) => number): RefTensor {
  const x = input(0);
  const n = elementCount(x.dims.slice(2));
  return build([x.dims[0]!, x.dims[1]!, ...x.dims.slice(2).map(() => 1)], x.dtype, (flat) =>
    f(Array.from(x.data.subarray(flat * n, (flat + 1) * n))),
  );
}

/** Visits every product of a convolution of `[N, C, …sizes]` with weights `[M, C / group, …]` to `[N, M, …out]`. */
function convolve(
  { attrs, input }: RefContext,
  sizes: readonly number[],
  channels: number,
  out: readonly number[],
  visit: (at: number, weight: number, to: number) => void,
): void {
  const w = input(1);
  const group = attrs.int('group', 1);
  const [m, perGroup] = [w.dims[0]!, w.dims[1]!];
  const kernel = w.dims.slice(2);
  const { strides, dilations, before } = geometry(attrs, kernel.length);
  const n = input(0).dims[0]!;
  const [from, to] = [
    [n, channels, ...sizes],
    [n, m, ...out],
  ];
  for (const [o, position] of everyIndex(to).entries()) {
    const part = Math.floor(position[1]! / (m / group));
    for (const [k, tap] of everyIndex([perGroup, ...kernel]).entries()) {
      const place = kernel.map(
        (_, a) => position[2 + a]! * strides[a]! - before[a]! + tap[1 + a]! * dilations[a]!,
      );
      const flat = flatIndex(from, [position[0]!, part * perGroup + tap[0]!, ...place]);
      if (flat !== undefined) visit(flat, position[1]! * perGroup * elementCount(kernel) + k, o);
    }
  }
}

function withBias(y: RefTensor, bias: RefTensor | null | undefined): readonly RefTensor[] {
  return [build(y.dims, y.dtype, (i, at) => y.data[i]! + (bias ? bias.data[at[1]!]! : 0))];
}

/** Convolution and pooling. */
export const WINDOW: RefFamily = {
  AveragePool: (context) => {
    const padded = context.attrs.int('count_include_pad', 0) !== 0;
    return [
      pool(
        context,
        (elements, places) => elements.reduce((s, [, v]) => s + v, 0) / (padded ? places : elements.length),
      ),
    ];
  },
  Conv: (context) => {
    const [x, w] = [context.input(0), context.input(1)];
    const { strides, dilations, before, after } = geometry(context.attrs, x.dims.length - 2);
    const out = x.dims
      .slice(2)
      .map(
        (d, a) =>
          Math.floor((d + before[a]! + after[a]! - dilations[a]! * (w.dims[2 + a]! - 1) - 1) / strides[a]!) +
          1,
      );
    const y = build([x.dims[0]!, w.dims[0]!, ...out], x.dtype, () => 0);
    convolve(context, x.dims.slice(2), x.dims[1]!, out, (at, weight, to) => {
      y.data[to]! += x.data[at]! * w.data[weight]!;
    });
    return withBias(y, context.inputs[2]);
  },
  ConvTranspose: (context) => {
    const [x, w] = [context.input(0), context.input(1)];
    const { strides, dilations, before, after } = geometry(context.attrs, x.dims.length - 2);
    const extra = context.attrs.ints(
      'output_padding',
      before.map(() => 0),
    );
    const out = x.dims
      .slice(2)
      .map(
        (d, a) =>
          strides[a]! * (d - 1) +
          extra[a]! +
          dilations[a]! * (w.dims[2 + a]! - 1) +
          1 -
          before[a]! -
          after[a]!,
      );
    const channels = w.dims[1]! * context.attrs.int('group', 1);
    const y = build([x.dims[0]!, channels, ...out], x.dtype, () => 0);
    // The convolution from y's place to x's, read the other way.
    convolve(context, out, channels, x.dims.slice(2), (at, weight, to) => {
      y.data[at]! += x.data[to]! * w.data[weight]!;
    });
    return withBias(y, context.inputs[2]);
  },
  GlobalAveragePool: (context) => [global(context, (v) => v.reduce((s, e) => s + e, 0) / v.length)],
  GlobalLpPool: (context) => [global(context, (v) => norm(v, context.attrs.int('p', 2)))],
  GlobalMaxPool: (context) => [global(context, (v) => Math.max(...v))],
  LpPool: (context) => [
    pool(context, (elements) =>
      norm(
        elements.map(([, v]) => v),
        context.attrs.int('p', 2),
      ),
    ),
  ],
  MaxPool: (context) => {
    const first = (elements: readonly (readonly [number, number])[]) =>
      elements.reduce((best, e) => (e[1] > best[1] ? e : best));
    const at = pool(context, (elements) => first(elements)[0]);
    return [pool(context, (elements) => first(elements)[1]), { ...at, dtype: 'int64' }];
  },
};
