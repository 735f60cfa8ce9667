import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cut, piecesOf, plainText } from './text.tsx';

describe('a text that a caller chose', () => {
  it('shows what turns the reading direction around, what is invisible, and controls', () => {
    expect(piecesOf('acme\u202Egnp.exe')).toEqual([
      { text: 'acme', hidden: false },
      { text: 'U+202E', hidden: true },
      { text: 'gnp.exe', hidden: false },
    ]);
    expect(plainText('a\u200Bb\u001b[31m\nc\u2066')).toBe('a⟨U+200B⟩b⟨U+001B⟩[31m⟨U+000A⟩c⟨U+2066⟩');
    expect(plainText('\ud800')).toBe('⟨U+D800⟩');
  });

  it('leaves letters of all writings and joined pictures as they are', () => {
    for (const text of ['Grüße', 'שלום', '日本語', '👩‍🚀 ok', 'مرحبا']) expect(plainText(text)).toBe(text);
  });

  it('is cut between characters, never longer than asked', () =>
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.integer({ min: 3, max: 50 }), (text, most) => {
        const short = cut(text, most);
        expect(short.length).toBeLessThanOrEqual(most);
        if (text.isWellFormed()) expect(short.isWellFormed()).toBe(true);
        if (text.length <= most) expect(short).toBe(text);
      }),
    ));

  it('has nothing hidden left, whatever it is', () =>
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(plainText(text).replaceAll('\u200d', '')).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u);
      }),
    ));
});
