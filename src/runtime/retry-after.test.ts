import { expect, it } from 'vitest';
import { retryAfter } from './retry-after.ts';

const now = Date.UTC(2030, 0, 1, 12, 0, 0);

it.each<[string, Record<string, string>, number | undefined]>([
  ['seconds', { 'retry-after': '120' }, 120_000],
  ['no time at all', { 'retry-after': '0' }, 0],
  ['a date', { 'retry-after': 'Tue, 01 Jan 2030 12:00:30 GMT' }, 30_000],
  ['a date that is over', { 'retry-after': 'Tue, 01 Jan 2030 11:00:00 GMT' }, 0],
  [
    'a date by a clock that is an hour ahead',
    { 'retry-after': 'Tue, 01 Jan 2030 13:00:30 GMT', date: 'Tue, 01 Jan 2030 13:00:00 GMT' },
    30_000,
  ],
  ['nothing', {}, undefined],
  ['a date without its zone', { 'retry-after': 'Tue Jan  1 12:00:30 2030' }, undefined],
  ['a fraction', { 'retry-after': '1.5' }, undefined],
  ['a negative number', { 'retry-after': '-1' }, undefined],
  ['more digits than a year has seconds', { 'retry-after': '99999999999' }, undefined],
  ['words', { 'retry-after': 'soon GMT' }, undefined],
])('waits as long as %s says', (_, headers, ms) => {
  expect(retryAfter(new Headers(headers), now)).toBe(ms);
});
