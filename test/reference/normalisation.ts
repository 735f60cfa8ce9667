import { build, type RefContext, type RefFamily, type RefTensor, read } from './tensor.ts';

/** Standardises the elements that share a key, with `f` giving what is taken away and multiplied from their mean and variance. */
function standardised(x: RefTensor, keyOf: (at: readonly number[]) => string, epsilon: number) {
  const groups = new Map<string, number[]>();
  build(x.dims, x.dtype, (flat, at) => {
    const key = keyOf(at);
    const group = groups.get(key);
    if (group) group.push(x.data[flat]!);
    else groups.set(key, [x.data[flat]!]);
    return 0;
  });
  const statistics = new Map(
    [...groups].map(([key, values]) => {
      const mean = values.reduce((s, v) => s + v, 0) / values.length;
      const variance = values.reduce((s, v) => s + (v - mean) ** 2, 0) / values.length;
      return [key, { mean, variance, scale: 1 / Math.sqrt(variance + epsilon) }] as const;
    }),
  );
  const of = (at: readonly number[]) => statistics.get(keyOf(at))!;
  const value = build(x.dims, x.dtype, (flat, at) => (x.data[flat]! - of(at).mean) * of(at).scale);
  return { value, of };
}

/** `y = x̂ s + β` with one scale and bias for each of `count` equal parts of the channels. */
function affine(x: RefTensor, scale: RefTensor, bias: RefTensor): RefTensor {
  const part = (at: readonly number[]) => Math.floor(at[1]! / (x.dims[1]! / scale.dims[0]!));
  return build(x.dims, x.dtype, (flat, at) => x.data[flat]! * scale.data[part(at)]! + bias.data[part(at)]!);
}

const epsilonOf = ({ attrs }: RefContext) => attrs.float('epsilon', 1e-5);

function groupNormalisation(context: RefContext, groups: number): readonly RefTensor[] {
  const x = context.input(0);
  const { value } = standardised(
    x,
    (at) => `${at[0]},${Math.floor(at[1]! / (x.dims[1]! / groups))}`,
    epsilonOf(context),
  );
  return [affine(value, context.input(1), context.input(2))];
}

/** Where the elements along `axis` and all after it have the same key. */
const fromAxis = ({ attrs, input }: RefContext) => {
  const rank = input(0).dims.length;
  return (attrs.int('axis', -1) + rank) % rank;
};

/** Normalisations. */
export const NORMALISATION: RefFamily = {
  BatchNormalization: (context) => {
    const { input, attrs } = context;
    const x = input(0);
    if (attrs.int('training_mode', 0) === 0) {
      const y = build(x.dims, x.dtype, (flat, at) => {
        const c = at[1]!;
        return (x.data[flat]! - input(3).data[c]!) / Math.sqrt(input(4).data[c]! + epsilonOf(context));
      });
      return [affine(y, input(1), input(2))];
    }
    const { value, of } = standardised(x, (at) => String(at[1]), epsilonOf(context));
    const momentum = attrs.float('momentum', 0.9);
    const running = (old: RefTensor, which: 'mean' | 'variance') =>
      build(old.dims, old.dtype, (c) => old.data[c]! * momentum + of([0, c])[which] * (1 - momentum));
    return [affine(value, input(1), input(2)), running(input(3), 'mean'), running(input(4), 'variance')];
  },
  GroupNormalization: (context) => groupNormalisation(context, context.attrs.int('num_groups')),
  InstanceNormalization: (context) => groupNormalisation(context, context.input(0).dims[1]!),
  LRN: ({ input, attrs }) => {
    const x = input(0);
    const size = attrs.int('size');
    const [low, high] = [Math.floor((size - 1) / 2), Math.ceil((size - 1) / 2)];
    return [
      build(x.dims, x.dtype, (flat, at) => {
        let sum = 0;
        for (let c = Math.max(0, at[1]! - low); c <= Math.min(x.dims[1]! - 1, at[1]! + high); c++)
          sum += read(x, at.with(1, c)) ** 2;
        return (
          x.data[flat]! /
          (attrs.float('bias', 1) + (attrs.float('alpha', 1e-4) / size) * sum) ** attrs.float('beta', 0.75)
        );
      }),
    ];
  },
  LayerNormalization: (context) => {
    const { input, inputs } = context;
    const x = input(0);
    const from = fromAxis(context);
    const { value, of } = standardised(x, (at) => at.slice(0, from).join(), epsilonOf(context));
    const y = build(
      x.dims,
      x.dtype,
      (flat, at) => value.data[flat]! * read(input(1), at) + (inputs[2] ? read(inputs[2], at) : 0),
    );
    const kept = x.dims.map((d, a) => (a < from ? d : 1));
    return [y, build(kept, x.dtype, (_, at) => of(at).mean), build(kept, x.dtype, (_, at) => of(at).scale)];
  },
  LpNormalization: ({ input, attrs }) => {
    const x = input(0);
    const axis = (attrs.int('axis', -1) + x.dims.length) % x.dims.length;
    const p = attrs.int('p', 2);
    return [
      build(x.dims, x.dtype, (flat, at) => {
        let sum = 0;
        for (let k = 0; k < x.dims[axis]!; k++) sum += Math.abs(read(x, at.with(axis, k))) ** p;
        return sum === 0 ? 0 : x.data[flat]! / sum ** (1 / p);
      }),
    ];
  },
  MeanVarianceNormalization: ({ input, attrs }) => {
    const axes = attrs.ints('axes', [0, 2, 3]);
    const { of } = standardised(input(0), (at) => at.filter((_, a) => !axes.includes(a)).join(), 0);
    return [
      build(
        input(0).dims,
        input(0).dtype,
        (flat, at) => (input(0).data[flat]! - of(at).mean) / (Math.sqrt(of(at).variance) + 1e-9),
      ),
    ];
  },
  RMSNormalization: (context) => {
    const { input } = context;
    const x = input(0);
    const from = fromAxis(context);
    const sums = new Map<string, number>();
    const keyOf = (at: readonly number[]) => at.slice(0, from).join();
    build(x.dims, x.dtype, (flat, at) => {
      sums.set(keyOf(at), (sums.get(keyOf(at)) ?? 0) + x.data[flat]! ** 2);
      return 0;
    });
    const count = x.dims.slice(from).reduce((n, d) => n * d, 1);
    return [
      build(
        x.dims,
        x.dtype,
        (flat, at) =>
          (x.data[flat]! / Math.sqrt(sums.get(keyOf(at))! / count + epsilonOf(context))) * read(input(1), at),
      ),
    ];
  },
};
