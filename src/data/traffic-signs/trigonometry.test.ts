import { describe, expect, it } from 'vitest';
import { cosine, sine } from './trigonometry.ts';

describe('sine and cosine', () => {
  it('agree with the engine to eleven digits over two turns', () => {
    for (let degrees = -630; degrees <= 630; degrees += 3.7) {
      const radians = (degrees * Math.PI) / 180;
      expect(Math.abs(sine(degrees) - Math.sin(radians))).toBeLessThan(1e-11);
      expect(Math.abs(cosine(degrees) - Math.cos(radians))).toBeLessThan(1e-11);
    }
  });
});
