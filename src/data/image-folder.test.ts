import { mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { openImageFolder } from './image-folder.ts';

const base = mkdtempSync(join(tmpdir(), 'glacis-images-'));
const raw = (pixels: readonly number[], width: number, channels: 1 | 3 | 4) =>
  sharp(Uint8Array.from(pixels), { raw: { width, height: pixels.length / width / channels, channels } });
const png = (pixels: readonly number[], width: number, channels: 1 | 3 | 4) =>
  raw(pixels, width, channels)
    .toColourspace(channels === 1 ? 'b-w' : 'srgb')
    .png()
    .toBuffer();
const red = [255, 0, 0, 10, 20, 30, 1, 2, 3, 4, 5, 6];
const blue = [0, 0, 255, 7, 8, 9, 40, 50, 60, 70, 80, 90];

function folder(files: Readonly<Record<string, Uint8Array | string>>): string {
  const root = mkdtempSync(join(base, 'set-'));
  for (const [name, bytes] of Object.entries(files)) {
    mkdirSync(dirname(join(root, name)), { recursive: true });
    writeFileSync(join(root, name), bytes);
  }
  return root;
}

describe('a folder of images by class', () => {
  it('gives pixels channels-last, classes in sorted order and what was left out', async () => {
    const root = folder({
      'b/1.png': await png(blue, 2, 3),
      'a/2.png': await png(red, 2, 3),
      'a/1.png': await png(blue, 2, 3),
      'a/notes.txt': 'hello',
      '.hidden/x.png': 'not looked at',
    });
    const set = await openImageFolder(root, {});
    expect([set.n, set.sampleShape, set.layout, set.classes]).toEqual([3, [2, 2, 3], 'hwc', ['a', 'b']]);
    expect(set.labels).toEqual(Int32Array.of(0, 0, 1));
    expect(Array.from((await set.read(0, 3)) as Uint8Array)).toEqual([...blue, ...red, ...blue]);
    expect(Array.from((await set.read(1, 1)) as Uint8Array)).toEqual(red);
    expect(set.notes).toEqual([
      'class folders are numbered in sorted order',
      '1 files that are no images were left out',
    ]);
    const again = await openImageFolder(folder({ 'a/1.png': await png(blue, 2, 3) }), {});
    expect(again.digest).toMatch(/^sha256:[0-9a-f]{64}$/);
    expect(again.digest).not.toBe(set.digest);
  });

  it('says that numbers as folder names sort as text, and takes another order', async () => {
    const image = await png([0, 255], 2, 1);
    const root = folder({ '0/a.png': image, '2/a.png': image, '10/a.png': image });
    const set = await openImageFolder(root, {});
    expect(set.classes).toEqual(['0', '10', '2']);
    expect(set.notes.join()).toContain('text order');
    const ordered = await openImageFolder(root, { classes: ['0', '2', '10'] });
    expect(ordered.classes).toEqual(['0', '2', '10']);
    await expect(openImageFolder(root, { classes: ['0', '2'] })).rejects.toMatchObject({
      code: 'option/invalid',
    });
  });

  it('keeps grey images grey, makes them colour on demand, and drops transparency', async () => {
    const root = folder({ 'a/1.png': await png([0, 50, 100, 255], 2, 1) });
    expect((await openImageFolder(root, {})).sampleShape).toEqual([2, 2, 1]);
    const colour = await openImageFolder(root, { channels: 3 });
    expect(Array.from((await colour.read(0, 1)) as Uint8Array)).toEqual([
      0, 0, 0, 50, 50, 50, 100, 100, 100, 255, 255, 255,
    ]);
    const clear = folder({ 'a/1.png': await png([9, 8, 7, 0, 6, 5, 4, 255], 2, 4) });
    expect(Array.from((await (await openImageFolder(clear, {})).read(0, 1)) as Uint8Array)).toEqual([
      9, 8, 7, 6, 5, 4,
    ]);
  });

  it.each(['jpeg', 'webp', 'gif', 'tiff', 'avif'] as const)('decodes %s', async (format) => {
    const bytes = await raw(
      Array.from({ length: 16 * 16 * 3 }, () => 128),
      16,
      3,
    )
      .toFormat(format)
      .toBuffer();
    const set = await openImageFolder(folder({ [`a/1.${format}`]: bytes }), {});
    expect(set.sampleShape).toEqual([16, 16, 3]);
    for (const value of (await set.read(0, 1)) as Uint8Array)
      expect(Math.abs(value - 128)).toBeLessThanOrEqual(3);
  });

  it('names the image whose size differs, and resizes on demand', async () => {
    const root = folder({ 'a/1.png': await png(red, 2, 3), 'a/2.png': await png(red, 4, 3) });
    const set = await openImageFolder(root, {});
    await expect(set.read(0, 2)).rejects.toMatchObject({
      code: 'data/mismatch',
      message: expect.stringMatching(/a\/2\.png.*imageSize/),
    });
    const resized = await openImageFolder(root, { imageSize: [3, 5] });
    expect(resized.sampleShape).toEqual([3, 5, 3]);
    expect(await resized.read(0, 2)).toHaveLength(90);
    expect(resized.notes.join()).toContain('resized to 3×5');
  });

  it('does not turn colour into grey silently', async () => {
    const root = folder({ 'a/1.png': await png([1, 2, 3, 4], 2, 1), 'a/2.png': await png(red, 2, 3) });
    const set = await openImageFolder(root, {});
    await expect(set.read(1, 1)).rejects.toMatchObject({
      code: 'data/mismatch',
      message: expect.stringContaining('channels'),
    });
  });

  it('refuses links that lead out and follows those that stay inside', async () => {
    const image = await png(red, 2, 3);
    const outside = folder({ 'a/secret.png': image });
    const root = folder({ 'a/1.png': image });
    symlinkSync(join(root, 'a', '1.png'), join(root, 'a', '2.png'));
    expect((await openImageFolder(root, {})).n).toBe(2);
    symlinkSync(join(outside, 'a', 'secret.png'), join(root, 'a', '3.png'));
    await expect(openImageFolder(root, {})).rejects.toMatchObject({
      code: 'data/unreadable',
      message: expect.stringContaining('leads out'),
    });
    const linked = folder({ 'a/1.png': image });
    symlinkSync(join(outside, 'a'), join(linked, 'b'));
    await expect(openImageFolder(linked, {})).rejects.toMatchObject({ code: 'data/unreadable' });
  });

  it('refuses an image that changed after it was hashed', async () => {
    const root = folder({ 'a/1.png': await png(red, 2, 3) });
    const set = await openImageFolder(root, {});
    writeFileSync(join(root, 'a', '1.png'), await png(blue, 2, 3));
    await expect(set.read(0, 1)).rejects.toMatchObject({ message: expect.stringContaining('changed') });
  });

  it('refuses what is no image of 8 bits', async () => {
    const svg =
      '<svg xmlns="http://www.w3.org/2000/svg" width="4" height="4"><rect width="4" height="4"/></svg>';
    const deep = await sharp(
      Uint16Array.from({ length: 12 }, () => 999),
      { raw: { width: 2, height: 2, channels: 3 } },
    )
      .toColourspace('rgb16')
      .png()
      .toBuffer();
    const good = await png(red, 2, 3);
    for (const bytes of [svg, deep, 'nothing', '', good.subarray(0, 50)]) {
      await expect(openImageFolder(folder({ 'a/1.png': bytes }), {})).rejects.toMatchObject({
        name: 'GlacisError',
        code: 'data/unreadable',
      });
    }
  });

  it('refuses folders without classes or without images', async () => {
    await expect(openImageFolder(folder({ 'a.png': 'x' }), {})).rejects.toMatchObject({
      code: 'data/unreadable',
    });
    await expect(openImageFolder(folder({ 'a/readme.txt': 'x' }), {})).rejects.toMatchObject({
      code: 'data/unreadable',
    });
    await expect(openImageFolder(folder({ 'a/b/1.png': 'x' }), {})).rejects.toMatchObject({
      code: 'data/unreadable',
    });
    await expect(openImageFolder(join(base, 'absent'), {})).rejects.toMatchObject({
      code: 'data/unreadable',
    });
  });
});
