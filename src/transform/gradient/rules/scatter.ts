import { GlacisError } from '../../../core/error.ts';
import type { Value } from '../../../onnx/graph-builder.ts';
import { int64Tensor } from '../../../onnx/tensor.ts';
import type { Ops } from '../../ops.ts';
import { defineRule, type RuleContext } from '../rule.ts';

/** Reads or writes a tensor at the places that the indices of one node name. */
interface Places {
  read(from: Value): Value;
  write(into: Value, updates: Value, reduction: 'none' | 'add' | 'mul'): Value;
}

function elementPlaces(b: Ops, indices: Value, axis: number): Places {
  return {
    read: (from) => b.node('GatherElements', [from, indices], { axis }),
    write: (into, updates, reduction) =>
      b.node('ScatterElements', [into, indices, updates], { axis, reduction }),
  };
}

function vectorPlaces(b: Ops, indices: Value): Places {
  return {
    read: (from) => b.node('GatherND', [from, indices]),
    write: (into, updates, reduction) => b.node('ScatterND', [into, indices, updates], { reduction }),
  };
}

/** `y = x` at indices along an axis: `g` is added there. */
export const gatherElements = defineRule({
  op: 'GatherElements',
  since: 11,
  note: 'x̄ = g added at the indices',
  grad: ({ b, attrs, input, outGrads: [g] }) => [
    elementPlaces(b, input(1), attrs.int('axis', 0)).write(b.zerosLike(input(0)), g!, 'add'),
    null,
  ],
});

/** `y` = slices of `x` at index vectors, after `batch_dims` shared axes: `g` is added there. */
export const gatherNd = defineRule({
  op: 'GatherND',
  since: 12,
  note: 'x̄ = g added at the index vectors; batch_dims',
  grad: ({ b, attrs, input, outGrads: [g] }) => {
    const indices = withBatch(b, input(1), attrs.int('batch_dims', 0));
    return [vectorPlaces(b, indices).write(b.zerosLike(input(0)), g!, 'add'), null];
  },
});

/** Index vectors with the positions along the first `count` axes in front of each. */
function withBatch(b: Ops, indices: Value, count: number): Value {
  if (count === 0) return indices;
  const shape = indices.dims.with(-1, 1);
  const columns = Array.from({ length: count }, (_, a) => {
    const iota = b.builder.constant(
      int64Tensor(
        [shape[a]!],
        Array.from({ length: shape[a]! }, (_, i) => i),
      ),
    );
    return b.expand(
      b.reshape(
        iota,
        shape.map((d, i) => (i === a ? d : 1)),
      ),
      shape,
    );
  });
  return b.concat([...columns, indices], shape.length - 1);
}

const NOTE =
  'none: data̅ = g with zeros at the indices, updates̅ = g there; add, mul, max and min (ties share g evenly)';

/** `y = x` with updates at indices along an axis. */
export const scatterElements = defineRule({
  op: 'ScatterElements',
  since: 11,
  note: NOTE,
  grad: (context) =>
    scattered(context, elementPlaces(context.b, context.input(1), context.attrs.int('axis', 0))),
});

/** `y = x` with updates at index vectors. */
export const scatterNd = defineRule({
  op: 'ScatterND',
  since: 11,
  note: NOTE,
  grad: (context) => scattered(context, vectorPlaces(context.b, context.input(1))),
});

function scattered(
  { b, attrs, input, outputs: [y], outGrads: [g], needs }: RuleContext,
  places: Places,
): (Value | null)[] {
  const [x, u] = [input(0), input(2)];
  const reduction = attrs.string('reduction', 'none');
  const pair = (data: () => Value, updates: () => Value) => [
    needs[0] ? data() : null,
    null,
    needs[2] ? updates() : null,
  ];
  switch (reduction) {
    case 'none':
      return pair(
        () => places.write(g!, b.zerosLike(u), 'none'),
        () => places.read(g!),
      );
    case 'add':
      return pair(
        () => g!,
        () => places.read(g!),
      );
    case 'mul':
      return pair(
        () => b.mul(g!, places.write(b.full(x.dims, 1, x.dtype), u, 'mul')),
        () => b.mul(places.read(b.mul(g!, x)), otherFactors(b, places, x, u)),
      );
    case 'max':
    case 'min': {
      const mark = (v: Value, top: Value) => b.cast(b.compare('Equal', v, top), x.dtype);
      const kept = mark(x, y!);
      const written = mark(u, places.read(y!));
      const share = b.div(g!, b.max(places.write(kept, written, 'add'), 1));
      return pair(
        () => b.mul(share, kept),
        () => b.mul(places.read(share), written),
      );
    }
    default:
      throw new GlacisError(
        'gradient/unsupported',
        `expected reduction none, add, mul, max or min, got ${reduction}`,
      );
  }
}

/** For each update the product of the other updates at its place, right also where some are zero. */
function otherFactors(b: Ops, places: Places, x: Value, u: Value): Value {
  const zero = b.compare('Equal', u, 0);
  const zeros = places.read(places.write(b.zerosLike(x), b.cast(zero, x.dtype), 'add'));
  const product = places.read(places.write(b.full(x.dims, 1, x.dtype), b.where(zero, 1, u), 'mul'));
  const lone = b.where(b.compare('Equal', zeros, 1), product, 0);
  return b.where(zero, lone, b.where(b.compare('Equal', zeros, 0), b.div(product, b.where(zero, 1, u)), 0));
}
