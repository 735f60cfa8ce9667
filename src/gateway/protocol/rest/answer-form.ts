import { isUtf8 } from 'node:buffer';
import {
  encodeInferResponse,
  type InferRequest,
  type InferResponse,
  type Outgoing,
  type Tensor,
  wantsBinary,
} from '../../../oip/index.ts';

const MOST_IN_JSON = 2 ** 24;

/**
 * An answer as it was asked for, except that an output which JSON cannot carry (16-bit floats, NaN and infinities, texts that are not
 * UTF-8) comes in binary form whatever was asked for: the query is paid for, and the protocol has no other form.
 */
export function answerForm(response: InferResponse, request: InferRequest): Outgoing {
  return encodeInferResponse(
    response,
    (name) =>
      wantsBinary(request, name) ||
      !response.outputs.some((output) => output.name === name && fitsJson(output)),
  );
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
