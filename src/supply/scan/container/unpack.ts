import { randomUUID } from 'node:crypto';
import { type FileHandle, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable, type Transform } from 'node:stream';
import { crc32 } from 'node:zlib';
import { asGlacisError, GlacisError } from '../../../core/error.ts';
import { type ByteSource, chunksOf, fileSource, memorySource } from '../../../data/byte-source.ts';
import type { Budget } from '../limits.ts';

/** What came out of a compressed content. */
export interface Unpacked {
  /** Everything that came out before the end or the damage. Has to be closed. */
  readonly content: ByteSource;
  readonly crc: number;
  /** Why not more came out; `undefined` where the content ended as it should. */
  readonly damage: string | undefined;
  /** It gave more than the limits allow for what went in, and was left there. */
  readonly bomb: boolean;
}

/** Contents up to this size stay in memory; larger ones go to a temporary file, which nobody else can open. */
const IN_MEMORY = 16 * 2 ** 20;

/** What comes out of `source` through a decompressor of Node's (`createGunzip()` and its like). */
export async function* through(
  decompressor: Transform,
  source: ByteSource,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  const input = Readable.from(chunksOf(source, signal));
  input.on('error', (error) => decompressor.destroy(error));
  try {
    yield* input.pipe(decompressor) as AsyncIterable<Uint8Array>;
  } finally {
    input.destroy();
    decompressor.destroy();
  }
}

/** Gathers what a decompressor of `packed` bytes gives into memory or a temporary file, bounded by the budget. */
export async function collect(
  pieces: AsyncIterable<Uint8Array>,
  packed: number,
  budget: Budget,
  where: string,
): Promise<Unpacked> {
  const store = new Store(where);
  let crc = 0;
  let damage: string | undefined;
  let bomb = false;
  try {
    for await (const piece of pieces) {
      budget.unpacked(piece.length);
      budget.step(16 + (piece.length >> 10));
      crc = crc32(piece, crc);
      await store.add(piece);
      if (store.size > budget.limits.ratioFrom && store.size > budget.limits.ratio * packed) {
        bomb = true;
        break;
      }
    }
  } catch (thrown) {
    if (thrown instanceof GlacisError && thrown.code !== 'data/unreadable') {
      await store.drop();
      throw thrown;
    }
    damage = thrown instanceof Error ? thrown.message : String(thrown);
  }
  return { content: store.source(), crc, damage, bomb };
}

/** Bytes that grow at their end: in memory first, in a file when there are many. */
class Store {
  size = 0;
  #pieces: Uint8Array[] = [];
  #file: { readonly handle: FileHandle; readonly path: string } | undefined;
  readonly #where: string;

  constructor(where: string) {
    this.#where = where;
  }

  async add(piece: Uint8Array): Promise<void> {
    if (this.#file === undefined && this.size + piece.length > IN_MEMORY) await this.#spill();
    if (this.#file === undefined) this.#pieces.push(piece);
    else await this.#file.handle.write(piece);
    this.size += piece.length;
  }

  async #spill(): Promise<void> {
    const path = join(tmpdir(), `glacis-scan-${randomUUID()}`);
    try {
      const handle = await open(path, 'wx+', 0o600);
      this.#file = { handle, path };
      for (const piece of this.#pieces) await handle.write(piece);
    } catch (thrown) {
      await this.drop();
      throw asGlacisError(thrown, 'output/unwritable', path);
    }
    this.#pieces = [];
    // The name goes at once where the system allows it, so that nothing stays behind whatever happens.
    await rm(path, { force: true }).catch(() => undefined);
  }

  source(): ByteSource {
    if (this.#file === undefined) {
      const whole = new Uint8Array(this.size);
      let at = 0;
      for (const piece of this.#pieces) {
        whole.set(piece, at);
        at += piece.length;
      }
      return memorySource(whole, this.#where);
    }
    return { ...fileSource(this.#file.handle, this.size, this.#where), close: () => this.drop() };
  }

  async drop(): Promise<void> {
    await this.#file?.handle.close();
    if (this.#file) await rm(this.#file.path, { force: true });
  }
}
