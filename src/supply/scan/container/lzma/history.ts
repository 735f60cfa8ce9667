import { GlacisError } from '../../../../core/error.ts';

/** A match that goes farther back than this is not followed: the dictionary of the largest presets of 7-Zip and xz. */
const MOST_KEPT = 1 << 26;
const STEP = 1 << 16;

/**
 * What was unpacked last: as much as matches may refer to, and what was not taken yet. Grows with what comes out, whatever size of
 * dictionary a file declares. Take what there is after each mebibyte or so: it grows with what is not taken as well.
 */
export class History {
  /** Bytes that came out since the dictionary was emptied. */
  total = 0;
  /** The last byte; 0 before the first. */
  last = 0;
  readonly #where: string;
  readonly #kept: number;
  readonly #declared: number;
  #bytes: Uint8Array = new Uint8Array(STEP);
  #end = 0;
  #taken = 0;

  /** `dictionary`: how far back matches may go, as the file declares it. */
  constructor(dictionary: number, where: string) {
    this.#declared = Math.max(4096, dictionary);
    this.#kept = Math.min(this.#declared, MOST_KEPT);
    this.#where = where;
  }

  put(byte: number): void {
    if (this.#end === this.#bytes.length) this.#grow(1);
    this.#bytes[this.#end++] = byte;
    this.last = byte;
    this.total++;
  }

  /** The byte `distance` back. */
  back(distance: number): number {
    this.#require(distance);
    return this.#bytes[this.#end - distance]!;
  }

  /** Appends `length` bytes from `distance` back, which may reach into themselves. */
  copy(distance: number, length: number): void {
    this.#require(distance);
    if (this.#end + length > this.#bytes.length) this.#grow(length);
    const bytes = this.#bytes;
    const end = this.#end + length;
    for (let to = this.#end, from = to - distance; to < end; ) bytes[to++] = bytes[from++]!;
    this.#end = end;
    this.last = bytes[end - 1]!;
    this.total += length;
  }

  /** Appends bytes as they are. */
  append(stored: Uint8Array): void {
    if (stored.length === 0) return;
    if (this.#end + stored.length > this.#bytes.length) this.#grow(stored.length);
    this.#bytes.set(stored, this.#end);
    this.#end += stored.length;
    this.last = stored[stored.length - 1]!;
    this.total += stored.length;
  }

  /** What came out since the last call, as bytes of their own. */
  take(): Uint8Array {
    const piece = this.#bytes.slice(this.#taken, this.#end);
    this.#taken = this.#end;
    return piece;
  }

  /** Nothing before this can be referred to. */
  empty(): void {
    this.total = 0;
    this.last = 0;
  }

  #require(distance: number): void {
    if (distance > this.total || distance > this.#declared)
      throw new GlacisError(
        'data/unreadable',
        `${this.#where}: expected LZMA, got a match before its beginning`,
      );
    if (distance > this.#end)
      throw new GlacisError('scan/limit', `${this.#where}: expected matches at most ${MOST_KEPT} bytes back`);
  }

  /** Makes room for `length` more: by forgetting what nothing can refer to where that is much, else by growing. */
  #grow(length: number): void {
    const from = Math.min(this.#taken, Math.max(0, this.#end - this.#kept));
    const left = this.#end - from;
    const old = this.#bytes;
    if (left + length > (3 / 4) * old.length) this.#bytes = new Uint8Array(2 * (left + length));
    this.#bytes.set(old.subarray(from, this.#end));
    this.#end = left;
    this.#taken -= from;
  }
}
