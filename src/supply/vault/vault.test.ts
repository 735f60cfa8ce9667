import { createCipheriv, createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { seal, unseal } from './seal.ts';
import { openKey, parseSealedKey, rewrapKey, sealKey } from './sealed-key.ts';
import { localKey, openWrappingKey } from './wrapping-key.ts';

const KEY = Buffer.alloc(32, 7);
const CHUNK = 1 << 18;
const HEADER = 18;
const code = (work: Promise<unknown>) =>
  work.then(
    () => 'nothing was thrown',
    (thrown: { code?: string }) => thrown.code ?? String(thrown),
  );
async function* stream(...chunks: readonly Uint8Array[]) {
  yield* chunks;
}
async function all(source: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of source) chunks.push(chunk);
  return Buffer.concat(chunks);
}
const digestOf = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest();
const plainOf = (size: number) => Buffer.from(Uint8Array.from({ length: size }, (_, i) => i % 251));

describe('sealing', () => {
  it.each([0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 2 * CHUNK + 5])(
    'gives %d bytes back',
    async (size) => {
      const plain = plainOf(size);
      const digest = digestOf(plain);
      const sealed = await all(seal(KEY, digest, stream(plain.subarray(0, 10), plain.subarray(10))));
      expect(sealed.length).toBe(HEADER + size + 16 * Math.max(1, Math.ceil(size / CHUNK)));
      expect((await all(unseal(KEY, digest, stream(sealed)))).equals(plain)).toBe(true);
      const cut = [1, 17, 19, 40_000].reduce<Uint8Array[]>(
        (parts, at) => [...parts.slice(0, -1), ...split(parts.at(-1)!, at)],
        [sealed],
      );
      expect((await all(unseal(KEY, digest, stream(...cut)))).equals(plain)).toBe(true);
    },
  );

  const plain = plainOf(2 * CHUNK + 5);
  const digest = digestOf(plain);
  const sealed = all(seal(KEY, digest, stream(plain)));
  const piece = (bytes: Buffer, n: number) =>
    bytes.subarray(HEADER + n * (CHUNK + 16), HEADER + (n + 1) * (CHUNK + 16));

  it.each<[string, (s: Buffer) => Uint8Array[]]>([
    ['a changed bit', (s) => [s.subarray(0, 99), Uint8Array.of(s[99]! ^ 1), s.subarray(100)]],
    ['a changed header', (s) => [Buffer.from('glacis-sealed-2\n'), s.subarray(16)]],
    ['another chunk size in the header', (s) => [s.subarray(0, 17), Uint8Array.of(19), s.subarray(18)]],
    ['the last chunk cut off', (s) => [s.subarray(0, HEADER + 2 * (CHUNK + 16))]],
    ['all chunks cut off', (s) => [s.subarray(0, HEADER)]],
    ['the last byte cut off', (s) => [s.subarray(0, -1)]],
    ['two chunks swapped', (s) => [s.subarray(0, HEADER), piece(s, 1), piece(s, 0), piece(s, 2)]],
    ['a chunk repeated', (s) => [s.subarray(0, HEADER), piece(s, 0), piece(s, 0), piece(s, 1), piece(s, 2)]],
    ['a chunk dropped', (s) => [s.subarray(0, HEADER), piece(s, 0), piece(s, 2)]],
    ['bytes behind the end', (s) => [s, Buffer.alloc(16)]],
    ['nothing', () => []],
  ])('notices %s', async (_, change) => {
    expect(await code(all(unseal(KEY, digest, stream(...change(await sealed)))))).toBe('vault/unreadable');
  });

  it('notices another key and another blob', async () => {
    expect(await code(all(unseal(Buffer.alloc(32, 8), digest, stream(await sealed))))).toBe(
      'vault/unreadable',
    );
    expect(await code(all(unseal(KEY, digestOf(KEY), stream(await sealed))))).toBe('vault/unreadable');
    expect(await code(all(unseal(KEY.subarray(1), digest, stream())))).toBe('option/invalid');
  });

  it('refuses an empty chunk behind others, made with the right key: one blob has one form', async () => {
    const one = plainOf(CHUNK);
    const header = (await all(seal(KEY, digest, stream()))).subarray(0, HEADER);
    const chunk = (index: number, last: number, bytes: Uint8Array) => {
      const nonce = Buffer.alloc(12);
      nonce.writeBigUInt64BE(BigInt(index), 3);
      nonce[11] = last;
      const tail = Buffer.alloc(9);
      tail.writeBigUInt64BE(BigInt(index));
      tail[8] = last;
      const cipher = createCipheriv('aes-256-gcm', KEY, nonce);
      cipher.setAAD(Buffer.concat([header, digest, tail]));
      return Buffer.concat([cipher.update(bytes), cipher.final(), cipher.getAuthTag()]);
    };
    const right = stream(header, chunk(0, 1, one));
    expect((await all(unseal(KEY, digest, right))).equals(one)).toBe(true);
    const wrong = stream(header, chunk(0, 0, one), chunk(1, 1, Buffer.alloc(0)));
    expect(await code(all(unseal(KEY, digest, wrong)))).toBe('vault/unreadable');
  });

  it('never gives other bytes than were sealed, whatever is changed', async () => {
    const small = plainOf(100);
    const bytes = await all(seal(KEY, digestOf(small), stream(small)));
    await fc.assert(
      fc.asyncProperty(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), async (at, flip) => {
        const changed = Buffer.from(bytes);
        changed[at] = changed[at]! ^ flip;
        expect(await code(all(unseal(KEY, digestOf(small), stream(changed))))).toBe('vault/unreadable');
      }),
      { numRuns: 60 },
    );
  });
});

