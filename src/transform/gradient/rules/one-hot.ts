import { tensorFrom } from '../../../onnx/tensor.ts';
import { defineRule } from '../rule.ts';

/** `y` = `values[1]` at the indices and `values[0]` elsewhere: each value gets the sum of `g` where it stands. */
export const oneHot = defineRule({
  op: 'OneHot',
  since: 9,
  note: 'values̅ = (Σ g off, Σ g on); indices and depth: none',
  grad: ({ b, node, input, outGrads: [g] }) => {
    const values = input(2);
    const zeroOne = b.builder.constant(tensorFrom(values.dtype, [2], [0, 1]));
    const marks = b.node('OneHot', [input(0), input(1), zeroOne], Object.fromEntries(node.attributes));
    const all = g!.dims.map((_, a) => a);
    const on = b.sum(b.mul(g!, marks), all, false);
    const off = b.sum(b.mul(g!, b.sub(1, marks)), all, false);
    return [null, null, b.concat([b.reshape(off, [1]), b.reshape(on, [1])], 0)];
  },
});
