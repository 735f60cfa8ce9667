import { GlacisError } from '../core/error.ts';
import type { Dim, Model } from '../onnx/model.ts';
import type { Tensor } from '../onnx/tensor.ts';

/** Values of inputs that are not attacked, by name. */
export type FixedInputs = Readonly<Record<string, Tensor>>;

/**
 * The value of a fixed input for a batch of `rows`: one sample's value (with or without a leading axis of size 1) is
 * repeated where the input's first dimension is open; an input of fixed sizes takes a value of exactly those sizes.
 * Errors: `data/mismatch` for another type or shape.
 */
export function fixedForBatch(model: Model, name: string, tensor: Tensor, rows: number): Tensor {
  const input = model.graph.inputs.find((i) => i.name === name);
  if (input?.type.kind !== 'tensor')
    throw new GlacisError(
      'option/invalid',
      `--fix: expected an input of the model (${model.graph.inputs.map((i) => i.name).join(', ')}), got '${name}'`,
    );
  const { dtype, dims } = input.type;
  if (dtype !== tensor.dtype)
    throw new GlacisError('data/mismatch', `--fix ${name}: expected ${dtype}, got ${tensor.dtype}`);
  if (dims === undefined || fits(dims, tensor.dims, 0)) {
    const open = dims === undefined || typeof dims[0] !== 'number';
    return open && tensor.dims[0] === 1 && tensor.dims.length > 0 ? repeated(tensor, rows) : tensor;
  }
  if (typeof dims[0] !== 'number' && fits(dims, [1, ...tensor.dims], 0))
    return repeated({ ...tensor, dims: [1, ...tensor.dims] }, rows);
  throw new GlacisError(
    'data/mismatch',
    `--fix ${name}: expected one sample of [${dims.map((d) => d ?? '?').join(', ')}], got [${tensor.dims.join(', ')}]`,
  );
}

/** The model with the inputs `fixed` turned into constants for a batch of `rows`. */
export function bindFixed(model: Model, fixed: FixedInputs, rows: number): Model {
  const names = Object.keys(fixed);
  if (names.length === 0) return model;
  const initializers = new Map(model.graph.initializers);
  for (const name of names) initializers.set(name, fixedForBatch(model, name, fixed[name]!, rows));
  return {
    ...model,
    graph: {
      ...model.graph,
      inputs: model.graph.inputs.filter((i) => !Object.hasOwn(fixed, i.name)),
      initializers,
    },
  };
}

function fits(dims: readonly Dim[], given: readonly number[], from: number): boolean {
  return (
    dims.length === given.length && dims.every((d, i) => i < from || typeof d !== 'number' || d === given[i])
  );
}

function repeated(tensor: Tensor, rows: number): Tensor {
  const data = new Uint8Array(tensor.data.byteLength * rows);
  for (let r = 0; r < rows; r++) data.set(tensor.data, r * tensor.data.byteLength);
  return { dtype: tensor.dtype, dims: [rows, ...tensor.dims.slice(1)], data };
}
