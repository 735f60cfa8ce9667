import { describe, expect, it } from 'vitest';
import { memorySource } from './byte-source.ts';
import { readCsv } from './csv.ts';
import type { DataOptions } from './dataset.ts';

const read = (text: string, options: DataOptions = {}) =>
  readCsv(memorySource(Buffer.from(text), 'a.csv'), { maxBytes: 1 << 20, ...options }, 'a.csv');

describe('reading CSV', () => {
  it('takes the last column as the target and all others as features', async () => {
    const table = await read('a,b,class\n1,2.5,0\r\n-3e2,.5,2\n');
    expect(table.features).toEqual(['a', 'b']);
    expect(Array.from(table.values)).toEqual([1, 2.5, -300, 0.5]);
    expect(table.labels).toEqual(Int32Array.of(0, 2));
    expect(table.notes).toEqual([
      'the first line names the columns',
      "column 'class' is the target",
      'labels are class numbers 0 to 2 (written as whole numbers)',
    ]);
  });

  it('takes the target by name, by number, or none', async () => {
    const text = 'a,b,c\n1,2,3\n4,5,6\n';
    expect((await read(text, { target: 'a' })).labels).toEqual(Int32Array.of(1, 4));
    expect((await read(text, { target: 1 })).features).toEqual(['a', 'c']);
    const none = await read(text, { target: null });
    expect(none.labels).toBeUndefined();
    expect(Array.from(none.values)).toEqual([1, 2, 3, 4, 5, 6]);
    await expect(read(text, { target: 'd' })).rejects.toMatchObject({ code: 'option/invalid' });
    await expect(read(text, { target: 3 })).rejects.toMatchObject({ code: 'option/invalid' });
  });

  it('tells regression from classes by how the target is written, unless task says it', async () => {
    expect((await read('a,t\n1,151.0\n2,75.0\n')).labels).toEqual(Float32Array.of(151, 75));
    expect((await read('a,t\n1,151.0\n2,75.0\n', { task: 'classification' })).labels).toEqual(
      Int32Array.of(151, 75),
    );
    expect((await read('a,t\n1,3\n2,4\n', { task: 'regression' })).labels).toEqual(Float32Array.of(3, 4));
    await expect(read('a,t\n1,0.5\n2,1\n', { task: 'classification' })).rejects.toMatchObject({
      code: 'data/mismatch',
    });
  });

  it('numbers class names in sorted order', async () => {
    const table = await read('a,t\n1,"oak, red"\n2,birch\n3,"oak, red"\n');
    expect(table.classes).toEqual(['birch', 'oak, red']);
    expect(table.labels).toEqual(Int32Array.of(1, 0, 1));
    await expect(read('a,t\n1,oak\n', { task: 'regression' })).rejects.toMatchObject({
      code: 'data/mismatch',
    });
  });

  it('sees whether the first line names the columns', async () => {
    const bare = await read('5.1,3.5,setosa\n4.9,3.0,setosa\n');
    expect([bare.n, bare.features]).toEqual([2, ['column 0', 'column 1']]);
    expect(bare.notes[0]).toBe('no header: the first line is data');
    await expect(read('x,1,y\n2,3,4\n')).rejects.toMatchObject({
      message: expect.stringContaining('say so with header'),
    });
    expect((await read('x,1,y\n2,3,4\n', { header: true })).features).toEqual(['x', '1']);
  });

  it('reads a byte order mark, another delimiter and blank lines', async () => {
    const table = await read('\ufeffa;t\n\n1;0\n\n2;1\n', { delimiter: ';' });
    expect(table.features).toEqual(['a']);
    expect(table.n).toBe(2);
  });

  it.each([
    ['an empty cell', 'a,t\n1,0\n,1\n', 'data/not-finite', "data row 2, column 'a'"],
    ['nan', 'a,t\nnan,0\n', 'data/not-finite', "data row 1, column 'a'"],
    ['a number beyond float32', 'a,t\n1e39,0\n', 'data/not-finite', "column 'a'"],
    ['an empty label', 'a,t\n1,\n', 'data/not-finite', 'label of sample 0'],
    ['text as a feature', 'a,t\n1,0\nred,1\n', 'data/unreadable', "data row 2, column 'a'"],
    ['hexadecimal', 'a,t\n0x10,1\n', 'data/unreadable', 'got text'],
    ['a row that is too long', 'a,t\n1,0\n1,0,5\n', 'data/unreadable', 'INCONSISTENT'],
    ['an open quote', 'a,t\n1,"0\n', 'data/unreadable', 'QUOTE'],
    ['no rows', 'a,t\n', 'data/unreadable', 'got none'],
    ['an empty file', '', 'data/unreadable', 'empty file'],
    ['one column', 'a\n1\n', 'data/mismatch', 'target null'],
  ])('refuses %s', async (_, text, code, message) => {
    await expect(read(text)).rejects.toMatchObject({
      name: 'GlacisError',
      code,
      message: expect.stringContaining(message),
    });
  });

  it('never repeats a cell in a message', async () => {
    await expect(read('a,t\nhunter2,0\n')).rejects.toMatchObject({
      message: expect.not.stringContaining('hunter2'),
    });
    await expect(read('a,t\n1,"hunter2\n')).rejects.toMatchObject({
      message: expect.not.stringContaining('hunter2'),
    });
  });

  it('refuses more than the memory limit', async () => {
    const text = `a,t\n${'1,0\n'.repeat(1000)}`;
    await expect(read(text, { maxBytes: 4000 })).rejects.toMatchObject({ code: 'data/too-large' });
    await expect(read(`${'a,'.repeat(70_000)}t\n`)).rejects.toMatchObject({ code: 'data/too-large' });
  });

  it('stops when it is cancelled', async () => {
    await expect(read('a,t\n1,0\n', { signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'run/cancelled',
    });
  });
});
