import { GlacisError } from '../../core/error.ts';
import { defineLowering } from '../lower/rule.ts';
import { renew } from './renew.ts';

/** `Slice` had everything as attributes before opset 10. */
export const slice = defineLowering({
  op: 'Slice',
  until: 9,
  note: 'starts, ends, axes: attributes → inputs',
  lower: (context) => {
    const { b, attrs, input } = context;
    const starts = attrs.ints('starts');
    const axes = attrs.ints(
      'axes',
      starts.map((_, i) => i),
    );
    return renew(context, [input(0), b.ints(starts), b.ints(attrs.ints('ends')), b.ints(axes)], {
      drop: ['starts', 'ends', 'axes'],
    });
  },
});

/** `Split` had its sizes as an attribute before opset 13; without sizes, opset 18 wants to know into how many equal parts. */
export const split = defineLowering({
  op: 'Split',
  until: 17,
  note: 'split: attribute → input; equal parts are written out',
  lower: (context) => {
    const { b, attrs, inputs, input, node, outputs } = context;
    if (inputs[1]) return undefined;
    const x = input(0);
    const rank = x.dims.length;
    const axis = attrs.int('axis', 0);
    const size = x.dims[axis < 0 ? axis + rank : axis];
    if (size === undefined)
      throw new GlacisError(
        'model/invalid',
        `${node.name} (Split): expected an axis of ${rank} dimensions, got ${axis}`,
      );
    const sizes = attrs.ints('split', []);
    if (sizes.length === 0 && size % outputs !== 0)
      throw new GlacisError(
        'model/invalid',
        `${node.name} (Split): expected a size that ${outputs} divides, got ${size}`,
      );
    const parts = sizes.length > 0 ? sizes : new Array<number>(outputs).fill(size / outputs);
    return renew(context, [x, b.ints(parts)], { drop: ['split'] });
  },
});
