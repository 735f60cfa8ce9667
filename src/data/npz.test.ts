import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { zipSync } from 'fflate';
import { describe, expect, it } from 'vitest';
import { memorySource } from './byte-source.ts';
import { openNpz, writeNpz } from './npz.ts';

const vectors: Record<string, string> = JSON.parse(
  readFileSync(new URL('./vectors/numpy-pyarrow.json', import.meta.url), 'utf8'),
);
const vector = (name: string) => Buffer.from(vectors[name]!, 'base64');
const open = (bytes: Uint8Array, keys = ['x', 'y'], maxBytes = 1 << 20) =>
  openNpz(memorySource(bytes, 'a.npz'), keys, 'a.npz', maxBytes);
const unreadable = { name: 'GlacisError', code: 'data/unreadable' };

describe('reading .npz', () => {
  it.each(['npz stored', 'npz deflated'])('%s gives the arrays that NumPy wrote', async (name) => {
    const { arrays, names } = await open(vector(name), ['x', 'y', 'z']);
    expect(names).toEqual(['x', 'y']);
    expect(arrays[0]!.shape).toEqual([2, 2, 2, 3]);
    expect(Array.from(await arrays[0]!.read(1, 1), Number)).toEqual(
      Array.from({ length: 12 }, (_, i) => 12 + i),
    );
    expect(Array.from(await arrays[1]!.read(0, 2), Number)).toEqual([1, 0]);
    expect(arrays[2]).toBeUndefined();
  });

  it.each(['npz stored', 'npz deflated'])('notices one changed byte of the content of %s', async (name) => {
    const bytes = vector(name);
    const at = bytes.indexOf('x.npy') + (name === 'npz stored' ? 160 : 60);
    bytes[at]! ^= 0x40;
    await expect(open(bytes)).rejects.toMatchObject(unreadable);
  });

  it('refuses a member that would inflate beyond the limit, before inflating it', async () => {
    const bomb = zipSync({ 'x.npy': new Uint8Array(1 << 22) }, { level: 9 });
    expect(bomb.length).toBeLessThan(8192);
    await expect(open(bomb, ['x'], 1 << 20)).rejects.toMatchObject({ code: 'data/too-large' });
  });

  it('refuses a member that inflates to more or less than it declares', async () => {
    const honest = zipSync({ 'x.npy': new Uint8Array(50_000) }, { level: 9 });
    for (const declared of [49_999, 50_001, 0]) {
      const bytes = Buffer.from(honest);
      bytes.writeUInt32LE(declared, bytes.lastIndexOf(Buffer.from('PK\x01\x02', 'latin1')) + 24);
      await expect(open(bytes, ['x'])).rejects.toMatchObject(unreadable);
    }
  });

  it('refuses a size that deflate cannot reach without allocating it', async () => {
    const bytes = Buffer.from(zipSync({ 'x.npy': new Uint8Array(100) }, { level: 9 }));
    bytes.writeUInt32LE(1 << 29, bytes.lastIndexOf(Buffer.from('PK\x01\x02', 'latin1')) + 24);
    const before = process.memoryUsage().arrayBuffers;
    await expect(open(bytes, ['x'], 1 << 30)).rejects.toMatchObject(unreadable);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(1 << 24);
  });

  it('refuses encrypted members, other methods and doubled names', async () => {
    const plain = Buffer.from(zipSync({ 'x.npy': new Uint8Array(9) }, { level: 0 }));
    const entry = plain.lastIndexOf(Buffer.from('PK\x01\x02', 'latin1'));
    const encrypted = Buffer.from(plain);
    encrypted[entry + 8]! |= 1;
    await expect(open(encrypted)).rejects.toMatchObject({
      ...unreadable,
      message: expect.stringContaining('encrypted'),
    });
    const lzma = Buffer.from(plain);
    lzma.writeUInt16LE(14, entry + 10);
    await expect(open(lzma)).rejects.toMatchObject({
      ...unreadable,
      message: expect.stringContaining('method 14'),
    });
    const doubled = Buffer.from(
      zipSync({ 'x.npy': new Uint8Array(9), 'z.npy': new Uint8Array(9) }, { level: 0 }),
    );
    doubled[doubled.lastIndexOf('z.npy')] = 'x'.charCodeAt(0);
    await expect(open(doubled)).rejects.toMatchObject({
      ...unreadable,
      message: expect.stringContaining('same name'),
    });
  });
});

describe('writing .npz', () => {
  const folder = mkdtempSync(join(tmpdir(), 'glacis-npz-'));
  const arrays = {
    x: { data: Float32Array.from({ length: 600_000 }, (_, i) => Math.sin(i)), shape: [300, 2000] },
    y: { data: BigInt64Array.of(3n, -1n), shape: [2] },
    success: { data: Uint8Array.of(1, 0, 1), shape: [3], bool: true },
  };

  it('comes back as it was, and gives the same bytes each time', async () => {
    await writeNpz(join(folder, 'a.npz'), arrays);
    await writeNpz(join(folder, 'b.npz'), arrays);
    const bytes = readFileSync(join(folder, 'a.npz'));
    expect(bytes.equals(readFileSync(join(folder, 'b.npz')))).toBe(true);
    const { arrays: read } = await open(bytes, ['x', 'y', 'success'], 1 << 24);
    expect(read.map((array) => array?.type)).toEqual(['float32', 'int64', 'bool']);
    expect(await read[0]!.read(0, 300)).toEqual(arrays.x.data);
    expect(await read[1]!.read(0, 2)).toEqual(arrays.y.data);
    expect(await read[2]!.read(0, 3)).toEqual(arrays.success.data);
  });

  it('says when the place cannot be written', async () => {
    await expect(writeNpz(join(folder, 'absent', 'a.npz'), arrays)).rejects.toMatchObject({
      code: 'output/unwritable',
    });
  });
});
