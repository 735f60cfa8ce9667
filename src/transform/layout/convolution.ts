import { attributesOf } from '../../onnx/attributes.ts';
import type { BuiltNode, Value } from '../../onnx/graph-builder.ts';
import { windowOf } from '../gradient/window.ts';
import { blockedBias, blockedFilter, reorderedFilter } from './filter.ts';
import type { Form } from './forms.ts';
import type { LayoutContext } from './layout-context.ts';
import { planWinograd, winogradPays } from './winograd.ts';

/**
 * A convolution over two axes in the blocked layout, or as Winograd products with space in front where that pays. It is left
 * pending, so that what reads it alone can still be fused into it. `undefined` where the kernels do not fit: groups
 * that are not depthwise, channels that are neither whole blocks nor fewer than one, computed weights whose outputs are
 * not whole blocks.
 */
export function convolution(
  context: LayoutContext,
  { node, inputs }: BuiltNode,
  out: Value,
): Form | undefined {
  const { b, block, formOf, whole } = context;
  const { plain, blocked } = context.forms;
  const attrs = attributesOf(node);
  const [x, w, bias] = inputs;
  if (!x || !w?.isStatic || w.dims.length !== 4 || x.dtype !== 'float32' || out.dims.some((d) => d === 0))
    return undefined;
  const group = attrs.int('group', 1);
  const [o, i] = [w.dims[0]!, w.dims[1]!];
  const { kernel, strides, dilations, before, after } = windowOf(attrs, x.dims.slice(2), w.dims.slice(2));
  const [h, width] = [x.dims[2]!, x.dims[3]!];
  const same = [...strides, ...dilations, ...before, ...after].every((v) => v === 1);
  if (
    w.data &&
    (!bias || bias.data) &&
    group === 1 &&
    same &&
    kernel.every((k) => k === 3) &&
    whole(x) &&
    whole(out) &&
    winogradPays(h, width, i, o)
  )
    return winograd(context, x, w, bias, out);
  const depthwise = group > 1 && i === 1 && group === o && o % block === 0;
  const fromPlain = !depthwise && i < block;
  if ((group > 1 && !depthwise) || (!depthwise && !fromPlain && i % block !== 0)) return undefined;
  if ((!w.data || (bias && !bias.data)) && o % block !== 0) return undefined;
  return {
    dims: out.dims,
    pending: {
      input: fromPlain ? plain(formOf(x)) : blocked(formOf(x)),
      weights: w.data
        ? b.builder.constant(blockedFilter(w.data, block))
        : reorderedFilter(b, heldFilter(context, w), block),
      bias: bias?.data
        ? b.builder.constant(blockedBias(bias.data, block))
        : bias
          ? plain(formOf(bias))
          : undefined,
      attributes: { kernel_shape: kernel, strides, dilations, pads: [...before, ...after], group },
    },
  };
}

/** Computed weights as a value; weights `[H, W, O, I]` before a transposition are taken for an image with space in front. */
function heldFilter({ b, forms, formOf }: LayoutContext, w: Value): Value {
  const form = formOf(w);
  return form.spatial && !form.plain ? b.transpose(form.spatial, [2, 3, 0, 1]) : forms.plain(form);
}

function winograd(
  context: LayoutContext,
  x: Value,
  w: Value,
  bias: Value | null | undefined,
  out: Value,
): Form {
  const { b, formOf } = context;
  const { spatial } = context.forms;
  const [n, c, h, width] = x.dims as [number, number, number, number];
  const k = out.dims[1]!;
  const plan = planWinograd(w.data!, h, width);
  const columns = b.reshape(spatial(formOf(x)), [h * width, n * c]);
  const inner = b.reshape(b.matmul(b.builder.constant(plan.input), columns), [
    plan.frequencies,
    plan.tiles * n,
    c,
  ]);
  const products = b.reshape(b.matmul(inner, b.builder.constant(plan.weights)), [
    plan.frequencies * plan.tiles,
    n * k,
  ]);
  const result = b.reshape(b.matmul(b.builder.constant(plan.output), products), [h, width, n, k]);
  return { dims: out.dims, spatial: bias ? b.add(result, b.builder.constant(bias.data!)) : result };
}
