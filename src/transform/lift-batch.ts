import { GlacisError } from '../core/error.ts';
import { attributesOf } from '../onnx/attributes.ts';
import type { Value } from '../onnx/graph-builder.ts';
import type { Node } from '../onnx/model.ts';
import { elementCount, numbersOf } from '../onnx/tensor.ts';
import { type Ops, sameDims } from './ops.ts';

/** How a model that was exported for one sample is written for `batch` samples. */
export interface Lift {
  readonly batch: number;
  /** The values of the model as it stands, for one sample, by name. */
  readonly reference: ReadonlyMap<string, Value>;
  /**
   * Names of written values whose samples share an axis and are its inner part (`[S · N, E]` with neighbouring samples);
   * otherwise they are the outer part. Grows while nodes are written.
   */
  readonly inner: Set<string>;
}

/** What a node becomes: other inputs, or its results. */
export type Lifted =
  | { readonly inputs: readonly (Value | null)[] }
  | { readonly results: readonly (Value | null)[] };

/** Operators whose operands broadcast: one that was made for a single sample repeats. */
const BROADCASTING = new Set(
  'Add And Div Equal Greater GreaterOrEqual Less LessOrEqual Max Mean Min Mod Mul Or Pow Sub Sum Where Xor'.split(
    ' ',
  ),
);

/**
 * Rewrites one node of a model whose file bakes a batch of 1 into shapes: `Reshape` and `Flatten` keep the batch as an axis,
 * `Expand` and `Resize` take the larger size, slices of the one sample take all, and what was made for one sample (a class
 * token, a mask, initial states) repeats where it meets the batch. `undefined`: the node needs nothing.
 *
 * A shape alone does not always say which axis the samples are on; whoever lifts a model compares both forms on data.
 * Errors: `model/dynamic-shape` with the node's name where samples would mix.
 */
export function liftNode(
  b: Ops,
  lift: Lift,
  node: Node,
  inputs: readonly (Value | null)[],
): Lifted | undefined {
  if (node.domain !== '' || !inputs.some((v, i) => liftedAxes(lift, node, v, i).length > 0)) return undefined;
  switch (node.op) {
    case 'Reshape':
    case 'Flatten':
      return reshape(b, lift, node, inputs);
    case 'Expand':
      return expand(b, lift, node, inputs);
    case 'Slice':
      return slice(b, lift, node, inputs);
    case 'Resize':
      return resize(b, lift, node, inputs);
    case 'Gather':
      return gather(lift, node, inputs);
    case 'Squeeze':
      return squeeze(lift, node, inputs);
    case 'Concat':
      return { inputs: concat(b, lift, node, inputs) };
    case 'GRU':
    case 'LSTM':
    case 'RNN':
      return { inputs: states(b, lift, node, inputs) };
    default:
      return BROADCASTING.has(node.op) ? { inputs: broadcast(b, lift, node, inputs) } : undefined;
  }
}

/** Refuses results of which a single axis does not say where the samples are; notes where they lie in it. */
export function checkLifted(
  lift: Lift,
  node: Node,
  inputs: readonly (Value | null)[],
  results: readonly (Value | null)[],
): void {
  const inner = isInner(lift, inputs);
  for (const [i, name] of node.outputs.entries()) {
    const [now, before] = [results[i], lift.reference.get(name)];
    if (!now?.isStatic || !before?.isStatic || sameDims(now.dims, before.dims)) continue;
    const axes = before.dims.flatMap((d, k) => (now.dims[k] === d ? [] : [k]));
    const fits =
      now.dims.length === before.dims.length &&
      axes.length === 1 &&
      now.dims[axes[0]!] === lift.batch * before.dims[axes[0]!]!;
    if (!fits) refuse(node, `[${before.dims}] became [${now.dims}]`);
    if (inner && before.dims[axes[0]!]! > 1) lift.inner.add(now.name);
  }
}

/** The error that says which node cannot be lifted. */
export function refuse(node: Node, why: string, cause?: unknown): never {
  throw new GlacisError(
    'model/dynamic-shape',
    `${node.name || node.outputs[0]} (${node.op}): expected a model that runs on any number of samples, got one made for 1 (${why}); export it with a dynamic batch`,
    { cause },
  );
}

/** Dims of input `i` for one sample. */
const before = (lift: Lift, node: Node, i: number): readonly number[] | undefined => {
  const value = lift.reference.get(node.inputs[i] ?? '');
  return value?.isStatic ? value.dims : undefined;
};

/** Axes of input `i` that hold the samples: where its size is no longer that for one sample. */
function liftedAxes(lift: Lift, node: Node, value: Value | null, i: number): readonly number[] {
  const dims = before(lift, node, i);
  if (!value?.isStatic || !dims || dims.length !== value.dims.length) return [];
  return dims.flatMap((d, k) => (value.dims[k] === d ? [] : [k]));
}

