import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  bytes,
  change,
  clock,
  count,
  counted,
  exact,
  figure,
  percent,
  relative,
  short,
  span,
} from './format.ts';

const plain = (text: string | undefined) => text?.replaceAll('\u00a0', ' ');

describe('numbers as words', () => {
  it.each([
    [0, '0'],
    [847, '847'],
    [9640, '9,640'],
    [12_400, '12.4 k'],
    [104_000, '104 k'],
    [3_120_000, '3.1 M'],
    [2.25, '2.3'],
    [Number.NaN, '–'],
  ])('%d is short as %s', (n, words) => expect(plain(short(n))).toBe(words));

  it('says 0 % and 100 % only of what is exactly that', () => {
    expect([0, 1e-9, 0.0004, 0.5, 0.99999, 1].map((each) => plain(percent(each)))).toEqual([
      '0 %',
      '< 0.1 %',
      '< 0.1 %',
      '50.0 %',
      '99.9 %',
      '100 %',
    ]);
  });

  it.each([
    [0.4, '0.4 ms'],
    [14.2, '14 ms'],
    [3200, '3.2 s'],
    [120_000, '2 min'],
    [125_000, '2 min 5 s'],
    [3_600_000, '1 h'],
    [30 * 3_600_000, '30 h'],
    [9 * 86_400_000, '9 days'],
    [-5, '0 ms'],
  ])('%d ms are %s', (ms, words) => expect(plain(span(ms))).toBe(words));

  it('says how long ago without false precision, to both sides of now', () => {
    const now = 1e12;
    expect(
      [1000, 12_400, 374_000, 3 * 3_600_000 + 1e6, -90_000].map((away) => plain(relative(now - away, now))),
    ).toEqual(['now', '12 s ago', '6 min ago', '3 h ago', 'in 2 min']);
  });

  it('holds one figure against another', () => {
    expect(
      [change(112, 100), change(96, 100), change(100, 100), change(5, 0), change(2000, 100)].map(plain),
    ).toEqual(['+12 %', '−4.0 %', 'the same', undefined, '× 20']);
  });

  it('keeps to one or many', () => {
    expect([counted(1, 'case'), counted(2, 'query', 'queries')]).toEqual(['1 case', '2 queries']);
    expect([plain(bytes(840)), plain(bytes(1_840_221))]).toEqual(['840 B', '1.8 MB']);
  });

  it('has words for every number, and times far from now', () =>
    fc.assert(
      fc.property(fc.double(), fc.double(), (a, b) => {
        for (const words of [
          count(a),
          short(a),
          percent(a),
          figure(a),
          span(a),
          relative(a, b),
          exact(a),
          clock(a, b),
          change(a, b) ?? '',
        ])
          expect(words).not.toMatch(/NaN.*NaN|undefined|Invalid/);
      }),
    ));
});
