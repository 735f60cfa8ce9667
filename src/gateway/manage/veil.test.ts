import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { openVeil } from './veil.ts';

const veil = openVeil(new Uint8Array(32).fill(3));

describe('pseudonyms of callers', () => {
  it('are the same for the same name and open for this gateway alone', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (given) => {
        const name = given.toWellFormed();
        const hidden = veil.hide(name);
        expect(hidden).toMatch(/^~[\w-]+$/);
        expect(veil.hide(name)).toBe(hidden);
        expect(veil.seen(hidden)).toBe(name);
        expect(openVeil(new Uint8Array(32)).seen(hidden)).toBeUndefined();
      }),
    );
  });

  it('are of other names where anything is changed, and say little about length', () => {
    const hidden = veil.hide('mallory');
    for (let i = 1; i < hidden.length; i++) {
      const other = `${hidden.slice(0, i)}${hidden[i] === 'A' ? 'B' : 'A'}${hidden.slice(i + 1)}`;
      // The last digit has bits that mean nothing.
      if (Buffer.from(other.slice(1), 'base64url').equals(Buffer.from(hidden.slice(1), 'base64url')))
        continue;
      expect(veil.seen(other)).toBeUndefined();
    }
    expect(veil.hide('a').length).toBe(veil.hide('a name of thirty letters').length);
    for (const odd of ['', '~', 'mallory', '~AAAA', `~${'A'.repeat(10_000)}`])
      expect(veil.seen(odd)).toBeUndefined();
  });
});
