import type { ShapeContext } from '../shape/rule.ts';
import type { Tensor } from '../tensor.ts';

/** What a folding rule sees: the node with its constant inputs, and what shape inference says of its outputs. */
export interface FoldContext extends ShapeContext {
  /** One entry an input; `undefined` for an absent optional one. */
  readonly data: readonly (Tensor | undefined)[];
  /** Sizes of the first output; `undefined` where they depend on the elements. */
  readonly dims: readonly number[] | undefined;
  /** Sizes of all outputs. */
  readonly outs: readonly (readonly number[] | undefined)[];
}

/** Computes a node, or gives `undefined` where the runtime shall do it. */
export type FoldRule = (context: FoldContext) => readonly Tensor[] | undefined;

/** More elements than this are left to the runtime, whose kernels are faster and whose memory is bounded. */
export const MAX_OUTPUT = 1 << 16;
