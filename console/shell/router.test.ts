import { describe, expect, it } from 'vitest';
import { pathOf, withParameter } from '../data/query.ts';
import { matches } from './palette.tsx';
import { partsOf, pathTo } from './router.tsx';

describe('addresses', () => {
  it('carry names that hold anything', () => {
    for (const name of ['a/b', '<img>', 'ä ö', '%2e%2e', '\u202E', 'x?y#z', '#'])
      expect(partsOf(pathTo('traffic', name))).toEqual(['traffic', name]);
  });

  it('that cannot be decoded stay as they are', () => {
    expect(partsOf('/cases/%E0%A4%A/')).toEqual(['cases', '%E0%A4%A']);
  });

  it('of questions leave out what has no value, and escape the rest', () => {
    expect(pathOf('/api/clients', { model: '', find: 'a&b=c', before: undefined, most: 20 })).toBe(
      '/api/clients?find=a%26b%3Dc&most=20',
    );
    expect(withParameter('/api/x?y=1', 'before', '2')).toBe('/api/x?y=1&before=2');
  });
});

describe('the palette', () => {
  it('finds letters in their order', () => {
    expect([matches('people & keys', 'pkeys'), matches('people & keys', 'kp'), matches('x', '')]).toEqual([
      true,
      false,
      true,
    ]);
  });
});
