import { GlacisError } from '../core/error.ts';
import type { DType } from './dtype.ts';
import type { Dim, Node } from './model.ts';
import type { Tensor } from './tensor.ts';

/** A value of a graph under construction. Its shape is static: reading `dims` of a value without one throws `model/dynamic-shape`. */
export interface Value {
  readonly name: string;
  readonly dtype: DType;
  /** Sizes of all axes. */
  readonly dims: readonly number[];
  /** Whether `dims` is known. */
  readonly isStatic: boolean;
  /** The value itself, when it is a constant. */
  readonly data: Tensor | undefined;
}

/** A node of a graph under construction with its values resolved. */
export interface BuiltNode {
  readonly node: Node;
  readonly inputs: readonly (Value | null)[];
  readonly outputs: readonly Value[];
}

/** What is known of a value before the model runs. */
export function factsOf(value: Value): {
  dtype: DType;
  dims: readonly Dim[] | undefined;
  data: Tensor | undefined;
} {
  return { dtype: value.dtype, dims: value.isStatic ? value.dims : undefined, data: value.data };
}

/** A value whose shape is static where all of `dims` are numbers. */
export function makeValue(
  name: string,
  dtype: DType,
  dims: readonly Dim[] | undefined,
  data: Tensor | undefined,
): Value {
  const fixed = dims?.every((d) => typeof d === 'number') ? (dims as readonly number[]) : undefined;
  return Object.freeze({
    name,
    dtype,
    isStatic: fixed !== undefined,
    data,
    get dims(): readonly number[] {
      if (fixed) return fixed;
      throw new GlacisError(
        'model/dynamic-shape',
        `${name}: its shape depends on the data and is not known before the model runs`,
      );
    },
  });
}
