import type { Source } from '../fault.ts';
import type { InferResponse } from '../response.ts';
import { nameField, push, reading } from './fields.ts';
import { type Collected, collected, pushParameter, writeParameters } from './parameters.ts';
import { ProtoWriter } from './proto-writer.ts';
import { type Head, headFrom, MAX_TENSORS, tensorsFromHeads, writeTensors } from './tensors.ts';

/** Reads a `ModelInferResponse`; NaN and infinities are passed on. `where` begins the messages. Errors: `endpoint/bad-answer`. */
export function decodeGrpcInferResponse(bytes: Uint8Array, where: string): InferResponse {
  const source: Source = { where, code: 'endpoint/bad-answer' };
  return reading(bytes, source, (reader, walk) => {
    let [modelName, modelVersion, id] = ['', '', ''];
    let parameters: Collected;
    const heads: Head[] = [];
    const raw: Uint8Array[] = [];
    while (walk.next(reader)) {
      switch (reader.field) {
        case 1:
          modelName = nameField(reader, source, 'model_name');
          break;
        case 2:
          modelVersion = nameField(reader, source, 'model_version');
          break;
        case 3:
          id = nameField(reader, source, 'id');
          break;
        case 4:
          parameters = pushParameter(reader, parameters, source, '', walk);
          break;
        case 5:
          push(
            heads,
            headFrom(reader, source, `outputs[${heads.length}]`, walk),
            MAX_TENSORS,
            source,
            'outputs',
          );
          break;
        case 6:
          push(raw, reader.bytes(), MAX_TENSORS, source, 'raw_output_contents');
          break;
      }
    }
    return {
      modelName,
      ...(modelVersion !== '' && { modelVersion }),
      ...(id !== '' && { id }),
      parameters: collected(parameters),
      outputs: tensorsFromHeads(heads, raw, 'outputs', source, walk),
    };
  });
}

/** A `ModelInferResponse` in pieces, in order; tensors go as raw contents, by reference. Errors: `data/mismatch`. */
export function encodeGrpcInferResponse(response: InferResponse): readonly Uint8Array[] {
  const writer = new ProtoWriter();
  writer.text(1, response.modelName);
  writer.text(2, response.modelVersion ?? '');
  writer.text(3, response.id ?? '');
  writeParameters(writer, 4, response.parameters);
  writeTensors(writer, response.outputs, { field: 5, raw: 6 });
  return writer.chunks();
}
