import { elementCount } from '../../../onnx/tensor.ts';
import { defineRule } from '../rule.ts';

/** `y` = mean over space: `x̄ = g / count` everywhere. */
export const globalAveragePool = defineRule({
  op: 'GlobalAveragePool',
  since: 1,
  note: 'x̄ = g / count everywhere',
  grad: ({ b, input, outGrads: [g] }) => {
    const { dims } = input(0);
    return [b.expand(b.mul(g!, 1 / elementCount(dims.slice(2))), dims)];
  },
});

/** `y` = maximum over space: `x̄ = g` at the first largest element. */
export const globalMaxPool = defineRule({
  op: 'GlobalMaxPool',
  since: 1,
  note: 'x̄ = g at the first maximum',
  grad: ({ b, input, outGrads: [g] }) => {
    const { dims } = input(0);
    const [n, c] = [dims[0]!, dims[1]!];
    if (elementCount(dims) === 0) return [b.full(dims, 0, g!.dtype)];
    const flat = b.reshape(input(0), [n, c, elementCount(dims.slice(2))]);
    const first = b.node('ArgMax', [flat], { axis: 2, keepdims: 1 });
    return [
      b.reshape(
        b.node('ScatterElements', [b.zerosLike(flat), first, b.reshape(g!, [n, c, 1])], { axis: 2 }),
        dims,
      ),
    ];
  },
});
