import { describe, expect, it } from 'vitest';
import { distance } from '../../threat/norm.ts';
import { violationOf } from '../../threat/violation.ts';
import { hasNoise, noisy } from './noise.ts';

const size = 30;
const x = Float32Array.from({ length: 4 * size }, (_, i) => ((i * 37) % 101) / 100);

describe('noisy', () => {
  it.each(['linf', 'l2', 'l1'] as const)(
    'stays within %s ball and bounds, and changes every sample',
    (norm) => {
      const ball = { norm, eps: 0.3, bounds: [0, 1] as const };
      const changed = noisy(ball, x, size, 0, 7);
      for (let at = 0; at < x.length; at += size) {
        expect(violationOf(ball, changed, x, at, size)).toBeUndefined();
        expect(distance(norm, changed, x, at, size)).toBeGreaterThan(0.1);
      }
    },
  );

  it('draws by seed and sample, however the samples are divided', () => {
    const ball = { norm: 'linf', eps: 0.1, bounds: [0, 1] } as const;
    const whole = noisy(ball, x, size, 0, 7);
    expect(noisy(ball, x.slice(2 * size), size, 2, 7)).toEqual(whole.slice(2 * size));
    expect(noisy(ball, x, size, 0, 8)).not.toEqual(whole);
  });

  it('moves each value to one end or the other in linf, up to the bounds', () => {
    const changed = noisy(
      { norm: 'linf', eps: 0.5, bounds: [0, 1] },
      new Float32Array(200).fill(0.75),
      200,
      0,
      1,
    );
    const [up, down] = [changed.filter((v) => v === 1).length, changed.filter((v) => v === 0.25).length];
    expect(up + down).toBe(200);
    expect(Math.min(up, down)).toBeGreaterThan(60);
  });

  it('is not there in l0', () => {
    expect(hasNoise({ norm: 'l0' })).toBe(false);
    expect(hasNoise({ norm: 'l1' })).toBe(true);
  });
});
