import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { inputDigest } from './input-digest.ts';
import { type FeedRule, readFeed } from './reading.ts';
import { openFeedWatch } from './watch.ts';

const NOW = Date.parse('2026-11-21T12:00:00Z');
const time = { parameter: 'at', unit: 'ms', maxAge: 60_000, maxAhead: 2000 } as const;
const timed: FeedRule = { name: 'price', time };
const counted: FeedRule = { name: 'price', sequence: { parameter: 'seq', maxGap: 100 } };
const both: FeedRule = { ...timed, ...counted };
const twice: FeedRule = { name: 'price', agree: { parameters: ['a', 'b'], absolute: 0.1, relative: 0.01 } };

describe('readFeed', () => {
  it.each<[string, FeedRule, Record<string, string | number | boolean>, unknown]>([
    ['milliseconds', timed, { at: NOW - 5 }, { time: NOW - 5, sequence: undefined }],
    [
      'seconds',
      { name: 'f', time: { ...time, unit: 's' } },
      { at: NOW / 1000 },
      { time: NOW, sequence: undefined },
    ],
    ['ISO 8601', timed, { at: '2026-11-21T12:00:01+00:00' }, { time: NOW + 1000, sequence: undefined }],
    ['the oldest that is fresh', timed, { at: NOW - 60_000 }, { time: NOW - 60_000, sequence: undefined }],
    ['a stale time', timed, { at: NOW - 60_001 }, 'at is older than 60000 ms'],
    ['a time ahead', timed, { at: NOW + 2001 }, 'at is ahead by more than 2000 ms'],
    ['no time', timed, {}, 'at is no time'],
    ['NaN', timed, { at: Number.NaN }, 'at is no time'],
    ['infinity', timed, { at: Number.POSITIVE_INFINITY }, 'at is no time'],
    ['a day', timed, { at: '2026-11-21' }, 'at is no time'],
    ['a date that is none', timed, { at: '2026-13-45T99:00:00Z' }, 'at is no time'],
    ['a boolean', timed, { at: true }, 'at is no time'],
    ['a sequence number', counted, { seq: 7 }, { time: undefined, sequence: 7 }],
    ['a fraction', counted, { seq: 7.5 }, 'seq is no sequence number'],
    ['beyond 2^53', counted, { seq: 2 ** 53 }, 'seq is no sequence number'],
    ['a negative number', counted, { seq: -1 }, 'seq is no sequence number'],
    ['a number as text', counted, { seq: '7' }, 'seq is no sequence number'],
    ['sources that agree', twice, { a: 100, b: 101 }, { time: undefined, sequence: undefined }],
    ['sources that do not', twice, { a: 100, b: 102 }, 'a and b do not agree'],
    ['sources of which one is NaN', twice, { a: 100, b: Number.NaN }, 'a and b do not agree'],
    [
      'two infinities',
      twice,
      { a: Number.POSITIVE_INFINITY, b: Number.POSITIVE_INFINITY },
      'a and b do not agree',
    ],
    ['one source', twice, { a: 100 }, 'a and b are no numbers'],
  ])('%s', (_, rule, parameters, wanted) => {
    expect(readFeed(rule, parameters, NOW)).toEqual(wanted);
  });

  it('does not take what every object has for a parameter', () => {
    const rule: FeedRule = { name: 'f', time: { ...time, parameter: 'constructor' } };
    expect(readFeed(rule, {}, NOW)).toBe('constructor is no time');
  });
});

