import { attributesOf } from '../attributes.ts';
import type { Node } from '../model.ts';
import { contradiction, showDims } from './dims.ts';
import { SHAPE_RULES } from './registry.ts';
import type { Facts } from './rule.ts';

/** More elements than any device addresses: a shape beyond it comes from a broken or hostile file. */
const MAX_ELEMENTS = 2 ** 40;

/**
 * Types and shapes of a node's outputs from those of its inputs; `undefined` when Glacis has no rule for the operator.
 * Errors: `model/invalid` when the inputs contradict the operator, or when a size is negative, broken or beyond 2^40 elements.
 */
export function inferNode(
  node: Node,
  inputs: readonly (Facts | undefined)[],
  opset: number,
): readonly Facts[] | undefined {
  const rule = SHAPE_RULES.get(`${node.domain === 'ai.onnx' ? '' : node.domain}:${node.op}`);
  const outputs = rule?.({ node, attrs: attributesOf(node), inputs, opset });
  for (const { dims } of outputs ?? []) {
    if (!dims) continue;
    let count = 1;
    for (const d of dims) {
      if (d === undefined)
        contradiction(
          { node },
          'inputs of the rank that the operator needs',
          inputs.map((f) => showDims(f?.dims)).join(' and '),
        );
      if (typeof d !== 'number') continue;
      if (!Number.isInteger(d) || d < 0) contradiction({ node }, 'sizes of 0 or more', showDims(dims));
      count *= Math.max(d, 1);
    }
    if (count > MAX_ELEMENTS || dims.length > 1024)
      contradiction({ node }, 'at most 2^40 elements', showDims(dims));
  }
  return outputs;
}
