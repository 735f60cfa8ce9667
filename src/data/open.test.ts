import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { zipSync } from 'fflate';
import { describe, expect, it } from 'vitest';
import type { DataOptions } from './dataset.ts';
import { writeNpy } from './npy.ts';
import { writeNpz } from './npz.ts';
import { openDataset } from './open.ts';

const folder = mkdtempSync(join(tmpdir(), 'glacis-open-'));
const at = (name: string) => join(folder, name);
const x = { data: Float32Array.of(1, 2, 3, 4, 5, 6), shape: [3, 2] };
const y = { data: Int32Array.of(0, 1, 1), shape: [3] };

describe('opening a data set', () => {
  it('reads .npz by its keys, with the digest of the file', async () => {
    await writeNpz(at('a.npz'), { x, y, images: x, good: y });
    const set = await openDataset(at('a.npz'));
    expect(set).toMatchObject({ n: 3, sampleShape: [2], dtype: 'float32', labels: y.data });
    expect(set.digest).toBe(
      `sha256:${createHash('sha256')
        .update(readFileSync(at('a.npz')))
        .digest('hex')}`,
    );
    expect(await set.read(1, 2)).toEqual(Float32Array.of(3, 4, 5, 6));
    await set.close();
    const other = await openDataset(at('a.npz'), { x: 'images', y: 'good' });
    expect(other.labels).toEqual(y.data);
    await other.close();
    const message = expect.stringContaining("'images'");
    await expect(openDataset(at('a.npz'), { x: 'pixels' })).rejects.toMatchObject({
      code: 'data/unreadable',
      message,
    });
    await expect(openDataset(at('a.npz'), { y: 'labels' })).rejects.toMatchObject({
      code: 'data/unreadable',
    });
  });

  it.runIf(process.platform === 'linux')('closes every file that it opened', async () => {
    await writeNpy(at('flat.npy'), { data: Float32Array.of(1, 2), shape: [2] });
    const bytes = readFileSync(at('a.npz'));
    writeFileSync(at('damaged.npz'), bytes.subarray(0, bytes.length - 9));
    writeFileSync(at('images.gz'), gzipSync(Uint8Array.of(0, 0, 8, 2, 0, 0, 0, 1, 0, 0, 0, 2, 1, 2)));
    writeFileSync(at('deflated.npz'), zipSync({ 'x.npy': new Uint8Array(readFileSync(at('flat.npy'))) }));
    const count = () => readdirSync('/proc/self/fd').length;
    const before = count();
    for (const name of ['a.npz', 'images.gz', 'deflated.npz']) await (await openDataset(at(name))).close();
    await expect(openDataset(at('damaged.npz'))).rejects.toThrow();
    expect(count()).toBe(before);
  });

  it('reads .npy alone and with labels behind a comma', async () => {
    await writeNpy(at('x.npy'), x);
    await writeNpy(at('y.npy'), y);
    await writeNpy(at('short.npy'), { data: Int32Array.of(0, 1), shape: [2] });
    const alone = await openDataset(at('x.npy'));
    expect([alone.labels, alone.notes]).toEqual([undefined, ['there are no labels']]);
    await alone.close();
    const both = await openDataset(`${at('x.npy')},${at('y.npy')}`);
    expect(both.labels).toEqual(y.data);
    await both.close();
    const message = expect.stringContaining('expected 3 labels, one for each sample, got [2]');
    await expect(openDataset(`${at('x.npy')},${at('short.npy')}`)).rejects.toMatchObject({
      code: 'data/mismatch',
      message,
    });
  });

  it('reads a CSV file by its ending, and a path with a comma as it is', async () => {
    writeFileSync(at('a,b.csv'), 'a,t\n1,0\n2,1\n');
    const set = await openDataset(at('a,b.csv'));
    expect(set.describe).toBe('2 rows of 1 numbers from CSV');
    expect(await set.read(1, 1)).toEqual(Float32Array.of(2));
    await expect(set.read(1, 2)).rejects.toMatchObject({ code: 'option/invalid' });
  });

  it('makes one number a sample of shape [1]', async () => {
    await writeNpy(at('flat.npy'), { data: Float32Array.of(1, 2), shape: [2] });
    const set = await openDataset(at('flat.npy'));
    expect([set.n, set.sampleShape]).toEqual([2, [1]]);
    await set.close();
  });

  it('gives several files the digest that sha256sum gives their sums', async () => {
    const set = await openDataset(`${at('x.npy')},${at('y.npy')}`);
    const lines = ['x.npy', 'y.npy'].map(
      (name) =>
        `${createHash('sha256')
          .update(readFileSync(at(name)))
          .digest('hex')}  ${name}\n`,
    );
    expect(set.digest).toBe(`sha256:${createHash('sha256').update(lines.join('')).digest('hex')}`);
    await set.close();
  });

  it('refuses what it cannot read', async () => {
    writeFileSync(at('picture.bin'), 'something else');
    await writeNpy(at('none.npy'), { data: new Float32Array(0), shape: [0, 2] });
    for (const [spec, code] of [
      [at('picture.bin'), 'data/unreadable'],
      [at('absent.npz'), 'data/unreadable'],
      ['/dev/zero', 'data/unreadable'],
      [at('none.npy'), 'data/mismatch'],
      [`${at('a.npz')},${at('y.npy')}`, 'data/unreadable'],
      [`${at('x.npy')},${at('picture.bin')}`, 'data/unreadable'],
      ['', 'data/unreadable'],
      ['\0', 'data/unreadable'],
    ] as const) {
      await expect(openDataset(spec), spec).rejects.toMatchObject({ name: 'GlacisError', code });
    }
  });

  it.each([
    [{ labels: 'y' }, 'option/unknown'],
    [{ maxBytes: 0 }, 'option/invalid'],
    [{ imageSize: [0, 4] }, 'option/invalid'],
    [{ channels: 2 }, 'option/invalid'],
    [{ task: 'ranking' }, 'option/invalid'],
    [{ delimiter: '' }, 'option/invalid'],
  ])('refuses options %j', async (options, code) => {
    await expect(openDataset(at('x.npy'), options as DataOptions)).rejects.toMatchObject({ code });
  });

  it('stops when it is cancelled', async () => {
    await expect(openDataset(at('x.npy'), { signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'run/cancelled',
    });
  });
});
