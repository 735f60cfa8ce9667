import { describe, expect, it } from 'vitest';
import { randomFrom } from '../../core/random.ts';
import { slowChangeOf } from './slow-change.ts';

const HOUR = 3_600_000;
const series = (seed: number, level: (hours: number) => number, n = 240) => {
  const rng = randomFrom(seed, 'slow');
  const at = Float64Array.from({ length: n }, (_, i) => (i * 48 * HOUR) / n);
  return [at, at.map((each) => level(each / HOUR) + rng.normal())] as const;
};
const found = (level: (hours: number) => number, n?: number) =>
  Array.from({ length: 40 }, (_, seed) => slowChangeOf(...series(seed, level, n), HOUR)).filter(Boolean);

describe('a slow change', () => {
  it('is seen in most series that move over a day, and says when', () => {
    const slow = found((hours) => 2.5 * Math.min(1, Math.max(0, (hours - 12) / 30)));
    expect(slow.length).toBeGreaterThan(30);
    const [one] = slow;
    expect(one!.from / HOUR).toBeGreaterThan(4);
    expect(one!.from / HOUR).toBeLessThan(24);
  });

  it('is not what a step is, early, late or twice', () => {
    for (const at of [4, 24, 40, 47]) expect(found((hours) => (hours > at ? 2.5 : 0)).length).toBeLessThan(4);
    expect(found((hours) => (hours > 47.9 ? 8 : 0)).length).toBeLessThan(4);
  });

  it('is not found in what stays as it is, or falls, or is short', () => {
    expect(found(() => 1).length).toBeLessThan(4);
    expect(found((hours) => -hours / 16).length).toBe(0);
    expect(found((hours) => hours / 10, 30).length).toBe(0);
  });
});
