import { describe, expect, it } from 'vitest';
import type { ImageDims } from '../../threat/image-dims.ts';
import { cosineBasis } from './cosine-basis.ts';

const chw: ImageDims = { channels: 2, height: 4, width: 5, layout: 'chw' };

function picture(image: ImageDims, coefficient: number): Float32Array {
  const out = new Float32Array(image.channels * image.height * image.width);
  cosineBasis(image, image.height, image.width).add(coefficient, 1, out);
  return out;
}

describe('cosineBasis', () => {
  it('is orthonormal', () => {
    const pictures = Array.from({ length: 40 }, (_, i) => picture(chw, i));
    for (const [i, a] of pictures.entries())
      for (const [j, b] of pictures.entries())
        expect(a.reduce((sum, v, k) => sum + v * b[k]!, 0)).toBeCloseTo(i === j ? 1 : 0, 5);
  });

  it('begins with the constant of each channel', () => {
    expect([...picture(chw, 0).subarray(0, 20)]).toEqual(Array(20).fill(Math.fround(1 / Math.sqrt(20))));
    expect(
      picture(chw, 0)
        .subarray(20)
        .every((v) => v === 0),
    ).toBe(true);
  });

  it('synthesises what its pictures add up to, in either layout', () => {
    for (const layout of ['chw', 'hwc'] as const) {
      const image = { ...chw, layout };
      const basis = cosineBasis(image, 3, 2);
      expect(basis.size).toBe(12);
      const coefficients = Float32Array.from({ length: 12 }, (_, i) => Math.sin(i + 1));
      const [one, other] = [new Float32Array(40), new Float32Array(40).fill(9)];
      for (const [i, c] of coefficients.entries()) basis.add(i, c, one);
      basis.synthesise(coefficients, other);
      for (let i = 0; i < 40; i++) expect(other[i]!, layout).toBeCloseTo(one[i]!, 5);
    }
  });

  it('keeps the channels apart where they come last', () => {
    const out = picture({ ...chw, layout: 'hwc' }, 21);
    expect(out.every((v, i) => (i % 2 === 0 ? v === 0 : v !== 0))).toBe(true);
  });
});
