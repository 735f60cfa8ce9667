import { GlacisError } from '../../core/error.ts';
import type { Value } from '../../onnx/graph-builder.ts';
import { numbersOf } from '../../onnx/tensor.ts';

/** The numbers of a constant input. Errors: `gradient/unsupported` when they depend on the data. */
export function constantNumbers(value: Value | null | undefined, what: string): number[] | undefined {
  if (!value) return undefined;
  if (!value.data)
    throw new GlacisError(
      'gradient/unsupported',
      `expected constant ${what}, got ones that depend on the data`,
    );
  return Array.from(numbersOf(value.data));
}
