import { GlacisError } from '../../core/error.ts';
import { dataFromBytes } from '../../oip/binary-data.ts';
import { isDatatype, type ModelMetadata, type Tensor } from '../../oip/index.ts';

/** Tensors from the bytes of inputs in the order of the metadata; undefined where they are others. Errors: `data/mismatch`, `request/invalid` for bytes that do not fit. */
export function inputTensors(
  parts: readonly Uint8Array[],
  { inputs }: ModelMetadata,
  n: number,
): readonly Tensor[] | undefined {
  if (parts.length !== inputs.length) return undefined;
  return inputs.map(({ name, datatype, shape }, i) => {
    if (!isDatatype(datatype)) throw new GlacisError('data/mismatch', `input ${name}: expected a known type`);
    const size = shape.map((d, axis) => (axis === 0 && d < 0 ? n : d));
    const source = { where: `input ${name}`, code: 'request/invalid' } as const;
    return {
      name,
      datatype,
      shape: size,
      data: dataFromBytes(datatype, size, parts[i]!, source, ''),
    } as Tensor;
  });
}

/** What `work` makes of inputs; undefined where the model takes others. */
export function takenBy<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch (thrown) {
    if (thrown instanceof GlacisError && ['request/invalid', 'data/mismatch'].includes(thrown.code))
      return undefined;
    throw thrown;
  }
}
