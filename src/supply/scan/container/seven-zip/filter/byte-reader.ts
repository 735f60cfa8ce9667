import { GlacisError } from '../../../../../core/error.ts';

/** Gives the bytes of a stream of pieces one by one. */
export class ByteReader {
  readonly #pieces: AsyncIterator<Uint8Array>;
  readonly #where: string;
  #piece: Uint8Array = new Uint8Array(0);
  #at = 0;

  constructor(pieces: AsyncIterable<Uint8Array>, where: string) {
    this.#pieces = pieces[Symbol.asyncIterator]();
    this.#where = where;
  }

  /** Bytes that are there without waiting. */
  get left(): number {
    return this.#piece.length - this.#at;
  }

  /** Waits for the next bytes. Errors: `data/unreadable` where there are none. */
  async fill(): Promise<void> {
    do {
      const { done, value } = await this.#pieces.next();
      if (done)
        throw new GlacisError(
          'data/unreadable',
          `${this.#where}: expected more bytes in a stream, got its end`,
        );
      this.#piece = value;
      this.#at = 0;
    } while (this.left === 0);
  }

  /** The next byte, of those that are {@link left}. */
  next(): number {
    return this.#piece[this.#at++]!;
  }

  /** Lets go of what gives the pieces. */
  async close(): Promise<void> {
    await this.#pieces.return?.();
  }
}
