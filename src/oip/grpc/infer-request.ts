import { quoted } from '../../onnx/problems.ts';
import type { WireReader } from '../../onnx/wire.ts';
import { fault, type Source } from '../fault.ts';
import type { InferRequest, RequestedOutput } from '../request.ts';
import { nameField, push, reading, type Walk } from './fields.ts';
import { type Collected, collected, pushParameter, writeParameters } from './parameters.ts';
import { ProtoWriter } from './proto-writer.ts';
import { type Head, headFrom, MAX_TENSORS, tensorsFromHeads, writeTensors } from './tensors.ts';

/** What a `ModelInferRequest` says. */
export interface GrpcInferRequest {
  readonly model: string;
  /** The server chooses where it is undefined. */
  readonly version: string | undefined;
  /** Outputs always come in binary form. */
  readonly request: InferRequest;
}

const REQUEST: Source = { where: 'request', code: 'request/invalid' };

/**
 * Reads a `ModelInferRequest`. Tensors are views of `bytes` where these are aligned and most of their buffer, otherwise copies. Fields that
 * the protocol does not have are ignored. Errors: `request/invalid`.
 */
export function decodeGrpcInferRequest(bytes: Uint8Array): GrpcInferRequest {
  return reading(bytes, REQUEST, (reader, walk) => {
    let [model, version, id] = ['', '', ''];
    let parameters: Collected;
    const heads: Head[] = [];
    const outputs: RequestedOutput[] = [];
    const raw: Uint8Array[] = [];
    while (walk.next(reader)) {
      switch (reader.field) {
        case 1:
          model = nameField(reader, REQUEST, 'model_name');
          break;
        case 2:
          version = nameField(reader, REQUEST, 'model_version');
          break;
        case 3:
          id = nameField(reader, REQUEST, 'id');
          break;
        case 4:
          parameters = pushParameter(reader, parameters, REQUEST, '', walk);
          break;
        case 5:
          push(
            heads,
            headFrom(reader, REQUEST, `inputs[${heads.length}]`, walk),
            MAX_TENSORS,
            REQUEST,
            'inputs',
          );
          break;
        case 6:
          push(
            outputs,
            outputFrom(reader, `outputs[${outputs.length}]`, walk),
            MAX_TENSORS,
            REQUEST,
            'outputs',
          );
          break;
        case 7:
          push(raw, reader.bytes(), MAX_TENSORS, REQUEST, 'raw_input_contents');
          break;
      }
    }
    const names = new Set(outputs.map(({ name }) => name));
    if (names.size < outputs.length) throw fault(REQUEST, 'outputs', 'each name once', 'one twice');
    const request: InferRequest = {
      ...(id !== '' && { id }),
      parameters: collected(parameters),
      inputs: tensorsFromHeads(heads, raw, 'inputs', REQUEST, walk),
      ...(outputs.length > 0 && { outputs }),
      binaryOutput: true,
    };
    return { model, version: version === '' ? undefined : version, request };
  });
}

function outputFrom(reader: WireReader, place: string, walk: Walk): RequestedOutput {
  const entry = reader.message();
  let name = '';
  let parameters: Collected;
  while (walk.next(entry)) {
    if (entry.field === 1) name = nameField(entry, REQUEST, `${place}.name`);
    else if (entry.field === 2)
      parameters = pushParameter(entry, parameters, REQUEST, `${place} ${quoted(name)} `, walk);
  }
  return { name, binary: true, parameters: collected(parameters) };
}

/**
 * A `ModelInferRequest` in pieces, in order; tensors go as raw contents, by reference. What the request says of binary form does not
 * count. Errors: `data/mismatch`.
 */
export function encodeGrpcInferRequest({ model, version, request }: GrpcInferRequest): readonly Uint8Array[] {
  const writer = new ProtoWriter();
  writer.text(1, model);
  writer.text(2, version ?? '');
  writer.text(3, request.id ?? '');
  writeParameters(writer, 4, request.parameters);
  writeTensors(writer, request.inputs, {
    field: 5,
    raw: 7,
    between: () => {
      for (const { name, parameters } of request.outputs ?? [])
        writer.message(6, () => {
          writer.text(1, name);
          writeParameters(writer, 2, parameters);
        });
    },
  });
  return writer.chunks();
}
