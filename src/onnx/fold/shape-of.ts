import { attributesOf } from '../attributes.ts';
import type { Dim, Node } from '../model.ts';
import { shapeBounds } from '../shape/constant.ts';
import { elementCount, int64Tensor, type Tensor } from '../tensor.ts';

/**
 * What `Shape` or `Size` gives for a value of these sizes, whatever its elements are; `undefined` for other operators, and
 * when a size that matters is not known.
 */
export function foldShapeOf(
  node: Pick<Node, 'op' | 'domain' | 'name' | 'attributes'>,
  dims: readonly Dim[],
): Tensor | undefined {
  if (node.domain !== '') return undefined;
  if (node.op === 'Size') return fixed(dims) ? int64Tensor([], [elementCount(dims)]) : undefined;
  if (node.op !== 'Shape') return undefined;
  const attrs = attributesOf(node);
  const [from, to] = shapeBounds(
    attrs.int('start', 0),
    attrs.has('end') ? attrs.int('end') : undefined,
    dims.length,
  );
  const part = dims.slice(from, to);
  return fixed(part) ? int64Tensor([part.length], part) : undefined;
}

const fixed = (dims: readonly Dim[]): dims is readonly number[] => dims.every((d) => typeof d === 'number');
