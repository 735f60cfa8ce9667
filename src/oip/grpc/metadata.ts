import type { WireReader } from '../../onnx/wire.ts';
import type { Source } from '../fault.ts';
import type { ModelMetadata, TensorMetadata } from '../metadata.ts';
import { nameField, push, pushShape, reading, type Walk } from './fields.ts';
import { ProtoWriter } from './proto-writer.ts';

const REQUEST: Source = { where: 'request', code: 'request/invalid' };
const MAX_TENSORS = 1024;
const MAX_VERSIONS = 4096;

/** A model, and its version where one is named. */
export interface GrpcModel {
  readonly model: string;
  readonly version: string | undefined;
}

/** Reads a `ModelMetadataRequest` or `ModelReadyRequest`, which have the same fields. Errors: `request/invalid`. */
export function decodeGrpcModel(bytes: Uint8Array): GrpcModel {
  return reading(bytes, REQUEST, (reader, walk) => {
    let [model, version] = ['', ''];
    while (walk.next(reader)) {
      if (reader.field === 1) model = nameField(reader, REQUEST, 'name');
      else if (reader.field === 2) version = nameField(reader, REQUEST, 'version');
    }
    return { model, version: version === '' ? undefined : version };
  });
}

/** A `ModelMetadataRequest` or `ModelReadyRequest` in pieces. */
export function encodeGrpcModel({ model, version }: GrpcModel): readonly Uint8Array[] {
  const writer = new ProtoWriter();
  writer.text(1, model);
  writer.text(2, version ?? '');
  return writer.chunks();
}

/** Reads a message without fields (`ServerLiveRequest` and its like). Errors: `request/invalid`. */
export function decodeGrpcEmpty(bytes: Uint8Array): void {
  reading(bytes, REQUEST, (reader, walk) => {
    while (walk.next(reader));
  });
}

/** Reads a `ModelMetadataResponse`. `where` begins the messages. Errors: `endpoint/bad-answer`. */
export function decodeGrpcModelMetadata(bytes: Uint8Array, where: string): ModelMetadata {
  const source: Source = { where, code: 'endpoint/bad-answer' };
  return reading(bytes, source, (reader, walk) => {
    let [name, platform] = ['', ''];
    const versions: string[] = [];
    const inputs: TensorMetadata[] = [];
    const outputs: TensorMetadata[] = [];
    while (walk.next(reader)) {
      switch (reader.field) {
        case 1:
          name = nameField(reader, source, 'name');
          break;
        case 2:
          push(versions, nameField(reader, source, 'versions'), MAX_VERSIONS, source, 'versions');
          break;
        case 3:
          platform = nameField(reader, source, 'platform');
          break;
        case 4:
          push(
            inputs,
            tensorFrom(reader, source, `inputs[${inputs.length}]`, walk),
            MAX_TENSORS,
            source,
            'inputs',
          );
          break;
        case 5:
          push(
            outputs,
            tensorFrom(reader, source, `outputs[${outputs.length}]`, walk),
            MAX_TENSORS,
            source,
            'outputs',
          );
          break;
      }
    }
    return { name, ...(versions.length > 0 && { versions }), platform, inputs, outputs };
  });
}

function tensorFrom(reader: WireReader, source: Source, place: string, walk: Walk): TensorMetadata {
  const entry = reader.message();
  let [name, datatype] = ['', ''];
  const shape: number[] = [];
  while (walk.next(entry)) {
    if (entry.field === 1) name = nameField(entry, source, `${place}.name`);
    else if (entry.field === 2) datatype = nameField(entry, source, `${place}.datatype`);
    else if (entry.field === 3) pushShape(entry, shape, -1, source, `${place}.`);
  }
  return { name, datatype, shape };
}

/** A `ModelMetadataResponse` in pieces. */
export function encodeGrpcModelMetadata(metadata: ModelMetadata): readonly Uint8Array[] {
  const writer = new ProtoWriter();
  writer.text(1, metadata.name);
  for (const version of metadata.versions ?? []) writer.text(2, version, true);
  writer.text(3, metadata.platform);
  const list = (field: number, tensors: readonly TensorMetadata[]): void => {
    for (const { name, datatype, shape } of tensors)
      writer.message(field, () => {
        writer.text(1, name);
        writer.text(2, datatype);
        writer.ints(3, shape);
      });
  };
  list(4, metadata.inputs);
  list(5, metadata.outputs);
  return writer.chunks();
}

/** What a server says of itself. */
export interface ServerMetadata {
  readonly name: string;
  readonly version: string;
  readonly extensions: readonly string[];
}

/** A `ServerMetadataResponse` in pieces. */
export function encodeGrpcServerMetadata({
  name,
  version,
  extensions,
}: ServerMetadata): readonly Uint8Array[] {
  const writer = new ProtoWriter();
  writer.text(1, name);
  writer.text(2, version);
  for (const extension of extensions) writer.text(3, extension, true);
  return writer.chunks();
}

/** A `ServerLiveResponse`, `ServerReadyResponse` or `ModelReadyResponse`, which have the same field, in pieces. */
export function encodeGrpcYes(yes: boolean): readonly Uint8Array[] {
  const writer = new ProtoWriter();
  writer.bool(1, yes);
  return writer.chunks();
}

/** Reads what {@link encodeGrpcYes} writes. `where` begins the messages. Errors: `endpoint/bad-answer`. */
export function decodeGrpcYes(bytes: Uint8Array, where: string): boolean {
  return reading(bytes, { where, code: 'endpoint/bad-answer' }, (reader, walk) => {
    let yes = false;
    while (walk.next(reader))
      if (reader.field === 1)
        reader.eachVarint((low, high) => {
          yes = low !== 0 || high !== 0;
        });
    return yes;
  });
}
