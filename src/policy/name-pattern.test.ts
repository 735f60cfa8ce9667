import fc from 'fast-check';
import { expect, it } from 'vitest';
import { fitsPattern } from './name-pattern.ts';

it('a pattern fits what the same regular expression fits', () => {
  const text = fc.string({ unit: fc.constantFrom('a', 'b', '.', '/'), maxLength: 12 });
  const pattern = fc.string({ unit: fc.constantFrom('a', 'b', '.', '*', '?'), maxLength: 8 });
  fc.assert(
    fc.property(pattern, text, (p, name) => {
      const source = p.replaceAll('.', '\\.').replaceAll('?', '.').replaceAll('*', '.*');
      expect(fitsPattern(p, name)).toBe(new RegExp(`^${source}$`, 's').test(name));
    }),
    { numRuns: 2000 },
  );
});

it('a pattern of many stars is held against a long name at once', () => {
  expect(fitsPattern(`${'*a'.repeat(90)}b`, 'a'.repeat(20_000))).toBe(false);
});