/** Whether a shape input is a number in the file, not computed from a shape that has grown. */
function baked(lift: Lift, node: Node, value: Value | null | undefined, i: number): boolean {
  const old = lift.reference.get(node.inputs[i] ?? '')?.data;
  if (!value?.data || !old) return false;
  const [x, y] = [numbersOf(value.data), numbersOf(old)];
  return x.length === y.length && x.every((v, k) => v === y[k]);
}

function reshape(b: Ops, lift: Lift, node: Node, inputs: readonly (Value | null)[]): Lifted | undefined {
  const [x, shape] = inputs;
  const [axis, ...others] = liftedAxes(lift, node, x!, 0);
  const from = before(lift, node, 0);
  const to = lift.reference.get(node.outputs[0]!);
  if (axis === undefined || !from || !to?.isStatic) return undefined;
  if (node.op === 'Reshape' && !baked(lift, node, shape, 1)) return undefined;
  if (others.length > 0) refuse(node, 'several axes hold samples');
  const grown = liftedShape(node, from, to.dims, axis, lift.inner.has(x!.name));
  const result = b.reshape(
    x!,
    to.dims.map((d, i) => (i === grown.axis ? d * lift.batch : d)),
  );
  if (grown.inner) lift.inner.add(result.name);
  return { results: [result] };
}

/**
 * The axis of `to` that the samples go to. In memory they lie behind `from[..axis]` (behind `axis` too where they are its inner
 * part), so at the axis of `to` with the same product before it. Between an axis and features that stay as they were or become
 * one row, they join the former (`[S, 1, E] → [S, E]` and `[S, H, D] → [S, H · D]` become `[S · N, …]`), otherwise the
 * latter (`[S, 1, H · D] → [S, H, D]` becomes `[S, N · H, D]`).
 */
function liftedShape(
  node: Node,
  from: readonly number[],
  to: readonly number[],
  axis: number,
  inner: boolean,
): { readonly axis: number; readonly inner: boolean } {
  const lead = elementCount(from.slice(0, inner ? axis + 1 : axis));
  const candidates = [...to, 1].map((_, i) => i).filter((i) => elementCount(to.slice(0, i)) === lead);
  const at = candidates.find((i) => to[i] === 1) ?? candidates[0];
  if (at === undefined) return refuse(node, `[${from}] to [${to}] joins the samples with other axes`);
  if (to[at] === 1) return { axis: at, inner: false };
  const rest = from.slice(axis + 1);
  const row = rest.length > 0 && at === to.length - 1;
  const features = row || ((inner || from[axis] === 1) && sameDims(rest, to.slice(at)));
  return (features && at > 0) || at === to.length
    ? { axis: at - 1, inner: true }
    : { axis: at, inner: false };
}

function expand(b: Ops, lift: Lift, node: Node, inputs: readonly (Value | null)[]): Lifted | undefined {
  const [x, shape] = inputs;
  if (!baked(lift, node, shape, 1)) return undefined;
  const target = Array.from(numbersOf(shape!.data!));
  for (const axis of liftedAxes(lift, node, x!, 0)) {
    const at = axis - x!.dims.length + target.length;
    if (at >= 0 && target[at] !== 1) target[at] = x!.dims[axis]!;
  }
  return { inputs: [x!, b.ints(target)] };
}

function slice(b: Ops, lift: Lift, node: Node, inputs: readonly (Value | null)[]): Lifted | undefined {
  const x = inputs[0]!;
  const [axis] = liftedAxes(lift, node, x, 0);
  const from = before(lift, node, 0);
  const to = lift.reference.get(node.outputs[0]!);
  if (axis === undefined || !from || !to?.isStatic) return undefined;
  const attrs = attributesOf(node);
  const values = (i: number, name: string) => {
    const data = inputs[i]?.data;
    return data ? Array.from(numbersOf(data)) : attrs.has(name) ? [...attrs.ints(name)] : undefined;
  };
  const starts = values(1, 'starts');
  const ends = values(2, 'ends');
  if (!starts || !ends) return undefined;
  const axes = values(3, 'axes') ?? starts.map((_, i) => i);
  const at = axes.findIndex((a) => (a < 0 ? a + from.length : a) === axis);
  if (at < 0) return undefined;
  if (to.dims[axis] !== from[axis]) refuse(node, 'it takes a part of the samples');
  const steps = values(4, 'steps') ?? starts.map(() => 1);
  const kept = axes.map((_, i) => i).filter((i) => i !== at);
  const result = kept.reduce<Value>(
    (v, i) =>
      b.node('Slice', [v, b.ints([starts[i]!]), b.ints([ends[i]!]), b.ints([axes[i]!]), b.ints([steps[i]!])]),
    x,
  );
  return { results: [result] };
}

