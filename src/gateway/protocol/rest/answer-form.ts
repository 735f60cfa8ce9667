import { isUtf8 } from 'node:buffer';
import { type InferRequest, type InferResponse, type Tensor, wantsBinary } from '../../../oip/index.ts';

const MOST_IN_JSON = 2 ** 24;

/**
 * The outputs that go in binary form: those that were asked for so, and those that JSON cannot carry (16-bit floats, NaN and
 * infinities, texts that are not UTF-8) whatever was asked for: the query is paid for, and the protocol has no other form.
 */
export function binaryOutputs(response: InferResponse, request: InferRequest): readonly string[] {
  return response.outputs
    .filter((output) => wantsBinary(request, output.name) || !fitsJson(output))
    .map(({ name }) => name);
}

function fitsJson(tensor: Tensor): boolean {
  if (tensor.data.length > MOST_IN_JSON) return false;
  switch (tensor.datatype) {
    case 'FP16':
    case 'BF16':
      return false;
    case 'FP32':
    case 'FP64':
      return tensor.data.every(Number.isFinite);
    case 'BYTES':
      return tensor.data.every((bytes) => isUtf8(bytes));
    default:
      return true;
  }
}