describe('a feed watch', () => {
  const watch = (feeds: readonly FeedRule[], more: Partial<Parameters<typeof openFeedWatch>[0]> = {}) =>
    openFeedWatch({ feeds, mostParties: 3, since: 0, ...more });

  it('counts each reading once', () => {
    const { check } = watch([timed]);
    expect(check('ann', { at: NOW }, NOW)).toBeUndefined();
    expect(check('ann', { at: NOW }, NOW)).toBe('feed price: the time did not grow');
    expect(check('ann', { at: NOW - 1 }, NOW)).toBe('feed price: the time did not grow');
    expect(check('ann', { at: NOW + 1 }, NOW)).toBeUndefined();
    expect(check('bob', { at: NOW }, NOW)).toBeUndefined();
  });

  it('lets times be equal where sequence numbers grow', () => {
    const { check } = watch([both]);
    expect(check('ann', { at: NOW, seq: 1 }, NOW)).toBeUndefined();
    expect(check('ann', { at: NOW, seq: 1 }, NOW)).toBe('feed price: the sequence number did not grow');
    expect(check('ann', { at: NOW, seq: 2 }, NOW)).toBeUndefined();
    expect(check('ann', { at: NOW - 1, seq: 3 }, NOW)).toBe('feed price: the time fell');
    expect(check('ann', { at: NOW, seq: 103 }, NOW)).toBe(
      'feed price: the sequence number grew by more than 100',
    );
  });

  it('remembers the readings of all feeds or of none', () => {
    const second: FeedRule = { name: 'volume', sequence: { parameter: 'n', maxGap: 9 } };
    const { check } = watch([counted, second]);
    expect(check('ann', { seq: 1, n: 1 }, NOW)).toBeUndefined();
    expect(check('ann', { seq: 2, n: 1 }, NOW)).toMatch(/feed volume/);
    expect(check('ann', { seq: 2, n: 2 }, NOW)).toBeUndefined();
  });

  it('refuses what was taken before it began, because it may have been answered before', () => {
    const { check } = watch([timed], { since: NOW });
    expect(check('ann', { at: NOW - 1 }, NOW + 5)).toBe(
      'feed price: the reading was taken before watching began',
    );
    expect(check('ann', { at: NOW }, NOW + 5)).toBeUndefined();
  });

  it('forgets nobody whose readings could come again', () => {
    const feeds = watch([timed]);
    for (const party of ['ann', 'bob', 'cid']) expect(feeds.check(party, { at: NOW }, NOW)).toBeUndefined();
    expect(feeds.check('dan', { at: NOW }, NOW)).toBe('too many parties to remember');
    expect(feeds.check('ann', { at: NOW + 1000 }, NOW + 1000)).toBeUndefined();
    // Bob was quiet for longest, and is stale now.
    expect(feeds.check('dan', { at: NOW + 60_001 }, NOW + 60_001)).toBeUndefined();
    expect(feeds.size).toBe(3);
    expect(feeds.check('bob', { at: NOW }, NOW + 60_001)).toMatch(/older than/);
    const numbers = watch([counted]);
    for (const party of ['ann', 'bob', 'cid']) numbers.check(party, { seq: 1 }, NOW);
    expect(numbers.check('dan', { seq: 1 }, NOW + 1e9)).toBe('too many parties to remember');
  });

  it('a refused request changes nothing, so that nobody locks himself out by one wrong number', () => {
    const { check } = watch([both]);
    expect(check('ann', { at: NOW, seq: 5 }, NOW)).toBeUndefined();
    expect(check('ann', { at: NOW + 1e9, seq: 6 }, NOW)).toMatch(/ahead/);
    expect(check('ann', { at: NOW, seq: 6 }, NOW)).toBeUndefined();
  });

  it('notices a feed that stands still', () => {
    const { check } = watch([timed], { mostRepeats: 2 });
    const same = inputDigest(Float32Array.of(1, 2));
    expect(check('ann', { at: NOW }, NOW, same)).toBeUndefined();
    expect(check('ann', { at: NOW + 1 }, NOW, same)).toBeUndefined();
    expect(check('ann', { at: NOW + 2 }, NOW, same)).toBe('the same input came 3 times in a row');
    expect(check('ann', { at: NOW + 3 }, NOW, inputDigest(Float32Array.of(2, 1)))).toBeUndefined();
    expect(check('ann', { at: NOW + 4 }, NOW, same)).toBeUndefined();
  });

  it('never accepts a reading twice and never remembers more than it may, whatever comes', () => {
    const request = fc.record({
      party: fc.constantFrom('a', 'b', 'c', 'd', 'e'),
      at: fc.integer({ min: -70_000, max: 3000 }),
      seq: fc.integer({ min: 0, max: 12 }),
      later: fc.integer({ min: -100, max: 40_000 }),
    });
    fc.assert(
      fc.property(fc.array(request, { maxLength: 60 }), (requests) => {
        const feeds = watch([both]);
        const accepted = new Set<string>();
        let now = NOW;
        for (const { party, at, seq, later } of requests) {
          now += later;
          if (feeds.check(party, { at: NOW + at, seq }, now) !== undefined) continue;
          const reading = `${party} ${at} ${seq}`;
          expect(accepted.has(reading)).toBe(false);
          accepted.add(reading);
          expect(feeds.size).toBeLessThanOrEqual(3);
        }
      }),
    );
  });
});

describe('inputDigest', () => {
  it('tells values, their order and their signs apart', () => {
    const digests = [
      [1, 2],
      [2, 1],
      [1, 2, 0],
      [-1, 2],
      [0, 0],
      [-0, 0],
    ].map((v) => inputDigest(Float32Array.from(v)));
    expect(new Set(digests).size).toBe(6);
    expect(inputDigest(Float32Array.of(9, 1, 2).subarray(1))).toBe(digests[0]);
  });
});