function resize(b: Ops, lift: Lift, node: Node, inputs: readonly (Value | null)[]): Lifted | undefined {
  const sizes = inputs[3];
  if (!sizes || !baked(lift, node, sizes, 3) || node.attributes.has('axes')) return undefined;
  const grown = Array.from(numbersOf(sizes.data!), (s, i) =>
    liftedAxes(lift, node, inputs[0]!, 0).includes(i) ? s * lift.batch : s,
  );
  return { inputs: [...inputs.slice(0, 3), b.ints(grown)] };
}

function gather(lift: Lift, node: Node, inputs: readonly (Value | null)[]): undefined {
  const rank = inputs[0]!.dims.length;
  const axis = attributesOf(node).int('axis', 0);
  if (liftedAxes(lift, node, inputs[0]!, 0).includes(axis < 0 ? axis + rank : axis))
    refuse(node, 'it picks one of the samples');
}

function squeeze(lift: Lift, node: Node, inputs: readonly (Value | null)[]): undefined {
  const x = inputs[0]!;
  const [axis] = liftedAxes(lift, node, x, 0);
  const attrs = attributesOf(node);
  const data = inputs[1]?.data;
  const axes = data ? Array.from(numbersOf(data)) : attrs.has('axes') ? attrs.ints('axes') : undefined;
  const removed = axes
    ? axes.some((a) => (a < 0 ? a + x.dims.length : a) === axis)
    : before(lift, node, 0)?.[axis ?? -1] === 1;
  if (removed) refuse(node, 'it removes the axis of the samples');
}

const isInner = (lift: Lift, inputs: readonly (Value | null)[]): boolean =>
  inputs.some((v) => v !== null && lift.inner.has(v.name));

/** Repeats `value` on axes where `want` is larger and the samples are the outer part. */
function repeat(b: Ops, node: Node, value: Value, want: readonly number[], inner: boolean): Value {
  if (sameDims(value.dims, want)) return value;
  const ones = value.dims.every((d, i) => d === want[i] || d === 1);
  if (ones) return b.expand(value, want);
  if (inner) refuse(node, 'neighbouring samples meet what was made for one');
  return b.node('Tile', [value, b.ints(want.map((d, i) => d / value.dims[i]!))]);
}

function concat(
  b: Ops,
  lift: Lift,
  node: Node,
  inputs: readonly (Value | null)[],
): readonly (Value | null)[] {
  const rank = inputs[0]!.dims.length;
  const given = attributesOf(node).int('axis', 1);
  const along = given < 0 ? given + rank : given;
  const axes = new Set(inputs.flatMap((v, i) => liftedAxes(lift, node, v, i)));
  const inner = isInner(lift, inputs);
  if (axes.has(along)) refuse(node, 'it joins along the samples');
  return inputs.map((v, i) => {
    const grows = before(lift, node, i);
    if (!v || !grows) return v;
    return repeat(
      b,
      node,
      v,
      v.dims.map((d, k) => (axes.has(k) && d === grows[k] ? d * lift.batch : d)),
      inner,
    );
  });
}

/** Only axes above 1 need help: those of 1 broadcast. */
function broadcast(
  b: Ops,
  lift: Lift,
  node: Node,
  inputs: readonly (Value | null)[],
): readonly (Value | null)[] {
  const inner = isInner(lift, inputs);
  const fromEnd = new Set(
    inputs.flatMap((v, i) => liftedAxes(lift, node, v, i).map((axis) => v!.dims.length - axis)),
  );
  return inputs.map((v, i) => {
    const single = before(lift, node, i);
    if (!v?.isStatic || !single) return v;
    return repeat(
      b,
      node,
      v,
      v.dims.map((d, k) => (fromEnd.has(v.dims.length - k) && d > 1 && d === single[k] ? d * lift.batch : d)),
      inner,
    );
  });
}

/** Initial states `[directions, batch, hidden]` (`layout` 1: `[batch, directions, hidden]`), and lengths `[batch]`. */
function states(
  b: Ops,
  lift: Lift,
  node: Node,
  inputs: readonly (Value | null)[],
): readonly (Value | null)[] {
  const batchFirst = attributesOf(node).int('layout', 0) === 1;
  const axis = batchFirst ? 0 : 1;
  if (!liftedAxes(lift, node, inputs[0]!, 0).includes(axis)) refuse(node, 'its time axis holds the samples');
  const size = inputs[0]!.dims[axis]!;
  return inputs.map((v, i) => {
    if (!v || (i !== 4 && i !== 5 && !(i === 6 && node.op === 'LSTM'))) return v;
    const at = i === 4 ? 0 : axis;
    return v.dims[at] === size
      ? v
      : repeat(
          b,
          node,
          v,
          v.dims.map((d, k) => (k === at ? size : d)),
          false,
        );
  });
}