function split(bytes: Uint8Array, at: number): Uint8Array[] {
  return [bytes.subarray(0, at), bytes.subarray(at)];
}

describe('wrapping keys', () => {
  let folder = '';
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'glacis-vault-'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));
  const blobs = {
    plain: { digest: `sha256:${'1'.repeat(64)}`, size: 5 },
    stored: { digest: `sha256:${'2'.repeat(64)}`, size: 39 },
  };
  const dataKey = Buffer.alloc(32, 3);

  it('come from files and variables, raw, in hexadecimal or base64, and are the same key', async () => {
    await writeFile(join(folder, 'raw'), KEY);
    await writeFile(join(folder, 'hex'), `${KEY.toString('hex')}\n`);
    const keys = [
      await openWrappingKey(`file:${join(folder, 'raw')}`, {}),
      await openWrappingKey(`file:${join(folder, 'hex')}`, {}),
      await openWrappingKey('env:K', { K: KEY.toString('base64') }),
    ];
    expect(new Set(keys.map((key) => key.id)).size).toBe(1);
    const record = await sealKey(keys[0]!, dataKey, blobs);
    expect(await openKey(keys[2]!, parseSealedKey(Buffer.from(JSON.stringify(record)), 'x'))).toEqual(
      dataKey,
    );
  });

  it.each([
    ['file:/nowhere/at/all', 'vault/key'],
    ['env:MISSING', 'vault/key'],
    ['env:SHORT', 'vault/key'],
    ['plugin:/nowhere/at/all.mjs', 'vault/key'],
    ['0123', 'option/invalid'],
    ['http://x', 'option/invalid'],
  ])('%s is refused with %s', async (text, expected) => {
    expect(await code(openWrappingKey(text, { SHORT: 'abc' }))).toBe(expected);
  });

  it('never repeat a secret in a message', async () => {
    const secret = 'correct horse battery staple';
    await expect(openWrappingKey('env:S', { S: secret })).rejects.not.toThrow(secret);
  });

  it('open a record only for its blob and under its key', async () => {
    const key = localKey(KEY);
    const record = await sealKey(key, dataKey, blobs);
    expect(await code(openKey(localKey(dataKey), record))).toBe('vault/key');
    expect(await code(openKey({ ...localKey(dataKey), id: key.id }, record))).toBe('vault/unreadable');
    const moved = { ...record, stored: { ...record.stored, digest: record.plain.digest } };
    expect(await code(openKey(key, moved))).toBe('vault/unreadable');
    expect(await code(openKey(key, { ...record, wrapped: 'AAAA' }))).toBe('vault/unreadable');
    expect(() => parseSealedKey(Buffer.from('{}'), 'x')).toThrow('record of a wrapped data key');
  });

  it('rotate: the data key is the same under the new key, and the old one opens it no more', async () => {
    const [old, next] = [localKey(KEY), localKey(Buffer.alloc(32, 9))];
    const record = await rewrapKey(old, next, await sealKey(old, dataKey, blobs));
    expect(await openKey(next, record)).toEqual(dataKey);
    expect(await code(openKey(old, record))).toBe('vault/key');
    expect(await rewrapKey(old, next, record)).toBe(record);
  });

  it('may be a plug-in, whose failures are its own', async () => {
    const good = join(folder, 'good.mjs');
    await writeFile(
      good,
      `export const openKey = (argument) => ({ id: 'kms:' + argument,
        wrap: async (key, context) => Buffer.concat([Buffer.from([context.length]), key]),
        unwrap: async (bytes, context) => { if (bytes[0] !== context.length) throw new Error('denied'); return bytes.subarray(1); } });`,
    );
    const key = await openWrappingKey(`plugin:${good}?alias/models`, {});
    expect(key.id).toBe('kms:alias/models');
    const record = await sealKey(key, dataKey, blobs);
    expect(Buffer.from(await openKey(key, record)).equals(dataKey)).toBe(true);
    expect(await code(openKey(key, { ...record, plain: { ...record.plain, size: 55 } }))).toBe('vault/key');
    const bad = join(folder, 'bad.mjs');
    await writeFile(bad, 'export const openKey = () => ({ id: 5 });');
    expect(await code(openWrappingKey(`plugin:${bad}`, {}))).toBe('vault/key');
  });
});
