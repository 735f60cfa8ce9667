import { GlacisError } from '../core/error.ts';
import { quoted } from '../onnx/problems.ts';
import { dataFromBytes, dataToBytes } from './binary-data.ts';
import { isDatatype } from './datatype.ts';
import { fault, kindOf, type Source } from './fault.ts';
import {
  field,
  type JsonObject,
  listFrom,
  nameFrom,
  objectFrom,
  parametersFrom,
  parseJson,
  takeParameter,
} from './json.ts';
import { dataFromJson, dataToJson } from './json-data.ts';
import { shapeFrom } from './shape.ts';
import { checkTensor, type Tensor } from './tensor.ts';
import { TextCount } from './text-count.ts';

/** The header that says how many bytes of a body are JSON; the tensors in binary form follow. */
export const JSON_LENGTH_HEADER = 'inference-header-content-length';

/** Tensors in one message. */
const MAX_TENSORS = 1024;

/** A message ready to send: the body, and the headers that describe it (names in lower case). */
export interface Outgoing {
  readonly body: Uint8Array<ArrayBuffer>;
  readonly headers: Readonly<Record<string, string>>;
}

/** A message as it came: attacker-controlled. The caller bounds the body's size while reading it. */
export interface Incoming {
  readonly body: Uint8Array;
  /** Value of {@link JSON_LENGTH_HEADER}; null or undefined where the message has none. */
  readonly jsonLength?: string | null | undefined;
}

/** A message taken apart. */
export interface Parts {
  readonly json: JsonObject;
  /** What follows the JSON; empty without the header. */
  readonly binary: Uint8Array;
}

/** Separates JSON and binary part. */
export function partsOf({ body, jsonLength }: Incoming, source: Source): Parts {
  if (jsonLength === null || jsonLength === undefined)
    return { json: objectFrom(parseJson(body, source), source, ''), binary: new Uint8Array(0) };
  const length = /^\d{1,10}$/.test(jsonLength) ? Number(jsonLength) : Number.NaN;
  if (!(length <= body.length))
    throw fault(
      source,
      JSON_LENGTH_HEADER,
      `a number up to the body's ${body.length} bytes`,
      quoted(jsonLength),
    );
  return {
    json: objectFrom(parseJson(body.subarray(0, length), source), source, ''),
    binary: body.subarray(length),
  };
}

/**
 * The tensors listed under `key`, whose data are in place or in the binary part, in order. Refused are a name twice, data in both
 * places or in none (shared memory is not supported), and bytes that no tensor claims.
 */
export function tensorsFrom(
  { json, binary }: Parts,
  key: 'inputs' | 'outputs',
  source: Source,
): readonly Tensor[] {
  let at = 0;
  const take = (size: unknown, place: string): Uint8Array => {
    if (!Number.isSafeInteger(size) || (size as number) < 0 || (size as number) > binary.length - at)
      throw fault(
        source,
        `${place}binary_data_size`,
        `a whole number up to the ${binary.length - at} bytes that are left`,
        typeof size === 'number' ? `${size}` : kindOf(size),
      );
    at += size as number;
    return binary.subarray(at - (size as number), at);
  };
  const seen = new Set<string>();
  const texts = new TextCount(source);
  const tensors = listFrom(field(json, key), source, key, MAX_TENSORS).map((value, i) => {
    const object = objectFrom(value, source, `${key}[${i}]`);
    const name = nameFrom(field(object, 'name'), source, `${key}[${i}].name`);
    const place = `${key} ${quoted(name)} `;
    if (seen.has(name)) throw fault(source, key, 'each name once', `${quoted(name)} twice`);
    seen.add(name);
    const datatype = nameFrom(field(object, 'datatype'), source, `${place}datatype`);
    if (!isDatatype(datatype))
      throw fault(source, `${place}datatype`, "one of the protocol's", quoted(datatype));
    const shape = shapeFrom(field(object, 'shape'), source, place, 0);
    if (datatype === 'BYTES') texts.add(shape, place);
    const { value: size, rest: parameters } = takeParameter(
      parametersFrom(object, source, place),
      'binary_data_size',
    );
    const listed = field(object, 'data');
    if ((listed === undefined) === (size === undefined))
      throw fault(
        source,
        place.trimEnd(),
        'either data or binary_data_size',
        listed === undefined ? 'neither' : 'both',
      );
    const data =
      size === undefined
        ? dataFromJson(datatype, shape, listed, source, `${place}data`)
        : dataFromBytes(datatype, shape, take(size, place), source, `${place}data`);
    return { name, datatype, shape, data, parameters } as Tensor;
  });
  if (at !== binary.length) throw fault(source, '', `${at} bytes after the JSON`, `${binary.length}`);
  return tensors;
}

/**
 * A message from its fields and its tensors, those in binary form for which `inBinary` says so.
 * Errors: `data/mismatch`, `data/not-finite` and `option/invalid` for tensors that cannot be sent that way.
 */
export function messageOf(
  fields: JsonObject,
  key: 'inputs' | 'outputs',
  tensors: readonly Tensor[],
  inBinary: (name: string) => boolean,
): Outgoing {
  const pieces: Uint8Array[] = [];
  const listed = tensors.map((tensor) => {
    checkTensor(tensor);
    const { name, datatype, shape, parameters } = tensor;
    if (!inBinary(name)) {
      const head = JSON.stringify({ name, shape, datatype, ...withEntries(parameters) });
      return `${head.slice(0, -1)},"data":${dataToJson(tensor)}}`;
    }
    const bytes = dataToBytes(tensor);
    pieces.push(bytes);
    return JSON.stringify({
      name,
      shape,
      datatype,
      parameters: { ...parameters, binary_data_size: bytes.length },
    });
  });
  const rest = JSON.stringify(fields);
  const json = new TextEncoder().encode(
    `${rest.slice(0, -1)}${rest === '{}' ? '' : ','}"${key}":[${listed.join()}]}`,
  );
  const body = concatenated([json, ...pieces]);
  if (pieces.length === 0) return { body, headers: { 'content-type': 'application/json' } };
  return {
    body,
    headers: { 'content-type': 'application/octet-stream', [JSON_LENGTH_HEADER]: `${json.length}` },
  };
}

/** `parameters` as a field, left out where there are none. */
export function withEntries(parameters: object | undefined): JsonObject {
  return parameters && Object.keys(parameters).length > 0 ? { parameters } : {};
}

function concatenated(pieces: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const length = pieces.reduce((sum, piece) => sum + piece.length, 0);
  if (length > 2 ** 31)
    throw new GlacisError(
      'data/mismatch',
      `message: expected at most 2 GiB, got ${length} bytes; send fewer samples`,
    );
  const whole = new Uint8Array(length);
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}
