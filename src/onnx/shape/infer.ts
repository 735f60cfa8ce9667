import { attributesOf } from '../attributes.ts';
import type { Node } from '../model.ts';
import { SHAPE_RULES } from './registry.ts';
import type { Facts } from './rule.ts';

/**
 * Types and shapes of a node's outputs from those of its inputs; `undefined` when Glacis has no rule for the operator.
 * Errors: `model/invalid` when the inputs contradict the operator.
 */
export function inferNode(node: Node, inputs: readonly (Facts | undefined)[], opset: number): readonly Facts[] | undefined {
  const rule = SHAPE_RULES.get(`${node.domain}:${node.op}`);
  return rule?.({ node, attrs: attributesOf(node), inputs, opset });
}
