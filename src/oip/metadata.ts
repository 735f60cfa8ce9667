import type { Source } from './fault.ts';
import { field, type JsonObject, listFrom, nameFrom, objectFrom, parseJson } from './json.ts';
import { shapeFrom } from './shape.ts';

/** An input or output as a server describes it. */
export interface TensorMetadata {
  readonly name: string;
  /** One of `DATATYPES` where the server keeps to the protocol; not checked, because a model may have outputs nobody asks for. */
  readonly datatype: string;
  /** −1 means that any size will do. */
  readonly shape: readonly number[];
}

/** What a server says of a model. */
export interface ModelMetadata {
  readonly name: string;
  readonly versions?: readonly string[];
  /** Empty where the server leaves it out. */
  readonly platform: string;
  /** Empty where the server does not know, as KServe's and MLServer's custom models do. */
  readonly inputs: readonly TensorMetadata[];
  readonly outputs: readonly TensorMetadata[];
}

const MAX_TENSORS = 1024;
const MAX_VERSIONS = 4096;

/** Reads the answer to `GET /v2/models/NAME[/versions/V]`. `where` begins the messages. Errors: `endpoint/bad-answer`. */
export function decodeModelMetadata(body: Uint8Array, where: string): ModelMetadata {
  const source: Source = { where, code: 'endpoint/bad-answer' };
  const json = objectFrom(parseJson(body, source), source, '');
  const versions = field(json, 'versions');
  return {
    name: nameFrom(field(json, 'name'), source, 'name'),
    ...(versions !== undefined && {
      versions: listFrom(versions, source, 'versions', MAX_VERSIONS).map((version) =>
        nameFrom(version, source, 'versions'),
      ),
    }),
    platform: nameFrom(field(json, 'platform') ?? '', source, 'platform'),
    inputs: tensorsOf(json, 'inputs', source),
    outputs: tensorsOf(json, 'outputs', source),
  };
}

function tensorsOf(json: JsonObject, key: 'inputs' | 'outputs', source: Source): readonly TensorMetadata[] {
  return listFrom(field(json, key) ?? [], source, key, MAX_TENSORS).map((value, i) => {
    const place = `${key}[${i}]`;
    const object = objectFrom(value, source, place);
    return {
      name: nameFrom(field(object, 'name'), source, `${place}.name`),
      datatype: nameFrom(field(object, 'datatype'), source, `${place}.datatype`),
      shape: shapeFrom(field(object, 'shape'), source, `${place}.`, -1),
    };
  });
}

/** Writes model metadata as a server answers it. */
export function encodeModelMetadata(metadata: ModelMetadata): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(JSON.stringify(metadata));
}
