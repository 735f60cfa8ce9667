import type { Lease } from './byte-budget.ts';

/** Why bytes are not taken. */
export type Overflow = 'too-large' | 'busy';

/** First room for a body whose length is not known. */
const FIRST = 4096;
/** A declared length is believed up to here before its bytes have come. */
const BELIEVED = 1 << 18;

/**
 * Puts together bytes that come in pieces, in one buffer that grows: a million pieces of one byte cost a million bytes, not a million
 * objects. A body that comes in one piece is not copied.
 */
export class GatheredBytes {
  #first: Uint8Array | undefined;
  #buffer: Buffer | undefined;
  #length = 0;
  readonly #declared: number | undefined;
  readonly #most: number;
  readonly #lease: Lease;
  readonly #offset: number;

  /**
   * `declared`: the length as the sender says, which is not believed; `most`: bytes that are accepted; `align`: where in the body
   * something starts that should lie at a multiple of eight.
   */
  constructor(declared: number | undefined, most: number, lease: Lease, align = 0) {
    this.#declared = declared;
    this.#most = most;
    this.#lease = lease;
    this.#offset = (8 - (align % 8)) % 8;
  }

  get length(): number {
    return this.#length;
  }

  /** Takes a piece; a reason where it does not. */
  add(piece: Uint8Array): Overflow | undefined {
    if (piece.length === 0) return undefined;
    const length = this.#length + piece.length;
    if (length > this.#most) return 'too-large';
    if (this.#length === 0) {
      if (!this.#lease.grow(length)) return 'busy';
      this.#first = piece;
      this.#length = length;
      return undefined;
    }
    const room = this.#offset + length;
    if (this.#buffer === undefined || room > this.#buffer.length) {
      const declared = this.#declared ?? 0;
      const wanted = Math.max(
        length,
        declared <= BELIEVED ? declared : Math.min(declared, 2 * length),
        this.#declared === undefined ? Math.min(2 * length, this.#most) : 0,
        FIRST,
      );
      // Old and new stand side by side while one is copied to the other.
      if (!this.#lease.grow(wanted + this.#length)) return 'busy';
      const next = Buffer.allocUnsafeSlow(this.#offset + wanted);
      if (this.#buffer) this.#buffer.copy(next, 0, 0, this.#offset + this.#length);
      else if (this.#first) next.set(this.#first, this.#offset);
      this.#buffer = next;
      this.#first = undefined;
    }
    this.#buffer.set(piece, this.#offset + this.#length);
    this.#length = length;
    return undefined;
  }

  /** All bytes so far. */
  bytes(): Uint8Array {
    return (
      this.#first ?? this.#buffer?.subarray(this.#offset, this.#offset + this.#length) ?? new Uint8Array(0)
    );
  }
}
