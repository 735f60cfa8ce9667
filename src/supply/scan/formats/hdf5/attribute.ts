import type { Budget } from '../../limits.ts';
import type { Cursor, Hdf5Reader } from './reader.ts';

/** An attribute whose values are texts. */
export interface TextAttribute {
  readonly name: string;
  readonly texts: readonly string[];
}

const FIXED_TEXT = 3;
const VARIABLE = 9;
const MAX_TEXTS = 100_000;

/**
 * Reads an attribute message; `undefined` where its values are no texts, `shared` where its type is stored elsewhere. A text of variable length lies in a global heap.
 * Source: HDF5 File Format Specification 3.0, sections IV.A.2.d, l, m and III.E.
 */
export async function readAttribute(
  body: Cursor,
  reader: Hdf5Reader,
  budget: Budget,
): Promise<TextAttribute | 'shared' | undefined> {
  const version = body.u8();
  const flags = body.u8();
  const [nameBytes, typeBytes, spaceBytes] = [body.u16(), body.u16(), body.u16()];
  if (version === 3) body.u8();
  const padded = (length: number) =>
    body.bytes(version === 1 ? Math.min(body.left, Math.ceil(length / 8) * 8) : length);
  const name = reader.within(padded(nameBytes)).text();
  const type = reader.within(padded(typeBytes));
  const space = reader.within(padded(spaceBytes));
  // A type that is shared lies elsewhere in the file.
  if (version > 1 && (flags & 3) !== 0) return 'shared';
  const [classAndVersion, kind] = [type.u8(), type.u8()];
  type.u16();
  const size = type.u32();
  const count = Math.min(elements(space), MAX_TEXTS);
  const typeClass = classAndVersion & 15;
  const texts: string[] = [];
  if (typeClass === FIXED_TEXT) {
    for (let i = 0; i < count && size > 0 && body.left >= size; i++) {
      budget.step();
      texts.push(reader.within(body.bytes(size)).text());
    }
  } else if (typeClass === VARIABLE && (kind & 15) === 1) {
    for (let i = 0; i < count && body.left >= 8; i++) {
      budget.step();
      const length = body.u32();
      const heap = body.address();
      const index = body.u32();
      if (heap !== undefined && length > 0) texts.push(await heapText(reader, heap, index, length, budget));
    }
  } else return undefined;
  return { name, texts };
}

/** How many values a dataspace has. */
function elements(space: Cursor): number {
  const version = space.u8();
  const rank = space.u8();
  space.bytes(version === 1 ? 6 : 2);
  let count = 1;
  for (let i = 0; i < rank && space.left > 0; i++) count *= space.length();
  return count;
}

async function heapText(
  reader: Hdf5Reader,
  heap: number,
  index: number,
  length: number,
  budget: Budget,
): Promise<string> {
  const head = await reader.at(heap, 16);
  if (Buffer.from(head.bytes(4)).toString('latin1') !== 'GCOL') return '';
  head.u32();
  const objects = await reader.at(heap, head.length());
  objects.bytes(8);
  objects.length();
  while (objects.left >= 8) {
    budget.step();
    const number = objects.u16();
    objects.bytes(6);
    const bytes = objects.length();
    if (number === 0) return '';
    if (number === index) return Buffer.from(objects.bytes(Math.min(bytes, length))).toString();
    objects.bytes(Math.min(objects.left, Math.ceil(bytes / 8) * 8));
  }
  return '';
}
