import { describe, expect, it } from 'vitest';
import { storeSchema } from './config-schema.ts';
import { timeSpan } from './time-span.ts';

describe('serve.store', () => {
  it('is a file on this machine without', () => {
    expect(storeSchema.parse(undefined)).toEqual({ kind: 'sqlite', busyTimeout: 5000 });
  });

  it('reads PostgreSQL with careful defaults', () => {
    expect(storeSchema.parse({ kind: 'postgres', url: 'postgres://glacis@db/glacis' })).toEqual({
      kind: 'postgres',
      url: 'postgres://glacis@db/glacis',
      connections: 10,
      connectTimeout: 3000,
      queryTimeout: 5000,
    });
  });

  it.each([
    [{ kind: 'mysql' }],
    [{ kind: 'sqlite', url: 'postgres://x/y' }],
    [{ kind: 'sqlite', file: '' }],
    [{ kind: 'postgres' }],
    [{ kind: 'postgres', url: 'mysql://x/y' }],
    [{ kind: 'postgres', url: 'postgres://x/y', connections: 0 }],
    [{ kind: 'postgres', url: 'postgres://x/y', tls: 'maybe' }],
    [{ kind: 'postgres', url: 'postgres://x/y', queryTimeout: 5000 }],
    [{ file: 'x.db' }],
  ])('refuses %j', (given) => {
    expect(storeSchema.safeParse(given).success).toBe(false);
  });
});

describe('a length of time', () => {
  it.each([
    ['250 ms', 250],
    ['1 second', 1000],
    ['5 seconds', 5000],
    ['2minutes', 120_000],
    ['12 hours', 43_200_000],
    ['30 days', 2_592_000_000],
    ['4 weeks', 2_419_200_000],
  ])('%s is %i ms', (text, expected) => {
    expect(timeSpan.parse(text)).toBe(expected);
  });

  it.each([
    '',
    '0 ms',
    '-1 second',
    '1.5 hours',
    '5',
    '5 months',
    ' 5 ms',
    '5 ms ',
    '5  ms',
    '9999999 ms',
    5,
  ])('refuses %j', (text) => {
    expect(timeSpan.safeParse(text).success).toBe(false);
  });
});
