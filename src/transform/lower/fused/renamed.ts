import { defineLowering, type LowerRule } from '../rule.ts';

/** Operators of com.microsoft that are those of ai.onnx. */
export const renamed: readonly LowerRule[] = ['GatherND', 'Pad', 'Trilu'].map((op) =>
  defineLowering({
    op,
    domain: 'com.microsoft',
    note: 'the same in ai.onnx',
    lower: ({ b, node, inputs }) => b.builder.addNode(op, inputs, node.attributes, { name: node.name }),
  }),
);
