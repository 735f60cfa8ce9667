import { elementCount } from '../../../onnx/tensor.ts';
import { defineRule } from '../rule.ts';

/**
 * `y` = maximum of each window: `x̄` gets each window's `g` at the first largest element, in row-major order of the
 * window, as in PyTorch.
 */
export const maxPool = defineRule({
  op: 'MaxPool',
  since: 8,
  note: 'x̄ = g added at the first maximum of each window; any rank, pads, strides, dilations, ceil_mode',
  grad: ({ b, attrs, node, input, outGrads: [g] }) => {
    const x = input(0);
    if (!g) return [null];
    const count = elementCount(x.dims);
    if (elementCount(g.dims) === 0) return [b.zerosLike(x)];
    const attributes = Object.fromEntries([...node.attributes].filter(([name]) => name !== 'storage_order'));
    const at = b.nodes('MaxPool', [x], attributes, { outputs: 2, name: node.name })[1]!;
    const spatial = x.dims.slice(2).map((_, i) => i);
    const strides = attrs.ints(
      'strides',
      spatial.map(() => 1),
    );
    const dilations = attrs.ints(
      'dilations',
      spatial.map(() => 1),
    );
    const apart = attrs.ints('kernel_shape').every((k, i) => strides[i]! > dilations[i]! * (k - 1));
    const flat = b.node(
      'ScatterElements',
      [
        b.full([count], 0, g.dtype),
        b.reshape(at, [elementCount(g.dims)]),
        b.reshape(g, [elementCount(g.dims)]),
      ],
      { axis: 0, reduction: apart ? 'none' : 'add' },
    );
    return [b.reshape(flat, x.dims)];
  },
});
