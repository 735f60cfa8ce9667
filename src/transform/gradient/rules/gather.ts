import { elementCount } from '../../../onnx/tensor.ts';
import { addRows, addRowsPerSample } from '../add-rows.ts';
import { constantNumbers } from '../constant-input.ts';
import { defineRule } from '../rule.ts';
import { unslice } from '../unslice.ts';

/** `y = x[…, indices, …]` on one axis: rows of `g` are added up at their indices. */
export const gather = defineRule({
  op: 'Gather',
  since: 1,
  note: 'x̄ = rows of g added at their indices (a slice back for one constant index)',
  perSample: true,
  grad: ({ b, attrs, input, outGrads: [g], perSample }) => {
    const { dims } = input(0);
    const indices = input(1);
    const axis = (attrs.int('axis', 0) + dims.length) % dims.length;
    if (perSample(0)) return [addRowsPerSample(b, g!, indices, dims, axis), null];
    if (indices.data && elementCount(indices.dims) === 1) {
      const at = constantNumbers(indices, 'indices')![0]!;
      const kept = b.reshape(
        g!,
        dims.map((d, a) => (a === axis ? 1 : d)),
      );
      return [
        unslice(b, kept, dims, [{ axis, first: at < 0 ? at + dims[axis]! : at, step: 1, count: 1 }]),
        null,
      ];
    }
    return [addRows(b, g!, indices, dims, axis), null];
  },
});
