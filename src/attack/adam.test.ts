import { describe, expect, it } from 'vitest';
import { adam } from './adam.ts';

describe('adam', () => {
  it('takes the steps that the algorithm of the paper gives', () => {
    const x = Float32Array.of(1, -2, 0);
    const descend = adam(3, 0.1);
    const [m, v] = [new Float64Array(3), new Float64Array(3)];
    const expected = Float64Array.from(x);
    for (let t = 1; t <= 5; t++) {
      const g = Float32Array.from(x, (value) => 2 * value);
      for (let i = 0; i < 3; i++) {
        m[i] = 0.9 * m[i]! + 0.1 * g[i]!;
        v[i] = 0.999 * v[i]! + 0.001 * g[i]! ** 2;
        expected[i]! -= (0.1 * (m[i]! / (1 - 0.9 ** t))) / (Math.sqrt(v[i]! / (1 - 0.999 ** t)) + 1e-8);
      }
      descend(x, g);
      for (let i = 0; i < 3; i++) expect(x[i]).toBeCloseTo(expected[i]!, 5);
    }
    expect(x[2]).toBe(0);
  });

  it('takes a NaN as no reason to move', () => {
    const x = Float32Array.of(1, 1);
    const descend = adam(2, 0.1);
    descend(x, Float32Array.of(Number.NaN, 1));
    expect([...x]).toEqual([1, expect.closeTo(0.9, 5)]);
  });
});
