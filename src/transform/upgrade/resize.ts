import { GlacisError } from '../../core/error.ts';
import type { Value } from '../../onnx/graph-builder.ts';
import { elementCount, float32Tensor, numbersOf } from '../../onnx/tensor.ts';
import { defineLowering, type LowerContext } from '../lower/rule.ts';
import { renew } from './renew.ts';

/**
 * `Upsample` and `Resize` of opset 10: output position `i` reads input position `i / scale`; nearest rounds that down where
 * the axis grows and up where it shrinks (what ONNX Runtime does; ONNX left it open). An input that grows along some axes
 * and shrinks along others takes two nodes.
 */
function resizeByScales(context: LowerContext, scales: readonly number[]): readonly Value[] {
  const { b, attrs, input } = context;
  const mode = attrs.string('mode', 'nearest');
  const resize = (x: Value, factors: readonly number[], nearest: 'floor' | 'ceil') =>
    b.node('Resize', [x, null, b.builder.constant(float32Tensor([factors.length], factors))], {
      mode: mode === 'bilinear' ? 'linear' : mode,
      coordinate_transformation_mode: 'asymmetric',
      ...(mode === 'nearest' ? { nearest_mode: nearest } : {}),
    });
  const x = input(0);
  if (mode !== 'nearest' || scales.every((s) => s >= 1)) return [resize(x, scales, 'floor')];
  const shrunk = resize(
    x,
    scales.map((s) => Math.min(s, 1)),
    'ceil',
  );
  return [
    scales.some((s) => s > 1)
      ? resize(
          shrunk,
          scales.map((s) => Math.max(s, 1)),
          'floor',
        )
      : shrunk,
  ];
}

function constantScales({ input, node }: LowerContext): readonly number[] {
  const { data } = input(1);
  if (!data)
    throw new GlacisError('model/dynamic-shape', `${node.name} (${node.op}): its scales depend on the data`);
  return Array.from(numbersOf(data));
}

/** `Upsample` was replaced by `Resize`. */
export const upsample = defineLowering({
  op: 'Upsample',
  note: '→ Resize',
  lower: (context) =>
    resizeByScales(
      context,
      context.attrs.has('scales') ? context.attrs.floats('scales') : constantScales(context),
    ),
});

/** `Resize` of opset 10. */
export const resize10 = defineLowering({
  op: 'Resize',
  until: 10,
  note: 'scales as third input; asymmetric coordinates said explicitly',
  lower: (context) => resizeByScales(context, constantScales(context)),
});

/** `Resize` of opset 11 had to be given empty inputs for absent ones, and later exporters still give them. */
export const resize = defineLowering({
  op: 'Resize',
  since: 11,
  note: 'empty inputs are absent',
  lower: (context) => {
    const empty = (v: Value | null | undefined) => Boolean(v?.isStatic && elementCount(v.dims) === 0);
    const crops = context.attrs.string('coordinate_transformation_mode', '') === 'tf_crop_and_resize';
    const absent = (i: number) => empty(context.inputs[i]) || (i === 1 && !crops && context.has(1));
    if (![1, 2, 3].some(absent)) return undefined;
    const inputs = context.inputs.map((v, i) => (i > 0 && absent(i) ? null : v));
    while (inputs.at(-1) === null) inputs.pop();
    return renew(context, inputs);
  },
});
