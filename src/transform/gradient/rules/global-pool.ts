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
