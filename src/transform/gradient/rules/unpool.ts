import { elementCount } from '../../../onnx/tensor.ts';
import { constantNumbers } from '../constant-input.ts';
import { defineRule } from '../rule.ts';
import { tuples } from '../window.ts';

/** Puts each element at its index in the flat output: `x̄` reads `g` there. */
export const maxUnpool = defineRule({
  op: 'MaxUnpool',
  since: 9,
  note: 'x̄ = g at the indices',
  grad: ({ b, input, inputs, outGrads: [g] }) =>
    inputs.map((_, i) => (i === 0 ? b.gather(b.reshape(g!, [elementCount(g!.dims)]), input(1), 0) : null)),
});

/** Adds the columns' blocks up to an image, `[N, C·∏block, L]` to `[N, C, L…]`: `x̄` reads the blocks of `g`. */
export const col2Im = defineRule({
  op: 'Col2Im',
  since: 18,
  note: 'x̄ = the blocks of g as columns',
  grad: ({ b, attrs, input, inputs, outGrads: [g] }) => {
    const image = constantNumbers(inputs[1], 'image sizes')!;
    const block = constantNumbers(inputs[2], 'block sizes')!;
    const ones = image.map(() => 1);
    const [strides, dilations] = [attrs.ints('strides', ones), attrs.ints('dilations', ones)];
    const pads = attrs.ints('pads', [...ones, ...ones].fill(0));
    const rank = image.length;
    const out = image.map(
      (d, a) =>
        Math.floor((d + pads[a]! + pads[a + rank]! - dilations[a]! * (block[a]! - 1) - 1) / strides[a]!) + 1,
    );
    const padded = b.pad(g!, [0, 0, ...pads.slice(0, rank)], [0, 0, ...pads.slice(rank)]);
    const [n, c] = [g!.dims[0]!, g!.dims[1]!];
    const columns = Array.from(tuples(block), (tap) => {
      const view = out.reduce((v, p, a) => {
        const start = tap[a]! * dilations[a]!;
        return b.slice(v, 2 + a, start, start + (p - 1) * strides[a]! + 1, strides[a]!);
      }, padded);
      return b.reshape(view, [n, c, 1, elementCount(out)]);
    });
    return [b.reshape(b.concat(columns, 2), input(0).dims), null, null];
  },
});
