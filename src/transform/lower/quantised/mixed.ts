import { isFloat } from '../../../onnx/dtype.ts';
import { defineLowering, type LowerRule } from '../rule.ts';

/**
 * Where quantised numbers, which are floats here, meet integer constants that were of their type in the file, the constants
 * become floats too. A valid model has one type there, so nothing else is touched.
 */
function joining(op: string, alike: (i: number) => boolean): LowerRule {
  return defineLowering({
    op,
    note: 'integers beside quantised numbers become floats',
    lower: ({ b, node, inputs, outputs }) => {
      const floating = inputs.find((v, i) => v && alike(i) && isFloat(v.dtype));
      if (!floating || inputs.every((v, i) => !v || !alike(i) || isFloat(v.dtype))) return undefined;
      const cast = inputs.map((v, i) => (v && alike(i) ? b.cast(v, floating.dtype) : v));
      return b.builder.addNode(node.op, cast, node.attributes, { outputs, name: node.name });
    },
  });
}

/** Operators whose inputs share a type. */
export const mixed: readonly LowerRule[] = [
  ...[
    'Add',
    'Clip',
    'Concat',
    'Div',
    'Equal',
    'Greater',
    'GreaterOrEqual',
    'Less',
    'LessOrEqual',
    'Max',
    'Min',
    'Mul',
    'Sub',
  ].map((op) => joining(op, () => true)),
  joining('Pad', (i) => i === 0 || i === 2),
  joining('Where', (i) => i > 0),
];
