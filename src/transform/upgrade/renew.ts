import { type AttributeInput, attributesFrom } from '../../onnx/attributes.ts';
import type { Value } from '../../onnx/graph-builder.ts';
import type { LowerContext } from '../lower/rule.ts';

/** What an operator's new form has different. */
export interface Change {
  /** Another operator. */
  readonly op?: string;
  /** Attributes that the new form does not have. */
  readonly drop?: readonly string[];
  readonly set?: Readonly<Record<string, AttributeInput>>;
}

/** Adds the node in its new form, over `inputs`, with all attributes that {@link Change} does not name. */
export function renew(
  { b, node, outputs }: LowerContext,
  inputs: readonly (Value | null)[],
  { op, drop = [], set = {} }: Change = {},
): readonly Value[] {
  const kept = [...node.attributes].filter(([name]) => !drop.includes(name));
  return b.builder.addNode(op ?? node.op, inputs, new Map([...kept, ...attributesFrom(set)]), {
    outputs,
    name: node.name,
  });
}
