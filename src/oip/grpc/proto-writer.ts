/** Wire types of protobuf. Source: https://protobuf.dev/programming-guides/encoding/ */
const VARINT = 0;
const FIXED64 = 1;
const BYTES = 2;

/**
 * Writes one protobuf message, small fields into one buffer, {@link ProtoWriter.view tensors} by reference. Fields with their
 * default value are left out, as proto3 has it, unless a method says otherwise.
 */
export class ProtoWriter {
  readonly #done: Uint8Array[] = [];
  #buffer = Buffer.allocUnsafe(256);
  #from = 0;
  #at = 0;

  /** The message in pieces; tensors are the very views that were handed in. */
  chunks(): readonly Uint8Array[] {
    this.#flush();
    return this.#done;
  }

  #flush(): void {
    if (this.#at > this.#from) this.#done.push(this.#buffer.subarray(this.#from, this.#at));
    this.#from = this.#at;
  }

  /** Makes room for `bytes` more. What is flushed stays in the old buffer. */
  #need(bytes: number): void {
    const open = this.#at - this.#from;
    if (this.#at + bytes <= this.#buffer.length) return;
    const next = Buffer.allocUnsafe(Math.max(2 * (open + bytes), 256));
    this.#buffer.copy(next, 0, this.#from, this.#at);
    this.#buffer = next;
    this.#from = 0;
    this.#at = open;
  }

  #small(value: number): void {
    this.#need(5);
    let rest = value >>> 0;
    while (rest > 0x7f) {
      this.#buffer[this.#at++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    this.#buffer[this.#at++] = rest;
  }

  #varint(value: number): void {
    if (value >= 0 && value <= 0xffff_ffff) {
      this.#small(value);
      return;
    }
    this.#need(10);
    let rest = BigInt.asUintN(64, BigInt(value));
    while (rest > 0x7fn) {
      this.#buffer[this.#at++] = Number(rest & 0x7fn) | 0x80;
      rest >>= 7n;
    }
    this.#buffer[this.#at++] = Number(rest);
  }

  /** A text field; left out when empty unless `always`, which entries of a list need. */
  text(field: number, value: string, always = false): void {
    if (value === '' && !always) return;
    const length = Buffer.byteLength(value);
    this.#small((field << 3) | BYTES);
    this.#small(length);
    this.#need(length);
    this.#at += this.#buffer.write(value, this.#at, 'utf8');
  }

  /** A bool field; left out when false unless `always`, which a oneof needs. */
  bool(field: number, value: boolean, always = false): void {
    if (value || always) {
      this.#small((field << 3) | VARINT);
      this.#small(Number(value));
    }
  }

  /** An int64 field, written whatever it is: a whole number within ±(2⁵³ − 1). */
  int(field: number, value: number): void {
    this.#small((field << 3) | VARINT);
    this.#varint(value);
  }

  /** A double field, written whatever it is. */
  double(field: number, value: number): void {
    this.#small((field << 3) | FIXED64);
    this.#need(8);
    this.#at = this.#buffer.writeDoubleLE(value, this.#at);
  }

  /** A packed list of int64, each within ±(2⁵³ − 1); left out when empty. */
  ints(field: number, values: readonly number[]): void {
    if (values.length === 0) return;
    this.message(field, () => {
      for (const value of values) this.#varint(value);
    });
  }

  /** A message field: `write` fills it through this same writer. No {@link view} may be written inside. */
  message(field: number, write: () => void): void {
    this.#small((field << 3) | BYTES);
    this.#need(1);
    // Counted from the part that is not flushed, which is what growing keeps.
    const start = ++this.#at - this.#from;
    write();
    const length = this.#at - this.#from - start;
    if (length > 0x7f) {
      const more = ((31 - Math.clz32(length)) / 7) | 0;
      this.#need(more);
      const at = this.#from + start;
      this.#buffer.copyWithin(at + more, at, this.#at);
      this.#at += more;
      let rest = length;
      for (let i = -1; i < more - 1; i++) {
        this.#buffer[at + i] = (rest & 0x7f) | 0x80;
        rest >>>= 7;
      }
      this.#buffer[at + more - 1] = rest;
    } else this.#buffer[this.#from + start - 1] = length;
  }

  /** A bytes field, written whatever it is and kept by reference: the bytes must not change before they are sent. */
  view(field: number, value: Uint8Array): void {
    this.#small((field << 3) | BYTES);
    this.#varint(value.length);
    this.#flush();
    if (value.length > 0) this.#done.push(value);
  }
}
