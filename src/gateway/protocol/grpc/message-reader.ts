import type { Lease } from '../byte-budget.ts';
import { GatheredBytes, type Overflow } from '../gathered-bytes.ts';

/** Bytes in front of a message: whether it is compressed, and its length. */
const PREFIX = 5;

/** Reads the one message of a unary call from the pieces that come. Source: gRPC over HTTP/2, “Length-Prefixed-Message”. */
export class MessageReader {
  readonly #most: number;
  readonly #lease: Lease;
  readonly #prefix = Buffer.alloc(PREFIX);
  #prefixed = 0;
  #declared = 0;
  #into: GatheredBytes | undefined;

  constructor(most: number, lease: Lease) {
    this.#most = most;
    this.#lease = lease;
  }

  /** Takes what came; a reason where it is refused. */
  add(piece: Uint8Array): Overflow | 'malformed' | undefined {
    let at = 0;
    while (this.#prefixed < PREFIX && at < piece.length) this.#prefix[this.#prefixed++] = piece[at++]!;
    if (this.#prefixed < PREFIX) return undefined;
    if (this.#into === undefined) {
      // Attacker-controlled: a length is no reason to allocate anything.
      this.#declared = this.#prefix.readUInt32BE(1);
      if (this.#prefix[0]! > 1) return 'malformed';
      if (this.#declared > this.#most) return 'too-large';
      // A single raw tensor lies at the message's end, and so at a multiple of its elements' size.
      this.#into = new GatheredBytes(this.#declared, this.#declared, this.#lease, this.#declared);
    }
    if (at === piece.length) return undefined;
    const overflow = this.#into.add(at === 0 ? piece : piece.subarray(at));
    // A second message, or more than was declared.
    return overflow === 'too-large' ? 'malformed' : overflow;
  }

  /** The message, once everything has come; undefined where it ended early. */
  message(): { readonly bytes: Uint8Array; readonly isCompressed: boolean } | undefined {
    if (this.#into === undefined || this.#into.length !== this.#declared) return undefined;
    return { bytes: this.#into.bytes(), isCompressed: this.#prefix[0] === 1 };
  }
}

/** A message of these pieces with its prefix, in one piece where it is small. */
export function framed(pieces: readonly Uint8Array[], isCompressed: boolean): readonly Uint8Array[] {
  const length = pieces.reduce((sum, piece) => sum + piece.length, 0);
  const prefix = Buffer.allocUnsafe(PREFIX);
  prefix[0] = isCompressed ? 1 : 0;
  prefix.writeUInt32BE(length, 1);
  const all = [prefix, ...pieces];
  return length <= ONE_PIECE ? [Buffer.concat(all, PREFIX + length)] : all;
}

/** Up to here, one write is cheaper than no copy. */
const ONE_PIECE = 65_536;
