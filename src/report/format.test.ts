import { expect, it } from 'vitest';
import {
  budgetInWords,
  count,
  counted,
  duration,
  interval,
  moment,
  optionList,
  percent,
  radius,
} from './format.ts';

const plain = (text: string) => text.replaceAll('\u00a0', ' ');

it.each([
  [0.674, '67.4 %'],
  [0, '0 %'],
  [1, '100 %'],
  [0.9999, '99.9 %'],
  [0.0001, '0.1 %'],
])('percent(%d) is %s: nearly all is not all, nearly none not none', (fraction, text) => {
  expect(plain(percent(fraction))).toBe(text);
});

it.each([
  [0.3, '0.3'],
  [Math.fround(0.3), '0.3'],
  [8 / 255, '8/255'],
  [Math.fround(8 / 255), '8/255'],
  [0.2, '0.2'],
  [0.031, '0.031'],
  [2.5, '2.5'],
  [100, '100'],
  [0.123456, '0.1235'],
  [0, '0'],
])('radius(%d) is %s', (eps, text) => {
  expect(radius(eps)).toBe(text);
});

it.each([
  [0.123, '0.12 s'],
  [4.81, '4.8 s'],
  [59.97, '1 min 0 s'],
  [125, '2 min 5 s'],
  [3599.9, '1 h 0 min'],
  [3780, '1 h 3 min'],
])('duration(%d) is %s', (seconds, text) => {
  expect(plain(duration(seconds))).toBe(text);
});

it('writes intervals, counts, times and options as people do', () => {
  expect(plain(interval([0.6443, 0.7023]))).toBe('64.4–70.2 %');
  expect(count(1234567)).toBe('1,234,567');
  expect([counted(1, 'sample'), counted(1000, 'sample')]).toEqual(['1 sample', '1,000 samples']);
  expect(moment('2026-11-21T23:30:00-02:00')).toBe('22 November 2026, 01:30 UTC');
  expect(optionList({ steps: 40, relativeStep: 0.1 + 0.2, loss: 'ce', ends: [1, 2] })).toBe(
    'steps=40, relativeStep=0.3, loss=ce, ends=[1,2]',
  );
  expect(budgetInWords('l0', 10)).toContain('at most 10 input values');
});
