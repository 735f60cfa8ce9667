import { GlacisError } from '../core/error.ts';
import type { Value } from '../onnx/graph-builder.ts';
import { elementCount } from '../onnx/tensor.ts';
import type { TargetGraph } from '../runtime/target.ts';
import { lastLayerInput } from '../transform/last-layer.ts';

/**
 * An inner layer's activations as `[B, features]`: the value that the file calls `name`, or, where `name` is empty, what the last layer
 * with weights before the logits takes in.
 * Errors: `option/invalid` where there is no such value, it is no floating-point activation with a row for each sample, or the last
 * layer cannot be told.
 */
export function featureLayer({ b, x, logits, values }: TargetGraph, name: string): Value {
  const layer = name === '' ? lastLayerInput(b.builder, logits) : values.get(name);
  if (!layer)
    throw new GlacisError(
      'option/invalid',
      name === ''
        ? "layer: expected a model whose last layer has weights, got one where it cannot be told; give the name of a value inside (layer='NAME'; inspect shows them)"
        : `layer: expected the name of a value of the model, got '${name}'`,
    );
  const rows = x.dims[0]!;
  if (layer.data || layer.dtype !== 'float32' || layer.dims[0] !== rows)
    throw new GlacisError(
      'option/invalid',
      `layer: expected float32 activations with a row for each of ${rows} samples, got ${layer.dtype} [${layer.dims.join(', ')}] in '${name}'`,
    );
  return b.reshape(layer, [rows, elementCount(layer.dims.slice(1))]);
}
