import { describe, expect, it } from 'vitest';
import { searchConstant } from './constant-search.ts';

/** The constants that are tried when all from `enough` on are enough. */
function tried(initial: number, searches: number, enough: number): number[] {
  const constants: number[] = [];
  // biome-ignore lint/correctness/useYield: an attempt that asks nothing
  const talk = searchConstant(initial, searches, function* (c) {
    constants.push(c);
    return c >= enough;
  });
  expect(talk.next().done).toBe(true);
  return constants;
}

describe('searchConstant', () => {
  it('grows tenfold up to a success, then halves', () => {
    expect(tried(1, 6, 30)).toEqual([1, 10, 100, 55, 32.5, 21.25]);
    expect(tried(8, 4, 3)).toEqual([8, 4, 2, 3]);
  });

  it('tries the least success once more at the end of a long search', () => {
    expect(tried(1, 10, 0.6).at(-1)).toBeCloseTo(0.6015625);
    expect(tried(1, 10, Number.POSITIVE_INFINITY).at(-1)).toBe(1e10);
  });
});
