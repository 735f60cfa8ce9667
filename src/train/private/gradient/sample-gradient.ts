import { GlacisError } from '../../../core/error.ts';
import type { Value } from '../../../onnx/graph-builder.ts';
import { elementCount } from '../../../onnx/tensor.ts';
import { multiplyTransposed, transposedProduct } from '../../../transform/gradient/conv-weight.ts';
import { gradientAt, type Use } from '../../../transform/gradient/vjp.ts';
import type { Ops } from '../../../transform/ops.ts';
import { disjoint, type Meeting, towardsWeight } from './meeting.ts';
import { joinedProduct, type RowProduct, rowProductAt } from './row-product.ts';

/** How norms of a weight's per-sample gradients are found; `cheapest` decides for each weight. */
export type NormMethod = 'cheapest' | 'ghost' | 'explicit';

/** A weight's gradients, one a sample, in a form that gives norms and weighted sums. */
export interface SampleGradients {
  readonly method: 'ghost' | 'explicit';
  /** Squared norm of each sample's gradient, `[N]`. */
  readonly squares: Value;
  /** `Σₙ cₙ gₙ` for numbers `[N]`, with the dims of the weight. */
  weighted(c: Value): Value;
}

/** A meeting with where its value is used. */
export interface MetUses {
  readonly meeting: Meeting;
  readonly uses: readonly Use[];
}

/**
 * Share of the largest that a ghost norm may be which is added to it. Sound because a sum of products may cancel: its rounding error is
 * a share of the sum of the products' sizes, and a norm that came out too small would clip too little.
 */
const ROUNDING = 2 ** -19;

/**
 * The gradients of one weight for each of `rows` samples.
 *
 * *Explicit*: they are there as `[N, …]`, one batched product. *Ghost* (Goodfellow 2015; Li et al. 2022): with `gₙ = xₙᵀ yₙ` over `T` rows,
 * `‖gₙ‖² = ⟨xₙxₙᵀ, yₙyₙᵀ⟩`, so that no sample's gradient is ever made; the weighted sum is the layer's usual gradient for cotangents
 * times `cₙ` ("book-keeping", Bu et al. 2023). Either way the backward pass runs once.
 *
 * Ghost where it is the cheaper: `2T² < d·p` (Bu et al. 2022). Weights from which several values are made are explicit, unless these are
 * parts that have no element in common.
 * Errors: `model/unsupported-task` where axis 0 does not hold the samples; `gradient/unsupported`.
 */
export function sampleGradients(
  b: Ops,
  met: readonly MetUses[],
  rows: number,
  method: NormMethod,
): SampleGradients {
  const groups = disjoint(met, ({ meeting }) => meeting);
  if (groups.length > 1)
    return together(
      b,
      groups.map((group) => sampleGradients(b, group, rows, method)),
    );
  const [only] = met;
  const product = met.length === 1 ? productOf(b, only!, rows) : undefined;
  if (!product) return asTheyAre(b, alongWeight(b, met, rows));
  const { meeting, uses } = only!;
  const toWeight = (sum: Value) => towardsWeight(b, meeting, sum, 0);
  const isGhost = method === 'ghost' || (method === 'cheapest' && isGhostCheaper(product));
  if (!isGhost) return explicit(b, product, toWeight);
  return {
    method: 'ghost',
    squares: ghostSquares(b, product),
    weighted: (c) =>
      toWeight(
        uses
          .map((use) => gradientAt(b, { ...use, outGrads: use.outGrads.map((g) => g && scaled(b, g, c)) }))
          .reduce((sum, g) => b.add(sum, g)),
      ),
  };
}

function productOf(b: Ops, { uses }: MetUses, rows: number): RowProduct | undefined {
  const products = uses.map((use) => rowProductAt(b, use, rows));
  return products.every((each) => each !== undefined) ? joinedProduct(b, products) : undefined;
}

