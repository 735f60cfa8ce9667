import { mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { memorySource, openFile } from './byte-source.ts';
import { type NpyArray, openNpy, writeNpy } from './npy.ts';

const vectors: Record<string, string> = JSON.parse(
  readFileSync(new URL('./vectors/numpy-pyarrow.json', import.meta.url), 'utf8'),
);
const names = Object.keys(vectors).filter((name) => name.startsWith('npy '));
const vector = (name: string) => Buffer.from(vectors[name]!, 'base64');
const open = (bytes: Uint8Array, maxBytes = 1 << 20) =>
  openNpy(memorySource(bytes, 'a.npy'), 'a.npy', maxBytes);
/** A version 1.0 file with this header text and data. */
const npy = (header: string, data: Uint8Array = new Uint8Array(0)) =>
  Buffer.concat([
    Buffer.from('\x93NUMPY\x01\x00', 'latin1'),
    Uint8Array.of(header.length & 0xff, header.length >>> 8),
    Buffer.from(header, 'latin1'),
    data,
  ]);

describe('reading .npy', () => {
  const dtypes = names.filter((name) => /^npy (\?|[<>]?[iuf]\d)$/.test(name));
  it.each(dtypes)('%s gives the numbers that NumPy wrote', async (name) => {
    const array = await open(vector(name));
    expect(array.shape).toEqual([2, 3]);
    const expected = name === 'npy ?' ? [0, 1, 1, 1, 1, 1] : [0, 1, 2, 3, 4, 100];
    expect(Array.from(await array.read(0, 2), Number)).toEqual(expected);
    expect(Array.from(await array.read(1, 1), Number)).toEqual(expected.slice(3));
  });

  it('covers 21 dtypes', () => expect(dtypes).toHaveLength(21));

  it.each(['npy v2', 'npy v3'])('reads header version of %s', async (name) => {
    expect(Array.from(await (await open(vector(name))).read(0, 2), Number)).toEqual([0, 1, 2, 3, 4, 100]);
  });

  it('turns Fortran order into row-major samples', async () => {
    const array = await open(vector('npy fortran'));
    expect(array.shape).toEqual([2, 3, 4]);
    expect(Array.from(await array.read(0, 2), Number)).toEqual(Array.from({ length: 24 }, (_, i) => i));
    expect(Array.from(await array.read(1, 1), Number)).toEqual(Array.from({ length: 12 }, (_, i) => 12 + i));
  });

  it('refuses a Fortran array over the memory limit', async () => {
    await expect(open(vector('npy fortran'), 95)).rejects.toMatchObject({ code: 'data/too-large' });
    await expect(open(vector('npy fortran'), 96)).resolves.toBeDefined();
  });

  it('decodes half precision with subnormals, infinities and NaN', async () => {
    const bits = Uint16Array.of(0x0001, 0x8001, 0x3555, 0x7bff, 0xfc00, 0x7e00, 0x8000);
    const file = npy(
      "{'descr': '<f2', 'fortran_order': False, 'shape': (7,), }",
      new Uint8Array(bits.buffer),
    );
    const values = await (await open(file)).read(0, 7);
    expect(Array.from(values, Number)).toEqual([
      2 ** -24,
      -(2 ** -24),
      0.333251953125,
      65504,
      -Infinity,
      NaN,
      -0,
    ]);
  });

  it.each([
    ['npy object', /Python objects.*pickle/],
    ['npy complex', /dtype/],
    ['npy text', /dtype/],
    ['npy structured', /./],
  ])('refuses %s', async (name, message) => {
    await expect(open(vector(name))).rejects.toMatchObject({
      code: 'data/unreadable',
      message: expect.stringMatching(message),
    });
  });

  it.each([
    ['too few bytes', npy("{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }", new Uint8Array(7))],
    [
      'bytes after the data',
      npy("{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }", new Uint8Array(9)),
    ],
    [
      'a shape beyond 2⁵³',
      npy("{'descr': '<f4', 'fortran_order': False, 'shape': (4294967296, 4294967296), }"),
    ],
    ['a huge shape with no data', npy("{'descr': '<f4', 'fortran_order': True, 'shape': (1000000, 1000), }")],
    [
      'an expression',
      npy("{'descr': __import__('os'), 'fortran_order': False, 'shape': (2,), }", new Uint8Array(8)),
    ],
    [
      'a repeated key',
      npy("{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (2,), }", new Uint8Array(8)),
    ],
    ['a missing key', npy("{'descr': '<f4', 'fortran_order': False, }", new Uint8Array(8))],
    ['version 4', Buffer.from('\x93NUMPY\x04\x00\x00\x00\x00\x00', 'latin1')],
    [
      '33 axes',
      npy(`{'descr': '|u1', 'fortran_order': False, 'shape': (${'1, '.repeat(33)}), }`, new Uint8Array(1)),
    ],
  ])('refuses %s', async (_, bytes) => {
    await expect(open(bytes)).rejects.toMatchObject({ name: 'GlacisError', code: 'data/unreadable' });
  });

  it('refuses to read outside the array', async () => {
    const array = await open(vector('npy <f4'));
    for (const [start, count] of [
      [0, 3],
      [-1, 1],
      [2, 1],
      [0.5, 1],
      [0, Number.NaN],
    ] as const) {
      await expect(array.read(start, count)).rejects.toMatchObject({ code: 'option/invalid' });
    }
  });
});

describe('writing .npy', () => {
  const folder = mkdtempSync(join(tmpdir(), 'glacis-npy-'));
  const arrays: readonly (readonly [string, NpyArray])[] = [
    ['float32', { data: Float32Array.of(-0, 1.5, 3e38, -2), shape: [2, 2] }],
    ['int32', { data: Int32Array.of(-1, 2 ** 31 - 1), shape: [2] }],
    ['int64', { data: BigInt64Array.of(-1n, 2n ** 62n), shape: [2, 1] }],
    ['uint8', { data: Uint8Array.of(0, 255, 7), shape: [3] }],
    ['bool', { data: Uint8Array.of(0, 1, 1), shape: [1, 3], bool: true }],
  ];
  it.each(arrays)('%s comes back as it was', async (type, array) => {
    const path = join(folder, `${type}.npy`);
    await writeNpy(path, array);
    const read = await openNpy(await openFile(path), path, 1 << 20);
    expect(read.type).toBe(type);
    expect(read.shape).toEqual(array.shape);
    expect(await read.read(0, array.shape[0]!)).toEqual(array.data);
    await read.close();
  });

  it('writes the very bytes that NumPy writes', async () => {
    const path = join(folder, 'same.npy');
    await writeNpy(path, { data: Float32Array.of(0, 1, 2, 3, 4, 100), shape: [2, 3] });
    expect(readFileSync(path).equals(vector('npy <f4'))).toBe(true);
    await writeNpy(path, { data: Float32Array.of(0, 1, 2, 3, 4), shape: [5] });
    expect(readFileSync(path).equals(vector('npy 1d'))).toBe(true);
  });

  it('refuses a shape that does not fit the data, and booleans that are none', async () => {
    const path = join(folder, 'never.npy');
    await expect(writeNpy(path, { data: Float32Array.of(1), shape: [2] })).rejects.toMatchObject({
      code: 'option/invalid',
    });
    await expect(writeNpy(path, { data: Uint8Array.of(2), shape: [1], bool: true })).rejects.toMatchObject({
      code: 'option/invalid',
    });
  });

  it('leaves nothing behind when the place cannot be written', async () => {
    const path = join(folder, 'absent', 'a.npy');
    await expect(writeNpy(path, { data: Float32Array.of(1), shape: [1] })).rejects.toMatchObject({
      code: 'output/unwritable',
    });
    // A folder of that name: the temporary file is complete, but the renaming fails.
    const taken = mkdtempSync(join(folder, 'taken-'));
    await expect(writeNpy(taken, { data: Float32Array.of(1), shape: [1] })).rejects.toMatchObject({
      code: 'output/unwritable',
    });
    expect(readdirSync(folder).filter((name) => name.endsWith('.tmp'))).toEqual([]);
  });
});
