import type { Value } from '../../../onnx/graph-builder.ts';
import { elementCount } from '../../../onnx/tensor.ts';
import type { Ops } from '../../ops.ts';
import { defineRule, type RuleContext } from '../rule.ts';
import { windowOf } from '../window.ts';

/**
 * `y` = maximum of each window: `x̄` gets each window's `g` at the first largest element, in row-major order of the
 * window, as in PyTorch.
 */
export const maxPool = defineRule({
  op: 'MaxPool',
  since: 8,
  note: 'x̄ = g added at the first maximum of each window; any rank, pads, strides, dilations, ceil_mode',
  grad: (context) => {
    const { b, attrs, input, outputs, outGrads } = context;
    const x = input(0);
    const g = outGrads[0];
    if (!g) return [null];
    if (elementCount(g.dims) === 0) return [b.zerosLike(x)];
    const { kernel, strides, dilations, before } = windowOf(
      attrs,
      x.dims.slice(2),
      attrs.ints('kernel_shape'),
    );
    const k = kernel[0]!;
    const tiles =
      kernel.length === 2 &&
      k > 1 &&
      [...kernel, ...strides].every((v) => v === k) &&
      dilations.every((d) => d === 1) &&
      before.every((p) => p === 0) &&
      g.dims.every((d, a) => a < 2 || d * k <= x.dims[a]!);
    if (tiles && (x.dtype === 'float32' || x.dtype === 'float64'))
      return [fromTiles(b, x, outputs[0]!, g, k)];
    return [fromIndices(context, x, g)];
  },
});

/**
 * Square windows that tile the plane: element by element of the window, all windows at once, compares with the maximum
 * and takes `g` away once it is given. Twice as fast as going through indices.
 */
function fromTiles(b: Ops, x: Value, y: Value, g: Value, k: number): Value {
  const c = x.dims[1]!;
  const used = b.slice(b.slice(x, 2, 0, y.dims[2]! * k), 3, 0, y.dims[3]! * k);
  const elements = b.split(
    b.node('SpaceToDepth', [used], { blocksize: k }),
    1,
    new Array<number>(k * k).fill(c),
  );
  let left = g;
  const parts = elements.map((element, i) => {
    if (i === elements.length - 1) return left;
    const part = b.where(b.compare('Equal', element, y), left, 0);
    left = b.sub(left, part);
    return part;
  });
  const spread = b.node('DepthToSpace', [b.concat(parts, 1)], { blocksize: k, mode: 'DCR' });
  return b.pad(
    spread,
    [0, 0, 0, 0],
    x.dims.map((d, a) => d - spread.dims[a]!),
  );
}

/** The runtime's own indices of the maxima in the flat input, to which `g` is added. */
function fromIndices({ b, node }: RuleContext, x: Value, g: Value): Value {
  const attributes = Object.fromEntries([...node.attributes].filter(([name]) => name !== 'storage_order'));
  const at = b.nodes('MaxPool', [x], attributes, { outputs: 2, name: node.name })[1]!;
  const count = elementCount(g.dims);
  const flat = b.node(
    'ScatterElements',
    [b.full([elementCount(x.dims)], 0, g.dtype), b.reshape(at, [count]), b.reshape(g, [count])],
    { axis: 0, reduction: 'add' },
  );
  return b.reshape(flat, x.dims);
}
