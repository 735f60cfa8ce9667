import { describe, expect, it } from 'vitest';
import {
  changePicture,
  checkGallery,
  type GalleryItem,
  type ImageGallery,
  magnifications,
  samplePicture,
} from './gallery.ts';

const item = (clean: number[], adversarial: number[], eps = 0.3): GalleryItem => ({
  index: 3,
  label: 0,
  before: { class: 0, confidence: 0.9 },
  after: { class: 1, confidence: 0.8 },
  clean: Float32Array.from(clean),
  adversarial: Float32Array.from(adversarial),
  eps,
  attack: 'pgd',
});
const gallery = (channels: 1 | 3, ...items: GalleryItem[]): ImageGallery => ({
  width: 2,
  height: 1,
  channels,
  items,
});

describe('pictures', () => {
  it('turns planes into pixels: CHW in, red-green-blue out', () => {
    const values = Float32Array.of(1, 0, 0.2, 0.4, 0, 1);
    expect([...samplePicture(gallery(3), values).pixels]).toEqual([255, 51, 0, 0, 102, 255]);
  });

  it('takes bytes as they are', () => {
    expect([...samplePicture(gallery(1), Uint8Array.of(7, 200)).pixels]).toEqual([7, 200]);
  });

  it('clips what lies outside and shows what is no number as black', () => {
    expect([...samplePicture(gallery(1), Float32Array.of(Number.NaN, 7)).pixels]).toEqual([0, 255]);
  });

  it('centres the change at grey and magnifies it to the full range', () => {
    const sample = item([0.5, 0.5], [0.6, 0.4]);
    const factor = magnifications([sample]).get(0.3)!;
    expect(factor).toBeCloseTo(5, 5);
    const pixels = [...changePicture(gallery(1, sample), sample, factor).pixels];
    expect(pixels[0]).toBe(255);
    expect(pixels[1]).toBeLessThanOrEqual(1);
    const same = item([0.5, 0.5], [0.5, 0.5]);
    expect([...changePicture(gallery(1, same), same, factor).pixels]).toEqual([128, 128]);
  });

  it('magnifies all samples of one eps alike, and each eps by itself', () => {
    const factors = magnifications([
      item([0, 0], [0.1, 0]),
      item([0, 0], [0.2, 0]),
      item([0, 0], [0.01, 0], 0.01),
      item([0], [0], 0),
    ]);
    expect([...factors].map(([eps, factor]) => [eps, Math.round(factor * 10) / 10])).toEqual([
      [0.3, 2.5],
      [0.01, 50],
      [0, 1],
    ]);
  });
});

describe('checkGallery refuses', () => {
  it.each([
    ['too few pixels', gallery(1, item([0], [0])), '2 values in "clean" of sample 3, got 1'],
    [
      'pixels missing after the attack',
      gallery(1, item([0, 0], [0])),
      '2 values in "adversarial" of sample 3, got 1',
    ],
    ['two channels', { ...gallery(1), channels: 2 } as unknown as ImageGallery, '1 or 3 channels, got 2×1×2'],
    ['no height', { ...gallery(1), height: 0 }, 'got 2×0×1'],
    ['uneven features', { kind: 'table' as const, items: [item([1, 2], [1])] }, '2 values in "adversarial"'],
    ['no features', { kind: 'table' as const, items: [item([], [])] }, 'some values in "clean"'],
  ])('%s', (_, bad, message) => {
    expect(() => checkGallery(bad)).toThrow(message);
  });
});
