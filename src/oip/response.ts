import type { Source } from './fault.ts';
import { field, nameFrom, type Parameters, parametersFrom } from './json.ts';
import { type Incoming, messageOf, type Outgoing, partsOf, tensorsFrom, withEntries } from './message.ts';
import type { Tensor } from './tensor.ts';

/** An inference response. */
export interface InferResponse {
  /** Empty where the server leaves it out. */
  readonly modelName: string;
  readonly modelVersion?: string;
  /** The request's. */
  readonly id?: string;
  readonly parameters?: Parameters;
  readonly outputs: readonly Tensor[];
}

/**
 * Reads the answer to an inference request, JSON or with the binary tensor data extension. Keys that the protocol does not have are
 * ignored. NaN and infinities can come in binary form and are passed on. `where` begins the messages.
 * Errors: `endpoint/bad-answer`.
 */
export function decodeInferResponse(message: Incoming, where: string): InferResponse {
  const source: Source = { where, code: 'endpoint/bad-answer' };
  const parts = partsOf(message, source);
  const text = (key: string) => {
    const value = field(parts.json, key);
    return value === undefined ? undefined : nameFrom(value, source, key);
  };
  const [modelVersion, id] = [text('model_version'), text('id')];
  return {
    modelName: text('model_name') ?? '',
    ...(modelVersion !== undefined && { modelVersion }),
    ...(id !== undefined && { id }),
    parameters: parametersFrom(parts.json, source, ''),
    outputs: tensorsFrom(parts, 'outputs', source),
  };
}

/**
 * Writes an inference response; outputs for which `inBinary` says so go in binary form (see `wantsBinary`).
 * Errors: `data/mismatch`, `data/not-finite`, `option/invalid` for outputs that cannot be sent that way.
 */
export function encodeInferResponse(response: InferResponse, inBinary: (name: string) => boolean): Outgoing {
  const { modelName, modelVersion, id, parameters, outputs } = response;
  const fields = {
    model_name: modelName,
    ...(modelVersion !== undefined && { model_version: modelVersion }),
    ...(id !== undefined && { id }),
    ...withEntries(parameters),
  };
  return messageOf(fields, 'outputs', outputs, inBinary);
}
