import type { Attributes } from '../attributes.ts';
import type { DType } from '../dtype.ts';
import type { Dim, Node } from '../model.ts';
import type { Tensor } from '../tensor.ts';

/** What is known of a value before anything runs. */
export interface Facts {
  readonly dtype: DType;
  /** `undefined` when even the rank is unknown. */
  readonly dims: readonly Dim[] | undefined;
  /** The value itself, when it is a constant. */
  readonly data?: Tensor | undefined;
  /** Elements of a scalar or list of integers that are sizes, as far as they are known, where `data` is not. */
  readonly elements?: readonly Dim[] | undefined;
}

/** What a shape rule sees of a node. */
export interface ShapeContext {
  readonly node: Node;
  readonly attrs: Attributes;
  /** One entry an input of the node; `undefined` for an absent optional one. */
  readonly inputs: readonly (Facts | undefined)[];
  /** Version of the node's domain. */
  readonly opset: number;
}

/**
 * Shapes and types of a node's outputs, one entry an output *of the operator* (the caller drops those that the node does not
 * name). A rule throws `model/invalid` when the inputs contradict the operator, and gives `null` dimensions for what
 * depends on data.
 */
export type ShapeRule = (context: ShapeContext) => readonly Facts[];
