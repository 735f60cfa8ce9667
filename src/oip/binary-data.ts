import { ARRAYS, type DataOf, type Datatype } from './datatype.ts';
import { fault, type Source } from './fault.ts';
import { elementsOf } from './shape.ts';
import type { Tensor } from './tensor.ts';

/**
 * The elements in `bytes`: little-endian, row-major, no padding; `BOOL` one byte of 0 or 1; `BYTES` a 4-byte length before each
 * element. All bytes must be used. A view where the bytes are aligned and at least half of their buffer, so that no small tensor keeps a
 * large message alive; a copy otherwise.
 * Source: https://github.com/triton-inference-server/server/blob/main/docs/protocol/extension_binary_data.md
 */
export function dataFromBytes<D extends Datatype>(
  datatype: D,
  shape: readonly number[],
  bytes: Uint8Array,
  source: Source,
  place: string,
): DataOf[D] {
  if (datatype === 'BYTES') return stringsFrom(elementsOf(shape), bytes, source, place) as DataOf[D];
  const make = ARRAYS[datatype as Exclude<Datatype, 'BYTES'>];
  const expected = elementsOf(shape) * make.BYTES_PER_ELEMENT;
  if (bytes.length !== expected)
    throw fault(
      source,
      place,
      `${expected} bytes for ${datatype} [${shape.join(', ')}]`,
      `binary_data_size ${bytes.length}`,
    );
  if (datatype === 'BOOL' && bytes.some((byte) => byte > 1))
    throw fault(source, place, 'bytes of 0 or 1 for BOOL', 'another byte');
  const { buffer, byteOffset, length } = bytes;
  const inPlace = byteOffset % make.BYTES_PER_ELEMENT === 0 && 2 * length >= buffer.byteLength;
  const data = inPlace
    ? new make(buffer as ArrayBuffer, byteOffset, length / make.BYTES_PER_ELEMENT)
    : new make(Uint8Array.from(bytes).buffer);
  return data as DataOf[Datatype] as DataOf[D];
}

function stringsFrom(count: number, bytes: Uint8Array, source: Source, place: string): readonly Uint8Array[] {
  // Attacker-controlled count and lengths: each element takes at least its four bytes.
  if (count * 4 > bytes.length)
    throw fault(source, place, `${count} elements of BYTES`, `binary_data_size ${bytes.length}`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const elements: Uint8Array[] = [];
  let at = 0;
  for (let i = 0; i < count; i++) {
    const length = at + 4 <= bytes.length ? view.getUint32(at, true) : Number.POSITIVE_INFINITY;
    if (at + 4 + length > bytes.length)
      throw fault(source, place, `${count} elements of BYTES`, `an end inside element ${i}`);
    elements.push(Uint8Array.from(bytes.subarray(at + 4, at + 4 + length)));
    at += 4 + length;
  }
  if (at !== bytes.length)
    throw fault(
      source,
      place,
      `${at} bytes for ${count} elements of BYTES`,
      `binary_data_size ${bytes.length}`,
    );
  return elements;
}

/** A tensor's elements as {@link dataFromBytes} reads them; a view of the data where that is one array. */
export function dataToBytes(tensor: Tensor): Uint8Array {
  if (tensor.datatype !== 'BYTES') {
    const { buffer, byteOffset, byteLength } = tensor.data;
    return new Uint8Array(buffer, byteOffset, byteLength);
  }
  const bytes = new Uint8Array(tensor.data.reduce((sum, element) => sum + 4 + element.length, 0));
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (const element of tensor.data) {
    view.setUint32(at, element.length, true);
    bytes.set(element, at + 4);
    at += 4 + element.length;
  }
  return bytes;
}
