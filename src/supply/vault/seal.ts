import { createCipheriv, createDecipheriv } from 'node:crypto';
import { GlacisError } from '../../core/error.ts';

/** Bytes of a data key. Each key seals one blob, once. */
export const DATA_KEY_BYTES = 32;

const MAGIC = Buffer.from('glacis-sealed-1\n');
const AES_256_GCM = 1;
const TAG_BYTES = 16;
/** Plain bytes of a chunk, as a power of two: 256 KiB. */
const CHUNK_POWER = 18;
const HEADER_BYTES = MAGIC.length + 2;

/**
 * Encrypts a stream in chunks, so that it can be decrypted as a stream, or from any chunk on, without trusting a byte that was not
 * authenticated. The construction is STREAM (Hoang, Reyhanitabar, Rogaway and Vizár, "Online authenticated-encryption and its
 * nonce-reuse misuse-resistance", CRYPTO 2015) over AES-256-GCM, with the nonce of age v1 (C2SP age, "Payload"): an 11-byte counter and a
 * byte that is 1 in the last chunk. Associated data of each chunk: the header, the digest of the plain blob, the chunk's number, and
 * the last byte again. So no chunk can be dropped, repeated, moved, or taken from another blob.
 *
 * Overhead: 18 bytes and 16 for each 256 KiB. `digest` are the 32 bytes of the plain blob's SHA-256.
 * Errors: `option/invalid` for a key or digest of another length.
 */
export async function* seal(
  key: Uint8Array,
  digest: Uint8Array,
  plain: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  checkLengths(key, digest);
  const header = Buffer.concat([MAGIC, Uint8Array.of(AES_256_GCM, CHUNK_POWER)]);
  yield header;
  let index = 0;
  for await (const { bytes, last } of pieces(plain, 2 ** CHUNK_POWER)) {
    const cipher = createCipheriv('aes-256-gcm', key, nonceOf(index, last));
    cipher.setAAD(associated(header, digest, index, last));
    const sealed = Buffer.concat([cipher.update(bytes), cipher.final()]);
    yield Buffer.concat([sealed, cipher.getAuthTag()]);
    index++;
  }
}

/**
 * Decrypts what {@link seal} made. Each chunk is authentic when it is given, but whether the stream is complete shows only at its end: who
 * keeps what came must wait for that.
 *
 * @param sealed attacker-controlled
 * @throws GlacisError `vault/unreadable`
 */
export async function* unseal(
  key: Uint8Array,
  digest: Uint8Array,
  sealed: AsyncIterable<Uint8Array>,
  where = 'sealed blob',
): AsyncGenerator<Uint8Array> {
  checkLengths(key, digest);
  const { header, rest } = await takeHeader(sealed, where);
  let index = 0;
  for await (const { bytes, last } of pieces(rest, 2 ** CHUNK_POWER + TAG_BYTES)) {
    const end = bytes.length - TAG_BYTES;
    // A last chunk is empty only when there is no other: otherwise one blob would have two forms.
    if (end < 0 || (end === 0 && index > 0))
      throw new GlacisError(
        'vault/unreadable',
        `${where}: expected whole chunks, got a piece after chunk ${index}`,
      );
    const decipher = createDecipheriv('aes-256-gcm', key, nonceOf(index, last));
    decipher.setAAD(associated(header, digest, index, last));
    decipher.setAuthTag(bytes.subarray(end));
    let plain: Uint8Array;
    try {
      plain = Buffer.concat([decipher.update(bytes.subarray(0, end)), decipher.final()]);
    } catch (cause) {
      throw new GlacisError(
        'vault/unreadable',
        `${where}: expected chunk ${index}${last ? ' as the last one' : ''} as it was sealed; it was changed, moved or cut, or the key is another`,
        { cause },
      );
    }
    yield plain;
    index++;
  }
}

async function takeHeader(sealed: AsyncIterable<Uint8Array>, where: string) {
  const source = sealed[Symbol.asyncIterator]();
  let start: Uint8Array = new Uint8Array();
  while (start.length < HEADER_BYTES) {
    const { value, done } = await source.next();
    if (done) break;
    start = Buffer.concat([start, value]);
  }
  const header = Buffer.from(start.subarray(0, HEADER_BYTES));
  const expected = Buffer.concat([MAGIC, Uint8Array.of(AES_256_GCM, CHUNK_POWER)]);
  if (!header.equals(expected))
    throw new GlacisError(
      'vault/unreadable',
      `${where}: expected the header of a blob sealed by Glacis, version 1`,
    );
  const rest = async function* () {
    yield start.subarray(HEADER_BYTES);
    yield* { [Symbol.asyncIterator]: () => source };
  };
  return { header, rest: rest() };
}

/** Cuts a stream into pieces of `size` bytes; the last has what is left, and there is always one. */
async function* pieces(
  source: AsyncIterable<Uint8Array>,
  size: number,
): AsyncGenerator<{ readonly bytes: Uint8Array; readonly last: boolean }> {
  let waiting: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of source) {
    waiting.push(chunk);
    length += chunk.length;
    // More than one piece must be there before the first is known not to be the last.
    if (length <= size) continue;
    const all = Buffer.concat(waiting);
    let at = 0;
    for (; all.length - at > size; at += size) yield { bytes: all.subarray(at, at + size), last: false };
    waiting = [all.subarray(at)];
    length = all.length - at;
  }
  yield { bytes: Buffer.concat(waiting), last: true };
}

function nonceOf(index: number, last: boolean): Uint8Array {
  const nonce = Buffer.alloc(12);
  nonce.writeBigUInt64BE(BigInt(index), 3);
  nonce[11] = last ? 1 : 0;
  return nonce;
}

function associated(header: Uint8Array, digest: Uint8Array, index: number, last: boolean): Uint8Array {
  const tail = Buffer.alloc(9);
  tail.writeBigUInt64BE(BigInt(index));
  tail[8] = last ? 1 : 0;
  return Buffer.concat([header, digest, tail]);
}

function checkLengths(key: Uint8Array, digest: Uint8Array): void {
  if (key.length !== DATA_KEY_BYTES || digest.length !== 32)
    throw new GlacisError(
      'option/invalid',
      `seal: expected a key and a digest of 32 bytes, got ${key.length} and ${digest.length}`,
    );
}
