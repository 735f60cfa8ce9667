import type { ModelMetadata, TensorMetadata } from '../../../oip/metadata.ts';
import type { InferResponse } from '../../../oip/response.ts';
import type { Tensor } from '../../../oip/tensor.ts';
import { UpstreamFailure } from './transport.ts';

/** What an upstream's answer is held against. */
export interface Expectation {
  readonly metadata: ModelMetadata;
  readonly id: string;
  /** The upstream's own names for model and version. */
  readonly model: string;
  readonly version: string | undefined;
  /** Samples that were asked about. */
  readonly n: number;
  /** Whether outputs have a row for each. */
  readonly rowed: boolean;
  readonly finite: boolean;
}

/**
 * The outputs in the metadata's order, without parameters, if the answer is one to this question: its id, model and version, exactly the outputs that were promised, with their
 * types and shapes, a row for each sample, and no NaN or infinity unless those are let be. Errors: {@link UpstreamFailure} `bad-answer`.
 */
export function checkAnswer(response: InferResponse, expected: Expectation): readonly Tensor[] {
  const { metadata, id, model, version } = expected;
  // An empty id is as good as none; another one answers another question.
  if (response.id && response.id !== id) throw bad('the id of another request');
  if (response.modelName !== '' && response.modelName !== model) throw bad('the name of another model');
  if (
    version !== undefined &&
    response.modelVersion !== undefined &&
    response.modelVersion !== '' &&
    response.modelVersion !== version
  )
    throw bad('another version of the model');
  if (response.outputs.length !== metadata.outputs.length)
    throw bad(`${response.outputs.length} outputs in place of ${metadata.outputs.length}`);
  return metadata.outputs.map((output) => {
    const found = response.outputs.find(({ name }) => name === output.name);
    if (!found) throw bad('not the outputs of the metadata');
    requireFit(found, output, expected);
    const { name, datatype, shape, data } = found;
    return { name, datatype, shape, data } as Tensor;
  });
}

function requireFit(
  found: Tensor,
  { datatype, shape }: TensorMetadata,
  { n, rowed, finite }: Expectation,
): void {
  if (found.datatype !== datatype) throw bad(`${found.datatype} in place of ${datatype}`);
  const wanted = rowed ? [n, ...shape.slice(1)] : shape;
  const fits =
    found.shape.length === wanted.length &&
    found.shape.every((size, axis) => wanted[axis] === -1 || wanted[axis] === size);
  if (!fits) throw bad(`[${found.shape.join(', ')}] in place of [${wanted.join(', ')}]`);
  if (finite && !allFinite(found)) throw bad('NaN or an infinity');
}

function allFinite(tensor: Tensor): boolean {
  switch (tensor.datatype) {
    case 'FP32':
    case 'FP64':
      for (let i = 0; i < tensor.data.length; i++) if (!Number.isFinite(tensor.data[i])) return false;
      return true;
    case 'FP16':
      return tensor.data.every((bits) => (bits & 0x7c00) !== 0x7c00);
    case 'BF16':
      return tensor.data.every((bits) => (bits & 0x7f80) !== 0x7f80);
    default:
      return true;
  }
}

function bad(got: string): UpstreamFailure {
  return new UpstreamFailure('bad-answer', `expected an answer to this request, got ${got}`);
}
