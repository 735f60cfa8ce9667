import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { memorySource } from './byte-source.ts';
import { openIdx } from './idx.ts';

const open = (bytes: Uint8Array, maxBytes = 1 << 20) =>
  openIdx(memorySource(bytes, 'a.idx'), 'a.idx', maxBytes);
const idx = (type: number, shape: readonly number[], data: Uint8Array) => {
  const head = Buffer.alloc(4 + 4 * shape.length);
  head[2] = type;
  head[3] = shape.length;
  shape.forEach((size, axis) => {
    head.writeUInt32BE(size, 4 + 4 * axis);
  });
  return Buffer.concat([head, data]);
};

describe('reading IDX', () => {
  const bytes = Uint8Array.from({ length: 12 }, (_, i) => 20 * i);
  it.each([
    ['plain', idx(8, [3, 2, 2], bytes)],
    ['gzip', gzipSync(idx(8, [3, 2, 2], bytes))],
  ])('reads unsigned bytes, %s', async (_, file) => {
    const array = await open(file);
    expect(array.type).toBe('uint8');
    expect(array.shape).toEqual([3, 2, 2]);
    expect(await array.read(1, 2)).toEqual(bytes.slice(4));
  });

  it('reads every element type, big-endian', async () => {
    const view = new DataView(new ArrayBuffer(8));
    view.setInt16(0, -300);
    expect(await (await open(idx(11, [1], new Uint8Array(view.buffer, 0, 2)))).read(0, 1)).toEqual(
      Int16Array.of(-300),
    );
    view.setInt32(0, -70000);
    expect(await (await open(idx(12, [1], new Uint8Array(view.buffer, 0, 4)))).read(0, 1)).toEqual(
      Int32Array.of(-70000),
    );
    view.setFloat32(0, 1.25);
    expect(await (await open(idx(13, [1], new Uint8Array(view.buffer, 0, 4)))).read(0, 1)).toEqual(
      Float32Array.of(1.25),
    );
    view.setFloat64(0, -1e300);
    expect(await (await open(idx(14, [1], new Uint8Array(view.buffer)))).read(0, 1)).toEqual(
      Float64Array.of(-1e300),
    );
    expect(await (await open(idx(9, [1], Uint8Array.of(255)))).read(0, 1)).toEqual(Int8Array.of(-1));
  });

  it.each([
    ['a file cut short', idx(8, [3, 2, 2], bytes.slice(1))],
    ['bytes after the data', idx(8, [3, 2, 1], bytes)],
    ['an unknown type', idx(10, [12], bytes)],
    ['a header cut short', Uint8Array.of(0, 0, 8, 3, 0, 0)],
    ['an empty file', new Uint8Array(0)],
    ['gzip cut short', gzipSync(idx(8, [12], bytes)).subarray(0, 30)],
    ['gzip of something else', gzipSync('no numbers here')],
    ['gzip with more than declared', gzipSync(idx(8, [11], bytes))],
    ['gzip with less than declared', gzipSync(idx(8, [13], bytes))],
    [
      'gzip with a damaged checksum',
      gzipSync(idx(8, [12], bytes)).map((byte, i, all) => (i === all.length - 8 ? byte ^ 1 : byte)),
    ],
  ])('refuses %s', async (_, file) => {
    await expect(open(file)).rejects.toMatchObject({ name: 'GlacisError', code: 'data/unreadable' });
  });

  it('stops a gzip bomb at what its header declares', async () => {
    const bomb = gzipSync(Buffer.concat([idx(8, [100], new Uint8Array(100)), Buffer.alloc(1 << 26)]));
    await expect(open(bomb, 1 << 30)).rejects.toMatchObject({ code: 'data/unreadable' });
    const large = gzipSync(idx(8, [1 << 21], new Uint8Array(1 << 21)));
    await expect(open(large)).rejects.toMatchObject({ code: 'data/too-large' });
  });
});
