import { describe, expect, it } from 'vitest';
import { recentMap } from './recent-map.ts';

describe('a map of recent things', () => {
  it('never holds more than it may, and keeps what is used', () => {
    const map = recentMap<number>(100);
    map.set('kept', 1);
    for (let i = 0; i < 10_000; i++) {
      map.set(`x${i}`, i);
      expect(map.size).toBeLessThanOrEqual(100);
      expect(map.get('kept')).toBe(1);
    }
    expect(map.get('x9999')).toBe(9999);
    expect(map.get('x1')).toBeUndefined();
  });

  it('holds one value a key, and forgets on demand', () => {
    const map = recentMap<number>(4);
    for (const key of ['a', 'b', 'c', 'a']) map.set(key, key.charCodeAt(0));
    map.set('a', 7);
    expect(map.get('a')).toBe(7);
    map.delete('a');
    expect(map.get('a')).toBeUndefined();
    map.clear();
    expect([map.size, map.get('c')]).toEqual([0, undefined]);
  });
});
