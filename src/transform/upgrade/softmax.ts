import { elementCount } from '../../onnx/tensor.ts';
import { defineLowering, type LowerRule } from '../lower/rule.ts';

/**
 * Before opset 13, `axis` (default 1) said where the input is split into the rows and columns of a matrix whose rows are
 * normalised; since then, one axis alone is. The same for the last axis, otherwise a reshape before and after.
 */
function flattening(op: string): LowerRule {
  return defineLowering({
    op,
    until: 12,
    note: 'over all axes from axis on (default 1), as a matrix',
    lower: ({ b, attrs, input, node }) => {
      const x = input(0);
      const rank = x.dims.length;
      const given = attrs.int('axis', 1);
      const axis = given < 0 ? given + rank : given;
      if (axis === rank - 1) return [b.node(op, [x], { axis: -1 }, { name: node.name })];
      const matrix = b.reshape(x, [elementCount(x.dims.slice(0, axis)), elementCount(x.dims.slice(axis))]);
      return [b.reshape(b.node(op, [matrix], { axis: -1 }, { name: node.name }), x.dims)];
    },
  });
}

/** `Hardmax`, `LogSoftmax`, `Softmax`. */
export const softmax: readonly LowerRule[] = ['Hardmax', 'LogSoftmax', 'Softmax'].map(flattening);
