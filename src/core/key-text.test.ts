import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { base62, keyParts, keyText } from './key-text.ts';

const id = base62(Buffer.from('0123456789abcdef', 'hex'), 11);
const secret = base62(Buffer.alloc(32, 0xa7), 43);

describe('the text of a key', () => {
  it('gives back its parts', () => {
    const text = keyText(id, secret);
    expect(text).toHaveLength(68);
    expect(keyParts(text)).toEqual({ id, secret });
  });

  it('is not one when any character is another, missing or twice', () => {
    const text = keyText(id, secret);
    fc.assert(
      fc.property(fc.nat(text.length - 1), fc.constantFrom(...'aZ09_- \n'), (at, letter) => {
        fc.pre(text[at] !== letter);
        expect(keyParts(text.slice(0, at) + letter + text.slice(at + 1))).toBeUndefined();
        expect(keyParts(text.slice(0, at) + text.slice(at + 1))).toBeUndefined();
        expect(keyParts(text.slice(0, at) + letter + text.slice(at))).toBeUndefined();
      }),
    );
  });

  it('is nothing that anybody types', () => {
    fc.assert(fc.property(fc.string({ maxLength: 100 }), (text) => keyParts(text) === undefined));
  });
});

describe('base 62', () => {
  it('holds 256 bits in 43 letters, each number its own', () => {
    expect(base62(Buffer.alloc(32, 255), 43)).toMatch(/^[0-9A-Za-z]{43}$/);
    expect(BigInt(62) ** 43n > 2n ** 256n).toBe(true);
    expect(base62(Buffer.from([1, 0]), 3)).toBe('048');
    expect(base62(new Uint8Array(0), 2)).toBe('00');
  });
});
