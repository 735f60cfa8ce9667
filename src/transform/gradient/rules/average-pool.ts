import { elementCount, tensorFrom } from '../../../onnx/tensor.ts';
import { convInputGradient } from '../conv-input.ts';
import { defineRule } from '../rule.ts';
import { tuples, type Window, windowOf } from '../window.ts';

/** `y` = mean of each window: `x̄` spreads `g / count` evenly over the window, `count` being what the mean divided by. */
export const averagePool = defineRule({
  op: 'AveragePool',
  since: 7,
  note: 'x̄ = g / count spread over each window; count_include_pad, ceil_mode, dilations, any rank',
  grad: ({ b, attrs, input, outGrads: [g] }) => {
    const { dims } = input(0);
    const spatial = dims.slice(2);
    const out = g!.dims.slice(2);
    if (elementCount(dims) === 0 || elementCount(g!.dims) === 0) return [b.full(dims, 0, g!.dtype)];
    const window = windowOf(attrs, spatial, attrs.ints('kernel_shape'));
    const counts = windowCounts(spatial, out, window, attrs.int('count_include_pad', 0) !== 0);
    const same = counts.every((c) => c === counts[0]);
    const share = same
      ? b.mul(g!, 1 / counts[0]!)
      : b.div(g!, b.builder.constant(tensorFrom(g!.dtype, [1, 1, ...out], counts)));
    const { kernel, strides, dilations, before } = window;
    const tiles = kernel.every(
      (k, a) =>
        k === strides[a] && (k === 1 || dilations[a] === 1) && before[a] === 0 && out[a]! * k === spatial[a],
    );
    if (tiles) {
      const apart = out.flatMap((p) => [p, 1]);
      const stretched = b.expand(b.reshape(share, [...dims.slice(0, 2), ...apart]), [
        ...dims.slice(0, 2),
        ...out.flatMap((p, a) => [p, kernel[a]!]),
      ]);
      return [b.reshape(stretched, dims)];
    }
    const planes = dims[0]! * dims[1]!;
    const ones = b.builder.constant(
      tensorFrom(g!.dtype, [1, 1, ...kernel], new Array<number>(elementCount(kernel)).fill(1)),
    );
    return [
      b.reshape(
        convInputGradient(b, b.reshape(share, [planes, 1, ...out]), ones, [planes, 1, ...spatial], window, 1),
        dims,
      ),
    ];
  },
});

/**
 * What each window's mean divides by, row-major over `out`: the elements inside the input, or with `includePad` inside the
 * padded input (what `ceil_mode` adds beyond it never counts).
 */
export function windowCounts(
  spatial: readonly number[],
  out: readonly number[],
  window: Window,
  includePad: boolean,
): number[] {
  const perAxis = out.map((p, a) => {
    const { kernel, strides, dilations, before, after } = window;
    const [low, high] = includePad ? [-before[a]!, spatial[a]! + after[a]!] : [0, spatial[a]!];
    return Array.from({ length: p }, (_, o) => {
      let n = 0;
      for (let k = 0; k < kernel[a]!; k++) {
        const at = o * strides[a]! - before[a]! + k * dilations[a]!;
        if (at >= low && at < high) n++;
      }
      return n;
    });
  });
  return Array.from(tuples(out), (at) => at.reduce((n, o, a) => n * perAxis[a]![o]!, 1));
}
