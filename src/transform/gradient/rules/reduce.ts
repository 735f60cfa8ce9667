import { GlacisError } from '../../../core/error.ts';
import type { Value } from '../../../onnx/graph-builder.ts';
import { elementCount, numbersOf } from '../../../onnx/tensor.ts';
import type { Ops } from '../../ops.ts';
import { defineRule, type GradientRule, type RuleContext } from '../rule.ts';

/** What the gradient of a reduction is written from. `y` and `g` have the reduced axes as size 1. */
interface ReduceContext {
  readonly b: Ops;
  readonly x: Value;
  readonly y: Value;
  readonly g: Value;
  /** The reduced axes, none negative. */
  readonly axes: readonly number[];
}

/** The rule of a reduction; `grad` gives something that broadcasts to `x`. */
function reduction(
  op: string,
  since: number,
  note: string,
  grad: (context: ReduceContext) => Value,
): GradientRule {
  return defineRule({
    op,
    since,
    note,
    grad: (context) => {
      const { b, input, outputs, outGrads } = context;
      const x = input(0);
      const axes = reducedAxes(context);
      const kept = x.dims.map((d, i) => (axes.includes(i) ? 1 : d));
      const g = b.reshape(outGrads[0]!, kept);
      const reduceContext: ReduceContext = {
        b,
        x,
        // Read on demand: what does not need the result adds no node for it.
        get y() {
          return b.reshape(outputs[0]!, kept);
        },
        g,
        axes,
      };
      return [b.expand(grad(reduceContext), x.dims)];
    },
  });
}

/** The axes that the node reduces: input 1, or all of them where it is absent or empty (unless `noop_with_empty_axes`). */
function reducedAxes({ attrs, inputs, input }: RuleContext): readonly number[] {
  const rank = input(0).dims.length;
  const given = inputs[1];
  if (given && !given.data) throw new GlacisError('gradient/unsupported', 'its axes depend on the data');
  const axes = given?.data ? Array.from(numbersOf(given.data), (a) => (a < 0 ? a + rank : a)) : [];
  if (axes.length > 0) return axes;
  return attrs.int('noop_with_empty_axes', 0) !== 0 ? [] : input(0).dims.map((_, i) => i);
}

/** `x̄ = g`, stretched over the reduced axes. */
export const reduceSum = reduction('ReduceSum', 13, 'x̄ = g', ({ g }) => g);

/** `x̄ = g / n`, `n` the number of elements that one result sums. */
export const reduceMean = reduction('ReduceMean', 18, 'x̄ = g / n', ({ b, x, g, axes }) =>
  b.mul(g, 1 / Math.max(1, elementCount(axes.map((a) => x.dims[a]!)))),
);

/** Elements that tie share the gradient evenly, as PyTorch's `amax` and `amin` do. */
function extremum({ b, x, y, g, axes }: ReduceContext): Value {
  const chosen = b.compare('Equal', x, y);
  const count = b.sum(b.cast(chosen, x.dtype), axes, true);
  return b.where(chosen, b.div(g, count), 0);
}

const TIES = 'x̄ = g where x is the result; ties share evenly';
export const reduceMax = reduction('ReduceMax', 18, TIES, extremum);
export const reduceMin = reduction('ReduceMin', 18, TIES, extremum);

/**
 * `x̄ᵢ = g · ∏_{j≠i} xⱼ`, also with zeros: where one element is zero it alone has a slope, the product of the others; where
 * two are, nothing has.
 */
export const reduceProd = reduction(
  'ReduceProd',
  18,
  'x̄ = g ⊙ product of the others, exact with zeros',
  ({ b, x, g, axes }) => {
    const zero = b.compare('Equal', x, 0);
    const others = b.where(zero, 1, x);
    const product = b.node('ReduceProd', [others, b.ints(axes)], { keepdims: 1, noop_with_empty_axes: 1 });
    const zeros = b.sum(b.cast(zero, x.dtype), axes, true);
    const atZero = b.where(b.compare('Equal', zeros, 1), product, 0);
    const elsewhere = b.where(b.compare('Equal', zeros, 0), product, 0);
    return b.mul(g, b.where(zero, atZero, b.div(elsewhere, others)));
  },
);

/** `y = Σ|x|`: `x̄ = g ⊙ sign(x)`. */
export const reduceL1 = reduction('ReduceL1', 18, 'x̄ = g ⊙ sign(x)', ({ b, x, g }) =>
  b.mul(g, b.unary('Sign', x)),
);

/** `y = √Σx²`: `x̄ = g ⊙ x / y`, zero where the norm is zero. */
export const reduceL2 = reduction('ReduceL2', 18, 'x̄ = g ⊙ x / y; 0 where y = 0', ({ b, x, y, g }) =>
  b.mul(b.div(g, b.where(b.compare('Equal', y, 0), 1, y)), x),
);

/** `y = Σx²`: `x̄ = 2g ⊙ x`. */
export const reduceSumSquare = reduction('ReduceSumSquare', 18, 'x̄ = 2g ⊙ x', ({ b, x, g }) =>
  b.mul(b.mul(g, 2), x),
);

/** `y = ln Σx`: `x̄ = g ⊙ e⁻ʸ`. */
export const reduceLogSum = reduction('ReduceLogSum', 18, 'x̄ = g ⊙ e⁻ʸ', ({ b, y, g }) =>
  b.mul(g, b.unary('Exp', b.neg(y))),
);

/** `y = ln Σeˣ`: `x̄ = g ⊙ exp(x − y)`; where every `x` is −∞ it is zero and not `exp(−∞ + ∞)`. */
export const reduceLogSumExp = reduction('ReduceLogSumExp', 18, 'x̄ = g ⊙ exp(x − y)', ({ b, x, y, g }) => {
  const shift = b.where(b.compare('Equal', y, Number.NEGATIVE_INFINITY), 0, y);
  return b.mul(g, b.unary('Exp', b.sub(x, shift)));
});
