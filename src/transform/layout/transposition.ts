import type { Value } from '../../onnx/graph-builder.ts';
import type { Form } from './forms.ts';
import type { LayoutContext } from './layout-context.ts';

/**
 * A transposition of an image `[N, C, H, W]` to space in front `[H, W, N, C]` or to channels last `[N, H, W, C]`, or from space in
 * front back to an image, as a change of form: from whichever form the image has, and none at all where it has the wanted
 * one. `undefined`: the node is an ordinary transposition.
 */
export function transposition(
  { forms, formOf, whole, isBlocked, isSpatial }: LayoutContext,
  perm: readonly number[],
  x: Value,
  out: Value,
): Form | undefined {
  const order = perm.join();
  const image = whole(x) && (isBlocked(x) || isSpatial(x));
  if (order === '2,3,0,1') {
    if (image) return { dims: out.dims, plain: forms.spatial(formOf(x)) };
    return whole(out) ? { dims: out.dims, spatial: forms.plain(formOf(x)) } : undefined;
  }
  return order === '0,2,3,1' && image ? { dims: out.dims, plain: forms.channelsLast(formOf(x)) } : undefined;
}
