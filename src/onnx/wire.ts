/**
 * The protobuf wire format, as far as ONNX uses it: a reader that walks one message's fields over a view of the file, and a
 * writer that keeps large byte fields by reference. Written by hand rather than taken from the generated code because a
 * model file is attacker-controlled and large: nothing here recurses, copies tensor bytes, or allocates more than the
 * caller has agreed to, while a generic decoder makes an object for every two bytes of a hostile file.
 * Source: https://protobuf.dev/programming-guides/encoding/
 */

import { toInt64 } from './tensor.ts';
import { decodeText, encodeText } from './text.ts';

/** The bytes are not a protobuf message. Callers turn it into a `model/unreadable`. */
export class WireError extends Error {
  override readonly name = 'WireError';
}

const VARINT = 0;
const FIXED64 = 1;
const BYTES = 2;
const FIXED32 = 5;

/** Walks the fields of one message: call {@link next} until it is false, and read the value in between. */
export class WireReader {
  /** Number of the current field. */
  field = 0;
  #wire = 0;
  #low = 0;
  #high = 0;
  #start = 0;
  #tag = 0;
  #at: number;
  readonly #bytes: Uint8Array;
  readonly #end: number;
  readonly #buffer: Buffer;

  /** A reader of a whole message; {@link message} gives those inside it, which share `parent`'s bytes. */
  constructor(bytes: Uint8Array, parent?: WireReader, start = 0, end = bytes.length) {
    this.#bytes = bytes;
    this.#at = start;
    this.#end = end;
    this.#buffer =
      parent === undefined ? Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength) : parent.#buffer;
  }

  /** Moves to the next field; false at the end of the message. Errors: {@link WireError}. */
  next(): boolean {
    if (this.#at >= this.#end) return false;
    this.#tag = this.#at;
    this.#varint();
    const tag = this.#low;
    if (this.#high !== 0 || tag >>> 3 === 0) this.#fail('a field number that protobuf does not allow');
    this.field = tag >>> 3;
    this.#wire = tag & 7;
    switch (this.#wire) {
      case VARINT:
        this.#varint();
        return true;
      case FIXED64:
        return this.#take(8);
      case FIXED32:
        return this.#take(4);
      case BYTES: {
        this.#varint();
        if (this.#high !== 0) this.#fail('a field longer than 4 GiB');
        return this.#take(this.#low);
      }
      default:
        return this.#fail(`wire type ${this.#wire}, which ONNX does not use`);
    }
  }

  #take(length: number): true {
    if (length > this.#end - this.#at) {
      this.#fail(`a field of ${length} bytes where ${this.#end - this.#at} are left`);
    }
    this.#start = this.#at;
    this.#at += length;
    return true;
  }

  #varint(): void {
    let low = 0;
    let high = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      if (this.#at >= this.#end) this.#fail('an end in the middle of a number');
      const byte = this.#bytes[this.#at++]!;
      const bits = byte & 0x7f;
      if (shift < 28) low |= bits << shift;
      else if (shift === 28) {
        low |= bits << 28;
        high = bits >>> 4;
      } else high |= bits << (shift - 32);
      if (byte < 0x80) {
        this.#low = low >>> 0;
        this.#high = high >>> 0;
        return;
      }
    }
    this.#fail('a number of more than ten bytes');
  }

  #fail(what: string): never {
    throw new WireError(`byte ${this.#at}: ${what}`);
  }

  #expect(wire: number): void {
    if (this.#wire !== wire)
      this.#fail(`field ${this.field} with wire type ${this.#wire} where ${wire} belongs`);
  }

  /** The current field as a signed 64-bit integer, exact up to ±2^53, rounded beyond. */
  int(): number {
    this.#expect(VARINT);
    return this.#high === 0 ? this.#low : (this.#high | 0) * 4294967296 + this.#low;
  }

  /** The current field as a float32. */
  float(): number {
    this.#expect(FIXED32);
    return this.#buffer.readFloatLE(this.#start);
  }

  /** The current field's bytes, as a view. */
  bytes(): Uint8Array {
    this.#expect(BYTES);
    return this.#bytes.subarray(this.#start, this.#at);
  }

  /** The current field as text (see {@link decodeText}). */
  text(): string {
    this.#expect(BYTES);
    for (let i = this.#start; i < this.#at; i++) {
      if (this.#bytes[i]! > 0x7f) return decodeText(this.bytes());
    }
    return this.#buffer.toString('latin1', this.#start, this.#at);
  }

  /** A reader of the current field as a message. */
  message(): WireReader {
    this.#expect(BYTES);
    return new WireReader(this.#bytes, this, this.#start, this.#at);
  }

  /** The bytes that {@link next} has not passed yet, as a view. */
  rest(): Uint8Array {
    return this.#bytes.subarray(this.#at, this.#end);
  }

  /** The current field with its tag, as it stands in the message, as a view. */
  encoded(): Uint8Array {
    return this.#bytes.subarray(this.#tag, this.#at);
  }

  /** A reader that stays at the current field while this one moves on. */
  current(): WireReader {
    const copy = new WireReader(this.#bytes, this, this.#at, this.#at);
    copy.field = this.field;
    copy.#wire = this.#wire;
    copy.#low = this.#low;
    copy.#high = this.#high;
    copy.#start = this.#start;
    return copy;
  }

  /** How many numbers the current field of a repeated scalar holds: many when packed, otherwise one. */
  countNumbers(width: 'varint' | 4 | 8): number {
    if (this.#wire !== BYTES) return 1;
    const length = this.#at - this.#start;
    if (width !== 'varint')
      return length % width === 0
        ? length / width
        : this.#fail('a packed list that ends in the middle of a number');
    let count = 0;
    for (let i = this.#start; i < this.#at; i++) if (this.#bytes[i]! < 0x80) count++;
    return count;
  }

  /** Appends the current field of a repeated integer, packed or not. Rounds beyond ±2^53. */
  pushInts(into: number[]): void {
    if (this.#wire !== BYTES) into.push(this.int());
    else this.#packedVarints((low, high) => into.push(high === 0 ? low : (high | 0) * 4294967296 + low));
  }

  /** Calls `each` with the low and high 32 bits (unsigned) of every integer in the current field, packed or not. */
  eachVarint(each: (low: number, high: number) => void): void {
    if (this.#wire === BYTES) this.#packedVarints(each);
    else {
      this.#expect(VARINT);
      each(this.#low, this.#high);
    }
  }

  #packedVarints(each: (low: number, high: number) => void): void {
    const inner = new WireReader(this.#bytes, this, this.#start, this.#at);
    while (inner.#at < inner.#end) {
      inner.#varint();
      each(inner.#low, inner.#high);
    }
  }

  /** Appends the current field of a repeated float, packed or not. */
  pushFloats(into: number[]): void {
    if (this.#wire !== BYTES) into.push(this.float());
    else {
      const n = this.countNumbers(4);
      for (let i = 0; i < n; i++) into.push(this.#buffer.readFloatLE(this.#start + 4 * i));
    }
  }

  /** The little-endian bytes of the current field of a repeated fixed-width number, packed or not, as a view. */
  fixedBytes(width: 4 | 8): Uint8Array {
    this.countNumbers(width);
    if (this.#wire !== BYTES) this.#expect(width === 4 ? FIXED32 : FIXED64);
    return this.#bytes.subarray(this.#start, this.#at);
  }
}

/** Byte fields from this length on are kept by reference. */
const BY_REFERENCE = 256;

/** Writes one message; {@link chunks} are its bytes in order. */
export class WireWriter {
  #done: Uint8Array[] = [];
  #length = 0;
  #open: number[] = [];

  /** Bytes written so far. */
  get length(): number {
    return this.#length + this.#open.length;
  }

  /** The message in pieces; large byte fields are the very views that were handed in. */
  chunks(): readonly Uint8Array[] {
    this.#flush();
    return this.#done;
  }

  #flush(): void {
    if (this.#open.length === 0) return;
    this.#done.push(Uint8Array.from(this.#open));
    this.#length += this.#open.length;
    this.#open = [];
  }

  #varint(low: number, high: number): void {
    let lo = low >>> 0;
    let hi = high >>> 0;
    while (hi > 0 || lo > 0x7f) {
      this.#open.push((lo & 0x7f) | 0x80);
      lo = ((lo >>> 7) | (hi << 25)) >>> 0;
      hi >>>= 7;
    }
    this.#open.push(lo);
  }

  #tag(field: number, wire: number): void {
    this.#varint((field << 3) | wire, 0);
  }

  #int(value: number): void {
    if (value >= 0 && value < 4294967296) this.#varint(value, 0);
    else {
      const big = BigInt.asUintN(64, toInt64(value));
      this.#varint(Number(big & 0xffffffffn), Number(big >> 32n));
    }
  }

  /** An int64 or int32 field; beyond ±2^63 the value saturates. */
  int(field: number, value: number): void {
    this.#tag(field, VARINT);
    this.#int(value);
  }

  /** A float32 field. */
  float(field: number, value: number): void {
    this.#tag(field, FIXED32);
    this.#float(value);
  }

  #float(value: number): void {
    scratch.setFloat32(0, value, true);
    for (let i = 0; i < 4; i++) this.#open.push(scratch.getUint8(i));
  }

  /** A bytes field. */
  bytes(field: number, value: Uint8Array): void {
    this.#tag(field, BYTES);
    this.#varint(value.length, 0);
    this.#append(value);
  }

  #append(value: Uint8Array): void {
    if (value.length < BY_REFERENCE) {
      for (const byte of value) this.#open.push(byte);
      return;
    }
    this.#flush();
    this.#done.push(value);
    this.#length += value.length;
  }

  /** A string field; left out when empty unless `always`. */
  text(field: number, value: string, always = false): void {
    if (value !== '' || always) this.bytes(field, encodeText(value));
  }

  /** A message field that `write` fills. */
  message(field: number, write: (inner: WireWriter) => void): void {
    const inner = new WireWriter();
    write(inner);
    this.#tag(field, BYTES);
    this.#varint(inner.length % 4294967296, Math.floor(inner.length / 4294967296));
    for (const chunk of inner.#done) this.#append(chunk);
    if (inner.#open.length > 0) this.#append(Uint8Array.from(inner.#open));
  }

  /** Repeated integers, unpacked as ONNX declares its attributes and dims. */
  ints(field: number, values: readonly number[]): void {
    for (const value of values) this.int(field, value);
  }

  /** Repeated floats, unpacked as ONNX declares its attributes. */
  floats(field: number, values: readonly number[]): void {
    for (const value of values) this.float(field, value);
  }

  /** A message already encoded, written as the fields of this one. */
  raw(encoded: Uint8Array): void {
    this.#append(encoded);
  }
}

const scratch = new DataView(new ArrayBuffer(4));
