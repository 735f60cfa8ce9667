import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type KeyQuery, keyPage, keyState } from './key-page.ts';
import type { KeyRecord } from './key-record.ts';

const key = (id: string, created: number, more: Partial<KeyRecord> = {}): KeyRecord => ({
  ...{ id, hash: 'h', principal: 'bob', tenant: 'acme', roles: [], created, createdBy: 'ann' },
  scope: { models: ['*'], operations: ['infer'], detail: 'label' },
  ...more,
});

describe('a page of keys', () => {
  it('all pages together are all keys that fit, the newest first, each once', () => {
    const made = fc.array(fc.tuple(fc.integer({ min: 0, max: 5 }), fc.boolean()), { maxLength: 60 });
    fc.assert(
      fc.property(made, fc.integer({ min: 1, max: 9 }), (times, most) => {
        const keys = times.map(([created, isBob], i) =>
          key(`k${i}`, created, { principal: isBob ? 'bob' : 'eve' }),
        );
        const seen: KeyRecord[] = [];
        let before: string | undefined;
        for (;;) {
          const page = keyPage(keys, { principal: 'bob', before, most }, 0);
          expect(page.rows.length).toBeLessThanOrEqual(most);
          seen.push(...page.rows);
          before = page.next;
          if (before === undefined) break;
        }
        const expected = keys
          .filter(({ principal }) => principal === 'bob')
          .sort((a, b) => b.created - a.created || (a.id < b.id ? -1 : 1));
        expect(seen.map(({ id }) => id)).toEqual(expected.map(({ id }) => id));
      }),
    );
  });

  it.each<[Partial<KeyQuery>, readonly string[]]>([
    [{ state: 'active' }, ['c', 'a']],
    [{ state: 'revoked' }, ['b']],
    [{ state: 'ending' }, ['d']],
    [{ state: 'expired' }, ['e']],
    [{ find: 'ADMIN' }, ['c']],
    [{ tenant: 'other' }, ['a']],
    [{ find: 'zzz' }, []],
  ])('%o', (query, ids) => {
    const keys = [
      key('a', 1, { tenant: 'other' }),
      key('b', 2, { revoked: 5 }),
      key('c', 3, { roles: ['admin'] }),
      key('d', 4, { replacedBy: 'c', expires: 200 }),
      key('e', 0, { expires: 50 }),
    ];
    const { rows, total } = keyPage(keys, { most: 10, ...query }, 100);
    expect(rows.map(({ id }) => id)).toEqual(ids);
    expect(total).toBe(ids.length);
  });

  it('a revoked key is revoked, whatever else it is', () => {
    expect(keyState(key('a', 0, { revoked: 1, expires: 1, replacedBy: 'b' }), 5)).toBe('revoked');
  });
});
