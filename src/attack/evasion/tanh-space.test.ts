import { describe, expect, it } from 'vitest';
import { tanhSpace } from './tanh-space.ts';

describe('tanhSpace', () => {
  it('comes back to where it left, within the bounds, with the slope of the way back', () => {
    const space = tanhSpace([-2, 3]);
    const x = Float32Array.of(-2, -1.5, 0.5, 2.9, 3);
    const [w, back, slope, moved, unused] = Array.from({ length: 5 }, () => new Float32Array(5));
    space.into(x, 0.999999, w!);
    space.outOf(w!, back!, slope!);
    for (let i = 0; i < 5; i++) expect(back![i]).toBeCloseTo(x[i]!, 4);
    const h = 1e-2;
    space.outOf(
      w!.map((v) => v + h),
      moved!,
      unused!,
    );
    for (const i of [1, 2, 3]) expect((moved![i]! - back![i]!) / h).toBeCloseTo(slope![i]!, 1);
    space.outOf(new Float32Array(5).fill(-100), back!, slope!);
    expect(Math.min(...back!)).toBe(-2);
  });

  it('leaves values on a bound where they are without shrinking', () => {
    const space = tanhSpace([0, 1]);
    const [w, x, slope] = [new Float32Array(2), new Float32Array(2), new Float32Array(2)];
    space.into(Float32Array.of(0, 1), 1, w);
    space.outOf(w, x, slope);
    expect([...x, ...slope]).toEqual([0, 1, 0, 0]);
  });

  it('refuses bounds that are not finite', () => {
    expect(() => tanhSpace([0, Number.POSITIVE_INFINITY])).toThrow(/expected two finite numbers/);
  });
});
