import type { Value } from '../../../onnx/graph-builder.ts';
import { elementCount, tensorFrom } from '../../../onnx/tensor.ts';
import type { Ops } from '../../ops.ts';
import { defineRule } from '../rule.ts';
import { spreadWindows } from '../spread-windows.ts';
import { type Window, windowOf } from '../window.ts';

/** `y` = mean of each window: `x̄` spreads `g / count` evenly over the window, `count` being what the mean divided by. */
export const averagePool = defineRule({
  op: 'AveragePool',
  since: 7,
  note: 'x̄ = g / count spread over each window; count_include_pad, ceil_mode, dilations, any rank',
  grad: ({ b, attrs, input, outGrads: [g] }) => {
    const { dims } = input(0);
    if (elementCount(g!.dims) === 0) return [b.full(dims, 0, g!.dtype)];
    const window = windowOf(attrs, dims.slice(2), attrs.ints('kernel_shape'));
    const counts = windowCounts(
      dims.slice(2),
      g!.dims.slice(2),
      window,
      attrs.int('count_include_pad', 0) !== 0,
    );
    return [spreadWindows(b, b.mul(g!, sharesOf(b, g!, counts)), dims, window)];
  },
});

/** `1 / count`: a scalar where all windows count the same, otherwise a constant over the axes that differ. */
function sharesOf(b: Ops, g: Value, counts: readonly (readonly number[])[]): Value {
  const same = (list: readonly number[]) => list.every((n) => n === list[0]);
  const whole = counts.filter(same).reduce((product, [n]) => product * n!, 1);
  const varying = counts.flatMap((list, a) => {
    if (same(list)) return [];
    const shares = list.map((n) => 1 / n);
    const shape = g.dims.map((_, k) => (k === a + 2 ? list.length : 1));
    return [b.builder.constant(tensorFrom(g.dtype, shape, shares))];
  });
  return varying.reduce((product, v) => b.mul(product, v), b.scalar(1 / whole, g.dtype));
}

/**
 * What the windows along each axis count: the elements inside the input, or with `includePad` inside the padded input
 * (what `ceil_mode` adds beyond it never counts). A window's count is the product over the axes.
 */
function windowCounts(
  spatial: readonly number[],
  out: readonly number[],
  window: Window,
  includePad: boolean,
): number[][] {
  const { kernel, strides, dilations, before, after } = window;
  return out.map((p, a) => {
    const [low, high] = includePad ? [-before[a]!, spatial[a]! + after[a]!] : [0, spatial[a]!];
    return Array.from({ length: p }, (_, o) => {
      const start = o * strides[a]! - before[a]!;
      // The taps k with low ≤ start + k · dilation < high.
      const first = Math.max(0, Math.ceil((low - start) / dilations[a]!));
      const end = Math.min(kernel[a]!, Math.ceil((high - start) / dilations[a]!));
      return Math.max(0, end - first);
    });
  });
}
