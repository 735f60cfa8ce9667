import { describe, expect, it } from 'vitest';
import { randomFrom } from './random.ts';
import { shuffle } from './shuffle.ts';

describe('shuffle', () => {
  it('puts a list into an order in place, the same for arrays and typed ones, and loses nothing', () => {
    const list = Array.from({ length: 50 }, (_, i) => i);
    const typed = Int32Array.from(list);
    expect(shuffle(list, randomFrom(1, 'shuffle'))).toBe(list);
    expect([...shuffle(typed, randomFrom(1, 'shuffle'))]).toEqual(list);
    expect([...list].sort((a, b) => a - b)).toEqual(Array.from({ length: 50 }, (_, i) => i));
    expect(shuffle([], randomFrom(1, 'shuffle'))).toEqual([]);
  });

  it('gives each order equally often', () => {
    const rng = randomFrom(2, 'shuffle');
    const counts = new Map<string, number>();
    for (let i = 0; i < 6000; i++) {
      const order = shuffle([0, 1, 2], rng).join('');
      counts.set(order, (counts.get(order) ?? 0) + 1);
    }
    expect(counts.size).toBe(6);
    // A thousand each; five standard deviations are 144.
    for (const count of counts.values()) expect(Math.abs(count - 1000)).toBeLessThan(144);
  });
});
