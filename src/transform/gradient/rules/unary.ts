import type { Attributes } from '../../../onnx/attributes.ts';
import type { Value } from '../../../onnx/graph-builder.ts';
import type { Ops } from '../../ops.ts';
import { defineRule, type GradientOptions, type GradientRule, WIDER } from '../rule.ts';

/** What the gradient of an element-wise function `y = f(x)` is written from; all three values have the same shape. */
export interface UnaryContext {
  readonly b: Ops;
  readonly x: Value;
  readonly y: Value;
  readonly g: Value;
  readonly attrs: Attributes;
  readonly options: GradientOptions;
}

/** The rule of an operator with one differentiable input of the output's shape; `grad` gives `x̄`, or `null` for zero. */
export function unaryRule(
  op: string,
  since: number,
  note: string,
  grad: (context: UnaryContext) => Value | null,
): GradientRule {
  return defineRule({
    op,
    since,
    note,
    grad: ({ b, input, outputs: [y], outGrads: [g], attrs, options }) =>
      g ? [grad({ b, x: input(0), y: y!, g, attrs, options })] : [null],
  });
}

/** As {@link unaryRule}, for a function that saturates: under `saturation: 'wide'` it is differentiated as `f(x / WIDER)`. */
export function saturatingRule(
  op: string,
  since: number,
  note: string,
  grad: (context: UnaryContext) => Value,
): GradientRule {
  return unaryRule(op, since, note, (context) => {
    const { b, x, options } = context;
    if (options.saturation !== 'wide') return grad(context);
    const near = b.mul(x, 1 / WIDER);
    const wide: UnaryContext = {
      ...context,
      x: near,
      get y() {
        return b.unary(op, near);
      },
    };
    return b.mul(grad(wide), 1 / WIDER);
  });
}
