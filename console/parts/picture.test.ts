import { describe, expect, it } from 'vitest';
import { bytesOf } from './picture.tsx';

describe('a picture from its values', () => {
  it('takes channels last, and planes where told so', () => {
    const last = bytesOf({ width: 2, height: 1, channels: 3, values: [1, 0, 0, 0, 1, 0] });
    const planar = bytesOf({ width: 2, height: 1, channels: 3, planar: true, values: [1, 0, 0, 1, 0, 0] });
    expect([...last]).toEqual([255, 0, 0, 255, 0, 255, 0, 255]);
    expect([...planar]).toEqual([...last]);
  });

  it('is grey with one channel', () => {
    expect([...bytesOf({ width: 1, height: 1, channels: 1, values: [0.5] })]).toEqual([128, 128, 128, 255]);
  });

  it('cuts what lies outside, and shows what is missing or no number in a colour of its own', () => {
    expect([...bytesOf({ width: 3, height: 1, channels: 1, values: [7, Number.NaN] })]).toEqual([
      255, 255, 255, 255, 217, 102, 11, 255, 217, 102, 11, 255,
    ]);
  });
});
