import fc from 'fast-check';
import sharp from 'sharp';
import { expect, it } from 'vitest';
import { encodePng, type Picture, pngAddress } from './png.ts';

const pictures: fc.Arbitrary<Picture> = fc
  .tuple(
    fc.integer({ min: 1, max: 40 }),
    fc.integer({ min: 1, max: 40 }),
    fc.constantFrom(1 as const, 2 as const, 3 as const, 4 as const),
  )
  .chain(([width, height, channels]) => {
    const length = width * height * channels;
    return fc
      .uint8Array({ minLength: length, maxLength: length })
      .map((pixels) => ({ width, height, channels, pixels }));
  });

it('another decoder reads the same pixels back', async () => {
  await fc.assert(
    fc.asyncProperty(pictures, async (picture) => {
      const decoded = sharp(encodePng(picture));
      const { data, info } = await decoded.raw().toBuffer({ resolveWithObject: true });
      const { space, hasAlpha } = await decoded.metadata();
      expect([info.width, info.height]).toEqual([picture.width, picture.height]);
      const isGrey = picture.channels < 3;
      expect([space, hasAlpha]).toEqual([isGrey ? 'b-w' : 'srgb', picture.channels % 2 === 0]);
      // Some versions hand grey out as three equal channels.
      const isSpread = isGrey && info.channels > 2;
      const kept = data.filter((_, i) => !isSpread || i % info.channels === 0 || i % info.channels === 3);
      expect(Array.from(kept)).toEqual(Array.from(picture.pixels));
    }),
    { numRuns: 60 },
  );
});

it('gives an address that holds the whole picture', async () => {
  const address = pngAddress({ width: 2, height: 1, channels: 1, pixels: Uint8Array.of(0, 255) });
  expect(address).toMatch(/^data:image\/png;base64,[A-Za-z0-9+/]+=*$/);
  const bytes = Buffer.from(address.slice(address.indexOf(',') + 1), 'base64');
  expect((await sharp(bytes).metadata()).width).toBe(2);
});

it.each([
  [2, 2, 3],
  [0, 0, 0],
  [Number.NaN, 1, 1],
])('refuses %d × %d pixels in %d bytes', (width, height, bytes) => {
  expect(() => encodePng({ width, height, channels: 1, pixels: new Uint8Array(bytes) })).toThrow(
    /png: expected/,
  );
});
