import type { WireReader } from '../../onnx/wire.ts';
import { ARRAYS, type DataOf, type Datatype } from '../datatype.ts';
import { fault, type Source } from '../fault.ts';
import { elementsOf } from '../shape.ts';
import type { Walk } from './fields.ts';

/** Field of `InferTensorContents` that holds each type; 16-bit floats have none. */
const FIELDS: Readonly<Partial<Record<Datatype, number>>> = {
  BOOL: 1,
  INT8: 2,
  INT16: 2,
  INT32: 2,
  INT64: 3,
  UINT8: 4,
  UINT16: 4,
  UINT32: 4,
  UINT64: 5,
  FP32: 6,
  FP64: 7,
  BYTES: 8,
};

/** Elements of a tensor that are written as varints, which are read one by one; more go as raw contents. */
const MAX_VARINTS = 2 ** 20;

/** Bytes of an element on the wire. */
const WIDTHS: Readonly<Record<number, 4 | 8 | 'varint'>> = { 6: 4, 7: 8 };

/**
 * The elements of an `InferTensorContents`, which must lie in the field of their type, packed or not. Counted before anything is
 * allocated, so that no more is than the message is long (times eight: a 64-bit integer may take one byte on the wire).
 */
export function dataFromContents<D extends Datatype>(
  datatype: D,
  shape: readonly number[],
  contents: () => WireReader,
  source: Source,
  place: string,
  walk: Walk,
): DataOf[D] {
  const field = FIELDS[datatype];
  if (field === undefined)
    throw fault(source, place, `${datatype} in raw form (contents have no field for it)`, 'contents');
  const count = elementsOf(shape);
  const width = WIDTHS[field] ?? 'varint';
  let found = 0;
  for (const reader = contents(); walk.next(reader); ) {
    if (reader.field > 8) continue;
    if (reader.field !== field)
      throw fault(source, place, `${datatype} in field ${field} of its contents`, `field ${reader.field}`);
    found += datatype === 'BYTES' ? 1 : reader.countNumbers(width);
  }
  if (found !== count) throw fault(source, place, `${count} elements for [${shape.join(', ')}]`, `${found}`);
  if (width === 'varint' && count > MAX_VARINTS)
    throw fault(source, place, `at most ${MAX_VARINTS} elements in typed contents`, `${count}`);
  return filled(datatype, count, field, contents(), source, place) as DataOf[D];
}

function filled(
  datatype: Datatype,
  count: number,
  field: number,
  reader: WireReader,
  source: Source,
  place: string,
): DataOf[Datatype] {
  const each = (read: () => void): void => {
    while (reader.next()) if (reader.field === field) read();
  };
  if (datatype === 'BYTES') {
    const strings: Uint8Array[] = [];
    each(() => strings.push(Uint8Array.from(reader.bytes())));
    return strings;
  }
  const data = new ARRAYS[datatype](count);
  let at = 0;
  if (datatype === 'FP32' || datatype === 'FP64') {
    const bytes = new Uint8Array(data.buffer);
    each(() => {
      const piece = reader.fixedBytes(data.BYTES_PER_ELEMENT as 4 | 8);
      bytes.set(piece, at);
      at += piece.length;
    });
    return data;
  }
  if (datatype === 'INT64' || datatype === 'UINT64') {
    // Written as two halves: exact, and without a BigInt for each.
    const halves = new Uint32Array(data.buffer);
    each(() =>
      reader.eachVarint((low, high) => {
        halves[at++] = low;
        halves[at++] = high;
      }),
    );
    return data;
  }
  const numbers = data as Uint8Array | Uint16Array | Uint32Array | Int8Array | Int16Array | Int32Array;
  const signed = datatype.startsWith('INT');
  each(() =>
    reader.eachVarint((low, high) => {
      // An int32 is on the wire as the 64 bits of its sign extension; a bool may be any number.
      const value =
        datatype === 'BOOL' ? Number(low !== 0 || high !== 0) : (signed ? high | 0 : high) * 4294967296 + low;
      numbers[at] = value;
      if (numbers[at++] !== value)
        throw fault(
          source,
          `${place}, element ${at - 1}`,
          `a whole number that ${datatype} holds`,
          'another',
        );
    }),
  );
  return data;
}
