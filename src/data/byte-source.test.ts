import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { type ByteSource, lookThrough, memorySource, openFile, rangeSource } from './byte-source.ts';

const folder = mkdtempSync(join(tmpdir(), 'glacis-bytes-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const content = Buffer.alloc(
  (2 << 20) + 77,
  Uint8Array.from({ length: 251 }, (_, i) => i),
);
const path = join(folder, 'content');
writeFileSync(path, content);

const seen = async (source: ByteSource) => {
  const pieces: Buffer[] = [];
  await lookThrough(source, (piece) => pieces.push(Buffer.from(piece)));
  return Buffer.concat(pieces);
};

describe('looking through a source', () => {
  it('shows every byte once and in order: of a file, of a part of one, of memory', async () => {
    const file = await openFile(path);
    expect((await seen(file)).equals(content)).toBe(true);
    const part = rangeSource(file, 5, (1 << 20) + 9, 'x');
    expect((await seen(part)).equals(content.subarray(5, (1 << 20) + 14))).toBe(true);
    await file.close();
    const memory = memorySource(content, 'x');
    expect((await seen(memory)).equals(content)).toBe(true);
    expect(await seen(rangeSource(memory, 3, 0, 'x'))).toHaveLength(0);
  });

  it('ends where the file is shorter than it was, where a part ends, and when it is cancelled', async () => {
    const file = await openFile(path);
    const part = rangeSource(file, 5, 10, 'x');
    await expect(part.readInto!(8, new Uint8Array(3))).rejects.toMatchObject({ code: 'data/unreadable' });
    await expect(part.readInto!(-1, new Uint8Array(1))).rejects.toMatchObject({ code: 'data/unreadable' });
    await expect(lookThrough(file, () => {}, AbortSignal.abort())).rejects.toMatchObject({
      code: 'run/cancelled',
    });
    writeFileSync(path, content.subarray(0, 100));
    await expect(seen(file)).rejects.toThrow(/became shorter while it was read/);
    await file.close();
  });
});
