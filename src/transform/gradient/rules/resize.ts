import type { Attributes } from '../../../onnx/attributes.ts';
import { applyTransposed } from '../apply-transposed.ts';
import { constantNumbers } from '../constant-input.ts';
import { type Interpolation, interpolationRows } from '../interpolation.ts';
import { defineRule } from '../rule.ts';

/** `y = W x` along each resized axis, `W` constant: `x̄ = Wᵀ g` along each. */
export const resize = defineRule({
  op: 'Resize',
  since: 11,
  note: 'x̄ = Wᵀ g along each axis, W the interpolation matrix; all modes of nearest, linear and cubic, antialias, axes',
  grad: ({ b, attrs, input, inputs, outputs: [y], outGrads: [g] }) => {
    const { dims } = input(0);
    const out = y!.dims;
    const axes = attrs
      .ints(
        'axes',
        dims.map((_, a) => a),
      )
      .map((a) => (a < 0 ? a + dims.length : a));
    const scales = scalesOf(
      attrs,
      axes.map((a) => dims[a]!),
      constantNumbers(inputs[2], 'scales'),
      constantNumbers(inputs[3], 'sizes'),
    );
    const roi = constantNumbers(inputs[1], 'roi') ?? [];
    const plans = axes.map((axis, i) => {
      const region: readonly [number, number] = [roi[i] ?? 0, roi[i + axes.length] ?? 1];
      return { axis, rows: interpolationRows(dims[axis]!, out[axis]!, howOf(attrs, scales[i]!, region)) };
    });
    // The axes that shrink most go first.
    plans.sort((p, q) => dims[p.axis]! / out[p.axis]! - dims[q.axis]! / out[q.axis]!);
    if (out.includes(0)) return inputs.map((_, i) => (i === 0 ? b.full(dims, 0, g!.dtype) : null));
    const result = plans.reduce((v, { axis, rows }) => applyTransposed(b, v, rows, axis, dims[axis]!), g!);
    return inputs.map((_, i) => (i === 0 ? result : null));
  },
});

/** The scales of the resized axes in float32, also where the node gives sizes. */
function scalesOf(
  attrs: Attributes,
  sizes: readonly number[],
  scales: readonly number[] | undefined,
  target: readonly number[] | undefined,
): number[] {
  if (!target || target.length === 0) return [...scales!];
  const ratios = target.map((t, i) => Math.fround(t / sizes[i]!));
  const policy = attrs.string('keep_aspect_ratio_policy', 'stretch');
  if (policy === 'stretch') return ratios;
  return ratios.map(() => (policy === 'not_larger' ? Math.min(...ratios) : Math.max(...ratios)));
}

function howOf(attrs: Attributes, scale: number, roi: readonly [number, number]): Interpolation {
  return {
    mode: attrs.string('mode', 'nearest'),
    coordinates: attrs.string('coordinate_transformation_mode', 'half_pixel'),
    nearest: attrs.string('nearest_mode', 'round_prefer_floor'),
    cubicA: attrs.float('cubic_coeff_a', -0.75),
    excludeOutside: attrs.int('exclude_outside', 0) !== 0,
    antialias: attrs.int('antialias', 0) !== 0,
    scale,
    roi,
  };
}
