import { attributesOf } from '../attributes.ts';
import type { DType } from '../dtype.ts';
import type { Dim, Node } from '../model.ts';
import { numbersOf } from '../tensor.ts';
import { shapeBounds } from './constant.ts';
import { axesIn, type Dims } from './dims.ts';
import type { Facts } from './rule.ts';
import { sliceLists, sliceRange } from './slice.ts';

/** Longer lists of integers are no shapes. */
const MAX_LENGTH = 64;

/** Types of lists that carry sizes; bool as 0 and 1, for the `Where` that PyTorch's export writes around `Expand`. */
const LISTS: ReadonlySet<DType> = new Set<DType>(['int64', 'int32', 'bool']);

/** The elements of a scalar or list of integers as far as they are known: constants, or sizes carried along. */
export function elementsOf(facts: Facts | undefined): Dims | undefined {
  if (!facts) return undefined;
  if (facts.elements) return facts.elements;
  const { data, dtype } = facts;
  if (!data || data.external || !LISTS.has(dtype) || data.dims.length > 1) return undefined;
  return (data.dims[0] ?? 1) <= MAX_LENGTH ? Array.from(numbersOf(data)) : undefined;
}

/** Arithmetic on sizes: a symbol survives only what leaves it as it is. */
const JOINS: Readonly<Record<string, (a: Dim, b: Dim) => Dim>> = {
  Add: (a, b) => joined(a, b, (x, y) => x + y) ?? (a === 0 ? b : b === 0 ? a : null),
  Div: (a, b) => joined(a, b, (x, y) => (y === 0 ? Number.NaN : Math.trunc(x / y))) ?? (b === 1 ? a : null),
  // A symbol is a size, so it never equals a negative number.
  Equal: (a, b) =>
    joined(a, b, (x, y) => Number(x === y)) ??
    (isNegative(a) !== isNegative(b) && a !== null && b !== null ? 0 : null),
  Mul: (a, b) => joined(a, b, (x, y) => x * y) ?? (a === 1 ? b : b === 1 ? a : null),
  Sub: (a, b) => joined(a, b, (x, y) => x - y) ?? (b === 0 ? a : null),
};

const isNegative = (d: Dim): boolean => typeof d === 'number' && d < 0;

/** `f` of two known sizes; `null` when one is unknown or the result is no safe integer. */
function joined(a: Dim, b: Dim, f: (x: number, y: number) => number): number | null {
  const value = typeof a === 'number' && typeof b === 'number' ? f(a, b) : Number.NaN;
  return Number.isSafeInteger(value) ? value : null;
}

/**
 * What is known of the elements of a node's first output, where these are sizes on their way from `Shape` to `Reshape`:
 * so a symbolic batch survives what exporters make of `x.view(x.shape[0], -1)`. `undefined` for everything else.
 */
export function inferElements(
  node: Node,
  inputs: readonly (Facts | undefined)[],
  output: Facts,
  opset: number,
): Dims | undefined {
  if (node.domain !== '' || !LISTS.has(output.dtype)) return undefined;
  const length =
    output.dims && (output.dims.length === 0 ? 1 : output.dims.length === 1 ? output.dims[0] : undefined);
  if (typeof length !== 'number' || length > MAX_LENGTH) return undefined;
  const found = carried(node, inputs, opset);
  return found?.length === length ? found : undefined;
}

function carried(node: Node, inputs: readonly (Facts | undefined)[], opset: number): Dims | undefined {
  const ctx = { node, attrs: attributesOf(node), inputs, opset };
  const [first, second] = inputs;
  if (node.op === 'Shape') {
    const dims = first?.dims;
    if (!dims) return undefined;
    const end = ctx.attrs.has('end') ? ctx.attrs.int('end') : undefined;
    return dims.slice(...shapeBounds(ctx.attrs.int('start', 0), end, dims.length));
  }
  const all = inputs.map(elementsOf);
  const [a, b] = all;
  const join = JOINS[node.op];
  if (join) {
    if (!a || !b) return undefined;
    return Array.from({ length: Math.max(a.length, b.length) }, (_, i) =>
      join(a[a.length === 1 ? 0 : i] ?? null, b[b.length === 1 ? 0 : i] ?? null),
    );
  }
  switch (node.op) {
    case 'Cast':
    case 'Identity':
    case 'Reshape':
    case 'Squeeze':
    case 'Unsqueeze':
      return a;
    case 'Concat':
      return all.every((e) => e !== undefined) ? all.flat() : undefined;
    case 'Gather':
      return a && second?.data ? b?.map((i) => a.at(i as number) ?? null) : undefined;
    case 'Slice': {
      if (!a) return undefined;
      const { starts, ends, axes, steps } = sliceLists(ctx, 1);
      if (!starts || !ends || !axes || !steps || starts.length !== 1) return undefined;
      axesIn(ctx, axes, 1);
      const { start, count, step } = sliceRange(a.length, starts[0]!, ends[0]!, steps[0]!);
      return Array.from({ length: count }, (_, i) => a[start + i * step]!);
    }
    case 'Where': {
      const [chosen, yes, no] = all;
      if (!chosen || !yes || !no || yes.length !== chosen.length || no.length !== chosen.length)
        return undefined;
      return chosen.map((c, i) => (c === 1 ? yes[i]! : c === 0 ? no[i]! : null));
    }
    default:
      return undefined;
  }
}
