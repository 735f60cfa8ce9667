import { GlacisError } from '../../../core/error.ts';
import type { Value } from '../../../onnx/graph-builder.ts';
import { elementCount } from '../../../onnx/tensor.ts';
import type { Ops } from '../../ops.ts';
import { defineRule } from '../rule.ts';

/**
 * `Z = X Y` over the last two axes, the others broadcast: `X̄ = Σ_b G Yᵀ`, `Ȳ = Σ_b Xᵀ G`. Vectors are taken as a row (left)
 * or a column (right). A matrix that all products share gets its gradient from one product with the shared axes folded
 * into rows. Per sample, the first axis of the result is kept out of the sum.
 */
export const matMul = defineRule({
  op: 'MatMul',
  since: 9,
  note: 'X̄ = Σ_b G Yᵀ, Ȳ = Σ_b Xᵀ G; vectors and broadcasting included',
  perSample: true,
  grad: ({ b, input, outGrads: [given], needs, perSample }) => {
    const [x, y] = [input(0), input(1)];
    const leftDims = x.dims.length === 1 ? [1, ...x.dims] : x.dims;
    const rightDims = y.dims.length === 1 ? [...y.dims, 1] : y.dims;
    const vectors = (x.dims.length === 1 ? 1 : 0) + (y.dims.length === 1 ? 1 : 0);
    const stack = given!.dims.slice(0, given!.dims.length - (2 - vectors));
    const g = b.reshape(given!, [...stack, leftDims.at(-2)!, rightDims.at(-1)!]);
    const left = () => b.reshape(x, leftDims);
    const right = () => b.reshape(y, rightDims);
    const ofLeft = () =>
      perSample(0)
        ? leftPerSample(b, leftDims, right(), g, x.dims)
        : b.reshape(leftGrad(b, leftDims, right(), g), x.dims);
    const ofRight = () =>
      perSample(1)
        ? rightPerSample(b, left(), rightDims, g, y.dims, x.dims.length)
        : b.reshape(rightGrad(b, left(), rightDims, g), y.dims);
    return [needs[0] ? ofLeft() : null, needs[1] ? ofRight() : null];
  },
});

type Dims = readonly number[];

function leftGrad(b: Ops, left: Dims, right: Value, g: Value): Value {
  // Yᵀ of one matrix for all products: the rows of every product together.
  if (right.dims.length === 2 && g.dims.length > 2 && sameStack(left, g.dims)) {
    const rows = b.reshape(g, [elementCount(g.dims.slice(0, -1)), g.dims.at(-1)!]);
    return b.reshape(b.matmul(rows, swapped(b, right)), left);
  }
  return b.unbroadcast(b.matmul(g, swapped(b, right)), left);
}

function rightGrad(b: Ops, left: Value, right: Dims, g: Value): Value {
  if (right.length === 2 && g.dims.length > 2 && sameStack(left.dims, g.dims)) {
    const rows = elementCount(g.dims.slice(0, -1));
    const x = b.reshape(left, [rows, left.dims.at(-1)!]);
    return b.matmul(swapped(b, x), b.reshape(g, [rows, g.dims.at(-1)!]));
  }
  return b.unbroadcast(b.matmul(swapped(b, left), g), right);
}

/** `[batch, ...dims of y]`. The batch is the first axis of the left operand: its rows where that is a matrix. */
function rightPerSample(b: Ops, left: Value, right: Dims, g: Value, y: Dims, leftRank: number): Value {
  const shared =
    right.length < left.dims.length ||
    (right.length === left.dims.length && (left.dims.length === 2 || right[0] === 1));
  if (leftRank < 2 || !shared) throw noBatch();
  const batch = left.dims[0]!;
  if (right.length === 2) {
    // One product a sample, [K, rows] × [rows, M].
    const rows = elementCount(left.dims.slice(1, -1));
    const x = b.reshape(left, [batch, rows, left.dims.at(-1)!]);
    const each = b.matmul(b.transpose(x, [0, 2, 1]), b.reshape(g, [batch, rows, g.dims.at(-1)!]));
    return b.reshape(each, [batch, ...y]);
  }
  return keepBatch(b, b.matmul(swapped(b, left), g), right, y);
}

/** `[batch, ...dims of x]`. The batch is the first axis of the right operand, in front of its matrices. */
function leftPerSample(b: Ops, left: Dims, right: Value, g: Value, x: Dims): Value {
  const shared = left.length < right.dims.length || (left.length > 2 && left[0] === 1);
  if (right.dims.length < 3 || !shared || left.length > right.dims.length) throw noBatch();
  return keepBatch(b, b.matmul(g, swapped(b, right)), left, x);
}

/** Sums `full` to `[batch, ...dims]` (padded with ones in front) and gives it the operand's own rank. */
function keepBatch(b: Ops, full: Value, dims: readonly number[], own: readonly number[]): Value {
  const batch = full.dims[0]!;
  const rest = dims.slice(Math.max(0, dims.length - (full.dims.length - 1)));
  const padded = [batch, ...new Array<number>(full.dims.length - 1 - rest.length).fill(1), ...rest];
  return b.reshape(b.unbroadcast(full, padded), [batch, ...own]);
}

function sameStack(left: Dims, g: Dims): boolean {
  return left.length === g.length && left.slice(0, -2).every((d, i) => d === g[i]);
}

function swapped(b: Ops, x: Value): Value {
  const n = x.dims.length;
  return b.transpose(
    x,
    [...x.dims.keys()].map((i) => (i < n - 2 ? i : i === n - 2 ? n - 1 : n - 2)),
  );
}

function noBatch(): GlacisError {
  return new GlacisError(
    'gradient/unsupported',
    'per sample: expected a matrix that all samples share and a batch as the first axis of the other operand',
  );
}
