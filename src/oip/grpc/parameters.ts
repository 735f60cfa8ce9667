import type { WireReader } from '../../onnx/wire.ts';
import { fault, type Source } from '../fault.ts';
import type { Parameter, Parameters } from '../json.ts';
import { nameField, type Walk } from './fields.ts';
import type { ProtoWriter } from './proto-writer.ts';

const MAX_PARAMETERS = 256;
const MAX_PARAMETER_TEXT = 65_536;

/** Parameters while a message is read; undefined while there are none. */
export type Collected = Map<string, Parameter> | undefined;

/** Adds the current field of a `map<string, InferParameter>`. A key twice is refused, which no writer of maps sends. */
export function pushParameter(
  reader: WireReader,
  into: Collected,
  source: Source,
  place: string,
  walk: Walk,
): Map<string, Parameter> {
  const entry = reader.message();
  const all = into ?? new Map<string, Parameter>();
  let key = '';
  let value: Parameter | undefined;
  while (walk.next(entry)) {
    if (entry.field === 1) key = nameField(entry, source, `${place}parameters`);
    else if (entry.field === 2) value = parameterFrom(entry.message(), source, `${place}parameters`, walk);
  }
  if (value === undefined) throw fault(source, `${place}parameters`, 'a value for each', 'a key without');
  if (all.has(key)) throw fault(source, `${place}parameters`, 'each key once', 'one twice');
  all.set(key, value);
  if (all.size > MAX_PARAMETERS)
    throw fault(source, `${place}parameters`, `at most ${MAX_PARAMETERS}`, 'more');
  return all;
}

/** `InferParameter`: a oneof, of which the last field counts. */
function parameterFrom(reader: WireReader, source: Source, place: string, walk: Walk): Parameter | undefined {
  let value: Parameter | undefined;
  while (walk.next(reader)) {
    switch (reader.field) {
      case 1:
        reader.eachVarint((low, high) => {
          value = low !== 0 || high !== 0;
        });
        break;
      case 2:
      case 5: {
        const unsigned = reader.field === 5;
        reader.eachVarint((low, high) => {
          value = (unsigned ? high : high | 0) * 4294967296 + low;
        });
        break;
      }
      case 3:
        value = reader.text();
        if (value.length > MAX_PARAMETER_TEXT || !value.isWellFormed())
          throw fault(source, place, `text of at most ${MAX_PARAMETER_TEXT} characters`, 'another');
        break;
      case 4: {
        const bytes = reader.fixedBytes(8);
        if (bytes.length !== 8) throw fault(source, place, 'one number', `${bytes.length} bytes`);
        value = new DataView(bytes.buffer, bytes.byteOffset, 8).getFloat64(0, true);
        break;
      }
    }
    if (
      typeof value === 'number' &&
      (reader.field === 4 ? !Number.isFinite(value) : !Number.isSafeInteger(value))
    )
      throw fault(source, place, 'a finite number, a whole one up to ±(2⁵³ − 1)', 'another');
  }
  return value;
}

/** The parameters as an object with properties of its own only. */
export function collected(parameters: Collected): Parameters {
  return parameters === undefined ? {} : Object.fromEntries(parameters);
}

/** Writes parameters as the field `field`. Whole numbers go as int64, others as double. */
export function writeParameters(
  writer: ProtoWriter,
  field: number,
  parameters: Parameters | undefined,
): void {
  for (const key in parameters) {
    if (!Object.hasOwn(parameters, key)) continue;
    const value = parameters[key]!;
    writer.message(field, () => {
      writer.text(1, key);
      writer.message(2, () => {
        if (typeof value === 'boolean') writer.bool(1, value, true);
        else if (typeof value === 'string') writer.text(3, value, true);
        else if (Number.isSafeInteger(value)) writer.int(2, value);
        else writer.double(4, value);
      });
    });
  }
}
