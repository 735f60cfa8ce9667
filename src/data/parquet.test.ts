import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { DataOptions } from './dataset.ts';
import { readParquet } from './parquet.ts';

const vectors: Record<string, string> = JSON.parse(
  readFileSync(new URL('./vectors/numpy-pyarrow.json', import.meta.url), 'utf8'),
);
const folder = mkdtempSync(join(tmpdir(), 'glacis-parquet-'));
const read = (bytes: Uint8Array, options: DataOptions = {}) => {
  const path = join(folder, 'a.parquet');
  writeFileSync(path, bytes);
  return readParquet(path, { maxBytes: 1 << 20, ...options }, 'a.parquet');
};
const vector = (name: string) => Buffer.from(vectors[`parquet ${name}`]!, 'base64');
const features = [1.5, 1, 1, 0.5, 2.5, 2, 0, 0.25, 3.5, 3, 1, 0.125, 4.5, 4, 1, 2];

// Each read starts a process, so one test looks at several things.
describe('reading Parquet', () => {
  it.each(['none', 'snappy', 'gzip', 'brotli', 'zstd', 'v2 pages'])(
    'reads what PyArrow wrote: %s',
    async (name) => {
      const table = await read(vector(name));
      expect(table.features).toEqual(['a', 'b', 'c', 'f']);
      expect(Array.from(table.values)).toEqual(features);
      expect(table.labels).toEqual(Int32Array.of(0, 1, 2, 1));
    },
  );

  it('takes text as class names, floats as regression targets, and another column on demand', async () => {
    const text = await read(vector('text target'));
    expect([text.classes, text.labels]).toEqual([['bird', 'cat', 'dog'], Int32Array.of(1, 2, 1, 0)]);
    expect((await read(vector('float target'))).labels).toEqual(Float32Array.of(1, 2, 3, 4));
    const other = await read(vector('none'), { target: 'b' });
    expect([other.labels, other.features]).toEqual([Int32Array.of(1, 2, 3, 4), ['a', 'c', 'f', 'label']]);
    expect((await read(vector('none'), { target: null })).features).toHaveLength(5);
  });

  it.each([
    ['missing', {}, 'data/not-finite', "column 'a', row 1"],
    ['date', {}, 'data/unreadable', "column 'b': expected plain numbers, got DATE"],
    ['list', {}, 'data/unreadable', "column 'b': expected plain numbers, got a nested column"],
    ['text target', { target: 'a' }, 'data/unreadable', "column 'label'"],
    ['none', { target: 'z' }, 'option/invalid', "'z'"],
    ['none', { maxBytes: 63 }, 'data/too-large', '4 rows'],
  ] as const)('refuses %s %j', async (name, options, code, message) => {
    await expect(read(vector(name), options)).rejects.toMatchObject({
      code,
      message: expect.stringContaining(message),
    });
  });

  it('survives a file whose run length or page size is a lie, and one cut short', async () => {
    const whole = vector('snappy');
    await expect(read(whole.subarray(0, whole.length - 9))).rejects.toMatchObject({
      code: 'data/unreadable',
    });
    // The page header of the first column starts behind the magic: field 2 is the uncompressed size as a varint.
    const page = Buffer.from(whole);
    page.fill(0xff, 6, 9);
    await expect(read(page)).rejects.toMatchObject({ name: 'GlacisError' });
    // The definition levels of four present values are a run of 4 ones; here they claim 2³⁰ bit-packed groups.
    const run = Buffer.from(vector('none'));
    run.set([0xff, 0xff, 0xff, 0xff, 0x07], run.indexOf(Uint8Array.of(2, 0, 0, 0, 8, 1)) + 4);
    await expect(read(run)).rejects.toMatchObject({ code: 'data/unreadable' });
  });

  it('stops when it is cancelled', async () => {
    await expect(read(vector('none'), { signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'run/cancelled',
    });
  });
});
