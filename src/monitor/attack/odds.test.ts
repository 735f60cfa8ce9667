import { describe, expect, it } from 'vitest';
import { odds } from './odds.ts';

describe('odds', () => {
  it.each([
    [0, '1 to 1'],
    [-3, '1 to 1'],
    [Math.log(3.9), '3 to 1'],
    [Math.log(1234.5), '1,234 to 1'],
    [Math.log(999_999.5), '999,999 to 1'],
    [Math.log(1.5e6), '10⁶ to 1'],
    [20, '10⁸ to 1'],
    [193.4, '10⁸³ to 1'],
  ])('of evidence %d are %s', (evidence, words) => expect(odds(evidence)).toBe(words));
});
