import { elementCount } from '../../../onnx/tensor.ts';
import { constantNumbers } from '../constant-input.ts';
import { defineRule } from '../rule.ts';

/** `y` repeats `x` along each axis: `x̄` sums the copies. */
export const tile = defineRule({
  op: 'Tile',
  since: 6,
  note: 'x̄ = Σ over the copies',
  grad: ({ b, input, inputs, outGrads: [g] }) => {
    const { dims } = input(0);
    const repeats = constantNumbers(inputs[1], 'repeats')!;
    if (elementCount(g!.dims) === 0) return [b.full(dims, 0, g!.dtype), null];
    const split = dims.flatMap((d, a) => (repeats[a] === 1 ? [d] : [repeats[a]!, d]));
    const copies =
      split.length === dims.length
        ? []
        : dims.flatMap((_, a) =>
            repeats[a] === 1 ? [] : [a + repeats.slice(0, a).filter((r) => r !== 1).length],
          );
    return [b.sum(b.reshape(g!, split), copies), null];
  },
});
