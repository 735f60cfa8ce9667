import { defineLowering } from '../lower/rule.ts';

/**
 * `Dropout` before opset 12 never drops outside of training: its result is its input. Its mask (of the input's type before
 * opset 10, bool since) is zero, as ONNX Runtime gives it.
 */
export const dropout = defineLowering({
  op: 'Dropout',
  until: 11,
  note: 'inference only: the identity',
  lower: ({ b, input, opset, outputs }) => {
    const x = input(0);
    return [x, ...(outputs > 1 ? [b.full(x.dims, 0, opset < 10 ? x.dtype : 'bool')] : [])];
  },
});