function isGhostCheaper({ x, g }: RowProduct): boolean {
  const [, places, d] = x.dims as [number, number, number];
  return 2 * places * places < d * g.dims[2]!;
}

/** `⟨xₙxₙᵀ, gₙgₙᵀ⟩`; of one row `‖xₙ‖² ‖gₙ‖²`. */
function ghostSquares(b: Ops, { x, g }: RowProduct): Value {
  const [n, places] = x.dims as [number, number];
  const ofRows = (v: Value) => b.node('ReduceSumSquare', [v, b.ints([2])], { keepdims: 0 });
  if (places === 1) return b.reshape(b.mul(ofRows(x), ofRows(g)), [n]);
  const gram = (v: Value) => multiplyTransposed(b, v, v);
  const sum = b.sum(b.mul(gram(x), gram(g)), [1, 2]);
  const most = b.sum(b.unary('Sqrt', b.mul(ofRows(x), ofRows(g))), [1]);
  return b.add(b.max(sum, 0), b.mul(b.mul(most, most), ROUNDING));
}

function explicit(
  b: Ops,
  { x, g, form, convolution }: RowProduct,
  toWeight: (sum: Value) => Value,
): SampleGradients {
  const [n, , p] = g.dims as [number, number, number];
  const products = b.slice(transposedProduct(b, x, g), 1, 0, elementCount(form.shape) / p);
  const each = b.reshape(products, [n, ...form.shape]);
  if (convolution) {
    const { kernel, strides, dilations, before, after } = convolution.window;
    b.builder.offer(each, 'ConvWeightGradient', [convolution.x, convolution.g], {
      kernel_shape: kernel,
      strides,
      dilations,
      pads: [...before, ...after],
      each: 1,
    });
  }
  const { method, squares, weighted } = asTheyAre(b, each);
  return { method, squares, weighted: (c) => toWeight(b.transpose(weighted(c), form.perm)) };
}

/** Gradients that are there, `[N, …]`. */
function asTheyAre(b: Ops, each: Value): SampleGradients {
  const [n, ...dims] = each.dims as [number, ...number[]];
  const flat = b.reshape(each, [n, elementCount(dims)]);
  return {
    method: 'explicit',
    squares: b.node('ReduceSumSquare', [flat, b.ints([1])], { keepdims: 0 }),
    weighted: (c) => b.reshape(b.matmul(b.reshape(c, [1, n]), flat), dims),
  };
}

/** The gradients of a weight that is met in any way, `[N, ...dims of the weight]`. */
function alongWeight(b: Ops, met: readonly MetUses[], rows: number): Value {
  const shares = met.flatMap(({ meeting, uses }) =>
    uses.map((use) => {
      const each = gradientAt(b, use, { perSample: true });
      if (each.dims[0] !== rows || use.outGrads.some((g) => g && g.dims[0] !== rows))
        throw new GlacisError(
          'model/unsupported-task',
          `private training: expected the ${rows} samples along the first axis in ${use.built.node.name} (${use.built.node.op}), got [${each.dims.join(', ')}]`,
        );
      return towardsWeight(b, meeting, each, 1);
    }),
  );
  return shares.reduce((sum, g) => b.add(sum, g));
}

/** Gradients of parts that have no element in common, each with the dims of the whole weight, as those of the whole. */
function together(b: Ops, parts: readonly SampleGradients[]): SampleGradients {
  const sum = (values: readonly Value[]) => values.reduce((total, value) => b.add(total, value));
  return {
    method: parts.some(({ method }) => method === 'ghost') ? 'ghost' : 'explicit',
    squares: sum(parts.map(({ squares }) => squares)),
    weighted: (c) => sum(parts.map((part) => part.weighted(c))),
  };
}

/** `g` with sample `n` times `cₙ`. */
function scaled(b: Ops, g: Value, c: Value): Value {
  return b.mul(g, b.reshape(c, [c.dims[0]!, ...g.dims.slice(1).map(() => 1)]));
}
