import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeText, encodeText } from './text.ts';

describe('text of a model file', () => {
  it('keeps every byte string, valid UTF-8 or not', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        expect(encodeText(decodeText(bytes))).toEqual(bytes);
      }),
      { numRuns: 2000 },
    );
  });

  it('keeps bytes that stand between valid sequences', () => {
    const sequence = fc.constantFrom('a', 'é', '€', '💀', '\ufeff');
    const piece = fc.oneof(
      sequence.map((s) => encodeText(s)),
      fc.uint8Array({ minLength: 1, maxLength: 3 }),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
        const bytes = Uint8Array.from(Buffer.concat(pieces));
        expect(encodeText(decodeText(bytes))).toEqual(bytes);
      }),
      { numRuns: 2000 },
    );
  });

  it('reads valid UTF-8 as usual, byte order marks included', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(decodeText(Buffer.from(text))).toBe(text);
        expect(encodeText(text)).toEqual(Uint8Array.from(Buffer.from(text)));
      }),
    );
    expect(decodeText(Uint8Array.of(0xef, 0xbb, 0xbf, 0x61))).toBe('\ufeffa');
  });

  it('shows each invalid byte as one lone surrogate', () => {
    expect(decodeText(Uint8Array.of(0x61, 0xff, 0xc3, 0x62))).toBe('a\udcff\udcc3b');
    // Overlong, a surrogate and beyond U+10FFFF are no UTF-8.
    expect(decodeText(Uint8Array.of(0xc0, 0x80))).toBe('\udcc0\udc80');
    expect(decodeText(Uint8Array.of(0xed, 0xa0, 0x80))).toBe('\udced\udca0\udc80');
    expect(decodeText(Uint8Array.of(0xf4, 0x90, 0x80, 0x80))).toBe('\udcf4\udc90\udc80\udc80');
  });
});
