import type { BuiltNode } from './graph-value.ts';
import type { Node } from './model.ts';

/**
 * Domain of operators that exist only while a graph is built: they name a convention of a gradient, and
 * `GraphBuilder.build` writes them as the standard operators of {@link INTERNAL_OPERATORS}.
 */
export const INTERNAL_DOMAIN = 'glacis.internal';

/**
 * `FirstMax`: the maximum, of which the first of equal values gets the gradient. `PooledMax`: the same of the corners of an image, which
 * is its last input and gets the gradient in their place.
 */
const INTERNAL_OPERATORS: ReadonlyMap<string, string> = new Map([
  ['FirstMax', 'Max'],
  ['PooledMax', 'Max'],
]);

/** A node as it is computed: without inputs that only its gradient asks for. */
export function computed(built: BuiltNode): BuiltNode {
  const { node, inputs } = built;
  if (node.domain !== INTERNAL_DOMAIN || node.op !== 'PooledMax') return built;
  return {
    ...built,
    node: { ...node, op: 'FirstMax', inputs: node.inputs.slice(0, -1) },
    inputs: inputs.slice(0, -1),
  };
}

/** Operators of the internal domain that nothing writes out: they only say what a value is (see `GraphBuilder.offer`). */
export type OfferedOperator = 'ConvWeightGradient' | 'ChannelSums';

/** A node as the runtime knows it. */
export function written(node: Node): Node {
  if (node.domain !== INTERNAL_DOMAIN) return node;
  return { ...node, domain: '', op: INTERNAL_OPERATORS.get(node.op)! };
}
