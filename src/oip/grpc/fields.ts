import { WireError, WireReader } from '../../onnx/wire.ts';
import { fault, type Source } from '../fault.ts';
import { nameFrom } from '../json.ts';

/** Fields of a message with all messages in it: more would only keep the thread busy. */
const MAX_FIELDS = 2 ** 18;

/** Walks the fields of a message and of those in it, and stops at {@link MAX_FIELDS} in all. */
export class Walk {
  readonly #source: Source;
  #left = MAX_FIELDS;

  constructor(source: Source) {
    this.#source = source;
  }

  /** Moves `reader` to its next field; false at its end. */
  next(reader: WireReader): boolean {
    if (this.#left-- === 0)
      throw fault(this.#source, '', `at most ${MAX_FIELDS} fields (raw or packed contents are one)`, 'more');
    return reader.next();
  }
}

/** Calls `read` with a reader of `bytes`. What is no protobuf message, or not one of this kind, breaks the protocol. */
export function reading<T>(
  bytes: Uint8Array,
  source: Source,
  read: (reader: WireReader, walk: Walk) => T,
): T {
  try {
    return read(new WireReader(bytes), new Walk(source));
  } catch (error) {
    if (error instanceof WireError) throw fault(source, '', 'a protobuf message', error.message);
    throw error;
  }
}

/** The current field as a name (see `nameFrom`): bytes that are not UTF-8 are refused. */
export function nameField(reader: WireReader, source: Source, place: string): string {
  return nameFrom(reader.text(), source, place);
}

/** Appends the current field of a repeated message or bytes field, at most `most` in all. */
export function push<T>(into: T[], value: T, most: number, source: Source, place: string): void {
  if (into.length >= most) throw fault(source, place, `at most ${most}`, 'more');
  into.push(value);
}

/** Dimensions of one tensor. */
const MAX_RANK = 32;

/** Appends the current field of a `shape`: whole numbers from `least`, exact. */
export function pushShape(
  reader: WireReader,
  into: number[],
  least: -1 | 0,
  source: Source,
  place: string,
): void {
  if (into.length + reader.countNumbers('varint') > MAX_RANK)
    throw fault(source, `${place}shape`, `at most ${MAX_RANK} dimensions`, 'more');
  const from = into.length;
  reader.pushInts(into);
  for (let i = from; i < into.length; i++)
    if (!Number.isSafeInteger(into[i]) || into[i]! < least)
      throw fault(source, `${place}shape`, `whole numbers from ${least} to 2⁵³ − 1`, `${into[i]}`);
}
