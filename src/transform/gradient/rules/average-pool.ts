import { elementCount, tensorFrom } from '../../../onnx/tensor.ts';
import { defineRule } from '../rule.ts';
import { spreadWindows } from '../spread-windows.ts';
import { tuples, type Window, windowOf } from '../window.ts';

/** `y` = mean of each window: `x̄` spreads `g / count` evenly over the window, `count` being what the mean divided by. */
export const averagePool = defineRule({
  op: 'AveragePool',
  since: 7,
  note: 'x̄ = g / count spread over each window; count_include_pad, ceil_mode, dilations, any rank',
  grad: ({ b, attrs, input, outGrads: [g] }) => {
    const { dims } = input(0);
    const out = g!.dims.slice(2);
    if (elementCount(g!.dims) === 0) return [b.full(dims, 0, g!.dtype)];
    const window = windowOf(attrs, dims.slice(2), attrs.ints('kernel_shape'));
    const counts = windowCounts(dims.slice(2), out, window, attrs.int('count_include_pad', 0) !== 0);
    const share = counts.every((c) => c === counts[0])
      ? b.mul(g!, 1 / counts[0]!)
      : b.div(g!, b.builder.constant(tensorFrom(g!.dtype, [1, 1, ...out], counts)));
    return [spreadWindows(b, share, dims, window)];
  },
});

/**
 * What each window's mean divides by, row-major over `out`: the elements inside the input, or with `includePad` inside the
 * padded input (what `ceil_mode` adds beyond it never counts).
 */
function windowCounts(
  spatial: readonly number[],
  out: readonly number[],
  window: Window,
  includePad: boolean,
): number[] {
  const { kernel, strides, dilations, before, after } = window;
  const perAxis = out.map((p, a) => {
    const [low, high] = includePad ? [-before[a]!, spatial[a]! + after[a]!] : [0, spatial[a]!];
    return Array.from({ length: p }, (_, o) => {
      const start = o * strides[a]! - before[a]!;
      let n = 0;
      for (let k = 0; k < kernel[a]!; k++)
        if (start + k * dilations[a]! >= low && start + k * dilations[a]! < high) n++;
      return n;
    });
  });
  return Array.from(tuples(out), (at) => at.reduce((n, o, a) => n * perAxis[a]![o]!, 1));
}
