import { attributesOf } from '../attributes.ts';
import type { Node } from '../model.ts';
import { shapeBounds } from '../shape/constant.ts';
import { elementCount, int64Tensor, type Tensor } from '../tensor.ts';

/** What `Shape` or `Size` gives for a value of these sizes, whatever its elements are; `undefined` for other operators. */
export function foldShapeOf(
  node: Pick<Node, 'op' | 'domain' | 'name' | 'attributes'>,
  dims: readonly number[],
): Tensor | undefined {
  if (node.domain !== '') return undefined;
  if (node.op === 'Size') return int64Tensor([], [elementCount(dims)]);
  if (node.op !== 'Shape') return undefined;
  const attrs = attributesOf(node);
  const [from, to] = shapeBounds(
    attrs.int('start', 0),
    attrs.has('end') ? attrs.int('end') : undefined,
    dims.length,
  );
  return int64Tensor([to - from], dims.slice(from, to));
}
